"""What each labeling function does: how often it votes, with whom, and how well."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import repeat
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from metalwork import _html
from metalwork._checks import FloatArray, IntArray
from metalwork.analysis._gold import is_known, read_gold
from metalwork.analysis._lf_counts import LFCounts, RecordCounts, count_votes
from metalwork.analysis._one_tree import check_votes, refuse_roots
from metalwork.errors import VotesError
from metalwork.votes import LabelMatrix


@dataclass(frozen=True)
class LFRow:
    """One labeling function. Shares are of all records and in [0, 1]; None where there is nothing to go by.

    Attributes
    ----------
    name, task : str
    polarity : tuple of str
        The labels it votes for on these records, or what else it says: ``"a or b"``, ``"not c"``; soft votes by
        top label, ``"a 0.6 to 0.9"``.
    n_votes, n_errors : int
        Records on which it votes; on which it failed.
    coverage : float
        Share of records on which it votes.
    overlap, conflict : float
        Share of records on which it votes and another LF votes too; and on which another LF's vote leaves no end
        label that both admit.
    task_overlap, task_conflict : float
        The same among the LFs of its task.
    n_scored : int
        Its votes on records whose label is known, as far down as its task.
    precision : float or None
        Share of right votes among the ``n_scored``. A vote where its task does not apply is wrong. A set with the
        true label is right; a soft vote counts by its probability of it.
    off_branch : float or None
        Share of the ``n_scored`` votes that fell where its task does not apply.
    learned_accuracy : float or None
        What the label model estimated, where given: how often it is right where its task applies.
    """

    name: str
    task: str
    polarity: tuple[str, ...]
    n_votes: int
    n_errors: int
    coverage: float
    overlap: float
    conflict: float
    task_overlap: float
    task_conflict: float
    n_scored: int
    precision: float | None
    off_branch: float | None
    learned_accuracy: float | None


@dataclass(frozen=True)
class TaskRow:
    """All labeling functions of one task together.

    ``coverage`` is the share of records on which at least one of them votes, ``overlap`` at least two,
    ``conflict`` two that differ; ``precision`` and ``off_branch`` pool their votes.
    """

    task: str
    n_lfs: int
    coverage: float
    overlap: float
    conflict: float
    n_scored: int
    precision: float | None
    off_branch: float | None


@dataclass(frozen=True)
class LFSummary:
    """A table of labeling functions; print it, or take it as a frame.

    Attributes
    ----------
    n_points : int
        Records summarised.
    n_gold : int
        Those among them of whose label something is known.
    rows : tuple of LFRow
        One an LF, in the order of the label matrix.
    tasks : tuple of TaskRow
        One a task, in the order of the schema.
    """

    n_points: int
    n_gold: int
    rows: tuple[LFRow, ...]
    tasks: tuple[TaskRow, ...]

    def to_frame(self, known: Mapping[str, "LFSummary"] | None = None) -> pl.DataFrame:
        """A polars frame with one row an LF; its columns are the fields of :class:`LFRow`.

        Parameters
        ----------
        known : mapping of name to LFSummary, optional
            The same LFs on splits of known labels, such as ``{"dev": ...}``: each adds the columns
            ``dev_n_scored``, ``dev_precision`` and ``dev_off_branch``.

        Raises
        ------
        VotesError
            When a summary is of other LFs.
        """
        frame = _frame(self.rows, LFRow)
        for split, summary in (known or {}).items():
            if [row.name for row in summary.rows] != [row.name for row in self.rows]:
                raise VotesError(f"known[{split!r}] must be a summary of the same LFs; its names differ.")
            frame = frame.hstack(summary.to_frame().select(_KNOWN).rename({n: f"{split}_{n}" for n in _KNOWN}))
        return frame

    def by_task(self) -> pl.DataFrame:
        """A polars frame with one row a task; its columns are the fields of :class:`TaskRow`."""
        return _frame(self.tasks, TaskRow)

    def __rich__(self) -> Table:
        shown = [name for name in _SHOWN if self._shows(name)]
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in shown:
            table.add_column(name.replace("_", " "), justify="left" if name in _TEXT else "right")
        for row in self.rows:
            table.add_row(*(Text(_cell(getattr(row, name))) for name in shown))
        return table

    def _repr_html_(self) -> str:
        shown = [name for name in _SHOWN if self._shows(name)]
        rows = [
            [", ".join(row.polarity) if name == "polarity" else getattr(row, name) for name in shown]
            for row in self.rows
        ]
        title = f"{len(self.rows):,} labeling functions on {self.n_points:,} records"
        return _html.block(title, _html.table([name.replace("_", " ") for name in shown], rows, len(_TEXT)))

    def _shows(self, name: str) -> bool:
        """A column of which nothing is known stays out."""
        return self.n_gold > 0 if name == "n_scored" else any(getattr(row, name) is not None for row in self.rows)

    def __str__(self) -> str:
        console = Console(width=10_000, no_color=True, highlight=False, force_terminal=False, record=False)
        with console.capture() as capture:
            console.print(self)
        return "\n".join(line.rstrip() for line in capture.get().splitlines())


def lf_summary(votes: LabelMatrix | Iterable[LabelMatrix], y: Any = None, accuracies: Any = None) -> LFSummary:
    """Summarise labeling functions: coverage, overlap, conflict, polarity and, where labels are known, precision.

    Votes are compared in the tree. A vote admits the end labels under its label; two votes on a record
    *conflict* when no end label is admitted by both: different labels of one task, or labels on different
    branches. A vote for "Markets" and one for its end label "Money" overlap and do not conflict. A set admits the
    end labels in it, a soft vote those to which it gives a share.
    Cost: O(n_points * n_lfs), for LFs with sets or soft votes O(n_points * n_lfs) each.

    Parameters
    ----------
    votes : LabelMatrix (n_points, n_lfs), or iterable of them
        Parts of one matrix need not fit in memory together; their LFs have the same outcomes in all.
    y : sequence (n_points,), optional
        Known labels, as ``schema.known_codes`` takes them: end labels (names or codes), inner labels where no more
        is known, None or -1 where nothing is. A vote on a task below what is known is not scored. For an iterable
        of votes, an iterable of such sequences.
    accuracies : float array (n_lfs,), optional
        Accuracies in [0, 1] that a label model learned, to stand beside the empirical ones; NaN where none.

    Raises
    ------
    VotesError
        When ``y`` or ``accuracies`` has the wrong length, or holds what is no label or no accuracy.
    """
    refuse_roots("votes", votes)
    if isinstance(votes, LabelMatrix) or not isinstance(votes, Iterable):
        votes, y = [check_votes(votes)], None if y is None else [y]
    found: _Counted | None = None
    for part, labels in zip(map(check_votes, votes), repeat(None) if y is None else y, strict=False):
        found = _count(part, labels) if found is None else found.plus(_count(part, labels))
    if found is None:
        raise VotesError("votes must hold at least one label matrix; got none.")
    learned = _check_accuracies(accuracies, found.votes.n_lfs)
    return LFSummary(
        n_points=found.n_points,
        n_gold=found.n_gold,
        rows=tuple(_lf_row(found, learned, j) for j in range(found.votes.n_lfs)),
        tasks=tuple(_task_row(found, t) for t in range(found.votes.schema.n_tasks)),
    )


@dataclass(frozen=True)
class _Counted:
    """What is counted of some records; ``votes`` are those on the first of them."""

    votes: LabelMatrix
    n_points: int
    n_gold: int
    errors: IntArray
    lfs: LFCounts
    records: RecordCounts

    def plus(self, other: "_Counted") -> "_Counted":
        """Of both together."""
        if (other.votes.names, other.votes.alphabets) != (self.votes.names, self.votes.alphabets):
            raise VotesError(
                "votes must be parts of one matrix: their LFs and outcomes must be the same; they differ."
            )
        n_points, n_gold = self.n_points + other.n_points, self.n_gold + other.n_gold
        lfs, records = self.lfs.plus(other.lfs), self.records.plus(other.records)
        return _Counted(self.votes, n_points, n_gold, self.errors + other.errors, lfs, records)


def _count(votes: LabelMatrix, y: Any) -> _Counted:
    gold = None if y is None else read_gold(y, votes.schema, votes.n_points)
    n_gold = 0 if gold is None else int(is_known(gold).sum())
    return _Counted(votes, votes.n_points, n_gold, votes.errors, *count_votes(votes, gold))


_TEXT = ("name", "task", "polarity")
_KNOWN = ("n_scored", "precision", "off_branch")
_SHOWN = (
    *_TEXT,
    "coverage",
    "overlap",
    "conflict",
    "n_errors",
    "learned_accuracy",
    *_KNOWN,
)


def _check_accuracies(accuracies: Any, n_lfs: int) -> FloatArray | None:
    if accuracies is None:
        return None
    values = np.asarray(accuracies, dtype=np.float64)
    if values.shape != (n_lfs,):
        raise VotesError(f"accuracies must hold one number an LF ({n_lfs}); got shape {values.shape}.")
    bad = np.flatnonzero((values < 0) | (values > 1))
    if bad.size:
        raise VotesError(f"accuracies must be in [0, 1]; got {values[bad[0]]:.6g} at position {bad[0]}.")
    return values


def _lf_row(found: _Counted, learned: FloatArray | None, j: int) -> LFRow:
    votes, lfs, n_points = found.votes, found.lfs, max(found.n_points, 1)
    scored, n_votes = int(lfs.scored[j]), int(lfs.labels[j].sum())
    return LFRow(
        name=votes.names[j],
        task=votes.tasks[j],
        polarity=votes.alphabets[j].polarity(np.flatnonzero(lfs.labels[j]), votes.schema.labels(votes.tasks[j])),
        n_votes=n_votes,
        n_errors=int(found.errors[j]),
        coverage=n_votes / n_points,
        overlap=int(lfs.overlap[j]) / n_points,
        conflict=int(lfs.conflict[j]) / n_points,
        task_overlap=int(lfs.task_overlap[j]) / n_points,
        task_conflict=int(lfs.task_conflict[j]) / n_points,
        n_scored=scored,
        precision=_share(float(lfs.correct[j]), scored),
        off_branch=_share(int(lfs.off_branch[j]), scored),
        learned_accuracy=None if learned is None or np.isnan(learned[j]) else float(learned[j]),
    )


def _task_row(found: _Counted, t: int) -> TaskRow:
    votes, lfs, records, n_points = found.votes, found.lfs, found.records, max(found.n_points, 1)
    task = votes.schema.tasks[t]
    group = votes.lfs_of(task)
    scored = int(lfs.scored[group].sum())
    return TaskRow(
        task=task,
        n_lfs=len(group),
        coverage=int(records.covered[t]) / n_points,
        overlap=int(records.overlapped[t]) / n_points,
        conflict=int(records.conflicted[t]) / n_points,
        n_scored=scored,
        precision=_share(float(lfs.correct[group].sum()), scored),
        off_branch=_share(int(lfs.off_branch[group].sum()), scored),
    )


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _frame(rows: tuple[LFRow, ...] | tuple[TaskRow, ...], kind: type[LFRow] | type[TaskRow]) -> pl.DataFrame:
    types: dict[Any, Any] = {
        str: pl.String,
        int: pl.Int64,
        float: pl.Float64,
        float | None: pl.Float64,
        tuple[str, ...]: pl.List(pl.String),
    }
    schema = {field.name: types[field.type] for field in fields(kind)}
    return pl.DataFrame([asdict(row) for row in rows], schema=schema, orient="row")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
