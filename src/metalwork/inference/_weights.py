"""What votes say of the labels: log weights by key, and posteriors up and down the tree."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from metalwork.inference._outcomes import INSIDE, OFF, OUTSIDE, TaskVotes
from metalwork.inference._packing import Group, Keys
from metalwork.inference._soft import soft_gain
from metalwork.inference._tree import END, Floats, Tree, column_sums, normalise

_NONE: Floats = np.empty(0)


class VoteWeights(NamedTuple):
    """What votes say where states are relative, by key: one array (n_keys,) a group, key 0 an abstain.

    ``start`` (n_labels,) is the prior; ``level`` is what a key adds to the log weight of every label against "does
    not apply", ``raised`` what it adds beyond that to the label voted for.
    """

    start: Floats
    level: list[Floats]
    raised: list[Floats]


class Weights(NamedTuple):
    """What the keys of a task's groups say: ``tables`` are log weights (n_labels, n_keys), one a group.

    Where the task is a leaf with one group (``settled``), also the log of their sum (n_keys,) and the shares
    (n_labels, n_keys); else these are empty. Where states are relative, ``votes`` stands in place of ``tables``.
    """

    groups: tuple[int, ...]
    tables: list[Floats]
    log_sum: Floats
    shares: Floats
    votes: VoteWeights = VoteWeights(_NONE, [], [])

    @property
    def settled(self) -> bool:
        """Whether the key alone tells the label's share."""
        return self.shares.size > 0

    @property
    def relative(self) -> bool:
        """Whether states are relative."""
        return bool(self.votes.level)

    def of_rows(self, keys: Sequence[Keys]) -> Floats:
        """Log weights (n_labels, n_rows) of rows given by their keys of the task's groups."""
        if self.relative:
            return _of_rows(self.votes, keys)
        total = self.tables[0].take(keys[0], axis=1)
        for table, key in zip(self.tables[1:], keys[1:], strict=True):
            total += table.take(key, axis=1)
        return total


def _of_rows(votes: VoteWeights, keys: Sequence[Keys]) -> Floats:
    levels = np.zeros(len(keys[0]))
    for level, key in zip(votes.level, keys, strict=True):
        levels += level.take(key)
    total = votes.start[:, None] + levels
    for raised, key in zip(votes.raised, keys, strict=True):
        rows = np.flatnonzero(key)
        total[key[rows] - 1, rows] += raised.take(key[rows])
    return total


def weigh(
    tree: Tree,
    tasks: Sequence[TaskVotes],
    groups: Sequence[Group],
    tables: Sequence[Floats],
    log_prior: Sequence[Floats],
) -> list[Weights]:
    """Log weights of each label against "does not apply", the prior included, for every key of every group.

    ``log_prior[t]`` (n_labels,) is the log probability of each label given that the task applies.
    """
    found = []
    for task, table, prior, children in zip(tasks, tables, log_prior, tree.child, strict=True):
        if task.relative:
            found.append(_weigh_votes(task, table, prior))
            continue
        k, start, first, soft = task.n_labels, prior, 0, dict(task.outcomes.shares)
        gain = table[:, :k, :] - table[:, k:, :]
        gain = np.concatenate([gain[:, :, -1:], gain[:, :, :-1]], axis=2)
        by_group = []
        for g in task.groups:
            n_lfs = len(groups[g].lfs)
            own = gain[first : first + n_lfs, :, : groups[g].base]
            if first in soft:
                own = soft_gain(table[first], soft[first])[None]
            by_group.append(_sum_digits(start, own))
            start, first = np.zeros(k), first + n_lfs
        if len(by_group) > 1 or any(below != END for below in children):
            found.append(Weights(task.groups, by_group, _NONE, _NONE))
        else:
            shares = by_group[0].copy()
            found.append(Weights(task.groups, by_group, normalise(shares), shares))
    return found


def _weigh_votes(task: TaskVotes, table: Floats, prior: Floats) -> Weights:
    by_key = np.concatenate([table[:, :, -1:], table[:, :, :-1]], axis=2)  # an abstain is key 0
    level, raised = by_key[:, OUTSIDE] - by_key[:, OFF], by_key[:, INSIDE] - by_key[:, OUTSIDE]
    none = [] if len(table) else [np.zeros(1)]  # a task without LFs has a group all the same
    votes = VoteWeights(prior, [*level, *none], [*raised, *none])
    return Weights(task.groups, [], _NONE, _NONE, votes)


def _sum_digits(start: Floats, gain: Floats) -> Floats:
    """``start[c]`` + sum over LFs j of ``gain[j, c, digit j]`` for every key: (n_labels, n_keys)."""
    total = start[:, None]
    for digit in gain[::-1]:  # the highest digit last: long rows are quick to add to
        total = (digit[:, :, None] + total[:, None, :]).reshape(len(start), -1)
    return total


def pass_up_keys(tree: Tree, weights: Sequence[Weights], keys: Sequence[Keys]) -> tuple[Floats, list[Floats]]:
    """Log evidence (n_rows,) and branch probabilities (n_labels, n_rows) by task, empty where keys tell them.

    The evidence leaves out what all end labels share (the votes' probability where no task applies).
    """
    evidence, branch = [_NONE] * len(tree.child), [_NONE] * len(tree.child)
    for t in reversed(range(len(tree.child))):
        known = weights[t]
        index = [keys[g] for g in known.groups]
        if known.settled:
            evidence[t] = known.log_sum.take(index[0])
            continue
        total = known.of_rows(index)
        for c, below in enumerate(tree.child[t]):
            if below != END:
                total[c] += evidence[below]
                evidence[below] = _NONE
        evidence[t] = normalise(total)
        branch[t] = total
    return evidence[0], branch


def end_posterior_of_keys(tree: Tree, weights: Sequence[Weights], keys: Sequence[Keys]) -> Floats:
    """P(end label) of rows given by their keys: float array (n_end_labels, n_rows) whose columns sum to 1."""
    _, branch = pass_up_keys(tree, weights, keys)
    posterior = np.empty((tree.n_end_labels, len(keys[0])))
    applies = [_NONE] * len(tree.child)
    for t, (children, known) in enumerate(zip(tree.child, weights, strict=True)):
        joint = known.shares.take(keys[known.groups[0]], axis=1) if known.settled else branch[t]
        if t:
            joint *= applies[t]
        for c, below in enumerate(children):
            if below == END:
                posterior[tree.first_leaf[t][c]] = joint[c]
            else:
                applies[below] = joint[c]
        branch[t] = applies[t] = _NONE
    posterior /= column_sums(posterior)
    return posterior
