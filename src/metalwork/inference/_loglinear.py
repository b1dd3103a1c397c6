"""The paper's model (section 3): its likelihood, gradient and posterior, in closed form.

``p(lambda, y) = exp(theta . h(lambda, y)) / Z`` with, for every LF j of task t,
``h_lab = [y_t applies][lambda_j votes]`` and ``h_acc = h_lab ([lambda_j = y_t] - [lambda_j != y_t])``.
Where the task does not apply, ``h`` is 0 and the LF is uniform over its k + 1 outputs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, IntArray
from metalwork.inference._tree import Floats, Tree, logsumexp_rows, pass_down, pass_up

Int64Array = npt.NDArray[np.int64]


class LogLinearParameters(NamedTuple):
    """Natural parameters, each a float array (n_lfs,): labeling propensity and accuracy."""

    lab: Floats
    acc: Floats


class VotesByTask(NamedTuple):
    """Distinct rows of votes with how often each stands, and which LFs vote on which task.

    ``codes`` is an int array (n_rows, n_lfs), ``counts`` float (n_rows,), ``lfs[t]`` the columns of task t.
    """

    codes: IntArray
    counts: Floats
    lfs: tuple[Int64Array, ...]


def potentials(tree: Tree, votes: VotesByTask, theta: LogLinearParameters) -> list[Floats]:
    """Log weight of each label of each task, given the votes: float arrays (n_rows, n_labels)."""
    found = []
    for children, lfs in zip(tree.child, votes.lfs, strict=True):
        codes = votes.codes[:, lfs]
        wrong = (codes != ABSTAIN) @ (theta.lab[lfs] - theta.acc[lfs])
        gain = 2.0 * theta.acc[lfs]
        found.append(np.stack([wrong + (codes == c) @ gain for c in range(len(children))], axis=1))
    return found


class _Partition(NamedTuple):
    log_z: float
    expected_lab: Floats
    expected_acc: Floats


def _partition(tree: Tree, lfs: Sequence[Int64Array], theta: LogLinearParameters) -> _Partition:
    """Log Z and the model's expectation of h: a pass over the tree with the votes summed out per LF."""
    right, outputs, free = np.zeros_like(theta.lab), np.zeros_like(theta.lab), []
    wrong = np.zeros_like(theta.lab)
    for children, columns in zip(tree.child, lfs, strict=True):
        k = len(children)
        lab, acc = theta.lab[columns], theta.acc[columns]
        n_wrong = np.log(k - 1) if k > 1 else -np.inf
        terms = np.stack([np.zeros_like(lab), lab + acc, n_wrong + lab - acc], axis=1)
        log_z = logsumexp_rows(terms)
        outputs[columns] = np.log(k + 1)
        right[columns] = np.exp(terms[:, 1] - log_z)
        wrong[columns] = np.exp(terms[:, 2] - log_z)
        free.append(np.full((1, k), (log_z - np.log(k + 1)).sum()))
    beliefs = pass_up(tree, free)
    applies = np.zeros_like(theta.lab)
    for columns, joint in zip(lfs, pass_down(tree, beliefs.log_branch), strict=True):
        applies[columns] = joint.sum()
    log_z_total = float(beliefs.log_evidence[0] + outputs.sum())
    return _Partition(log_z_total, applies * (right + wrong), applies * (right - wrong))


def objective(tree: Tree, votes: VotesByTask, theta: LogLinearParameters) -> tuple[float, LogLinearParameters]:
    """Mean negative log marginal likelihood over the records, and its gradient in ``lab`` and ``acc``."""
    partition = _partition(tree, votes.lfs, theta)
    beliefs = pass_up(tree, potentials(tree, votes, theta))
    share = votes.counts / votes.counts.sum()
    value = partition.log_z - float(share @ beliefs.log_evidence)
    seen_lab, seen_acc = np.zeros_like(theta.lab), np.zeros_like(theta.acc)
    for lfs, joint in zip(votes.lfs, pass_down(tree, beliefs.log_branch), strict=True):
        codes = votes.codes[:, lfs]
        weighted = joint * share[:, None]
        seen_lab[lfs] = weighted.sum(axis=1) @ (codes != ABSTAIN)
        right = sum(weighted[:, c] @ (codes == c) for c in range(joint.shape[1]))
        seen_acc[lfs] = 2.0 * right - seen_lab[lfs]
    return value, LogLinearParameters(partition.expected_lab - seen_lab, partition.expected_acc - seen_acc)
