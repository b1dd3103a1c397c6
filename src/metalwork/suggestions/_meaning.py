"""Words near a label's name in meaning."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from metalwork.encoders import Encoder, Vectors, as_encoder, unit
from metalwork.suggestions._labels import TreeLabel
from metalwork.suggestions._words import WordIndex

_NEAR: Final = 0.6
"""Least cosine of a word with a name."""
_A_LABEL: Final = 8
_MOST_WORDS: Final = 5_000


def near_names(
    words: WordIndex, names: Sequence[str], labels: Sequence[TreeLabel], encoder: Any
) -> list[tuple[int, int]]:
    """Label and word: the words that are nearer to a label's name than to the others', up to eight a label.

    Parameters
    ----------
    words : WordIndex
        Of its single words the 5,000 most frequent are looked at.
    names : sequence of str (n_labels,)
        What the labels are called, in words.
    labels : sequence of TreeLabel (n_labels,)
    encoder : object, str, callable or True
        As for :func:`metalwork.zero_shot`; True is the default one.
    """
    single = np.flatnonzero(words.single)
    single = np.sort(single[np.argsort(-words.n_texts[single], kind="stable")[:_MOST_WORDS]])
    reader = as_encoder(None if encoder is True else encoder, "suggest_words")
    of_words = _vectors(tuple(words.words[word] for word in single), reader)
    cosines = of_words @ _vectors(tuple(names), reader).T
    found = []
    for number in range(len(labels)):
        own = np.flatnonzero((cosines.argmax(axis=1) == number) & (cosines[:, number] >= _NEAR))
        nearest = own[np.argsort(-cosines[own, number], kind="stable")[:_A_LABEL]]
        found += [(number, int(word)) for word in single[nearest]]
    return found


@lru_cache(maxsize=4)
def _vectors(texts: tuple[str, ...], encoder: Encoder) -> Vectors:
    """Unit vectors of texts; words stay while labeling functions come and go."""
    return unit(encoder(list(texts)))
