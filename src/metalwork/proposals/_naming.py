"""What to call a group of labels."""

import re
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from metalwork._checks import FloatArray, IntArray
from metalwork.proposals._views import words_of_name

_WORD: Final = re.compile(r"[^\W_]+")
_MOST_WORDS: Final = 2
_SHARED: Final = 0.5
"""The share of a group's names that a word must stand in to name the group."""


def name_groups(
    labels: Sequence[str], groups: IntArray, similarity: FloatArray, taken: Collection[str]
) -> list[str]:
    """A name for each group: how all its labels begin, or words that they share, or its most typical label.

    Names are distinct, and none is in ``taken``.
    """
    words = [set(words_of_name(label)) for label in labels]
    names: list[str] = []
    for group in range(int(groups.max()) + 1):
        members = np.flatnonzero(groups == group).tolist()
        name = (
            _beginning([labels[member] for member in members])
            or _common_words(words, members)
            or f"like {labels[_most_typical(members, similarity)]}"
        )
        names.append(_distinct(name.replace("/", " "), {*names, *taken}))
    return names


def _beginning(labels: Sequence[str]) -> str:
    """The first words that all labels begin with, as the first label has them: ``"talk.politics"``."""
    found = [list(_WORD.finditer(label)) for label in labels]
    if len(labels) < 2:
        return ""
    n_same = 0
    for words in zip(*found, strict=False):
        if len({word.group().casefold() for word in words}) > 1:
            break
        n_same += 1
    return labels[0][found[0][0].start() : found[0][n_same - 1].end()] if n_same else ""


def _common_words(words: Sequence[set[str]], members: Sequence[int]) -> str:
    """Up to two words that stand in most names of the group, and more often there than elsewhere."""
    inside = [words[m] for m in members]
    outside = [own for label, own in enumerate(words) if label not in members]
    excess = {}
    for word in set().union(*inside):
        n_inside = sum(word in own for own in inside)
        share, elsewhere = n_inside / len(inside), sum(word in own for own in outside) / max(len(outside), 1)
        if n_inside > 1 and share >= _SHARED and share > elsewhere:
            excess[word] = share - elsewhere
    best = sorted(excess, key=lambda word: (-excess[word], word))[:_MOST_WORDS]
    return " ".join(best)


def _most_typical(members: Sequence[int], similarity: FloatArray) -> int:
    """The label that is most like the others of its group."""
    within = np.nan_to_num(similarity[np.ix_(members, members)], nan=-1.0)
    return members[int(within.sum(axis=1).argmax())]


def _distinct(name: str, taken: Collection[str]) -> str:
    number, found = 2, name
    while found in taken:
        found, number = f"{name} {number}", number + 1
    return found
