"""What the votes of LFs say: labels, sets of labels and soft votes, as arrays for the LFs of a task."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray
from metalwork.inference._tree import Floats

Alphabets = Mapping[int, FloatArray]
"""From the position of an LF to its alphabet (n_outcomes, n_labels + 1); LFs left out vote for labels."""


class OutcomeSets(NamedTuple):
    """What the outcomes of some LFs of one task hold of its states (the labels; last: it does not apply).

    ``member`` (n_lfs, n_states, n_outcomes) in [0, 1] is how far an outcome holds a state, 0 where it does not
    ask; ``asked`` (the same shape) says where it asks. LFs of fewer outcomes are filled up with some that ask
    nothing. Where all LFs vote for labels, whose outcomes are the same, a first axis of length 1 stands for all.
    ``plain`` (n_lfs,) says which LFs vote for labels, ``soft`` whether any outcome holds a state by a part.
    """

    member: Floats
    asked: npt.NDArray[np.bool_]
    plain: npt.NDArray[np.bool_]
    soft: bool

    def of_lf(self, i: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """``member`` and ``asked`` of the LF at position ``i``: (n_states, n_outcomes) each."""
        i = min(i, len(self.member) - 1)
        return self.member[i], self.asked[i]


def outcome_sets(lfs: Sequence[int], n_labels: int, alphabets: Alphabets) -> OutcomeSets:
    """The outcomes of LFs of one task with ``n_labels`` labels."""
    plain = np.array([lf not in alphabets for lf in lfs], dtype=bool)
    if plain.all():
        return OutcomeSets(*_labels_alone(n_labels), plain, False)
    n_outcomes = max(len(alphabets[lf]) if lf in alphabets else n_labels for lf in lfs)
    rows = np.full((len(lfs), n_labels + 1, n_outcomes), np.nan)
    for i, lf in enumerate(lfs):
        if lf in alphabets:
            rows[i, :, : len(alphabets[lf])] = alphabets[lf].T
        else:
            rows[i, :n_labels, :n_labels] = np.eye(n_labels)
    asked = ~np.isnan(rows)
    member = np.where(asked, rows, 0.0)
    return OutcomeSets(member, asked, plain, bool(((member > 0) & (member < 1)).any()))


@lru_cache(maxsize=64)
def _labels_alone(n_labels: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """``member`` and ``asked`` (1, n_states, n_outcomes) of votes for labels, read-only."""
    member = np.eye(n_labels + 1, n_labels)[None]
    asked = np.broadcast_to(np.arange(n_labels + 1)[None, :, None] < n_labels, member.shape)
    member.setflags(write=False)
    return member, asked
