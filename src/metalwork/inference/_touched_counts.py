"""The E-step where most rows say nothing of most tasks: work only where votes touch the tree."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from metalwork.inference._outcomes import OUTSIDE
from metalwork.inference._packing import Int64Array
from metalwork.inference._touched import SparseRows, TaskStack, TouchedTasks
from metalwork.inference._tree import END, Floats, Tree, normalise
from metalwork.inference._weights import Weights

_NONE: Floats = np.empty(0)


class _Counted(NamedTuple):
    """What a stack has counted: by vote (n_votes, n_states in which a task applies); ``labels`` (n_labels,
    n_tasks) and ``applies`` (n_tasks,) on the rows that touch it; and ``unvoted`` (n_labels, n_tasks), how the
    labels of others are shared out.
    """

    votes: Floats
    labels: Floats
    applies: Floats
    unvoted: Floats


class _StackSums(Protocol):
    """Expected counts of a stack of tasks, chunk by chunk of rows."""

    unvoted_evidence: Floats
    """Log evidence of each task on a row without votes (n_tasks,)."""

    def up(self, cells: Floats, touched: TouchedTasks) -> Floats:
        """Log evidence of each pair (n_pairs,); what deeper tasks add is in the cells, which become shares."""

    def down(self, cells: Floats, touched: TouchedTasks, applies: Floats) -> None:
        """Count pairs that stand for ``applies`` records (n_pairs,) each; cells become records by label."""

    def counted(self) -> _Counted:
        """What was counted."""


def touched_counts(
    tree: Tree, sparse_rows: SparseRows, weights: Sequence[Weights], records: Floats
) -> tuple[list[Floats], list[Floats], float]:
    """Expected records by state and key, (n_states but the last, n_keys) a group, those by label (n_labels,) of
    tasks with relative states, and the log evidence.

    ``records`` (n_rows,) are the rows' weights.
    """
    touched = sparse_rows.touched(tree)
    unvoted = np.zeros(len(tree.child))
    sums: list[_StackSums] = []
    for stack in touched.stacks:
        kind = _RelativeSums if stack.relative else _DenseSums
        sums.append(kind(stack, [weights[t] for t in stack.tasks], unvoted))
        unvoted[stack.tasks] = sums[-1].unvoted_evidence
    log_evidence = 0.0
    for rows, n_cells, parts in touched.chunks:
        cells = np.zeros(n_cells)
        for own, part, stack in zip(sums, parts, touched.stacks, strict=True):
            evidence = own.up(cells, part)
            if part.opened_by is not None:
                cells[part.opened_by] = evidence - unvoted[stack.tasks].take(part.place)
        log_evidence += float((records[rows] * evidence).sum())
        for own, part in reversed(list(zip(sums, parts, strict=True))):
            own.down(cells, part, records[rows] if part.opened_by is None else cells[part.opened_by])
    by_key, labels = _by_key(tree, touched.stacks, [own.counted() for own in sums], float(records.sum()))
    return by_key, labels, log_evidence


class _DenseSums:
    """Stacked tasks with a cell for each label of each pair."""

    def __init__(self, stack: TaskStack, weights: Sequence[Weights], unvoted: Floats) -> None:
        table = np.concatenate([by_key for known in weights for by_key in known.tables], axis=1)
        abstain = table[:, stack.abstain]
        votes = (table - np.repeat(abstain, stack.n_keys, axis=1))[:, stack.votes]
        base = np.add.reduceat(abstain, stack.first, axis=1)
        base += np.where(stack.child != END, unvoted[stack.child], 0.0).T
        self._gain = np.concatenate([votes, base], axis=1).T
        self.unvoted_evidence = normalise(base)
        self._unvoted = base
        self._counts = np.zeros(self._gain.shape)

    def up(self, cells: Floats, touched: TouchedTasks) -> Floats:
        """See :class:`_StackSums`."""
        view = self._view(cells, touched)
        view += (touched.votes @ self._gain).T
        return normalise(view)

    def down(self, cells: Floats, touched: TouchedTasks, applies: Floats) -> None:
        """See :class:`_StackSums`."""
        view = self._view(cells, touched)
        view *= applies
        self._counts += touched.votes.T @ view.T

    def counted(self) -> _Counted:
        """See :class:`_StackSums`."""
        n_votes = len(self._counts) - self._unvoted.shape[1]
        labels = self._counts[n_votes:].T
        return _Counted(self._counts[:n_votes], labels, labels.sum(axis=0), self._unvoted)

    def _view(self, cells: Floats, touched: TouchedTasks) -> Floats:
        return cells[touched.start : touched.start + touched.n_cells].reshape(len(self._unvoted), -1)


class _RelativeSums:
    """A task with relative states: votes raise few labels, and all others keep their shares among themselves.

    ``share`` (n_labels,) are these on a row without votes. Where labels c of a pair are raised by u_c, its weights
    sum to 1 + sum over c of share_c * (exp(u_c) - 1), times what the votes do to all labels alike.
    """

    def __init__(self, stack: TaskStack, weights: Sequence[Weights], unvoted: Floats) -> None:
        votes = weights[0].votes
        level = np.concatenate(votes.level)
        abstain = level[stack.abstain]
        self._level = np.append((level - np.repeat(abstain, stack.n_keys))[stack.votes], 0.0)
        self._raised = np.concatenate(votes.raised)[stack.votes]
        share = votes.start[:, None] + np.where(stack.child != END, unvoted[stack.child], 0.0).T
        self.unvoted_evidence = normalise(share) + abstain.sum()
        self._share = share[:, 0]
        self._others, self._spread = _NONE, 0.0
        self._labels = np.zeros(len(share))
        self._inside, self._on = np.zeros(len(self._raised)), np.zeros(len(self._level))

    def up(self, cells: Floats, touched: TouchedTasks) -> Floats:
        """See :class:`_StackSums`."""
        raised, entries = self._view(cells, touched), touched.entries
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
        self._others = left / total
        evidence: Floats = touched.votes @ self._level + self.unvoted_evidence + top + np.log(total)
        return evidence

    def down(self, cells: Floats, touched: TouchedTasks, applies: Floats) -> None:
        """See :class:`_StackSums`."""
        records, entries = self._view(cells, touched), touched.entries
        records *= applies.take(entries.pair)
        others = self._others * applies
        self._spread += float(others.sum())
        more = records - self._share.take(entries.label) * others.take(entries.pair)
        self._labels += _sums(entries.label, more, len(self._share))
        self._inside += entries.votes.T @ records
        self._on += touched.votes.T @ applies

    def counted(self) -> _Counted:
        """See :class:`_StackSums`."""
        votes = np.stack([self._inside, self._on[:-1] - self._inside], axis=1)
        labels = np.maximum(self._share * self._spread + self._labels, 0.0)
        return _Counted(votes, labels[:, None], self._on[-1:], self._share[:, None])

    def _view(self, cells: Floats, touched: TouchedTasks) -> Floats:
        return cells[touched.start : touched.start + touched.n_cells]


def _sums(index: Int64Array, values: Floats, size: int) -> Floats:
    """Values summed by index: float array (size,)."""
    return np.bincount(index, values, size).astype(np.float64)  # of nothing it makes integers


def _by_key(
    tree: Tree, stacks: Sequence[TaskStack], counts: Sequence[_Counted], n_records: float
) -> tuple[list[Floats], list[Floats]]:
    """Counts by group and key, and by label where states are relative, with those of rows that touch no task."""
    by_key = [_NONE] * sum(len(stack.groups) for stack in stacks)
    records = [_NONE] * len(tree.child)
    applies = np.full(len(tree.child), n_records)
    for stack, count in reversed(list(zip(stacks, counts, strict=True))):
        labels = count.labels + np.maximum(applies[stack.tasks] - count.applies, 0.0) * count.unvoted
        opens = stack.child.T != END
        applies[stack.child.T[opens]] = labels[opens]
        if stack.relative:
            records[int(stack.tasks[0])] = labels[:, 0]
        for g, part in zip(stack.groups, _with_abstains(stack, count.votes.T, labels), strict=True):
            by_key[g] = part
    return by_key, records


def _with_abstains(stack: TaskStack, votes: Floats, labels: Floats) -> list[Floats]:
    """Counts of votes (n_states, n_votes) by group, with those of abstains, which the others leave."""
    keys = np.zeros((len(votes), int(stack.n_keys.sum())))
    keys[:, stack.votes] = votes
    voted = np.add.reduceat(keys, stack.abstain, axis=1)
    if stack.relative:  # who abstains votes for no label
        keys[OUTSIDE, stack.abstain] = np.maximum(labels.sum() - voted.sum(axis=0), 0.0)
    else:
        n_groups_of_task = np.diff(stack.first, append=len(stack.groups))
        keys[:, stack.abstain] = np.maximum(np.repeat(labels, n_groups_of_task, axis=1) - voted, 0.0)
    return np.split(keys, stack.abstain[1:], axis=1)
