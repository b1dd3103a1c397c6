"""Metrics that know the tree: how much of a path is right, and how far off a wrong label is.

A prediction is compared with what is known of its record. A true label that is known down to an inner label only
says nothing of the tasks below that; predicted labels of these are left out of the comparison.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from metalwork.analysis._flat import share
from metalwork.analysis._gold import UNKNOWN, Codes
from metalwork.schema import TaskSchema

_CELLS: Final = 1 << 22


@dataclass(frozen=True)
class DepthMetrics:
    """One depth of the tree, 0 for the root task.

    Attributes
    ----------
    depth : int
    n_points : int
        Records whose true label is known so far down, and reaches so far.
    accuracy : float or None
        Share of them whose predicted path agrees down to this depth; None where there are none. A prediction that
        ends above it, and none at all, is wrong.
    """

    depth: int
    n_points: int
    accuracy: float | None


class PathCounts:
    """Sums over records, from which the metrics are read off.

    ``n_true``, ``n_predicted`` and ``n_both`` add up the sizes of the sets of labels on the true path, on the
    predicted path, and on both; ``n_right`` are records whose prediction agrees with all that is known.
    """

    def __init__(self, schema: TaskSchema) -> None:
        self.depth, self.height = _depths(schema), _heights(schema)
        self.n_points = self.n_covered = self.n_right = 0
        self.n_true = self.n_predicted = self.n_both = 0
        self.distance = self.lca_height = 0
        self.by_task = np.zeros((2, schema.n_tasks), np.int64)

    def add(self, gold: Codes, predicted: Codes) -> None:
        """Count records: what is known of them, and label codes of their predictions, both (n_points, n_tasks).

        Predicted codes are ``UNKNOWN`` throughout where there is no prediction.
        """
        covered = (predicted != UNKNOWN).any(axis=1)
        truth, known = gold >= 0, gold != UNKNOWN
        said = (predicted >= 0) & known
        both = said & (gold == predicted)
        parted = truth & said & ~both
        self.n_points += len(gold)
        self.n_covered += int(covered.sum())
        self.n_right += int((covered & ~(known & (gold != predicted)).any(axis=1)).sum())
        self.n_true += int(truth.sum())
        self.n_predicted += int(said.sum())
        self.n_both += int(both.sum())
        self.distance += int(truth[covered].sum()) + int(said.sum()) - 2 * int(both.sum())
        self.lca_height += int(parted.sum(axis=0) @ self.height)
        self.by_task += np.stack([truth.sum(axis=0), both.sum(axis=0)])

    def by_depth(self) -> tuple[DepthMetrics, ...]:
        """Accuracy at every depth of the tree."""
        counts = [np.bincount(self.depth, weights=row).astype(np.int64) for row in self.by_task]
        return tuple(
            DepthMetrics(depth, n, share(right, n))
            for depth, (n, right) in enumerate(zip(*(row.tolist() for row in counts), strict=True))
        )


def count_paths(schema: TaskSchema, gold: Codes, predicted: Codes) -> PathCounts:
    """Compare end-label codes (n_points,), -1 for none, with what is known (n_points, n_tasks), block by block."""
    states = np.append(schema.task_codes, np.full((1, schema.n_tasks), UNKNOWN), axis=0)
    counts = PathCounts(schema)
    rows = max(1, _CELLS // schema.n_tasks)
    for first in range(0, len(gold), rows):
        block = slice(first, first + rows)
        counts.add(gold[block], states[predicted[block]])
    return counts


def _depths(schema: TaskSchema) -> Codes:
    depth = dict.fromkeys(schema.tasks, 0)
    for task in schema.tasks[1:]:  # parents stand before their children
        parent = schema.parent(task)
        depth[task] = 0 if parent is None else depth[parent[0]] + 1
    return np.array(list(depth.values()))


def _heights(schema: TaskSchema) -> Codes:
    """Of each task, the most labels on a way down from it: 1 where all of its labels are end labels."""
    height = dict.fromkeys(schema.tasks, 1)
    for task in reversed(schema.tasks):
        if (parent := schema.parent(task)) is not None:
            height[parent[0]] = max(height[parent[0]], height[task] + 1)
    return np.array(list(height.values()))
