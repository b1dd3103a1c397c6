"""Words, or runs of them, weighted by how rare they are."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from metalwork._checks import IntArray
from metalwork.errors import ConfigError, DataError
from metalwork.features._featurizer import Array
from metalwork.features._tokens import Tokenizer
from metalwork.features._vocabulary import WordFeatures


class TfIdf(WordFeatures):
    """Words weighted by how often they stand in a text, and how few texts hold them (TF-IDF); rows of length 1.

    Texts are read, and words counted, as :class:`WordCounts` does it. A word that stands ``n`` times in a text
    weighs (1 + log n) idf, where idf = 1 + log((1 + n_texts) / (1 + n_texts that hold it)), as in scikit-learn's
    ``TfidfVectorizer(sublinear_tf=True)``. A text without a word of the vocabulary is a row of zeros.

    Parameters
    ----------
    min_df, max_features, tokenizer
        As of :class:`WordCounts`.
    ngrams : (int, int), default (1, 1)
        Runs of this many tokens, from the least to the most: (1, 2) is words and pairs of words; with
        ``tokenizer="chars"``, (2, 4) is runs of two to four characters.
    sublinear : bool, default True
        False weighs a word that stands ``n`` times by n, not by 1 + log n.
    field : str, optional
        As of :class:`WordCounts`.

    Attributes
    ----------
    vocabulary_ : tuple of str (n_features,)
        The words, in column order; set by :meth:`fit`.
    idf_ : float32 array (n_features,)
        The weight of each, at least 1.

    Examples
    --------
    >>> import metalwork as mw
    >>> tfidf = mw.TfIdf(min_df=1).fit(["no acute disease", "acute pain"])
    >>> tfidf.transform(["acute pain", "an acute, acute pain"]).toarray().round(2)
    array([[0.58, 0.  , 0.  , 0.81],
           [0.77, 0.  , 0.  , 0.64]], dtype=float32)
    """

    kind = "tf-idf"
    idf_: npt.NDArray[np.float32]

    def __init__(
        self,
        min_df: int = 2,
        max_features: int | None = None,
        tokenizer: str | Tokenizer = "words",
        ngrams: tuple[int, int] = (1, 1),
        sublinear: bool = True,
        field: str | None = None,
    ) -> None:
        super().__init__(min_df, max_features, tokenizer, ngrams, field)
        self.sublinear = sublinear

    def transform(self, records: Any) -> sp.csr_matrix:
        """float32 CSR matrix (n_points, n_features), rows of length 1 or 0; unseen words are ignored."""
        counts, _ = self._count(self._texts(records), self._words())
        values = counts.data.astype(np.float64)
        if self.sublinear:
            values = 1.0 + np.log(values)
        values *= self.idf_[counts.indices]
        rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        lengths = np.sqrt(np.bincount(rows, values**2, minlength=counts.shape[0]))
        scaled = (values / lengths[rows]).astype(np.float32)
        return sp.csr_matrix((scaled, counts.indices, counts.indptr), shape=counts.shape)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Arguments and vocabulary, and the weights."""
        facts, _ = super().state()
        return facts, {"idf": self.idf_}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From its :meth:`state`."""
        featurizer = super().restored(facts, arrays)
        idf = arrays["idf"]
        if idf.shape != (featurizer.n_features,) or idf.dtype != np.float32 or not (idf >= 1).all():
            raise DataError("The weights of words must be one 32-bit float of at least 1 a word.")
        if not np.isfinite(idf).all():
            raise DataError("The weights of words must be finite.")
        featurizer.idf_ = idf
        return featurizer

    def _learn(self, words: tuple[str, ...], in_texts: IntArray, n_texts: int) -> None:
        self.vocabulary_ = words
        self.idf_ = (1.0 + np.log((1.0 + n_texts) / (1.0 + in_texts))).astype(np.float32)

    def _check(self) -> None:
        super()._check()
        if not isinstance(self.sublinear, bool | np.bool_):
            raise ConfigError(f"sublinear must be True or False; got {self.sublinear!r}.")
