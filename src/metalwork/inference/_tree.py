"""Exact inference over the task tree: one pass up and one pass down.

Every model here gives a record's end label ``y`` the log weight ``sum over tasks t on y's path of
potentials[t][:, y_t]``: whatever an off-path task contributes is divided out beforehand. A *potential* is a
float array (n_rows, n_labels of the task).
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork.schema import TaskSchema

Floats = npt.NDArray[np.float64]
END = -1
"""In ``Tree.child``: the label is an end label and opens no task."""


class Tree(NamedTuple):
    """The schema as integers: ``child[t][c]`` is the task that label ``c`` of task ``t`` opens, or ``END``."""

    child: tuple[tuple[int, ...], ...]
    first_leaf: tuple[tuple[int, ...], ...]
    n_end_labels: int

    @classmethod
    def of(cls, schema: TaskSchema) -> "Tree":
        """The tree of a schema; tasks keep their order, parents first."""
        opened_by = {schema.parent(task): t for t, task in enumerate(schema.tasks)}
        child = [
            tuple(opened_by.get((task, label), END) for label in schema.labels(task)) for task in schema.tasks
        ]
        n_leaves = [1] * len(child)  # below each task
        for t in reversed(range(len(child))):
            n_leaves[t] = sum(1 if below == END else n_leaves[below] for below in child[t])
        start, first_leaf = [0] * len(child), []
        for t, children in enumerate(child):
            sizes = [1 if below == END else n_leaves[below] for below in children]
            first_leaf.append(tuple(accumulate([start[t], *sizes[:-1]])))
            for below, first in zip(children, first_leaf[t], strict=True):
                if below != END:
                    start[below] = first
        return cls(tuple(child), tuple(first_leaf), schema.n_end_labels)


def leaf_spans(tree: Tree, t: int) -> list[tuple[int, int]]:
    """End labels ``start, stop`` below each label of task t."""
    starts = tree.first_leaf[t]
    last = t
    while tree.child[last][-1] != END:
        last = tree.child[last][-1]
    return list(zip(starts, [*starts[1:], tree.first_leaf[last][-1] + 1], strict=True))


def states_of_ends(tree: Tree) -> npt.NDArray[np.int64]:
    """Label of each task under each end label, n_labels where it does not apply: (n_end_labels, n_tasks)."""
    does_not_apply = np.array([len(children) for children in tree.child], dtype=np.int64)
    states = np.tile(does_not_apply, (tree.n_end_labels, 1))
    for t in range(len(tree.child)):
        for c, (start, stop) in enumerate(leaf_spans(tree, t)):
            states[start:stop, t] = c
    return states


class Beliefs(NamedTuple):
    """What a pass up the tree finds.

    ``log_evidence`` (n_rows,) is the log of the summed weights of all end labels; ``log_branch[t]``
    (n_rows, n_labels) the log probability of each label of task ``t`` given that ``t`` applies.
    """

    log_evidence: Floats
    log_branch: list[Floats]


def logsumexp_rows(values: Floats) -> Floats:
    """Log of the sum of exponentials of each row (n_rows,); a row of -inf gives -inf."""
    top = values.max(axis=1)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        total: Floats = np.log(np.exp(values - safe[:, None]).sum(axis=1)) + safe
    return total


def column_sums(values: Floats) -> Floats:
    """Sums over the first axis (n,), added up in its order: NumPy adds a single column in another one."""
    sums: Floats = np.cumsum(values, axis=0)[-1] if values.shape[1] == 1 and len(values) else values.sum(axis=0)
    return sums


def normalise(weights: Floats) -> Floats:
    """Turn log weights (n_labels, n) into shares in place; returns the log of their sums (n,)."""
    top = weights.max(axis=0)
    weights -= top
    np.exp(weights, out=weights)
    total = column_sums(weights)
    weights /= total
    log_sum: Floats = np.log(total, out=total)
    log_sum += top
    return log_sum


def pass_up(tree: Tree, potentials: Sequence[Floats]) -> Beliefs:
    """Sum the weights of all end labels, from the leaf tasks to the root. Cost linear in the tree."""
    evidence: list[Floats] = [np.empty(0)] * len(tree.child)
    log_branch: list[Floats] = [np.empty((0, 0))] * len(tree.child)
    for t in reversed(range(len(tree.child))):
        weights = np.array(potentials[t], dtype=np.float64)
        for c, below in enumerate(tree.child[t]):
            if below != END:
                weights[:, c] += evidence[below]
        evidence[t] = logsumexp_rows(weights)
        finite = np.where(np.isfinite(evidence[t]), evidence[t], 0.0)
        log_branch[t] = weights - finite[:, None]
    return Beliefs(evidence[0], log_branch)


def pass_down(tree: Tree, log_branch: Sequence[Floats]) -> list[Floats]:
    """P(label, task applies) of every task: float arrays (n_rows, n_labels). Cost linear in the tree."""
    marginals: list[Floats] = []
    applies: list[Floats | None] = [None] * len(tree.child)
    for t, children in enumerate(tree.child):
        joint = np.exp(log_branch[t])
        above = applies[t]
        if above is not None:
            joint *= above[:, None]
        marginals.append(joint)
        for c, below in enumerate(children):
            if below != END:
                applies[below] = joint[:, c]
    return marginals


def end_posterior(tree: Tree, log_branch: Sequence[Floats]) -> Floats:
    """P(end label): float array (n_rows, n_end_labels) with rows that sum to 1."""
    posterior = np.empty((log_branch[0].shape[0], tree.n_end_labels))
    for t, joint in enumerate(pass_down(tree, log_branch)):
        for c, below in enumerate(tree.child[t]):
            if below == END:
                posterior[:, tree.first_leaf[t][c]] = joint[:, c]
    posterior /= posterior.sum(axis=1, keepdims=True)
    return posterior
