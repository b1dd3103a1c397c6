"""Which records have votes, and which of these the votes decide."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, FloatArray
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
        return _notes(len(self.n_votes), int((~self.covered).sum()), int(self.tied.sum()))


def coverage(votes: LabelMatrix, labels: TaskProbabilities) -> Coverage:
    """The coverage of the records that ``votes`` and the label model's ``labels`` are of."""
    n_votes = np.asarray((votes.codes != ABSTAIN).sum(axis=1), dtype=np.int64)
    if labels.end.shape[1] < 2:
        return Coverage(n_votes, np.zeros(len(n_votes), dtype=bool))
    top = np.partition(labels.end, -2, axis=1)[:, -2:]
    return Coverage(n_votes, (n_votes > 0) & (top[:, 0] >= top[:, 1] * (1.0 - _ROUNDING)))


@dataclass(frozen=True)
class LabelShares:
    """How the label model shares the records of a split among the end labels.

    Attributes
    ----------
    n_points, n_without, n_tied : int
        Records; those without a vote; those whose votes leave several labels equal.
    shares : float array (n_end_labels,)
        Mean probability of each end label.
    leads : int64 array (n_end_labels,)
        For how many records the votes make it the most probable one.
    """

    n_points: int
    n_without: int
    n_tied: int
    shares: FloatArray
    leads: npt.NDArray[np.int64]

    @classmethod
    def of(cls, parts: Iterable[tuple[LabelMatrix, TaskProbabilities]], n_end_labels: int) -> Self:
        """Of the votes and the label model's probabilities, part by part."""
        n_points = n_without = n_tied = 0
        total, leads = np.zeros(n_end_labels), np.zeros(n_end_labels, np.int64)
        for votes, labels in parts:
            covered = coverage(votes, labels)
            n_points += len(labels)
            n_without += int((~covered.covered).sum())
            n_tied += int(covered.tied.sum())
            total += labels.end.sum(axis=0, dtype=np.float64)
            leads += np.bincount(labels.predict()[covered.decided], minlength=n_end_labels)
        return cls(n_points, n_without, n_tied, total / n_points, leads)

    def notes(self) -> list[str]:
        """A sentence each on records without a vote and on ties, where there are any."""
        return _notes(self.n_points, self.n_without, self.n_tied)

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        counts = {"n_points": self.n_points, "n_without": self.n_without, "n_tied": self.n_tied}
        return {**counts, "shares": self.shares.tolist(), "leads": self.leads.tolist()}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Self:
        """What :meth:`to_dict` gave."""
        return cls(**(facts | {"shares": np.array(facts["shares"]), "leads": np.array(facts["leads"], np.int64)}))


def _notes(n_points: int, n_without: int, n_tied: int) -> list[str]:
    notes = []
    if n_without:
        notes.append(
            f"{n_without:,} of {n_points:,} records have no vote: their label is the class prior's alone."
        )
    if n_tied:
        notes.append(f"{n_tied:,} of {n_points:,} records are ties: their votes leave several labels equal.")
    return notes
