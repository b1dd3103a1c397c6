"""Counting words, or characters, of texts."""

from typing import Any

import scipy.sparse as sp

from metalwork._checks import IntArray
from metalwork.features._vocabulary import WordFeatures


class WordCounts(WordFeatures):
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

    def transform(self, records: Any) -> sp.csr_matrix:
        """float32 CSR matrix (n_points, n_features) of word counts; words not seen in ``fit`` are ignored."""
        words = self._words()
        return self._count(self._texts(records), words)[0]

    def _learn(self, words: tuple[str, ...], in_texts: IntArray, n_texts: int) -> None:
        self.vocabulary_ = words
