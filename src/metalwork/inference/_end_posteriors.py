"""P(end label) of rows of votes, each by what is quicker for so many votes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from metalwork._checks import FloatArray, IntArray
from metalwork.inference._mixture import outcomes_by_lf, tasks_of
from metalwork.inference._outcomes import Int64Array
from metalwork.inference._packing import Packing, blocks_of, keys_of
from metalwork.inference._threads import do_in_threads
from metalwork.inference._touched import TaskStack, task_stacks, touched_tasks
from metalwork.inference._touched_counts import StackSums, pass_up, stack_sums
from metalwork.inference._tree import END, Floats, Tree
from metalwork.inference._weights import Weights, end_posterior_of_keys, weigh

MANY_GROUPS, FEW = 16, 8
"""From so many groups of LFs on, votes in fewer than one in eight of them are few."""
_BLOCK_CELLS = 1 << 20
_LEAST_ROWS, _MOST_ROWS = 1 << 8, 1 << 15


class EndPosteriors:
    """P(end label) of rows of votes of these LFs, under whatever tables.

    A row of few votes is worked out where these touch the tree, any other by look-ups in tables of all keys. The
    row alone decides which, so it gets the same numbers whatever rows stand beside it.
    """

    def __init__(self, tree: Tree, layout: Packing) -> None:
        self.tree, self.layout = tree, layout
        self._tasks = tasks_of(layout)
        self._relative = any(task.relative for task in self._tasks)
        n_outcomes = outcomes_by_lf(layout)
        lfs = np.concatenate([task.lfs for task in self._tasks])
        self._first = np.empty(len(lfs), np.int64)  # column of each LF's first vote
        self._first[lfs] = np.cumsum(n_outcomes) - n_outcomes
        self._n_votes = int(n_outcomes.sum())
        self._stacks, self._places = task_stacks(tree, self._tasks, n_outcomes)
        self._below = [_Below.of(tree, stack) for stack in self._stacks]

    def of(
        self,
        codes: IntArray,
        tables: Sequence[Floats],
        log_prior: Sequence[Floats],
        unvoted: FloatArray | None = None,
    ) -> Floats:
        """float array (n_points, n_end_labels), rows sum to 1, of votes (n_points, n_lfs).

        ``tables`` and ``log_prior`` are as :func:`weigh` takes them; a row without a vote gets ``unvoted``
        (n_end_labels,), where that is given.
        """
        end = np.empty((len(codes), self.tree.n_end_labels))
        few = self._are_few(codes)
        weights = [] if few.all() else weigh(self.tree, self._tasks, self.layout.groups, tables, log_prior)
        sums = stack_sums(self.tree, self._stacks, tables, log_prior) if few.any() else []

        def fill(rows: slice) -> None:
            for found, which in ((self._by_votes, few[rows]), (self._by_keys, ~few[rows])):
                if not which.any():
                    continue
                every = bool(which.all())
                own = end[rows] if every else np.empty((int(which.sum()), end.shape[1]))
                silent = found(codes[rows] if every else codes[rows][which], sums, weights, own)
                if unvoted is not None:
                    own[silent] = unvoted
                if not every:
                    end[rows][which] = own

        n_rows = max(_LEAST_ROWS, min(_MOST_ROWS, _BLOCK_CELLS // self.tree.n_end_labels))
        do_in_threads(fill, blocks_of(len(codes), n_rows))
        return end

    def _are_few(self, codes: IntArray) -> npt.NDArray[np.bool_]:
        n_groups = len(self.layout.groups)
        if self._relative or n_groups < MANY_GROUPS:
            return np.full(len(codes), self._relative)
        return np.asarray(np.count_nonzero(codes >= 0, axis=1) * FEW < n_groups)

    def _by_keys(
        self, codes: IntArray, _: Sequence[StackSums], weights: Sequence[Weights], end: Floats
    ) -> npt.NDArray[np.bool_]:
        """Fill ``end``, and say on which rows no LF votes."""
        keys = keys_of(codes, self.layout)
        end[:] = end_posterior_of_keys(self.tree, weights, [key.astype(np.intp) for key in keys]).T
        silent = np.ones(len(codes), dtype=bool)
        for key in keys:
            silent &= key == 0
        return silent

    def _by_votes(
        self, codes: IntArray, sums: Sequence[StackSums], _: Sequence[Weights], end: Floats
    ) -> npt.NDArray[np.bool_]:
        """Fill ``end``, and say on which rows no LF votes."""
        row, lf = np.nonzero(codes >= 0)
        start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(codes)))])
        columns = self._first[lf] + codes[row, lf]
        votes = sparse.csr_array((np.ones(len(row)), columns, start), shape=(len(codes), self._n_votes))
        parts = touched_tasks(self._stacks, self._places, votes)
        cells = np.zeros(sum(part.n_cells for part in parts))
        pass_up(sums, parts, cells)
        applies = np.ones((len(codes), len(self.tree.child)))
        down = zip(self._stacks, sums, parts, self._below, strict=True)
        for stack, own, part, below in reversed(list(down)):
            above = applies.take(stack.tasks, axis=1)
            joint = above[:, :, None] * own.unvoted
            own.put(joint, above, cells, part)
            joint = joint.reshape(len(codes), -1)
            end[:, below.end] = joint[:, below.leaf]
            applies[:, below.task] = joint[:, below.opens]
        return np.asarray(np.diff(start) == 0)


class _Below(NamedTuple):
    """Where the labels of a stack go, as positions among them: the ``leaf`` ones to end labels ``end``, those that
    ``opens`` says to a ``task`` below.
    """

    leaf: Int64Array | slice
    end: Int64Array | slice
    opens: Int64Array | slice
    task: Int64Array | slice

    @classmethod
    def of(cls, tree: Tree, stack: TaskStack) -> "_Below":
        """Those of a stack."""
        child = stack.child.reshape(-1)
        first_leaf = np.array([tree.first_leaf[t] for t in stack.tasks.tolist()]).reshape(-1)
        leaf, opens = np.flatnonzero(child == END), np.flatnonzero(child != END)
        return cls(*map(_as_slice, (leaf, first_leaf[leaf], opens, child[opens])))


def _as_slice(positions: Int64Array) -> Int64Array | slice:
    """Neighbours as a slice, which is quicker."""
    if len(positions) and (np.diff(positions) == 1).all():
        return slice(int(positions[0]), int(positions[-1]) + 1)
    return positions
