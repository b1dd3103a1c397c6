"""Words in a fixed number of columns, without a vocabulary."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from metalwork._checks import check_count
from metalwork.errors import MissingExtraError
from metalwork.features._featurizer import Array
from metalwork.features._texts import TextFeaturizer
from metalwork.features._tokens import Tokenizer, Tokens, check_saved

_MOST_FEATURES = 2**31 - 1


class HashedWords(TextFeaturizer):
    """Counts of words in columns that a hash of the word picks: nothing is learned, so records may stream.

    Texts are read, and words counted, as :class:`WordCounts` does it, but words are not kept: several may share a
    column, the more the fewer columns there are. It takes one pass over records instead of two, and memory does
    not grow with the number of distinct words.

    Parameters
    ----------
    n_columns : int, default 2 ** 15
        Columns: a power of two spreads words most evenly. A network's first layer has as many rows.
    tokenizer, ngrams, field
        As of :class:`WordCounts`.

    Examples
    --------
    >>> import metalwork as mw
    >>> mw.HashedWords(8).transform(["acute pain", "acute, acute"]).toarray()
    array([[1., 0., 1., 0., 0., 0., 0., 0.],
           [0., 0., 2., 0., 0., 0., 0., 0.]], dtype=float32)
    """

    sparse = True
    has_named_features = False
    kind = "hashed words"

    def __init__(
        self,
        n_columns: int = 2**15,
        tokenizer: str | Tokenizer = "words",
        ngrams: tuple[int, int] = (1, 1),
        field: str | None = None,
    ) -> None:
        self.n_columns = n_columns
        self.tokenizer = tokenizer
        self.ngrams = ngrams
        self.field = field

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.n_columns)

    def transform(self, records: Any) -> sp.csr_matrix:
        """float32 CSR matrix (n_points, n_features) of counts."""
        try:
            from sklearn.feature_extraction import FeatureHasher
        except ImportError:
            raise MissingExtraError("scikit-learn", "train", "Hashing words") from None
        self._check()
        tokens = Tokens(self.tokenizer, self.ngrams)
        texts = tokens.prepare(self._texts(records))
        hasher = FeatureHasher(self.n_columns, input_type="string", dtype=np.float32, alternate_sign=False)
        return sp.csr_matrix(hasher.transform(map(tokens.of, texts)))

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """``"hash 0"`` and so on: object array of str (n_features,)."""
        return np.array([f"hash {column}" for column in range(self.n_features)], dtype=object)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Arguments; no arrays."""
        check_saved(self.tokenizer)
        return self.get_params(deep=False), {}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From its :meth:`state`."""
        featurizer = cls(**{**facts, "ngrams": tuple(facts["ngrams"])})
        featurizer._check()
        return featurizer

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def _check(self) -> None:
        check_count("n_columns", self.n_columns, most=_MOST_FEATURES)
        Tokens(self.tokenizer, self.ngrams).check()
        super()._check()
