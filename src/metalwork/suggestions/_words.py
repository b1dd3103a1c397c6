"""Which words stand in which texts, and which of them speak for a label."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from metalwork._checks import BoolArray, FloatArray, IntArray
from metalwork.errors import DataError
from metalwork.features import WordCounts

_LEAST_TEXTS: Final = 3
_PRIOR_WORDS: Final = 1000.0
"""Words that the prior is worth, spread as the words of all texts are."""


@dataclass(frozen=True)
class WordIndex:
    """Words and pairs of neighbouring words (runs of letters and digits), and the texts that hold them.

    Attributes
    ----------
    words : tuple of str (n_words,)
    presence : float32 CSR (n_points, n_words)
        1 where a text holds a word.
    """

    words: tuple[str, ...]
    presence: sp.csr_matrix

    @cached_property
    def by_word(self) -> sp.csr_matrix:
        """float32 CSR (n_words, n_points)."""
        return self.presence.T.tocsr()

    @cached_property
    def n_texts(self) -> IntArray:
        """In how many texts each word stands (n_words,)."""
        found: IntArray = np.diff(self.by_word.indptr).astype(np.int64)
        return found

    @cached_property
    def single(self) -> BoolArray:
        """Which are single words (n_words,)."""
        return np.array([" " not in word for word in self.words], dtype=bool)

    @cached_property
    def position(self) -> dict[str, int]:
        """Position of each word."""
        return {word: number for number, word in enumerate(self.words)}

    def parts(self, word: int) -> list[int]:
        """A word, or the words of a pair, by position."""
        if self.single[word]:
            return [word]
        return [self.position[part] for part in self.words[word].split(" ") if part in self.position]

    def texts_with(self, word: int) -> npt.NDArray[np.int64]:
        """The texts that hold a word, ascending."""
        start, stop = self.by_word.indptr[word : word + 2]
        found: npt.NDArray[np.int64] = self.by_word.indices[start:stop].astype(np.int64)
        return found


@lru_cache(maxsize=2)
def index_words(texts: tuple[str, ...], most: int) -> WordIndex:
    """The words and pairs of words that stand in at least three texts; the ``most`` frequent ones of them.

    Remembered, for texts stay as they are while labeling functions come and go.
    """
    counter = WordCounts(min_df=min(_LEAST_TEXTS, len(texts)), max_features=most, ngrams=(1, 2))
    try:
        counter.fit(list(texts))
    except DataError:  # no words, or none that texts share
        return WordIndex((), sp.csr_matrix((len(texts), 0), dtype=np.float32))
    presence = sp.csr_matrix(counter.transform(list(texts)))
    presence.data[:] = 1.0
    presence.sort_indices()
    return WordIndex(counter.vocabulary_, presence)


def log_odds(with_label: FloatArray, with_word: FloatArray, all_texts: IntArray) -> FloatArray:
    """How surely each word is more frequent with a label than without: z-scores (n_words, n_labels).

    The log odds ratio of a word with an informative Dirichlet prior, over its standard deviation (Monroe, Colaresi
    and Quinn 2008, "Fightin' Words", equations 15, 20 and 22). Texts that hold the word are counted, not how often
    they do.

    Parameters
    ----------
    with_label : float array (n_words, n_labels)
        Texts of each label that hold each word, as estimated.
    with_word : float array (n_words,)
        Texts of any label that hold it.
    all_texts : int array (n_words,)
        Texts that hold it, also those of which nothing is known: the prior.
    """
    prior = (_PRIOR_WORDS * all_texts / max(all_texts.sum(), 1))[:, None]
    other = np.maximum(with_word[:, None] - with_label, 0.0)
    odds = [
        np.log(own + prior) - np.log(np.maximum(own.sum(axis=0) + _PRIOR_WORDS - own - prior, 1e-9))
        for own in (with_label, other)
    ]
    z: FloatArray = (odds[0] - odds[1]) / np.sqrt(1.0 / (with_label + prior) + 1.0 / (other + prior))
    return z
