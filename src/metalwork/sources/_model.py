"""Trained models as labeling functions: scikit-learn's, Hugging Face pipelines, and any callable."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from metalwork.errors import LabelingError
from metalwork.labeling import LabelingFunction
from metalwork.sources._classes import Classes, Labels
from metalwork.sources._source import Judge, Source, Votes, check_fields, check_text


def from_model(
    task: str,
    model: Any,
    fields: str | Sequence[str] | None = None,
    labels: Labels | None = None,
    name: str | None = None,
) -> LabelingFunction:
    """A labeling function of a trained model: its probabilities are soft votes.

    Parameters
    ----------
    task : str
    model : object
        One of these, asked for many records at once:

        - a fitted classifier or pipeline of scikit-learn's kind: ``predict_proba`` is used where there is one,
          else ``predict``;
        - a Hugging Face ``pipeline("text-classification")``, or anything else that takes a list of texts and
          returns a ``{"label": ..., "score": ...}`` a text, or a list of these (``top_k=None``);
        - a callable that takes a list of values a field and returns an array (n_records, n_classes) of
          probabilities, or a list with a class, a dict from classes to probabilities or None a record.
    fields : str or sequence of str, optional
        The columns that it reads. By default the columns of the frame that the model was fitted on
        (``feature_names_in_``), else "text". A model fitted on a frame gets a frame; one fitted on a table of
        numbers an array (n_records, n_fields); any other model the values of each column, as texts.
    labels : dict or sequence of str, optional
        From the model's classes to labels of the task; None for a class that says nothing. Or the labels in
        the order of its classes. By default classes are called like labels; the class 1 is the label "1".
    name : str, optional
        ``"<task> model"`` by default.

    A record with a missing value is not shown to the model, and abstains, unless the model says that it takes
    missing numbers. How far the model can be trusted is learned by the label model; that its probabilities mean
    what they say is not: calibrate it first if you can.

    Raises
    ------
    LabelingError
        When ``model`` is nothing of this kind, or its classes are no labels of the task, naming them: by ``apply``
        before any record is read, where the model tells its classes.

    Examples
    --------
    >>> import metalwork as mw
    >>> schema = mw.TaskSchema.flat(["ham", "spam"], task="kind")
    >>> def classifier(texts):
    ...     return [{"label": "LABEL_1" if "offer" in text else "LABEL_0", "score": 0.9} for text in texts]
    >>> lf = mw.from_model("kind", classifier, labels={"LABEL_0": "ham", "LABEL_1": "spam"})
    >>> votes = mw.apply([lf], [{"text": "an offer"}, {"text": "see you"}, {"text": None}], schema)
    >>> [votes.vote_name(0, code) for code in votes.codes[:2, 0]], int(votes.codes[2, 0])
    (['spam 0.9', 'ham 0.9'], -1)
    """
    lf_name = check_text("name of an LF", f"{check_text('task', task)} model" if name is None else name)
    estimator = not callable(model) and callable(getattr(model, "predict", None))
    if isinstance(model, type | LabelingFunction) or not (estimator or callable(model)):
        raise LabelingError(
            f"model of LF {lf_name!r} must be a fitted classifier, a Hugging Face pipeline or a callable; "
            f"got {model!r}."
        )
    columns = check_fields(_own_fields(model) if fields is None else fields, lf_name)
    rule = (_Estimator if estimator else _Callable)(lf_name, model, columns, labels)
    return LabelingFunction(task, lf_name, columns, rule, (rule.kind,) * len(columns))


def _own_fields(model: Any) -> Sequence[str]:
    names = getattr(model, "feature_names_in_", None)
    return ["text"] if names is None else list(map(str, names))


class _Model(Source):
    """A model, the columns that it reads, and what is said of its classes."""

    kind: type[float] | type[str] | None = str
    """What the text of a column is read as."""

    def __init__(self, name: str, model: Any, columns: tuple[str, ...], labels: Labels | None) -> None:
        super().__init__(name)
        self.model, self.columns, self.labels = model, columns, labels

    def classes(self, task: str, labels: Sequence[str]) -> Classes:
        return Classes(f"the model of LF {self.name!r}", task, labels, self.labels)


class _Estimator(_Model):
    """A classifier of scikit-learn's kind."""

    def __init__(self, name: str, model: Any, columns: tuple[str, ...], labels: Labels | None) -> None:
        super().__init__(name, model, columns, labels)
        self._framed = hasattr(model, "feature_names_in_")
        self._table = hasattr(model, "n_features_in_") and not self._framed
        self.kind = None if self._framed else float if self._table else str
        tags = getattr(model, "__sklearn_tags__", None)
        self.takes_missing = (self._framed or self._table) and tags is not None and tags().input_tags.allow_nan

    def judge(self, task: str, labels: Sequence[str]) -> Judge:
        """Probabilities where the model gives any, else its classes as votes."""
        own, known = self.classes(task, labels), getattr(self.model, "classes_", None)
        if known is None or getattr(known, "ndim", 0) != 1:
            raise LabelingError(
                f"model of LF {self.name!r} must be fitted, and tell the classes of one target (classes_); "
                f"got {type(self.model).__name__}. Fit it, or pass a callable and labels=[...]."
            )
        codes, predict = own.codes(list(known)), getattr(self.model, "predict_proba", None)
        if predict is not None:
            return lambda *columns: own.shares(np.asarray(predict(self._input(columns))), codes)
        label_of = {
            value: labels[code] if code >= 0 else None for value, code in zip(list(known), codes, strict=True)
        }
        return lambda *columns: [label_of[value] for value in self.model.predict(self._input(columns))]

    def _input(self, columns: tuple[list[Any], ...]) -> Any:
        """The records as the model was fitted on them."""
        if self._framed:
            return pl.DataFrame(dict(zip(self.columns, columns, strict=True)), strict=False)
        if self._table:
            return np.array(columns, dtype=np.float64).T
        if len(columns) == 1:
            return columns[0]
        return pl.DataFrame(dict(zip(self.columns, columns, strict=True)), strict=False)


class _Callable(_Model):
    """Anything that is called with lists of values."""

    def judge(self, task: str, labels: Sequence[str]) -> Judge:
        """Probabilities or votes, whichever the callable returns."""
        own = self.classes(task, labels)
        if (told := getattr(getattr(self.model, "model", None), "config", None)) is not None:
            own.codes(list(getattr(told, "id2label", {}).values()))  # a Hugging Face pipeline: find faults early
        return lambda *columns: self._votes(self.model(*columns), own)

    def _votes(self, returned: Any, own: Classes) -> Votes:
        if getattr(returned, "ndim", 1) == 2:
            named = list(own.labels if self.labels is None else self.labels)
            rows = np.asarray(returned, dtype=np.float64)
            if rows.shape[1] != len(named):
                raise LabelingError(
                    f"the model must return an array (n_records, n_classes) with "
                    f"{len(named)} columns; got shape {rows.shape}. Pass labels=[...] in the order of its columns."
                )
            return own.shares(rows, own.codes(named))
        values = returned.tolist() if isinstance(returned, np.ndarray) else list(returned)
        return [self._vote(value, own) for value in values]

    def _vote(self, value: Any, own: Classes) -> Any:
        """A label, a dict from labels to probabilities, or None."""
        if value is None:
            return None
        scores = _scores(value)
        found = {given: own.find(given) for given in ([value] if scores is None else scores)}
        if None in found.values():
            raise own.unknown([given for given, code in found.items() if code is None])
        if scores is None:
            code = found[value]
            return None if code is None or code < 0 else own.labels[code]
        silent = sum(score for given, score in scores.items() if found[given] == -1) / len(own.labels)
        shares: dict[str, float] = {}
        for given, score in scores.items():
            if (code := found[given]) is not None and code >= 0:
                label = own.labels[code]
                shares[label] = shares.get(label, silent) + score
        return shares or None


def _scores(value: Any) -> dict[Any, float] | None:
    """Probabilities by class; None where it is a class alone."""
    if isinstance(value, Mapping) and {"label", "score"} <= value.keys():
        return {value["label"]: float(value["score"])}
    if isinstance(value, Mapping):
        return {given: float(score) for given, score in value.items()}
    if isinstance(value, list | tuple):
        return {item["label"]: float(item["score"]) for item in value}
    return None
