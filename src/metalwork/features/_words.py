"""Counting words, or characters, of texts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from metalwork._checks import check_count
from metalwork.errors import ConfigError, DataError, MissingExtraError
from metalwork.features._featurizer import Array, Featurizer, Learner
from metalwork.features._frequencies import Frequencies
from metalwork.features._records import text_column
from metalwork.text import characters_of, fold_case, normalise, words_of

Tokenizer = Callable[[str], Iterable[str]]
_TOKENIZERS: dict[str, Tokenizer] = {"words": words_of, "chars": characters_of}


class WordCounts(Featurizer):
    """How often each word stands in each text: the featurizer of the paper's section 5.

    Texts are normalised and case folded as keyword LFs do it. Words are runs of two or more letters, digits or
    underscores, and on ASCII texts the tokens of scikit-learn's ``CountVectorizer``; vowel signs and other
    combining marks belong to their word. Scripts without spaces between words, such as Chinese, Japanese and
    Thai, are counted by pairs of neighbouring characters. Counts are raw. The vocabulary is sorted, so it
    depends on the texts alone.

    Parameters
    ----------
    min_df : int, default 2
        Words that stand in fewer texts than this are dropped. At least 1.
    max_features : int, optional
        Keep this many of the most frequent words only.
    tokenizer : {"words", "chars"} or callable, default "words"
        What is counted: words; characters, for use with longer ``ngrams``; or what a function of one's own
        returns for a text, which it is given as it is written. A function cannot be saved.
    ngrams : (int, int), default (1, 1)
        Count runs of this many tokens, from the least to the most: (1, 2) is words and pairs of words.
    field : str, optional
        The column of records that holds the text. Not needed for a list of texts, or where there is one column.

    Attributes
    ----------
    vocabulary_ : tuple of str (n_features,)
        The words, in column order; set by :meth:`fit`.

    Examples
    --------
    >>> import metalwork as mw
    >>> counter = mw.WordCounts(min_df=1, ngrams=(1, 2)).fit(["no acute disease", "acute pain"])
    >>> counter.vocabulary_
    ('acute', 'acute disease', 'acute pain', 'disease', 'no', 'no acute', 'pain')
    """

    kind = "word counts"
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
    def columns(self) -> tuple[str, ...]:
        """The text column; empty where none is named."""
        return () if self.field is None else (self.field,)

    @property
    def n_features(self) -> int:
        """Number of words counted."""
        return len(self._words())

    def fit(self, records: Any, y: Any = None) -> Self:
        """Choose the words from the texts of ``records`` (n_points,).

        Raises
        ------
        DataError
            When a text of a list is missing, or when no word is left. A record without a text has an empty one.
        ConfigError
            When an argument is out of range.
        MissingExtraError
            When scikit-learn is not installed.
        """
        return self.fit_parts([records])

    def learner(self) -> Learner:
        """Counts the words of each part, in bounded memory but for the words that are kept."""
        self._check()
        return _Vocabulary(self)

    def transform(self, records: Any) -> sp.csr_matrix:
        """float32 CSR matrix (n_points, n_features) of word counts; words not seen in ``fit`` are ignored."""
        words = self._words()
        return self._count(text_column(records, self.field, "WordCounts"), words)[0]

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """The words: object array of str (n_features,)."""
        return np.array(self._words(), dtype=object)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Arguments and vocabulary; no arrays."""
        if not isinstance(self.tokenizer, str):
            raise ConfigError(
                "tokenizer must be 'words' or 'chars' in featurizers that are saved; a file holds no functions. "
                "Fit it anew from the training texts, or save it with cloudpickle where you trust the file."
            )
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
        counter = cls(**arguments)
        counter._check()
        counter.vocabulary_ = tuple(words)
        return counter

    def _check(self) -> None:
        check_count("min_df", self.min_df)
        if self.max_features is not None:
            check_count("max_features", self.max_features)
        if not callable(self.tokenizer) and self.tokenizer not in _TOKENIZERS:
            raise ConfigError(f"tokenizer must be 'words', 'chars' or a function; got {self.tokenizer!r}.")
        if not isinstance(self.ngrams, Sequence) or isinstance(self.ngrams, str) or len(self.ngrams) != 2:
            raise ConfigError(f"ngrams must be a pair (least, most); got {self.ngrams!r}.")
        least, most = (check_count(f"ngrams[{i}]", n) for i, n in enumerate(self.ngrams))
        if least > most:
            raise ConfigError(f"ngrams must be a pair (least, most); got {self.ngrams!r}.")
        if self.field is not None and (not isinstance(self.field, str) or not self.field):
            raise ConfigError(f"field must be the name of a column; got {self.field!r}.")

    def _words(self) -> tuple[str, ...]:
        self._check_fitted()
        return self.vocabulary_

    def _count(self, texts: list[str], words: tuple[str, ...] | None) -> tuple[sp.csr_matrix, list[str]]:
        """Counts of ``words`` (of every word, when None) in ``texts``, and the words."""
        try:
            from sklearn.feature_extraction.text import CountVectorizer
        except ImportError:
            raise MissingExtraError("scikit-learn", "train", "Counting words") from None
        if isinstance(self.tokenizer, str):
            texts = fold_case(normalise(pl.Series(texts, dtype=pl.String))).to_list()
        vectorizer = CountVectorizer(vocabulary=words, dtype=np.float32, analyzer=self._tokens)
        if words is not None:
            return sp.csr_matrix(vectorizer.transform(texts)), list(words)
        try:
            counts = sp.csr_matrix(vectorizer.fit_transform(texts))
        except ValueError as error:
            if "empty vocabulary" not in str(error):
                raise
            return sp.csr_matrix((len(texts), 0)), []
        return counts, vectorizer.get_feature_names_out().tolist()

    def _tokens(self, text: str) -> Iterable[str]:
        tokenizer = _TOKENIZERS[self.tokenizer] if isinstance(self.tokenizer, str) else self.tokenizer
        found = tokenizer(text)
        least, most = self.ngrams
        if least == most == 1:
            return found
        return _ngrams(list(found), least, most, "" if self.tokenizer == "chars" else " ")


class _Vocabulary:
    """Chooses the words of a counter from texts that come in parts."""

    def __init__(self, counter: WordCounts) -> None:
        self._counter = counter
        self._found = Frequencies()

    def add(self, records: Any) -> None:
        texts = text_column(records, self._counter.field, "WordCounts")
        counts, words = self._counter._count(texts, None)
        totals = np.asarray(counts.sum(axis=0, dtype=np.int64)).ravel()
        self._found.add(len(texts), words, counts.getnnz(axis=0).tolist(), totals.tolist())

    def finish(self) -> None:
        counter, any_word = self._counter, False
        kept: list[str] = []
        totals: list[int] = []
        for word, in_texts, total in self._found.merged():
            any_word = True
            if in_texts >= counter.min_df:
                kept.append(word)
                totals.append(total)
        if not any_word:
            raise DataError(
                f"texts must hold words of two or more letters; none of the {self._found.n_texts} texts does. "
                "Check the text column."
            )
        if not kept:
            raise DataError(
                f"texts must share words: none stands in at least min_df={counter.min_df} of the "
                f"{self._found.n_texts} texts. Lower min_df, or check the text column."
            )
        most_frequent = np.argsort(-np.array(totals), kind="stable")[: counter.max_features]
        counter.vocabulary_ = tuple(kept[j] for j in sorted(most_frequent.tolist()))


def _ngrams(tokens: list[str], least: int, most: int, joint: str) -> Iterator[str]:
    for size in range(least, most + 1):
        yield from map(joint.join, zip(*(tokens[start:] for start in range(size)), strict=False))
