"""Turning texts into the sparse arrays that end models read."""

import json
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

from metalwork._checks import check_count
from metalwork._estimators import Estimator
from metalwork.errors import DataError, MissingExtraError

_FORMAT = "metalwork word counts 1"


class WordCounts(Estimator):
    """How often each word stands in each text: the featurizer of the paper's section 5.

    Words are lower-cased runs of two or more letters, digits or underscores (scikit-learn's
    ``CountVectorizer``); counts are raw. The vocabulary is sorted, so it depends on the texts alone.

    Parameters
    ----------
    min_df : int, default 2
        Words that stand in fewer texts than this are dropped. At least 1.
    max_features : int, optional
        Keep this many of the most frequent words only.

    Attributes
    ----------
    vocabulary_ : tuple of str (n_features,)
        The words, in column order; set by :meth:`fit`.
    """

    _estimator_type = "transformer"
    _called_before = "it transforms. Call fit(texts) first."
    vocabulary_: tuple[str, ...]

    def __init__(self, min_df: int = 2, max_features: int | None = None) -> None:
        self.min_df = min_df
        self.max_features = max_features

    @property
    def n_features(self) -> int:
        """Number of words counted."""
        return len(self._words())

    def fit(self, texts: Iterable[str]) -> Self:
        """Choose the words from ``texts`` (n_points,).

        Raises
        ------
        DataError
            When a text is missing, or when no word is left.
        ConfigError
            When ``min_df`` or ``max_features`` is out of range.
        MissingExtraError
            When scikit-learn is not installed.
        """
        check_count("min_df", self.min_df)
        if self.max_features is not None:
            check_count("max_features", self.max_features)
        counts, words = _count(_as_list(texts), None)
        enough = counts.getnnz(axis=0) >= self.min_df
        if not enough.any():
            raise DataError(
                f"texts must share words: none stands in at least min_df={self.min_df} of the "
                f"{counts.shape[0]} texts. Lower min_df, or check the text column."
            )
        kept = np.flatnonzero(enough)
        if self.max_features is not None:
            totals = np.asarray(counts.sum(axis=0)).ravel()[kept]
            kept = np.sort(kept[np.argsort(-totals, kind="stable")[: self.max_features]])
        self.vocabulary_ = tuple(words[j] for j in kept)
        return self

    def transform(self, texts: Iterable[str]) -> sp.csr_matrix:
        """float32 CSR matrix (n_points, n_features) of word counts; words not seen in ``fit`` are ignored."""
        counts, _ = _count(_as_list(texts), self._words())
        return counts

    def fit_transform(self, texts: Iterable[str]) -> sp.csr_matrix:
        """:meth:`fit`, then :meth:`transform` of the same texts."""
        rows = _as_list(texts)
        return self.fit(rows).transform(rows)

    def to_json(self) -> str:
        """The settings and the vocabulary as JSON text, which :meth:`from_json` reads."""
        settings = {"min_df": self.min_df, "max_features": self.max_features}
        return json.dumps({"format": _FORMAT, **settings, "vocabulary": self._words()}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Restore what :meth:`to_json` wrote; ``DataError`` when ``text`` is something else."""
        try:
            stored = json.loads(text)
        except ValueError as error:
            raise DataError(f"Word counts must be a {_FORMAT!r} document; not valid JSON ({error}).") from None
        words = stored.get("vocabulary") if isinstance(stored, dict) else None
        if not isinstance(words, list) or not words or stored.get("format") != _FORMAT:
            raise DataError(f"Word counts must be a {_FORMAT!r} document; it is damaged or something else.")
        if not all(isinstance(word, str) for word in words) or len(set(words)) != len(words):
            raise DataError("The vocabulary must hold distinct words; the document is damaged.")
        counter = cls(min_df=stored.get("min_df", 2), max_features=stored.get("max_features"))
        counter.vocabulary_ = tuple(words)
        return counter

    def _words(self) -> tuple[str, ...]:
        self._check_fitted()
        return self.vocabulary_


def _count(texts: list[str], words: tuple[str, ...] | None) -> tuple[sp.csr_matrix, tuple[str, ...]]:
    """Counts of ``words`` (of every word, sorted, when None) in ``texts``, and the words."""
    try:
        from sklearn.feature_extraction.text import CountVectorizer
    except ImportError:
        raise MissingExtraError("scikit-learn", "train", "Counting words") from None
    vectorizer = CountVectorizer(vocabulary=words, dtype=np.float32)
    if words is not None:
        return sp.csr_matrix(vectorizer.transform(texts)), words
    try:
        counts = sp.csr_matrix(vectorizer.fit_transform(texts))
    except ValueError:
        raise DataError(
            f"texts must hold words of two or more letters; none of the {len(texts)} texts does. "
            "Check the text column."
        ) from None
    return counts, tuple(vectorizer.get_feature_names_out().tolist())


def _as_list(texts: Iterable[Any]) -> list[str]:
    if isinstance(texts, str):
        raise DataError(
            f"texts must be a sequence of texts; got the single text {texts[:40]!r}. Wrap it in a list."
        )
    rows = list(texts)
    for row, text in enumerate(rows):
        if not isinstance(text, str):
            raise DataError(
                f"texts must be text; got {text!r} at row {row}. Fill missing texts with '' or drop the record."
            )
    return rows
