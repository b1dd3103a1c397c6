"""Texts by their meaning: what a sentence encoder makes of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from metalwork.errors import ConfigError, DataError
from metalwork.features._featurizer import Array, Learner
from metalwork.features._texts import TextVectors


class SentenceEmbeddings(TextVectors):
    """Texts as the unit vectors of a sentence encoder, which stays as it is.

    Vectors are kept on disk by the text and the encoder's weights, in the same store as votes, so that a text is
    encoded once on a machine. A model's file names the encoder and the digest of its weights; it holds no weights.

    Parameters
    ----------
    encoder : str, optional
        The name or folder of a sentence-transformers model; by default all-MiniLM-L6-v2, which comes with
        ``metalwork[text]`` and needs no network. An object or a function works too, but is not saved.
    field : str, optional
        The column of records that holds the text.
    cache : path or bool, default True
        Where vectors are kept, as for :func:`metalwork.apply`; False encodes each time.

    Attributes
    ----------
    n_dimensions_ : int
        Of the vectors; set by :meth:`fit`.
    """

    kind = "sentence embeddings"
    _number = "embedding"
    n_dimensions_: int
    _digest: str | None

    def __init__(self, encoder: Any = None, field: str | None = None, cache: str | Path | bool = True) -> None:
        self.encoder = encoder
        self.field = field
        self.cache = cache

    @property
    def n_features(self) -> int:
        """Number of dimensions."""
        self._check_fitted()
        return self.n_dimensions_

    def learner(self) -> Learner:
        """Encodes each part, which the cache keeps, to learn how many dimensions there are.

        It raises a ``LabelingError`` for something that is no encoder, is not there, or returns no vectors.
        """
        self._check()
        return _Dimensions(self)

    def transform(self, records: Any) -> npt.NDArray[np.float32]:
        """float32 array (n_points, n_features); rows of length 1, or 0 for a text that the encoder passes over.

        Raises
        ------
        DataError
            When the encoder is not the one of ``fit``.
        """
        width, found = self.n_features, self._encode(records)
        if self._encoder().digest != self._digest or (len(found) and found.shape[1] != width):
            raise DataError(
                f"encoder must be the one that the model was trained with; {self._encoder().name!r} has other "
                "weights now. Use that one, or train again."
            )
        return found if len(found) else np.zeros((0, width), np.float32)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Arguments but for the cache, dimensions, and the digest of the encoder's weights."""
        if self.encoder is not None and not isinstance(self.encoder, str):
            raise ConfigError(
                "encoder must be a name or a folder in featurizers that are saved; a file holds no code. "
                "Save the encoder itself, and name its folder."
            )
        facts = {"encoder": self.encoder, "field": self.field}
        return facts | {"n_dimensions": self.n_features, "digest": self._digest}, {}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From its :meth:`state`; the encoder is loaded when it is first needed."""
        encoder, digest, n_dimensions = facts["encoder"], facts["digest"], facts["n_dimensions"]
        if not isinstance(encoder, str | None) or not isinstance(digest, str | None):
            raise DataError("The encoder of embeddings must be a name.")
        if not isinstance(n_dimensions, int) or n_dimensions < 1:
            raise DataError("The dimensions of embeddings must be a number of at least 1.")
        featurizer = cls(encoder, facts["field"])
        featurizer._check()
        featurizer.n_dimensions_, featurizer._digest = n_dimensions, digest
        return featurizer

    def _encoder(self) -> Any:
        from metalwork.encoders import as_encoder

        return as_encoder(self.encoder)

    def _encode(self, records: Any) -> npt.NDArray[np.float32]:
        from metalwork.encoders import encode_kept

        texts = self._texts(records)
        return encode_kept(self._encoder(), texts, self.cache) if texts else np.zeros((0, 0), np.float32)


class _Dimensions:
    """Encodes records that come in parts."""

    def __init__(self, featurizer: SentenceEmbeddings) -> None:
        self._featurizer = featurizer
        self._width = 0

    def add(self, records: Any) -> None:
        found = self._featurizer._encode(records)
        self._width = found.shape[1] or self._width

    def finish(self) -> None:
        if not self._width:
            raise DataError("texts must be at least one to be embedded; got none.")
        self._featurizer.n_dimensions_ = self._width
        self._featurizer._digest = self._featurizer._encoder().digest
