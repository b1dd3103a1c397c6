"""The E-step where most rows say nothing of most tasks: work only where votes touch the tree.

A vote touches its task and the tasks above. An untouched task adds to the label that opens it what it adds on a
row without votes, so a row needs a pass over its touched tasks only: *pairs* (row, task). Pairs of tasks that lie
equally deep and have as many labels are one *kind*, worked out together as an array (n_labels, n_pairs). The
arrays of all kinds lie behind each other in one flat array of *cells*, where a pair finds the label that opens
its task.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from metalwork.inference._packing import Group
from metalwork.inference._tree import END, Floats, Tree, normalise

Int64Array = npt.NDArray[np.int64]
_CHUNK_ROWS = 1 << 13


class SparseRows:
    """Rows of votes as a CSR matrix (n_rows, n_votes) of ones: a column each vote, group by group.

    A group holds one LF at most, so that vote v is key v + 1.
    """

    def __init__(self, matrix: sparse.csr_array, groups: Sequence[Group]) -> None:
        self.matrix = matrix
        self.groups = groups
        self._touched: Touched | None = None

    def rows(self, index: Int64Array) -> "SparseRows":
        """Some of the rows."""
        return SparseRows(self.matrix[index], self.groups)

    def n_votes(self) -> Int64Array:
        """How many LFs vote on each row: int array (n_rows,)."""
        n_votes: Int64Array = np.diff(self.matrix.indptr).astype(np.int64)
        return n_votes

    def n_votes_in(self, groups: Sequence[int]) -> Int64Array:
        """How many LFs of some groups vote on each row: int array (n_rows,)."""
        chosen = np.isin(self._group_of_vote(), groups).astype(np.float64)
        n_votes: Int64Array = (self.matrix @ chosen).astype(np.int64)
        return n_votes

    def keys(self, index: Int64Array) -> list[Int64Array]:
        """The keys of some rows (n_rows,), one array a group."""
        group, n_votes = self._group_of_vote(), self.matrix.shape[1]
        starts = np.searchsorted(group, np.arange(len(self.groups)))
        key = np.arange(n_votes) - starts[group] + 1.0
        by_group = sparse.csr_array((key, (np.arange(n_votes), group)), shape=(n_votes, len(self.groups)))
        return list((self.matrix[index] @ by_group).toarray().T.astype(np.int64))

    def _group_of_vote(self) -> Int64Array:
        sizes = [group.n_keys - 1 for group in self.groups]
        return np.repeat(np.arange(len(sizes)), sizes)

    def totals(self, weights: Floats) -> tuple[Floats, ...]:
        """Summed weights (n_rows,) by key: one array (n_keys,) a group."""
        ends = np.cumsum([group.n_keys - 1 for group in self.groups])
        by_group = np.split(self.matrix.T @ weights, ends[:-1])
        return tuple(np.append(weights.sum() - votes.sum(), votes) for votes in by_group)

    def touched(self, tree: Tree) -> "Touched":
        """Where the votes touch the tree; worked out once."""
        if self._touched is None:
            self._touched = _touch(tree, self)
        return self._touched


class Kind(NamedTuple):
    """Tasks (n_tasks,) that lie equally deep and have as many labels; ``child`` (n_tasks, n_labels) lie below.

    The keys of their groups stand side by side: ``silent`` (n_groups,) are the positions of keys 0, ``spoken``
    those of the others. ``first`` (n_tasks,) is the first group of each task, ``n_keys`` (n_groups,) their sizes.
    """

    tasks: Int64Array
    child: Int64Array
    groups: Int64Array
    n_keys: Int64Array
    silent: Int64Array
    spoken: Int64Array
    first: Int64Array


class Places(NamedTuple):
    """By task: its parent and the parent's label that opens it (-1 at the root), its kind and place in that.

    ``depth`` (n_tasks,) is 0 at the root; by column of the votes: its ``task``, and its ``column`` among those of
    the kind.
    """

    parent: Int64Array
    label: Int64Array
    kind: Int64Array
    place: Int64Array
    depth: Int64Array
    task: Int64Array
    column: Int64Array


class Pairs(NamedTuple):
    """The touched tasks of one kind on some rows.

    ``says`` (n_pairs, n_spoken + n_tasks) marks each pair's votes and its task; ``start`` is where their cells
    begin; ``place`` (n_pairs,) is the task's place in the kind, ``opened_by`` (n_pairs,) the cell of the label
    that opens it; None at the root.
    """

    says: sparse.csr_array
    start: int
    place: Int64Array
    opened_by: Int64Array | None


class Touched(NamedTuple):
    """Kinds, the deepest first, and for chunks of rows how many cells there are and the pairs of each kind."""

    kinds: tuple[Kind, ...]
    chunks: tuple[tuple[slice, int, tuple[Pairs, ...]], ...]


def touched_counts(
    tree: Tree, sparse_rows: SparseRows, tables: Sequence[Sequence[Floats]], records: Floats
) -> tuple[list[Floats], float]:
    """Expected records by label and key, (n_labels, n_keys) a group, and the log evidence.

    ``tables[t]`` are the log weights (n_labels, n_keys) of the groups of task t, the prior in the first of them;
    ``records`` (n_rows,) are the rows' weights.
    """
    touched = sparse_rows.touched(tree)
    by_group = [table for of_task in tables for table in of_task]
    said, shares, silence = _without_votes(touched.kinds, by_group, len(tree.child))
    counts = [np.zeros(table.shape) for table in said]
    log_evidence = 0.0
    for rows, n_cells, pairs in touched.chunks:
        cells = np.zeros(n_cells)
        views = [_cells_of(cells, part, kind) for part, kind in zip(pairs, touched.kinds, strict=True)]
        for view, part, kind, table in zip(views, pairs, touched.kinds, said, strict=True):
            view += (part.says @ table).T
            evidence = normalise(view)
            if part.opened_by is not None:
                cells[part.opened_by] = evidence - silence[kind.tasks].take(part.place)
        log_evidence += float((records[rows] * evidence).sum())
        for view, part, count in reversed(list(zip(views, pairs, counts, strict=True))):
            view *= records[rows] if part.opened_by is None else cells[part.opened_by]
            count += part.says.T @ view.T
    return _by_key(touched.kinds, counts, shares, float(records.sum()), len(by_group)), log_evidence


def _cells_of(cells: Floats, pairs: Pairs, kind: Kind) -> Floats:
    n_labels, n_pairs = kind.child.shape[1], len(pairs.place)
    return cells[pairs.start : pairs.start + n_labels * n_pairs].reshape(n_labels, n_pairs)


def _without_votes(
    kinds: Sequence[Kind], by_group: Sequence[Floats], n_tasks: int
) -> tuple[list[Floats], list[Floats], Floats]:
    """What a vote adds to silence, then silence itself: (n_spoken + n_tasks, n_labels) a kind.

    Also the shares of labels in silence (n_labels, n_tasks) a kind, and its log evidence by task (n_tasks,).
    """
    said, shares, silence = [], [], np.zeros(n_tasks)
    for kind in kinds:
        table = np.concatenate([by_group[g] for g in kind.groups], axis=1)
        silent = table[:, kind.silent]
        votes = (table - np.repeat(silent, kind.n_keys, axis=1))[:, kind.spoken]
        base = np.add.reduceat(silent, kind.first, axis=1)
        base += np.where(kind.child != END, silence[kind.child], 0.0).T
        said.append(np.concatenate([votes, base], axis=1).T)
        silence[kind.tasks] = normalise(base)
        shares.append(base)
    return said, shares, silence


def _by_key(
    kinds: Sequence[Kind], counts: Sequence[Floats], shares: Sequence[Floats], n_records: float, n_groups: int
) -> list[Floats]:
    """Counts of votes and touched tasks (n_spoken + n_tasks, n_labels), by key and with the untouched rows."""
    found = [np.empty((0, 0))] * n_groups
    applies = np.full(sum(len(kind.tasks) for kind in kinds), n_records)
    for kind, count, share in reversed(list(zip(kinds, counts, shares, strict=True))):
        votes, labels = count[: len(kind.spoken)].T, count[len(kind.spoken) :].T
        labels = labels + np.maximum(applies[kind.tasks] - labels.sum(axis=0), 0.0) * share
        opens = kind.child.T != END
        applies[kind.child.T[opens]] = labels[opens]
        keys = np.zeros((len(labels), int(kind.n_keys.sum())))
        keys[:, kind.spoken] = votes
        n_groups_of_task = np.diff(kind.first, append=len(kind.groups))
        spoken = np.add.reduceat(keys, kind.silent, axis=1)
        keys[:, kind.silent] = np.maximum(np.repeat(labels, n_groups_of_task, axis=1) - spoken, 0.0)
        for g, part in zip(kind.groups, np.split(keys, kind.silent[1:], axis=1), strict=True):
            found[g] = part
    return found


def _touch(tree: Tree, sparse_rows: SparseRows) -> Touched:
    kinds, places = _places(tree, sparse_rows.groups)
    n_rows = sparse_rows.matrix.shape[0]
    chunks = []
    for start in range(0, n_rows, _CHUNK_ROWS):
        rows = slice(start, min(start + _CHUNK_ROWS, n_rows))
        chunks.append((rows, *_pairs(kinds, places, sparse_rows.matrix[rows])))
    return Touched(kinds, tuple(chunks))


def _places(tree: Tree, groups: Sequence[Group]) -> tuple[tuple[Kind, ...], Places]:
    n_tasks = len(tree.child)
    depth, parent, label = np.zeros(n_tasks, np.int64), np.full(n_tasks, -1), np.full(n_tasks, -1)
    for t, children in enumerate(tree.child):
        for c, below in enumerate(children):
            if below != END:
                depth[below], parent[below], label[below] = depth[t] + 1, t, c
    n_labels = np.array([len(children) for children in tree.child])
    task_of_group, n_keys = np.array([g.task for g in groups]), np.array([g.n_keys for g in groups])
    task = np.repeat(task_of_group, n_keys - 1)
    kind, place, column = np.empty(n_tasks, np.int64), np.empty(n_tasks, np.int64), np.empty(len(task), np.int64)
    kinds: list[Kind] = []
    for d, k in sorted(set(zip((-depth).tolist(), n_labels.tolist(), strict=True))):
        tasks = np.flatnonzero((depth == -d) & (n_labels == k))
        kind[tasks], place[tasks] = len(kinds), np.arange(len(tasks))
        own = np.flatnonzero(np.isin(task, tasks))
        column[own] = np.arange(len(own))
        kinds.append(_kind(tree, tasks, np.flatnonzero(np.isin(task_of_group, tasks)), task_of_group, n_keys))
    return tuple(kinds), Places(parent, label, kind, place, depth, task, column)


def _kind(tree: Tree, tasks: Int64Array, own: Int64Array, task_of_group: Int64Array, n_keys: Int64Array) -> Kind:
    sizes = n_keys[own]
    silent = np.cumsum(sizes) - sizes
    spoken = np.delete(np.arange(sizes.sum()), silent)
    child = np.array([tree.child[t] for t in tasks], np.int64)
    return Kind(tasks, child, own, sizes, silent, spoken, np.searchsorted(task_of_group[own], tasks))


def _pairs(kinds: Sequence[Kind], places: Places, votes: sparse.csr_array) -> tuple[int, tuple[Pairs, ...]]:
    """How many cells some rows of votes need, and their pairs of each kind."""
    n_tasks, n_rows = len(places.parent), votes.shape[0]
    row = np.repeat(np.arange(n_rows), np.diff(votes.indptr))
    voted = row * n_tasks + places.task[votes.indices]
    pair = _with_above(np.unique(voted), n_rows, places)
    kind = places.kind[pair % n_tasks]
    members = [np.flatnonzero(kind == q) for q in range(len(kinds))]
    size = np.array([len(own) for own in members])
    n_cells = size * [part.child.shape[1] for part in kinds]
    starts, position = np.cumsum(n_cells) - n_cells, np.empty(len(pair), np.int64)
    for own in members:
        position[own] = np.arange(len(own))
    said_in, found = np.searchsorted(pair, voted), []
    for q, own in enumerate(members):
        task = pair[own] % n_tasks
        opened_by = None
        if q < len(kinds) - 1:
            above = np.searchsorted(pair, _above(pair[own], places))
            opened_by = starts[kind[above]] + position[above] + places.label[task] * size[kind[above]]
        mine = np.flatnonzero(kind[said_in] == q)
        rows = np.concatenate([position[said_in[mine]], np.arange(len(own))])
        n_spoken, place = len(kinds[q].spoken), places.place[task]
        columns = np.concatenate([places.column[votes.indices[mine]], n_spoken + place])
        shape = (len(own), n_spoken + len(kinds[q].tasks))
        says = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        found.append(Pairs(says, int(starts[q]), place, opened_by))
    return int(n_cells.sum()), tuple(found)


def _with_above(voted: Int64Array, n_rows: int, places: Places) -> Int64Array:
    """The pairs in which there are votes, those above them, and the root of every row, ascending."""
    depth, above, found = places.depth[voted % len(places.depth)], voted[:0], []
    for d in range(int(places.depth.max()), 0, -1):
        level = np.union1d(voted[depth == d], above)
        found.append(level)
        above = _above(level, places)
    return np.sort(np.concatenate([np.arange(n_rows) * len(places.depth), *found]))


def _above(pair: Int64Array, places: Places) -> Int64Array:
    """The pairs (row, parent of the task)."""
    task = pair % len(places.parent)
    return pair - task + places.parent[task]
