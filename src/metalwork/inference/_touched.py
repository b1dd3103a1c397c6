"""Rows of few votes, and which tasks of the tree their votes touch.

A vote touches its task and the tasks above. An untouched task adds to the label that opens it what it adds on a
row without votes, so a row needs a pass over its touched tasks only (:mod:`metalwork.inference._touched_counts`).
Tasks that lie equally deep and have as many labels are *stacked*: their touched (row, task) pairs are worked out
together as an array (n_labels, n_pairs). The arrays of all stacks lie behind each other in one flat array of
*cells*, where a pair finds the label that opens its task.

A task with relative states is a stack of its own. Of its labels a pair has cells only for *entries*: those that
votes are for, or that open a task touched.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from metalwork.inference._outcomes import Int64Array, TaskVotes
from metalwork.inference._tree import END, Floats, Tree

_CHUNK_ROWS = 1 << 13


class SparseRows:
    """Rows of votes as a CSR matrix (n_rows, n_votes) of ones: a column each vote.

    Columns go LF by LF, the LFs task by task as in ``tasks``; ``n_outcomes`` (n_lfs,) are how many each has: those
    of LFs of soft votes are these.
    """

    def __init__(self, matrix: sparse.csr_array, tasks: Sequence[TaskVotes], n_outcomes: Int64Array) -> None:
        self.matrix = matrix
        self.tasks = tuple(tasks)
        self.n_outcomes = n_outcomes
        self._first = np.cumsum([0, *(len(task.lfs) for task in tasks)]).tolist()
        self._start = np.append(0, np.cumsum(n_outcomes)).tolist()
        self._touched: TouchedRows | None = None
        self._by_vote: sparse.csc_array | None = None

    def rows(self, index: Int64Array) -> "SparseRows":
        """Some of the rows."""
        return SparseRows(self.matrix[index], self.tasks, self.n_outcomes)

    def n_votes(self) -> Int64Array:
        """How many LFs vote on each row: int array (n_rows,)."""
        n_votes: Int64Array = np.diff(self.matrix.indptr).astype(np.int64)
        return n_votes

    def n_votes_on(self, t: int) -> Int64Array:
        """How many LFs of task t vote on each row: int array (n_rows,)."""
        if self._by_vote is None:
            self._by_vote = sparse.csc_array(self.matrix)
        first, last = self._first[t : t + 2]
        start, stop = self._by_vote.indptr[[self._start[first], self._start[last]]]
        return np.bincount(self._by_vote.indices[start:stop], minlength=self.matrix.shape[0])

    def keys(self, index: Int64Array) -> list[Int64Array]:
        """The keys of some rows (n_rows,), one array an LF, and one for a task without LFs."""
        lf = np.repeat(np.arange(len(self.n_outcomes)), self.n_outcomes)
        key = np.arange(len(lf)) - np.repeat(np.cumsum(self.n_outcomes) - self.n_outcomes, self.n_outcomes) + 1.0
        by_lf = sparse.csr_array((key, (np.arange(len(lf)), lf)), shape=(len(lf), len(self.n_outcomes)))
        keys = (self.matrix[index] @ by_lf).toarray().T.astype(np.int64)
        found: list[Int64Array] = []
        for t in range(len(self.tasks)):
            first, last = self._first[t : t + 2]
            found += list(keys[first:last]) if last > first else [np.zeros(len(index), np.int64)]
        return found

    def totals(self, weights: Floats) -> Floats:
        """Summed weights (n_rows,) by vote: float array (n_votes,)."""
        totals: Floats = self.matrix.T @ weights
        return totals

    def of_task(self, t: int, by_vote: Floats) -> Floats:
        """What stands by vote (n_votes,) of the LFs of task t: (n_lfs, n_outcomes), 0 beyond those an LF has."""
        first, last = self._first[t : t + 2]
        start, size = self._start[first], self.n_outcomes[first:last]
        cast, hard, soft = _cast([self.tasks[t]], size, self.tasks[t].outcomes.member.shape[2])
        found, own = np.zeros(cast.shape), by_vote[start : start + int(size.sum())]
        found[cast] = own[hard]
        for lf in soft:
            found[lf.place, : lf.shares.shape[1]] = own[lf.start : lf.stop] @ lf.shares
        return found

    def touched(self, tree: Tree) -> "TouchedRows":
        """Which tasks the votes touch; worked out once."""
        if self._touched is None:
            self._touched = _touched_rows(tree, self)
        return self._touched


class SoftLF(NamedTuple):
    """An LF of soft votes by its ``place`` in a stack; its votes are the stack's from ``start`` to ``stop``."""

    place: int
    start: int
    stop: int
    shares: Floats


class TaskStack(NamedTuple):
    """Tasks equally deep with as many labels: ``child`` (n_tasks, n_labels) is END or the task that opens below.

    Their LFs stand one after the other: ``place`` (n_lfs,) is the task of each, by its place in the stack, and
    ``cast`` (n_lfs, n_outcomes) says which outcomes are votes; these in order are the ``hard`` (n_votes,) votes of
    the stack, the others belong to LFs of soft votes, ``soft``. ``columns`` (n_votes,) are those of all votes,
    ``n_outcomes`` (n_tasks,) the outcomes that tables have. Where states are ``relative``, there is one task.
    """

    tasks: Int64Array
    child: Int64Array
    relative: bool
    place: Int64Array
    cast: npt.NDArray[np.bool_]
    hard: npt.NDArray[np.bool_]
    soft: tuple[SoftLF, ...]
    columns: Int64Array
    n_outcomes: Int64Array


class TaskPlaces(NamedTuple):
    """By task: its parent and the parent's label that opens it (-1 at the root), its stack and place in that.

    ``depth`` (n_tasks,) is 0 at the root. By column of the votes: its ``task``, its ``column`` among those of the
    stack, and the ``outcome`` voted for.
    """

    parent: Int64Array
    label: Int64Array
    stack: Int64Array
    place: Int64Array
    depth: Int64Array
    task: Int64Array
    column: Int64Array
    outcome: Int64Array


class Entries(NamedTuple):
    """Labels of touched tasks that votes are for or that open a touched task, ascending by pair, then label.

    ``pair`` and ``label`` (n_entries,) say which; ``votes`` (n_entries, n_votes) marks the votes for each.
    """

    pair: Int64Array
    label: Int64Array
    votes: sparse.csr_array


_NO_ENTRIES = Entries(np.zeros(0, np.int64), np.zeros(0, np.int64), sparse.csr_array((0, 0)))


class TouchedTasks(NamedTuple):
    """The touched tasks of one stack on some rows, as pairs (row, task).

    ``votes`` (n_pairs, n_votes + n_tasks) marks each pair's votes and its task; ``start`` is where their cells
    begin, ``n_cells`` how many these are; ``row`` (n_pairs,) is the row, ``place`` (n_pairs,) the task's place in
    the stack, ``opened_by`` (n_pairs,) the cell of the label that opens it; None at the root. For relative states
    there are ``entries``: their cells, then one a pair.
    """

    votes: sparse.csr_array
    start: int
    n_cells: int
    row: Int64Array
    place: Int64Array
    opened_by: Int64Array | None
    entries: Entries


class TouchedRows(NamedTuple):
    """Stacks, the deepest first, and for chunks of rows how many cells there are and the touched tasks."""

    stacks: tuple[TaskStack, ...]
    chunks: tuple[tuple[slice, int, tuple[TouchedTasks, ...]], ...]


def _touched_rows(tree: Tree, sparse_rows: SparseRows) -> TouchedRows:
    stacks, places = task_stacks(tree, sparse_rows.tasks, sparse_rows.n_outcomes)
    n_rows = sparse_rows.matrix.shape[0]
    chunks = []
    for start in range(0, n_rows, _CHUNK_ROWS):
        rows = slice(start, min(start + _CHUNK_ROWS, n_rows))
        touched = touched_tasks(stacks, places, sparse_rows.matrix[rows])
        chunks.append((rows, sum(part.n_cells for part in touched), touched))
    return TouchedRows(stacks, tuple(chunks))


def task_stacks(
    tree: Tree, tasks: Sequence[TaskVotes], n_outcomes: Int64Array
) -> tuple[tuple[TaskStack, ...], TaskPlaces]:
    """The stacks, the deepest first, and where in them each task and each column of the votes is."""
    n_tasks = len(tree.child)
    depth, parent, label = np.zeros(n_tasks, np.int64), np.full(n_tasks, -1), np.full(n_tasks, -1)
    for t, children in enumerate(tree.child):
        for c, below in enumerate(children):
            if below != END:
                depth[below], parent[below], label[below] = depth[t] + 1, t, c
    task_of_lf = np.repeat(np.arange(n_tasks), [len(task.lfs) for task in tasks])
    task = np.repeat(task_of_lf, n_outcomes)
    outcome = np.arange(len(task)) - np.repeat(np.cumsum(n_outcomes) - n_outcomes, n_outcomes)
    alone = [t if of_task.relative else -1 for t, of_task in enumerate(tasks)]
    alike = np.array([-depth, [len(children) for children in tree.child], alone])
    stack, place, column = np.empty(n_tasks, np.int64), np.empty(n_tasks, np.int64), np.empty(len(task), np.int64)
    stacks: list[TaskStack] = []
    for shape in np.unique(alike, axis=1).T:
        own = np.flatnonzero((alike == shape[:, None]).all(axis=0))
        stack[own], place[own] = len(stacks), np.arange(len(own))
        mine = np.flatnonzero(np.isin(task, own))
        column[mine] = np.arange(len(mine))
        child = np.array([tree.child[t] for t in own.tolist()], np.int64)
        lfs = np.flatnonzero(np.isin(task_of_lf, own))
        width = np.array([tasks[t].outcomes.member.shape[2] for t in own.tolist()])
        cast, hard, soft = _cast([tasks[t] for t in own.tolist()], n_outcomes[lfs], int(width.max()))
        relative, places = bool(shape[2] >= 0), place[task_of_lf[lfs]]
        stacks.append(TaskStack(own, child, relative, places, cast, hard, soft, mine, width))
    return tuple(stacks), TaskPlaces(parent, label, stack, place, depth, task, column, outcome)


def _cast(
    tasks: Sequence[TaskVotes], n_votes: Int64Array, width: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], tuple[SoftLF, ...]]:
    """Which outcomes of LFs are votes, which votes these are, and the LFs of soft votes."""
    first, soft = np.cumsum([0] + [len(task.lfs) for task in tasks]), []
    stop = np.cumsum(n_votes)
    for before, task in zip(first.tolist(), tasks, strict=False):
        for i, shares in task.outcomes.shares:
            end = int(stop[before + i])
            soft.append(SoftLF(before + i, end - len(shares), end, shares))
    cast, hard = np.arange(width) < n_votes[:, None], np.ones(int(n_votes.sum()), dtype=bool)
    for lf in soft:
        cast[lf.place], hard[lf.start : lf.stop] = False, False
    return cast, hard, tuple(soft)


class _Pairs(NamedTuple):
    """Touched (row, task) pairs of some rows, numbered row * n_tasks + task and ascending.

    ``members[q]`` are those of stack q, ``position`` (n_pairs,) the place of each among them. By vote: its
    ``voted`` pair, and the ``column`` of the matrix of votes.
    """

    pair: Int64Array
    stack: Int64Array
    members: list[Int64Array]
    position: Int64Array
    voted: Int64Array
    column: Int64Array


def touched_tasks(
    stacks: Sequence[TaskStack], places: TaskPlaces, votes: sparse.csr_array
) -> tuple[TouchedTasks, ...]:
    """The touched tasks of some rows of votes, by stack."""
    pairs = _pairs(len(stacks), places, votes)
    row, task = np.divmod(pairs.pair, len(places.parent))
    parent = np.full(len(pairs.pair), -1)
    below = np.flatnonzero(places.parent[task] >= 0)
    parent[below] = np.searchsorted(pairs.pair, _above(pairs.pair[below], places))
    entries = [_entries(q, stacks[q], places, pairs, parent) for q in range(len(stacks))]
    n_cells = [
        len(entry.pair) + len(own) if part.relative else len(own) * part.child.shape[1]
        for own, part, entry in zip(pairs.members, stacks, entries, strict=True)
    ]
    starts, found = np.cumsum(n_cells) - n_cells, []
    for q, own in enumerate(pairs.members):
        opened_by = None
        if q < len(stacks) - 1:
            opened_by = _cell_of(parent[own], places.label[task[own]], pairs, stacks, entries, starts)
        votes_of, begin, size = _votes_of(q, stacks[q], places, pairs), int(starts[q]), int(n_cells[q])
        found.append(TouchedTasks(votes_of, begin, size, row[own], places.place[task[own]], opened_by, entries[q]))
    return tuple(found)


def _pairs(n_stacks: int, places: TaskPlaces, votes: sparse.csr_array) -> _Pairs:
    n_tasks, n_rows = len(places.parent), votes.shape[0]
    row = np.repeat(np.arange(n_rows), np.diff(votes.indptr))
    voted = row * n_tasks + places.task[votes.indices]
    pair = _with_above(_distinct(voted), n_rows, places)
    stack = places.stack[pair % n_tasks]
    members = [np.flatnonzero(stack == q) for q in range(n_stacks)]
    position = np.empty(len(pair), np.int64)
    for own in members:
        position[own] = np.arange(len(own))
    return _Pairs(pair, stack, members, position, np.searchsorted(pair, voted), votes.indices)


def _votes_of(q: int, stack: TaskStack, places: TaskPlaces, pairs: _Pairs) -> sparse.csr_array:
    """Which votes each pair of a stack has, and which task it is: (n_pairs, n_votes + n_tasks)."""
    own, mine = pairs.members[q], np.flatnonzero(pairs.stack[pairs.voted] == q)
    place = places.place[pairs.pair[own] % len(places.parent)]
    rows = np.concatenate([pairs.position[pairs.voted[mine]], np.arange(len(own))])
    n_votes = len(stack.columns)
    columns = np.concatenate([places.column[pairs.column[mine]], n_votes + place])
    shape = (len(own), n_votes + len(stack.tasks))
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def _entries(q: int, stack: TaskStack, places: TaskPlaces, pairs: _Pairs, parent: Int64Array) -> Entries:
    """The entries of a stack with relative states; of others, none."""
    if not stack.relative:
        return _NO_ENTRIES
    n_labels = stack.child.shape[1]
    mine = np.flatnonzero(pairs.stack[pairs.voted] == q)
    voted = pairs.position[pairs.voted[mine]] * n_labels + places.outcome[pairs.column[mine]]
    opening = np.flatnonzero((parent >= 0) & (pairs.stack[parent] == q))
    label = places.label[pairs.pair[opening] % len(places.parent)]
    entry, place = np.unique(
        np.concatenate([voted, pairs.position[parent[opening]] * n_labels + label]), return_inverse=True
    )
    columns = places.column[pairs.column[mine]]
    shape = (len(entry), len(stack.columns))
    votes = sparse.csr_array((np.ones(len(mine)), (place[: len(mine)], columns)), shape=shape)
    return Entries(entry // n_labels, entry % n_labels, votes)


def _cell_of(
    pair: Int64Array,
    label: Int64Array,
    pairs: _Pairs,
    stacks: Sequence[TaskStack],
    entries: Sequence[Entries],
    starts: Int64Array,
) -> Int64Array:
    """The cells of labels of some pairs."""
    stack = pairs.stack[pair]
    size = np.array([len(own) for own in pairs.members])
    cell = starts[stack] + pairs.position[pair] + label * size[stack]
    for q, (part, entry) in enumerate(zip(stacks, entries, strict=True)):
        if part.relative:
            here, n_labels = np.flatnonzero(stack == q), part.child.shape[1]
            wanted = pairs.position[pair[here]] * n_labels + label[here]
            cell[here] = starts[q] + np.searchsorted(entry.pair * n_labels + entry.label, wanted)
    return np.asarray(cell)


def _with_above(voted: Int64Array, n_rows: int, places: TaskPlaces) -> Int64Array:
    """The pairs in which there are votes, those above them, and the root of every row, ascending."""
    depth, above, found = places.depth[voted % len(places.depth)], voted[:0], []
    for d in range(int(places.depth.max()), 0, -1):
        level = _distinct(np.concatenate([voted[depth == d], above]))
        found.append(level)
        above = _above(level, places)
    return np.sort(np.concatenate([np.arange(n_rows) * len(places.depth), *found]))


def _distinct(values: Int64Array) -> Int64Array:
    """Distinct values, ascending; by sorting, which takes a fraction of the time that np.unique takes to hash."""
    ascending = np.sort(values)
    first = np.ones(len(ascending), dtype=bool)
    first[1:] = ascending[1:] != ascending[:-1]
    return ascending[first]


def _above(pair: Int64Array, places: TaskPlaces) -> Int64Array:
    """The pairs (row, parent of the task)."""
    task = pair % len(places.parent)
    return pair - task + places.parent[task]
