"""Which records have votes, and which of these the votes decide."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import LabelMatrix

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Coverage:
    """How many labeling functions voted on each record of a split, and whether a label leads.

    Attributes
    ----------
    n_votes : int64 array (n_points,)
        Columns of the label matrix that do not abstain.
    tied : bool array (n_points,)
        Whether the most probable end labels of a record with votes are equally probable.
    """

    n_votes: npt.NDArray[np.int64]
    tied: npt.NDArray[np.bool_]

    @property
    def covered(self) -> npt.NDArray[np.bool_]:
        """Whether any labeling function voted (n_points,)."""
        covered: npt.NDArray[np.bool_] = self.n_votes > 0
        return covered

    @property
    def decided(self) -> npt.NDArray[np.bool_]:
        """Whether there are votes, and one end label leads (n_points,)."""
        decided: npt.NDArray[np.bool_] = self.covered & ~self.tied
        return decided

    def notes(self) -> list[str]:
        """A sentence each on records without a vote and on ties, where there are any."""
        n_points, n_without, n_tied = len(self.n_votes), int((~self.covered).sum()), int(self.tied.sum())
        notes = []
        if n_without:
            notes.append(
                f"{n_without:,} of {n_points:,} records have no vote: their label is the class prior's alone."
            )
        if n_tied:
            notes.append(f"{n_tied:,} of {n_points:,} records are ties: their votes leave several labels equal.")
        return notes


def coverage(votes: LabelMatrix, labels: TaskProbabilities) -> Coverage:
    """The coverage of the records that ``votes`` and the label model's ``labels`` are of."""
    n_votes = np.asarray((votes.codes != ABSTAIN).sum(axis=1), dtype=np.int64)
    if labels.end.shape[1] < 2:
        return Coverage(n_votes, np.zeros(len(n_votes), dtype=bool))
    top = np.partition(labels.end, -2, axis=1)[:, -2:]
    return Coverage(n_votes, (n_votes > 0) & (top[:, 0] >= top[:, 1] * (1.0 - _ROUNDING)))
