"""How far labeling functions, or the workers of a crowd, agree beyond chance."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from metalwork import _html
from metalwork._checks import FloatArray, IntArray
from metalwork.analysis._one_tree import check_votes
from metalwork.errors import VotesError
from metalwork.votes import LabelMatrix

_CELLS: Final = 1 << 22


@dataclass(frozen=True)
class Agreement:
    """Agreement of the votes on one task; a figure that is not defined is None, and ``notes`` say why.

    Attributes
    ----------
    task : str
    n_points, n_lfs, n_votes : int
        Records with two votes or more, the LFs that voted on them, and their votes there.
    observed : float or None
        Share of agreeing pairs among the votes on a record, over records by their number of votes.
    krippendorff_alpha : float or None
        Krippendorff's alpha for nominal labels (2011): 1 for perfect agreement, 0 for that of chance. Records may
        have any number of votes.
    fleiss_kappa : float or None
        Fleiss' kappa (1971). Every record with votes must have the same number of them.
    notes : tuple of str
    """

    task: str
    n_points: int
    n_lfs: int
    n_votes: int
    observed: float | None
    krippendorff_alpha: float | None
    fleiss_kappa: float | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, for JSON."""
        return {**asdict(self), "notes": list(self.notes)}

    def _title(self) -> str:
        return f"Agreement on task {self.task}: {self.n_votes:,} votes on {self.n_points:,} records"

    def _figures(self) -> list[tuple[str, float | None]]:
        names = ("observed", "krippendorff_alpha", "fleiss_kappa")
        return [(name.replace("_", " "), getattr(self, name)) for name in names]

    def __str__(self) -> str:
        figures = [f"{name:<18}  {_html.figure(value)}" for name, value in self._figures()]
        return "\n".join([self._title(), *figures, *self.notes])

    def _repr_html_(self) -> str:
        return _html.block(self._title(), _html.table([], self._figures()), _html.lines("\n".join(self.notes)))


def agreement(votes: LabelMatrix, task: str | None = None) -> Agreement:
    """Agreement of the LFs of one task, beyond chance.

    Cost: O(n_points * n_lfs + n_points * n_labels).

    Parameters
    ----------
    votes : LabelMatrix (n_points, n_lfs)
        Labels, no sets or soft votes. A record that an LF was not asked about is an abstain.
    task : str, optional
        May be left out where all LFs vote on one task.

    Raises
    ------
    VotesError
        Where LFs vote on several tasks and none is named, and for sets and soft votes.
    """
    check_votes(votes)
    name = _only_task(votes) if task is None else task
    group = votes.lfs_of(name)
    if beyond := [votes.names[j] for j in group if not votes.alphabets[j].plain]:
        raise VotesError(
            f"Votes on task {name!r} must be labels; got sets or soft votes of {beyond[0]!r}. "
            "Leave such LFs out with votes.lfs."
        )
    return _agreement(name, votes.codes[:, group], len(votes.schema.labels(name)))


def _only_task(votes: LabelMatrix) -> str:
    tasks = list(dict.fromkeys(votes.tasks)) or [votes.schema.root]
    if len(tasks) > 1:
        raise VotesError(f"task must be named: the LFs vote on {len(tasks)} tasks. Pass task={tasks[0]!r}.")
    return tasks[0]


def _agreement(task: str, codes: IntArray, n_labels: int) -> Agreement:
    totals, agreeing, shares = np.zeros(n_labels), 0.0, 0.0
    sizes: set[int] = set()
    n_points, asked = 0, np.zeros(codes.shape[1], dtype=bool)
    rows = max(1, _CELLS // max(n_labels, codes.shape[1], 1))
    for first in range(0, len(codes), rows):
        block = codes[first : first + rows]
        counts = _count(block, n_labels)
        size = counts.sum(axis=1)
        sizes |= set(size[size > 0].tolist())
        paired = size > 1
        counts, size = counts[paired], size[paired]
        same = (counts * (counts - 1)).sum(axis=1)
        totals += counts.sum(axis=0)
        agreeing += float((same / (size - 1)).sum())
        shares += float((same / (size * (size - 1))).sum())
        asked |= (block[paired] >= 0).any(axis=0)
        n_points += len(size)
    n_votes = int(totals.sum())
    alpha, kappa, notes = _beyond_chance(totals, agreeing, shares / max(n_points, 1), sizes)
    return Agreement(
        task=task,
        n_points=n_points,
        n_lfs=int(asked.sum()),
        n_votes=n_votes,
        observed=agreeing / n_votes if n_votes else None,
        krippendorff_alpha=alpha,
        fleiss_kappa=kappa,
        notes=tuple(notes),
    )


def _count(codes: IntArray, n_labels: int) -> IntArray:
    """int64 array (n_points, n_labels): votes for each label on each record."""
    row, lf = np.nonzero(codes >= 0)
    place = row * n_labels + codes[row, lf]
    return np.bincount(place, minlength=len(codes) * n_labels).reshape(len(codes), n_labels)


def _beyond_chance(
    totals: FloatArray, agreeing: float, share: float, sizes: set[int]
) -> tuple[float | None, float | None, list[str]]:
    """Alpha and kappa: ``totals`` are votes by label, ``share`` the mean share of agreeing pairs on a record."""
    n = float(totals.sum())
    if not n:
        return None, None, ["No record has two votes, so nothing can be compared."]
    if totals.max() == n:
        return None, None, ["All votes are for one label, so there is no chance agreement to compare with."]
    alpha = 1.0 - (n - agreeing) * (n - 1.0) / (n * n - float(totals @ totals))
    if len(sizes) > 1:
        note = (
            "Fleiss' kappa needs the same number of votes on every record; "
            f"they have {min(sizes)} to {max(sizes)}. Krippendorff's alpha takes any."
        )
        return alpha, None, [note]
    chance = float(totals @ totals) / (n * n)
    return alpha, (share - chance) / (1.0 - chance), []
