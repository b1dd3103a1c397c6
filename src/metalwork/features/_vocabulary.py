"""Featurizers with a vocabulary: the words of the training texts."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from metalwork._checks import IntArray, check_count
from metalwork.errors import DataError, MissingExtraError
from metalwork.features._featurizer import Array, Learner
from metalwork.features._frequencies import Frequencies
from metalwork.features._texts import TextFeaturizer
from metalwork.features._tokens import Tokenizer, Tokens, check_saved


class WordFeatures(TextFeaturizer):
    """A featurizer with a column a word of its vocabulary, which is sorted, so that it depends on texts alone."""

    sparse: ClassVar[bool | None] = True
    _called_before = "it transforms. Call fit(texts) first."
    vocabulary_: tuple[str, ...]

    def __init__(
        self,
        min_df: int = 2,
        max_features: int | None = None,
        tokenizer: str | Tokenizer = "words",
        ngrams: tuple[int, int] = (1, 1),
        field: str | None = None,
    ) -> None:
        self.min_df = min_df
        self.max_features = max_features
        self.tokenizer = tokenizer
        self.ngrams = ngrams
        self.field = field

    @property
    def n_features(self) -> int:
        """Number of words."""
        return len(self._words())

    def learner(self) -> Learner:
        """Counts the words of each part, in bounded memory but for the words that are kept.

        It raises a ``DataError`` in the end where no word is left, a ``MissingExtraError`` without scikit-learn.
        """
        self._check()
        return _Vocabulary(self)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """The words: object array of str (n_features,)."""
        return np.array(self._words(), dtype=object)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Arguments and vocabulary; no arrays."""
        check_saved(self.tokenizer)
        return {**self.get_params(deep=False), "vocabulary": list(self._words())}, {}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From its :meth:`state`."""
        arguments = dict(facts)
        words = arguments.pop("vocabulary")
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            raise DataError("The vocabulary must be a list of words.")
        if words != sorted(set(words)):
            raise DataError("The vocabulary must hold distinct words in order.")
        if isinstance(arguments["ngrams"], list):
            arguments["ngrams"] = tuple(arguments["ngrams"])
        featurizer = cls(**arguments)
        featurizer._check()
        featurizer.vocabulary_ = tuple(words)
        return featurizer

    @abstractmethod
    def _learn(self, words: tuple[str, ...], in_texts: IntArray, n_texts: int) -> None:
        """Take the vocabulary, in how many texts each of its words stands, and the number of texts."""

    def _check(self) -> None:
        check_count("min_df", self.min_df)
        if self.max_features is not None:
            check_count("max_features", self.max_features)
        self._tokens.check()
        super()._check()

    @property
    def _tokens(self) -> Tokens:
        return Tokens(self.tokenizer, self.ngrams)

    def _words(self) -> tuple[str, ...]:
        self._check_fitted()
        return self.vocabulary_

    def _count(self, texts: list[str], words: tuple[str, ...] | None) -> tuple[sp.csr_matrix, list[str]]:
        """Counts of ``words`` (of every word, when None) in ``texts``, and the words."""
        try:
            from sklearn.feature_extraction.text import CountVectorizer
        except ImportError:
            raise MissingExtraError("scikit-learn", "train", "Counting words") from None
        tokens = self._tokens
        texts = tokens.prepare(texts)
        vectorizer = CountVectorizer(vocabulary=words, dtype=np.float32, analyzer=tokens.of)
        if words is not None:
            return sp.csr_matrix(vectorizer.transform(texts)), list(words)
        try:
            counts = sp.csr_matrix(vectorizer.fit_transform(texts))
        except ValueError as error:
            if "empty vocabulary" not in str(error):
                raise
            return sp.csr_matrix((len(texts), 0)), []
        return counts, vectorizer.get_feature_names_out().tolist()


class _Vocabulary:
    """Chooses the words of a featurizer from texts that come in parts."""

    def __init__(self, featurizer: WordFeatures) -> None:
        self._featurizer = featurizer
        self._found = Frequencies()

    def add(self, records: Any) -> None:
        texts = self._featurizer._texts(records)
        counts, words = self._featurizer._count(texts, None)
        totals = np.asarray(counts.sum(axis=0, dtype=np.int64)).ravel()
        self._found.add(len(texts), words, counts.getnnz(axis=0).tolist(), totals.tolist())

    def finish(self) -> None:
        featurizer, any_word = self._featurizer, False
        kept: list[tuple[str, int, int]] = []
        for entry in self._found.merged():
            any_word = True
            if entry[1] >= featurizer.min_df:
                kept.append(entry)
        if not any_word:
            raise DataError(
                f"texts must hold words of two or more letters; none of the {self._found.n_texts} texts does. "
                "Check the text column."
            )
        if not kept:
            raise DataError(
                f"texts must share words: none stands in at least min_df={featurizer.min_df} of the "
                f"{self._found.n_texts} texts. Lower min_df, or check the text column."
            )
        chosen = _most_frequent(kept, featurizer.max_features)
        in_texts = np.array([n for _, n, _ in chosen], dtype=np.int64)
        featurizer._learn(tuple(word for word, _, _ in chosen), in_texts, self._found.n_texts)


def _most_frequent(words: Sequence[tuple[str, int, int]], most: int | None) -> list[tuple[str, int, int]]:
    """The words of the highest totals, in their order."""
    order = np.argsort(-np.array([total for _, _, total in words]), kind="stable")[:most]
    return [words[j] for j in sorted(order.tolist())]
