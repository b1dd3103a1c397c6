"""Inference where most rows say nothing of most tasks: work only where votes touch the tree."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from scipy import sparse

from metalwork.inference._outcomes import INSIDE, OFF, OUTSIDE, Int64Array
from metalwork.inference._soft import soft_evidence, soft_gain, votes_for_labels
from metalwork.inference._touched import SparseRows, TaskStack, TouchedTasks
from metalwork.inference._tree import END, Floats, Tree, normalise

_NONE: Floats = np.empty(0)


class Counted(NamedTuple):
    """What a stack has counted on the rows that touch its tasks.

    ``votes`` (n_votes, n_states in which a task applies); ``labels`` (n_tasks, n_labels) and ``applies``
    (n_tasks,) are records.
    """

    votes: Floats
    labels: Floats
    applies: Floats


class StackSums(Protocol):
    """Beliefs and expected counts of a stack of tasks, chunk by chunk of rows."""

    unvoted: Floats
    """Shares of labels (n_tasks, n_labels) on a row without votes."""
    unvoted_evidence: Floats
    """Their log evidence (n_tasks,)."""
    table: Floats
    """The tables of its LFs (n_lfs, n_states, n_outcomes + 1)."""

    def up(self, cells: Floats, touched: TouchedTasks) -> Floats:
        """Log evidence of each pair (n_pairs,); what deeper tasks add is in the cells, which become shares."""

    def down(self, cells: Floats, touched: TouchedTasks, applies: Floats) -> None:
        """Count pairs that stand for ``applies`` records (n_pairs,) each; cells become records by label."""

    def put(self, joint: Floats, applies: Floats, cells: Floats, touched: TouchedTasks) -> None:
        """Put the labels of touched pairs in place of unvoted ones: ``joint`` (n_rows, n_tasks, n_labels) holds
        P(label, the task applies), ``applies`` (n_rows, n_tasks) the sums.
        """

    def counted(self) -> Counted:
        """What was counted."""


def stack_sums(
    tree: Tree, stacks: Sequence[TaskStack], tables: Sequence[Floats], log_prior: Sequence[Floats]
) -> list[StackSums]:
    """One for each stack; ``tables`` and ``log_prior`` are by task."""
    unvoted = np.zeros(len(tree.child))
    sums: list[StackSums] = []
    for stack in stacks:
        kind = _RelativeSums if stack.relative else _DenseSums
        below = np.where(stack.child != END, unvoted[stack.child], 0.0)
        start = np.array([log_prior[t] for t in stack.tasks]) + below
        sums.append(kind(stack, _stacked(stack, tables), start))
        unvoted[stack.tasks] = sums[-1].unvoted_evidence
    return sums


def pass_up(sums: Sequence[StackSums], parts: Sequence[TouchedTasks], cells: Floats) -> Floats:
    """Log evidence of rows (n_rows,); ``cells`` become each pair's shares of labels."""
    evidence = _NONE
    for own, part in zip(sums, parts, strict=True):
        evidence = own.up(cells, part)
        if part.opened_by is not None:
            cells[part.opened_by] = evidence - own.unvoted_evidence.take(part.place)
    return evidence


def touched_counts(
    tree: Tree,
    sparse_rows: SparseRows,
    tables: Sequence[Floats],
    log_prior: Sequence[Floats],
    records: Floats,
    totals: Floats,
) -> tuple[list[Floats], list[Floats], float]:
    """Expected records by label, expected votes and the log evidence, as :class:`SuffStats` has them.

    ``records`` (n_rows,) are the rows' weights, ``totals`` (n_votes,) their sums by vote.
    """
    stacks, chunks = sparse_rows.touched(tree)
    sums = stack_sums(tree, stacks, tables, log_prior)
    log_evidence = 0.0
    for rows, n_cells, parts in chunks:
        cells = np.zeros(n_cells)
        log_evidence += float((records[rows] * pass_up(sums, parts, cells)).sum())
        for own, part in reversed(list(zip(sums, parts, strict=True))):
            own.down(cells, part, records[rows] if part.opened_by is None else cells[part.opened_by])
    labels, votes, more = _collected(tree, stacks, sums, totals, float(records.sum()))
    return labels, votes, log_evidence + more


def _stacked(stack: TaskStack, tables: Sequence[Floats]) -> Floats:
    """The tables of a stack's LFs (n_lfs, n_states, n_outcomes + 1), filled up with 0 before the abstain."""
    width, found = stack.cast.shape[1] + 1, []
    for table in (tables[t] for t in stack.tasks):
        if table.shape[2] < width:
            more = np.zeros((*table.shape[:2], width - table.shape[2]))
            table = np.concatenate([table[:, :, :-1], more, table[:, :, -1:]], axis=2)
        found.append(table)
    return np.concatenate(found)


class _DenseSums:
    """Stacked tasks with a cell for each label of each pair."""

    def __init__(self, stack: TaskStack, table: Floats, start: Floats) -> None:
        gain = table[:, :-1] - table[:, -1:]
        abstain = gain[:, :, -1]
        votes = np.empty((len(stack.hard), abstain.shape[1]))
        votes[stack.hard] = (gain[:, :, :-1] - abstain[:, :, None]).transpose(0, 2, 1)[stack.cast]
        for lf in stack.soft:
            own = soft_gain(table[lf.place], lf.shares)
            votes[lf.start : lf.stop] = (own[:, 1:] - own[:, :1]).T
        share = start + _by_task(stack) @ abstain
        self.table, self._gain = table, np.concatenate([votes, share])
        self.unvoted_evidence = normalise(share.T)
        self.unvoted = share
        self._counts = np.zeros(self._gain.shape)

    def up(self, cells: Floats, touched: TouchedTasks) -> Floats:
        """See :class:`StackSums`."""
        view = self._view(cells, touched)
        view += (touched.votes @ self._gain).T
        return normalise(view)

    def down(self, cells: Floats, touched: TouchedTasks, applies: Floats) -> None:
        """See :class:`StackSums`."""
        view = self._view(cells, touched)
        view *= applies
        self._counts += touched.votes.T @ view.T

    def put(self, joint: Floats, applies: Floats, cells: Floats, touched: TouchedTasks) -> None:
        """See :class:`StackSums`."""
        share = self._view(cells, touched) * applies[touched.row, touched.place]
        joint[touched.row, touched.place] = share.T

    def counted(self) -> Counted:
        """See :class:`StackSums`."""
        votes, labels = np.split(self._counts, [len(self._counts) - len(self.unvoted)])
        return Counted(votes, labels, labels.sum(axis=1))

    def _view(self, cells: Floats, touched: TouchedTasks) -> Floats:
        return cells[touched.start : touched.start + touched.n_cells].reshape(self.unvoted.shape[1], -1)


class _RelativeSums:
    """A task with relative states: votes raise few labels, and all others keep their shares among themselves.

    ``unvoted`` are these shares. Where labels c of a pair are raised by u_c, its weights sum to 1 + sum over c of
    unvoted_c * (exp(u_c) - 1), times what the votes do to all labels alike.
    """

    def __init__(self, stack: TaskStack, table: Floats, start: Floats) -> None:
        self.table, level = table, table[:, OUTSIDE] - table[:, OFF]
        abstain = level[:, -1:]
        self._level = np.append((level[:, :-1] - abstain)[stack.cast], 0.0)
        self._raised = (table[:, INSIDE, :-1] - table[:, OUTSIDE, :-1])[stack.cast]
        share = start.copy()
        self.unvoted_evidence = normalise(share.T) + abstain.sum()
        self.unvoted, self._share = share, share[0]
        self._spread = 0.0
        self._labels = np.zeros(share.shape[1])
        self._inside, self._on = np.zeros(len(self._raised)), np.zeros(len(self._level))

    def up(self, cells: Floats, touched: TouchedTasks) -> Floats:
        """See :class:`StackSums`."""
        (raised, others), entries = self._view(cells, touched), touched.entries
        raised += entries.votes @ self._raised
        n_pairs, share = len(touched.place), self._share.take(entries.label)
        top = np.zeros(n_pairs)
        np.maximum.at(top, entries.pair, raised)
        raised -= top.take(entries.pair)
        weight = np.exp(raised) * share
        left = np.exp(-top)
        total = _sums(entries.pair, weight, n_pairs)
        total += np.maximum(1.0 - _sums(entries.pair, share, n_pairs), 0.0) * left
        raised[:] = weight / total.take(entries.pair)
        others[:] = left / total
        evidence: Floats = touched.votes @ self._level + self.unvoted_evidence + top + np.log(total)
        return evidence

    def down(self, cells: Floats, touched: TouchedTasks, applies: Floats) -> None:
        """See :class:`StackSums`."""
        (records, others), entries = self._view(cells, touched), touched.entries
        records *= applies.take(entries.pair)
        others *= applies
        self._spread += float(others.sum())
        more = records - self._share.take(entries.label) * others.take(entries.pair)
        self._labels += _sums(entries.label, more, len(self._share))
        self._inside += entries.votes.T @ records
        self._on += touched.votes.T @ applies

    def put(self, joint: Floats, applies: Floats, cells: Floats, touched: TouchedTasks) -> None:
        """See :class:`StackSums`."""
        (share, others), entries = self._view(cells, touched), touched.entries
        joint[touched.row, 0] *= others[:, None]
        row = touched.row.take(entries.pair)
        joint[row, 0, entries.label] = share * applies[row, 0]

    def counted(self) -> Counted:
        """See :class:`StackSums`."""
        votes = np.stack([self._inside, self._on[:-1] - self._inside], axis=1)
        labels = np.maximum(self._share * self._spread + self._labels, 0.0)
        return Counted(votes, labels[None, :], self._on[-1:])

    def _view(self, cells: Floats, touched: TouchedTasks) -> tuple[Floats, Floats]:
        """The cells of entries, and those of pairs: factors of the shares of labels that are no entries."""
        mine, n_pairs = cells[touched.start : touched.start + touched.n_cells], len(touched.row)
        return mine[: len(mine) - n_pairs], mine[len(mine) - n_pairs :]


def _by_task(stack: TaskStack) -> sparse.csr_array:
    """Sums over the LFs of each task: (n_tasks, n_lfs) of ones."""
    n_lfs = len(stack.place)
    shape = (len(stack.tasks), n_lfs)
    return sparse.csr_array((np.ones(n_lfs), (stack.place, np.arange(n_lfs))), shape=shape)


def _sums(index: Int64Array, values: Floats, size: int) -> Floats:
    """Values summed by index: float array (size,)."""
    return np.bincount(index, values, size).astype(np.float64)  # of nothing it makes integers


def _collected(
    tree: Tree, stacks: Sequence[TaskStack], sums: Sequence[StackSums], totals: Floats, n_records: float
) -> tuple[list[Floats], list[Floats], float]:
    """Records by label and votes by state, of every task, with the rows that touch none; and what soft votes add
    to the log evidence.
    """
    labels, votes, log_evidence = [_NONE] * len(tree.child), [_NONE] * len(tree.child), 0.0
    applies = np.full(len(tree.child), n_records)
    for stack, own in reversed(list(zip(stacks, sums, strict=True))):
        count = own.counted()
        records = count.labels + np.maximum(applies[stack.tasks] - count.applies, 0.0)[:, None] * own.unvoted
        opens = stack.child != END
        applies[stack.child[opens]] = records[opens]
        off = np.maximum(n_records - applies[stack.tasks], 0.0)
        by_state = np.concatenate([records, off[:, None]], axis=1)
        counted, more = _by_lf(stack, own.table, count.votes, totals[stack.columns])
        log_evidence += more
        first = np.searchsorted(stack.place, np.arange(len(stack.tasks) + 1))
        for i, (t, n_outcomes) in enumerate(zip(stack.tasks.tolist(), stack.n_outcomes.tolist(), strict=True)):
            labels[t], votes[t] = by_state[i], counted[first[i] : first[i + 1], :, :n_outcomes]
    return labels, votes, log_evidence


def _by_lf(stack: TaskStack, tables: Floats, votes: Floats, totals: Floats) -> tuple[Floats, float]:
    """Counts by vote as (n_lfs, n_states, n_outcomes), with those where the task does not apply; and what soft
    votes add to the log evidence.
    """
    states = np.concatenate([votes, np.maximum(totals - votes.sum(axis=1), 0.0)[:, None]], axis=1)
    counted, log_evidence = np.zeros((len(stack.cast), states.shape[1], stack.cast.shape[1])), 0.0
    by_outcome = counted.transpose(0, 2, 1)
    by_outcome[stack.cast] = states[stack.hard]
    for lf in stack.soft:
        own, table = states[lf.start : lf.stop].T, tables[lf.place]
        found = votes_for_labels(own, table, lf.shares)
        counted[lf.place, :, : found.shape[1]] = found
        log_evidence += soft_evidence(own.sum(axis=0), table, lf.shares, found)
    return counted, log_evidence
