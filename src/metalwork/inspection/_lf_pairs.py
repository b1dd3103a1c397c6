"""What labeling functions have to do with each other."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from metalwork._checks import FloatArray, IntArray
from metalwork.analysis import admitted_end_labels
from metalwork.inspection._facts import SplitFacts
from metalwork.inspection._split import Rows
from metalwork.label_models import VoteCounts, count_votes, repetition

_AT_ONCE: Final = 1 << 16

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LFPairs:
    """Pairs of labeling functions, on the training records.

    Attributes
    ----------
    names : tuple of str (n_lfs,)
    overlap : int64 array (n_lfs, n_lfs)
        Records on which both vote; on the diagonal, those on which the one does.
    conflict : int64 array (n_lfs, n_lfs)
        Those on which their votes admit no end label in common.
    dependence : float array (n_lfs, n_lfs)
        How far two LFs of a task repeat each other, in [0, 1], as the label model has it: 1 where the one
        never votes unless the other says the same.
    """

    names: tuple[str, ...]
    overlap: Counts
    conflict: Counts
    dependence: FloatArray

    @cached_property
    def conflict_share(self) -> FloatArray:
        """Float array (n_lfs, n_lfs): of the records on which both vote, the share in conflict; 0 of none."""
        share: FloatArray = self.conflict / np.maximum(self.overlap, 1)
        return share


def lf_pairs(facts: SplitFacts, lfs: IntArray) -> LFPairs:
    """Of the LFs at positions ``lfs``."""
    overlap, conflict = _shared(facts, lfs)
    parts = (facts.data.votes(number).lfs(lfs) for number in range(len(facts.data.sizes)))
    counts = VoteCounts.merge(map(count_votes, parts))
    names = tuple(facts.votes.like.names[j] for j in lfs.tolist())
    return LFPairs(names, overlap, conflict, repetition(counts))


def _shared(facts: SplitFacts, lfs: IntArray) -> tuple[Counts, Counts]:
    """Records on which both vote, and in conflict: counted by pairs of what LFs say."""
    votes, n_lfs = facts.votes, len(lfs)
    said: list[Rows] = []
    rows, columns, admitted, owner = list[Rows](), list[Rows](), list[FloatArray](), list[int]()
    for i, j in enumerate(lfs.tolist()):
        own, place = np.unique(votes.codes[j], return_inverse=True)
        rows.append(votes.rows[j])
        columns.append(place + len(owner))
        admitted.append(admitted_end_labels(votes.like, j)[own])
        owner += [i] * len(own)
        said.append(own)
    overlap, conflict = np.zeros((2, n_lfs, n_lfs), np.int64)
    if not owner:
        return overlap, conflict
    at = np.concatenate(rows), np.concatenate(columns)
    voted = sparse.csr_array((np.ones(len(at[0]), np.int64), at), shape=(facts.n_points, len(owner)))
    together = (voted.T @ voted).tocoo()
    (first, second), admits, lf_of = together.coords, np.concatenate(admitted), np.array(owner)
    np.add.at(overlap, (lf_of[first], lf_of[second]), together.data)
    for start in range(0, len(first), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        apart = (admits[first[part]] * admits[second[part]]).sum(axis=1) == 0
        pairs = lf_of[first[part][apart]], lf_of[second[part][apart]]
        np.add.at(conflict, pairs, together.data[part][apart])
    np.fill_diagonal(conflict, 0)
    return overlap, conflict
