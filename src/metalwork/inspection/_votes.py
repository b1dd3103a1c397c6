"""The votes of a split by labeling function: small where LFs abstain on most records."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from metalwork._checks import NOT_APPLICABLE, BoolArray
from metalwork.analysis import conflicting_votes
from metalwork.inspection._split import Rows, SplitData
from metalwork.votes import Alphabet, LabelMatrix

WRONG, RIGHT, OPEN = 0, 1, -1
"""Whether a vote is right: not known of records whose label is not."""

States = npt.NDArray[np.int8]


class VoteIndex:
    """Of each LF, which records it votes on, and how.

    Attributes
    ----------
    like : LabelMatrix
        The votes on the first shard: names, tasks and alphabets of the LFs.
    rows : list of int64 array (n_votes,)
        By LF: the records that it votes on, ascending.
    codes : list of int array (n_votes,)
        By LF: what it says of them.
    n_votes : int64 array (n_points,)
        How many LFs vote on each record.
    """

    def __init__(self, split: SplitData) -> None:
        self._split = split
        self.n_points = split.n_points
        self.like = split.votes(0)
        self.n_votes = np.zeros(self.n_points, np.int64)
        rows: list[list[Rows]] = [[] for _ in self.like.names]
        codes: list[list[npt.NDArray[np.int32]]] = [[] for _ in self.like.names]
        start = 0
        for number, size in enumerate(split.sizes):
            columns = np.asfortranarray(split.votes(number).codes)
            for j, column in enumerate(columns.T):
                voted = np.flatnonzero(column >= 0)
                rows[j].append(voted + start)
                codes[j].append(column[voted].astype(np.int32))
                self.n_votes[start : start + size][voted] += 1
            start += size
        self.rows = [np.concatenate(own) for own in rows]
        self.codes = [np.concatenate(own) for own in codes]

    @cached_property
    def conflicts(self) -> list[BoolArray]:
        """By LF: of each of its votes, whether another LF's vote on the record conflicts with it."""
        found: list[list[BoolArray]] = [[] for _ in self.rows]
        start = 0
        for number, size in enumerate(self._split.sizes):
            part = conflicting_votes(self._split.votes(number))
            for j, rows in enumerate(self.rows):
                low, high = np.searchsorted(rows, (start, start + size))
                found[j].append(part[rows[low:high] - start, j])
            start += size
        return [np.concatenate(own) for own in found]

    @cached_property
    def states(self) -> list[States]:
        """By LF: of each of its votes, whether it is ``RIGHT``, ``WRONG`` or ``OPEN``."""
        if self._split.known is None:
            return [np.full(len(rows), OPEN, np.int8) for rows in self.rows]
        return [
            states_of(self.like, j, self.codes[j], self._split.known[rows]) for j, rows in enumerate(self.rows)
        ]

    def voted(self, lf: int) -> BoolArray:
        """On which records (n_points,) an LF votes."""
        found = np.zeros(self.n_points, bool)
        found[self.rows[lf]] = True
        return found


def states_of(votes: LabelMatrix, lf: int, codes: npt.NDArray[np.integer], known: Rows) -> States:
    """Whether votes (n_votes,) of an LF on records of which ``known`` (n_votes, n_tasks) is known are right.

    A set with the true label is right, and so is a soft vote that holds no other label likelier; a vote where its
    task does not apply is wrong.
    """
    truth = known[:, votes.schema.task_index(votes.tasks[lf])]
    right = codes == truth if votes.alphabets[lf].plain else _held_most(votes.alphabets[lf], codes, truth)
    return np.where(truth == OPEN, OPEN, right).astype(np.int8)


def _held_most(alphabet: Alphabet, codes: npt.NDArray[np.integer], truth: Rows) -> BoolArray:
    shares = alphabet.rows[codes]
    of_truth = shares[np.arange(len(codes)), np.where(truth == NOT_APPLICABLE, shares.shape[1] - 1, truth)]
    right: BoolArray = of_truth >= np.nanmax(shares, axis=1, initial=1e-9)
    return right
