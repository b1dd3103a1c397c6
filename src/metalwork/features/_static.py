"""Texts by the mean of their words' vectors, which a file has."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from metalwork._checks import check_count
from metalwork.errors import ConfigError, DataError
from metalwork.features._featurizer import Array, Learner
from metalwork.features._texts import TextVectors
from metalwork.features._tokens import Tokens

_TOKENS: Final = Tokens("words", (1, 1))


class StaticEmbeddings(TextVectors):
    """Texts as the mean of the vectors of their words, of a table such as GloVe's or word2vec's; rows of length 1.

    Words are read as :class:`WordCounts` reads them. Those without a vector are passed over; a text without any is
    a row of zeros. A model's file holds the table.

    Parameters
    ----------
    path : path
        A text file of UTF-8 with a line a word: the word and its numbers, with blanks in between. A first line of
        two whole numbers (word2vec's) is passed over.
    field : str, optional
        The column of records that holds the text.
    max_words : int, default 50000
        The first words of the file alone, which are the most frequent ones in the usual files.

    Attributes
    ----------
    vectors_ : float32 array (n_words, n_features)
        Set by :meth:`fit`.
    """

    kind = "static embeddings"
    _number = "vector"
    vectors_: npt.NDArray[np.float32]
    _rows: dict[str, int]

    def __init__(self, path: str | Path, field: str | None = None, max_words: int = 50_000) -> None:
        self.path = path
        self.field = field
        self.max_words = max_words

    @property
    def n_features(self) -> int:
        """Numbers a word."""
        self._check_fitted()
        return int(self.vectors_.shape[1])

    def learner(self) -> Learner:
        """Reads the table, or raises a ``DataError`` where there is none; checks the texts of each part."""
        learner = super().learner()
        self._rows, self.vectors_ = _read(self.path, check_count("max_words", self.max_words))
        return learner

    def transform(self, records: Any) -> npt.NDArray[np.float32]:
        """float32 array (n_points, n_features), rows of length 1 or 0."""
        self._check_fitted()
        found = np.zeros((0, self.n_features), np.float32)
        texts = _TOKENS.prepare(self._texts(records))
        if texts:
            found = np.stack([self._mean(text) for text in texts])
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.where(lengths > 0, lengths, 1), dtype=np.float32)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Arguments, words, and their vectors."""
        self._check_fitted()
        facts = {"path": os.fspath(self.path), "field": self.field, "max_words": int(self.max_words)}
        return facts | {"words": list(self._rows)}, {"vectors": self.vectors_}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From its :meth:`state`; the file is not read again."""
        words, vectors = facts["words"], arrays["vectors"]
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise DataError("The words of a table must be texts.")
        if vectors.ndim != 2 or vectors.dtype != np.float32 or len(vectors) != len(set(words)) or not words:
            raise DataError("The vectors of a table must be one a word.")
        if not np.isfinite(vectors).all():
            raise DataError("The vectors of a table must be finite.")
        featurizer = cls(facts["path"], facts["field"], facts["max_words"])
        featurizer._check()
        featurizer._rows, featurizer.vectors_ = {word: row for row, word in enumerate(words)}, vectors
        return featurizer

    def _mean(self, text: str) -> npt.NDArray[np.float32]:
        rows = [row for word in _TOKENS.of(text) if (row := self._rows.get(word)) is not None]
        return self.vectors_[rows].mean(axis=0) if rows else np.zeros(self.n_features, np.float32)


def _read(path: Any, most: int) -> tuple[dict[str, int], npt.NDArray[np.float32]]:
    """Rows by word, and the vectors; the first of two words that are read alike counts."""
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(f"path must be the path of a table of vectors; got {path!r}.")
    try:
        with open(path, encoding="utf-8") as lines:
            return _table(path, lines, most)
    except OSError as error:
        raise DataError(f"{path}: must be a table of vectors that can be read; {error.strerror}.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: must be a table of vectors in UTF-8; it is something else.") from None


def _table(path: Any, lines: Iterable[str], most: int) -> tuple[dict[str, int], npt.NDArray[np.float32]]:
    rows: dict[str, int] = {}
    vectors: list[Any] = []
    for number, line in enumerate(lines, 1):
        parts = line.split()
        if (number == 1 and len(parts) == 2 and all(map(str.isdigit, parts))) or not parts:
            continue
        if len(vectors) >= most:
            break
        try:
            vector = np.array(parts[1:], dtype=np.float32)
        except ValueError:
            vector = np.empty(0, np.float32)
        width = len(vectors[0]) if vectors else len(vector)
        if not len(vector) or not np.isfinite(vector).all() or len(vector) != width:
            raise DataError(
                f"{path}: must be a table of vectors, with a line a word: the word and its numbers, as many "
                f"in each; got {line[:40].strip()!r} in line {number}."
            )
        word = _TOKENS.prepare(parts[:1])[0]
        if word not in rows:
            rows[word] = len(vectors)
            vectors.append(vector)
    if not vectors:
        raise DataError(f"{path}: must be a table of vectors, with a line a word; it holds none.")
    return rows, np.stack(vectors)
