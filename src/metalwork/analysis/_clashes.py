"""Which outcomes of two labeling functions admit no end label in common, where these are more than labels."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from metalwork._checks import NOT_APPLICABLE, BoolArray, FloatArray, IntArray
from metalwork.votes import LabelMatrix


@dataclass(frozen=True)
class Clash:
    """Two LFs, and where the one's outcomes (rows) and the other's (columns) conflict.

    The last row and column of ``table``, which the code of an abstain picks, are False.
    """

    first: int
    second: int
    table: BoolArray


def find_clashes(votes: LabelMatrix) -> list[Clash]:
    """A clash for each pair of LFs that can conflict, one of which casts sets or soft votes."""
    if all(alphabet.plain for alphabet in votes.alphabets):
        return []
    kinds: list[FloatArray] = []
    kind_of = [_kind(kinds, admitted_end_labels(votes, j)) for j in range(votes.n_lfs)]
    tables: dict[tuple[int, int], BoolArray] = {}
    for pair in {(kind_of[j], kind_of[other]) for j, other in _pairs(votes)}:
        tables[pair] = np.pad(kinds[pair[0]] @ kinds[pair[1]].T == 0, ((0, 1), (0, 1)))
    found = [Clash(j, other, tables[kind_of[j], kind_of[other]]) for j, other in _pairs(votes)]
    return [clash for clash in found if clash.table.any()]


def admitted_end_labels(votes: LabelMatrix, lf: int) -> FloatArray:
    """float32 array (n_outcomes, n_end_labels): 1 where an outcome of an LF gives the end label a positive share.

    Two votes conflict where they admit no end label in common.
    """
    alphabet, task = votes.alphabets[lf], votes.tasks[lf]
    if alphabet.plain:
        return votes.schema.members(task).astype(np.float32)
    states = votes.schema.task_codes[:, votes.schema.task_index(task)]
    columns = np.where(states == NOT_APPLICABLE, alphabet.n_labels, states)
    return np.asarray(alphabet.rows > 0)[:, columns].astype(np.float32)


def within(clashes: list[Clash], group: IntArray) -> list[Clash]:
    """The clashes among the LFs at positions ``group``, by their positions in it."""
    place = {j: i for i, j in enumerate(group.tolist())}
    inside = (clash for clash in clashes if clash.first in place and clash.second in place)
    return [Clash(place[clash.first], place[clash.second], clash.table) for clash in inside]


def _pairs(votes: LabelMatrix) -> Iterator[tuple[int, int]]:
    """Each pair of LFs once of which the first has an alphabet of its own."""
    own = [not alphabet.plain for alphabet in votes.alphabets]
    for j in np.flatnonzero(own).tolist():
        yield from ((j, other) for other in range(votes.n_lfs) if other > j or not own[other])


def _kind(kinds: list[FloatArray], admitted: FloatArray) -> int:
    """The position of an equal array in ``kinds``, which takes it up where it is new."""
    for kind, known in enumerate(kinds):
        if np.array_equal(known, admitted):
            return kind
    kinds.append(admitted)
    return len(kinds) - 1
