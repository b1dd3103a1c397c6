"""One pass over a label matrix that counts all that its summary needs.

A vote for a label admits the end labels under it, and these adjoin (``TaskSchema.spans``): each vote is an
interval ``start:stop``. Two votes conflict when their intervals do not meet. So a vote conflicts with *some* vote
of its record exactly when the smallest ``stop`` there is at or before its ``start``, or the largest ``start`` at
or after its ``stop``: one minimum and one maximum a record instead of a comparison for every pair.

Sets of labels and soft votes admit end labels that need not adjoin. LFs that cast them are compared pair by pair
with all others (``_clashes.py``).
"""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from metalwork._checks import NOT_APPLICABLE, BoolArray, FloatArray
from metalwork.analysis._clashes import Clash, find_clashes, within
from metalwork.analysis._gold import UNKNOWN
from metalwork.votes import LabelMatrix

Counts = npt.NDArray[np.int64]
_Codes32 = npt.NDArray[np.int32]

_CHUNK: Final = 1 << 15
_NEVER: Final = np.iinfo(np.int32).max


@dataclass(frozen=True)
class LFCounts:
    """Numbers of votes, one array element an LF.

    ``labels[j]`` counts the votes of LF ``j`` by code; ``overlap`` and ``conflict`` are over all LFs,
    ``task_overlap`` and ``task_conflict`` over those of the same task. ``scored`` are the votes where it is known
    whether the task applies and, if so, with which label; ``correct`` the right ones of these,
    ``off_branch`` those where the task does not apply. A soft vote is right by its probability of the true label.
    """

    labels: tuple[Counts, ...]
    overlap: Counts
    conflict: Counts
    task_overlap: Counts
    task_conflict: Counts
    scored: Counts
    off_branch: Counts
    correct: FloatArray

    def plus(self, other: "LFCounts") -> "LFCounts":
        """Of other records of the same LFs, too."""
        labels = tuple(a + b for a, b in zip(self.labels, other.labels, strict=True))
        rest = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self) if f.name != "labels"}
        return LFCounts(labels=labels, **rest)


@dataclass(frozen=True)
class RecordCounts:
    """Numbers of records, one array element a task: with at least one vote, with two or more, in conflict."""

    covered: Counts
    overlapped: Counts
    conflicted: Counts

    def plus(self, other: "RecordCounts") -> "RecordCounts":
        """Of other records, too."""
        return RecordCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def count_votes(votes: LabelMatrix, gold: Counts | None) -> tuple[LFCounts, RecordCounts]:
    """Count votes chunk by chunk; ``gold`` (n_points, n_tasks) is what :func:`read_gold` returns."""
    n_lfs, n_tasks = votes.n_lfs, votes.schema.n_tasks
    zeros: list[npt.NDArray[Any]] = [np.zeros(n_lfs, kind) for kind in [*[np.int64] * 6, np.float64]]
    lfs = LFCounts(
        tuple(np.zeros(n_outcomes, np.int64) for n_outcomes in map(len, votes.alphabets)),
        *zeros,
    )
    records = RecordCounts(*(np.zeros(n_tasks, np.int64) for _ in range(3)))
    groups = [votes.lfs_of(task) for task in votes.schema.tasks]
    tables = [_span_tables(votes, j) for j in range(n_lfs)]
    clashes = find_clashes(votes)
    own_clashes = [within(clashes, group) for group in groups]
    for first in range(0, votes.n_points, _CHUNK):
        codes = np.ascontiguousarray(votes.codes[first : first + _CHUNK].T, dtype=np.int32)
        start = _look_up([table[0] for table in tables], codes)
        stop = _look_up([table[1] for table in tables], codes)
        for j, counts in enumerate(lfs.labels):
            counts += np.bincount(codes[j] + 1, minlength=len(counts) + 1)[1:]
        overlap, conflict = _compare(start, stop, codes, clashes)
        lfs.overlap[:] += overlap.sum(axis=1)
        lfs.conflict[:] += conflict.sum(axis=1)
        for t, group in enumerate(groups):
            own = codes[group]
            overlap, conflict = _compare(start[group], stop[group], own, own_clashes[t])
            lfs.task_overlap[group] += overlap.sum(axis=1)
            lfs.task_conflict[group] += conflict.sum(axis=1)
            records.covered[t] += (own >= 0).any(axis=0).sum()
            records.overlapped[t] += overlap.any(axis=0).sum()
            records.conflicted[t] += conflict.any(axis=0).sum()
        if gold is not None:
            _count_gold(lfs, votes, codes, gold[first : first + _CHUNK])
    return lfs, records


def conflicting_votes(votes: LabelMatrix) -> BoolArray:
    """Bool array (n_points, n_lfs): votes that another LF's vote on the record conflicts with.

    Votes conflict as in :func:`lf_summary`: where no end label is admitted by both.
    """
    found = np.zeros(votes.codes.shape, dtype=bool)
    tables, clashes = [_span_tables(votes, j) for j in range(votes.n_lfs)], find_clashes(votes)
    for first in range(0, votes.n_points, _CHUNK):
        codes = np.ascontiguousarray(votes.codes[first : first + _CHUNK].T, dtype=np.int32)
        start, stop = (_look_up([table[end] for table in tables], codes) for end in (0, 1))
        found[first : first + _CHUNK] = _compare(start, stop, codes, clashes)[1].T
    return found


def _span_tables(votes: LabelMatrix, lf: int) -> tuple[_Codes32, _Codes32]:
    """Interval ends by code; the last element, which code -1 picks, meets every interval, as do other outcomes."""
    if not votes.alphabets[lf].plain:
        n_outcomes = len(votes.alphabets[lf])
        return np.append(np.zeros(n_outcomes), -1).astype(np.int32), np.full(n_outcomes + 1, _NEVER, np.int32)
    spans = votes.schema.spans(votes.tasks[lf])
    start = np.append(spans[:, 0], -1).astype(np.int32)
    return start, np.append(spans[:, 1], _NEVER).astype(np.int32)


def _look_up(tables: list[_Codes32], codes: _Codes32) -> _Codes32:
    found = np.empty_like(codes)
    for j, table in enumerate(tables):
        found[j] = table[codes[j]]
    return found


def _compare(
    start: _Codes32, stop: _Codes32, codes: _Codes32, clashes: list[Clash]
) -> tuple[BoolArray, BoolArray]:
    """Bool arrays (n_lfs, n_points): where another LF votes too, and where another LF's vote conflicts."""
    if len(start) == 0:
        nothing = np.zeros(start.shape, dtype=bool)
        return nothing, nothing
    voted = start >= 0
    overlap: BoolArray = voted & (voted.sum(axis=0, dtype=np.int32) > 1)
    conflict: BoolArray = (stop.min(axis=0) <= start) | (start.max(axis=0) >= stop)
    for clash in clashes:
        hit = clash.table[codes[clash.first], codes[clash.second]]
        conflict[clash.first] |= hit
        conflict[clash.second] |= hit
    return overlap, conflict


def _count_gold(lfs: LFCounts, votes: LabelMatrix, codes: _Codes32, gold: Counts) -> None:
    truth = np.ascontiguousarray(gold.T, dtype=np.int32)
    for j, task in enumerate(votes.tasks):
        expected = truth[votes.schema.task_index(task)]
        scored = (codes[j] >= 0) & (expected != UNKNOWN)
        lfs.scored[j] += np.count_nonzero(scored)
        if not votes.alphabets[j].plain:
            _count_shares(lfs, j, votes.alphabets[j].rows, codes[j][scored], expected[scored])
            continue
        lfs.correct[j] += np.count_nonzero(scored & (codes[j] == expected))
        lfs.off_branch[j] += np.count_nonzero(scored & (expected == NOT_APPLICABLE))


def _count_shares(lfs: LFCounts, j: int, rows: FloatArray, codes: _Codes32, expected: _Codes32) -> None:
    """Votes of an alphabet: the share of the true state is the share right; NaN is off the branch."""
    shares = rows[codes, np.where(expected == NOT_APPLICABLE, rows.shape[1] - 1, expected)]
    lfs.off_branch[j] += np.count_nonzero(np.isnan(shares))
    lfs.correct[j] += np.nansum(shares)
