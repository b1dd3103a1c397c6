"""What the votes of LFs say: labels, sets of labels and soft votes, as arrays for the LFs of a task.

**Relative states.** Where a task has very many labels, tables (n_lfs, n_labels + 1 states, n_outcomes + 1) do not
fit in memory, and nobody could tell that many numbers from votes. There a state is looked at from the vote:
``INSIDE``, the record has the label voted for; ``OUTSIDE``, it has another one; ``OFF``, the task does not apply.
Arrays by state then have three rows in place of n_labels + 1, in this order and in every array of the task:
tables (n_lfs, 3, n_outcomes + 1), expected votes (n_lfs, 3, n_outcomes), ``member`` and ``asked`` (1, 3,
n_outcomes). Of an abstain, the last column of a table, the first two rows are equal: no label is voted for.
Records by label stay (n_labels + 1,). A task is relative by the number of its LFs and labels alone.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray, IntArray
from metalwork.inference._tree import Floats

Int64Array = npt.NDArray[np.int64]

N_RELATIVE = 3
"""Relative states: the label voted for, another label, and that the task does not apply."""
INSIDE, OUTSIDE, OFF = range(N_RELATIVE)
_ROUNDING = 1e-6
MOST_CELLS = 1 << 23
"""LFs times states times labels up to which tables hold every state."""

Alphabets = Mapping[int, FloatArray]
"""From the position of an LF to its alphabet (n_outcomes, n_labels + 1); LFs left out vote for labels."""


class OutcomeSets(NamedTuple):
    """What the outcomes of some LFs of one task hold of its states (the labels; last: it does not apply).

    ``member`` (n_lfs, n_states, n_outcomes) in [0, 1] is how far an outcome holds a state, 0 where it does not
    ask; ``asked`` (the same shape) says where it asks. LFs of fewer outcomes are filled up with some that ask
    nothing. Where all LFs vote for labels, whose outcomes are the same, a first axis of length 1 stands for all.
    ``plain`` (n_lfs,) says which LFs vote for labels, ``soft`` whether any outcome holds a state by a part,
    ``relative`` whether states are those that a vote sees. LFs of soft votes alone have the labels as outcomes:
    ``shares`` has their positions, and the probabilities (n_soft_votes, n_labels) of what they say.
    """

    member: Floats
    asked: npt.NDArray[np.bool_]
    plain: npt.NDArray[np.bool_]
    soft: bool
    relative: bool = False
    shares: tuple[tuple[int, Floats], ...] = ()

    def of_lf(self, i: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """``member`` and ``asked`` of the LF at position ``i``: (n_states, n_outcomes) each."""
        i = min(i, len(self.member) - 1)
        return self.member[i], self.asked[i]


class TaskVotes(NamedTuple):
    """The LFs of a task, which groups they form, and what their outcomes say."""

    lfs: Int64Array
    n_labels: int
    groups: tuple[int, ...]
    outcomes: OutcomeSets

    @property
    def relative(self) -> bool:
        """Whether tables and counts of the task have relative states."""
        return self.outcomes.relative


def outcome_sets(lfs: Sequence[int], n_labels: int, alphabets: Alphabets) -> OutcomeSets:
    """The outcomes of LFs of one task with ``n_labels`` labels."""
    plain = np.array([lf not in alphabets for lf in lfs], dtype=bool)
    if is_relative(lfs, n_labels, alphabets):
        return OutcomeSets(*_relative_labels(n_labels), plain, False, relative=True)
    found = {i: shares_of(alphabets[lf]) for i, lf in enumerate(lfs) if lf in alphabets}
    shares = tuple((i, part) for i, part in found.items() if part is not None)
    sets = {lf: alphabets[lf] for i, lf in enumerate(lfs) if i in found and found[i] is None}
    if not sets:
        return OutcomeSets(*_labels_alone(n_labels), plain, False, shares=shares)
    n_outcomes = max(len(sets[lf]) if lf in sets else n_labels for lf in lfs)
    rows = np.full((len(lfs), n_labels + 1, n_outcomes), np.nan)
    for i, lf in enumerate(lfs):
        if lf in sets:
            rows[i, :, : len(sets[lf])] = sets[lf].T
        else:
            rows[i, :n_labels, :n_labels] = np.eye(n_labels)
    asked = ~np.isnan(rows)
    member = np.where(asked, rows, 0.0)
    return OutcomeSets(member, asked, plain, bool(((member > 0) & (member < 1)).any()), shares=shares)


def shares_of(rows: FloatArray) -> Floats | None:
    """The probabilities (n_outcomes, n_labels) of an alphabet of soft votes; None of any other.

    It holds distributions over the labels, not all of which are for one label.
    """
    shares = np.asarray(rows[:, :-1], dtype=np.float64)
    whole = np.isnan(rows[:, -1]).all() and (np.abs(shares.sum(axis=1) - 1.0) < _ROUNDING).all()
    return shares if whole and (shares.max(axis=1, initial=0.0) < 1.0).any() else None


def is_relative(lfs: Sequence[int], n_labels: int, alphabets: Alphabets) -> bool:
    """Whether a task with these LFs has relative states: all vote for labels, and there are too many for more."""
    too_many = max(len(lfs), 1) * (n_labels + 1) * n_labels > MOST_CELLS
    return too_many and n_labels >= N_RELATIVE and not any(lf in alphabets for lf in lfs)


def factors_of_votes(table: Floats, lf: IntArray, outcome: IntArray, n_labels: int) -> Floats:
    """What some votes say of every state, (n_votes, n_labels + 1), in a table of either kind.

    Vote i is outcome ``outcome[i]`` of the LF at position ``lf[i]`` of the task; -1 is an abstain.
    """
    if table.shape[1] == n_labels + 1:
        return np.asarray(table[lf, :, outcome])
    own = table[lf, :, outcome]
    found = np.repeat(own[:, OUTSIDE, None], n_labels + 1, axis=1)
    found[:, n_labels] = own[:, OFF]
    voted = np.flatnonzero(outcome >= 0)
    found[voted, outcome[voted]] = own[voted, INSIDE]
    return found


def _relative_labels(n_labels: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """``member`` and ``asked`` (1, 3, n_outcomes) of votes for labels, read-only."""
    state = np.arange(N_RELATIVE)[None, :, None]
    shape = (1, N_RELATIVE, n_labels)
    return np.broadcast_to((state == INSIDE) * 1.0, shape), np.broadcast_to(state != OFF, shape)


@lru_cache(maxsize=64)
def _labels_alone(n_labels: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """``member`` and ``asked`` (1, n_states, n_outcomes) of votes for labels, read-only."""
    member = np.eye(n_labels + 1, n_labels)[None]
    asked = np.broadcast_to(np.arange(n_labels + 1)[None, :, None] < n_labels, member.shape)
    member.setflags(write=False)
    return member, asked
