"""A mixture over end labels with one vote table an LF: p(y) * prod_j p(vote_j | label of j's task).

A *table* is a float array (n_states, n_outcomes + 1) of log probabilities: ``n_labels + 1`` states (the label of
the LF's task; last: the task does not apply) by outcomes (the vote; last: an abstain). A plain LF has its task's
labels as outcomes. Tables of all LFs of a task are stacked: (n_lfs of the task, n_states, n_outcomes + 1), those
of LFs with fewer outcomes filled up with finite numbers that nothing reads. Where a task has too many labels for
that, states are relative (see :mod:`metalwork.inference._outcomes`), and there are three of them.

Rows come as keys of groups of LFs (see :mod:`metalwork.inference._packing`): what a row says of a task is the
sum of one table look-up a group. A leaf task with one group is worked out for every key, not for every row.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from metalwork._checks import IntArray
from metalwork.inference._outcomes import TaskVotes, outcome_sets
from metalwork.inference._packing import (
    Group,
    Int64Array,
    Keys,
    Packing,
    blocks_of,
    key_blocks,
    most_keys_for,
    split_group,
    unpack,
    votes_by_key,
    votes_of_keys,
)
from metalwork.inference._touched import SparseRows
from metalwork.inference._tree import Floats


class CodedVotes(NamedTuple):
    """Distinct rows of a label matrix: ``keys[g]`` (n_rows,) holds their keys of group g.

    ``weights`` (n_rows,) say how many records each row stands for; ``totals[g]`` (n_keys,) sum them by key.
    Where votes are few, ``sparse_rows`` holds them in place of ``keys``, a group has one LF at most, and the one
    array of ``totals`` sums weights by vote, a column of theirs.
    """

    tasks: tuple[TaskVotes, ...]
    groups: tuple[Group, ...]
    keys: tuple[Keys, ...]
    weights: Floats
    totals: tuple[Floats, ...]
    n_lfs: int
    sparse_rows: SparseRows | None = None


def coded(layout: Packing, keys: Sequence[Keys], weights: Floats) -> CodedVotes:
    """Rows given by their keys, with their weights."""
    totals = _totals(keys, layout.groups, weights)
    return CodedVotes(tasks_of(layout), layout.groups, tuple(keys), weights, totals, layout.n_lfs)


def _totals(keys: Sequence[Keys], groups: Sequence[Group], weights: Floats) -> tuple[Floats, ...]:
    pairs = zip(keys, groups, strict=True)
    return tuple(np.bincount(key, weights, group.n_keys).astype(np.float64) for key, group in pairs)


def code_words(layout: Packing, words: Int64Array, weights: Floats) -> CodedVotes:
    """Rows given by their words (n_words, n_rows), with their weights."""
    return coded(layout, unpack(words, layout), weights)


def code_few(layout: Packing, words: Int64Array, weights: Floats, single: Packing) -> CodedVotes:
    """:func:`code_words` where votes are few: kept are these alone; ``single`` has the groups of one LF."""
    blocks = [_votes_in(unpack(words[:, rows], layout), layout.groups) for rows in blocks_of(words.shape[1])]
    sparse_rows = SparseRows(
        sparse.csr_array(sparse.vstack(blocks, format="csr")), tasks_of(single), outcomes_by_lf(single)
    )
    tasks, totals = sparse_rows.tasks, (sparse_rows.totals(weights),)
    return CodedVotes(tasks, single.groups, (), weights, totals, single.n_lfs, sparse_rows)


def outcomes_by_lf(layout: Packing) -> Int64Array:
    """How many votes each LF can cast, task by task: int array (n_lfs,)."""
    found = [np.full(len(group.lfs), n_votes_of_lf(group)) for group in layout.groups]
    return np.concatenate(found).astype(np.int64)


def n_votes_of_lf(group: Group) -> int:
    """How many votes each LF of a group can cast: its outcomes, or soft votes."""
    return group.n_keys - 1 if len(group.lfs) == 1 else group.base - 1


def code_votes(layout: Packing, codes: IntArray) -> CodedVotes:
    """Every row of a label matrix, in its order, with weight 1."""
    blocks = [keys for _, keys in key_blocks(codes, layout)]
    return coded(layout, [np.concatenate(parts) for parts in zip(*blocks, strict=True)], np.ones(len(codes)))


def tasks_of(layout: Packing) -> tuple[TaskVotes, ...]:
    """LFs and groups by task."""
    found = []
    by_task: list[list[int]] = [[] for _ in layout.n_labels]
    for g, group in enumerate(layout.groups):
        by_task[group.task].append(g)
    for k, groups in zip(layout.n_labels, by_task, strict=True):
        lfs = np.concatenate([layout.groups[g].lfs for g in groups])
        found.append(TaskVotes(lfs, k, tuple(groups), outcome_sets(lfs.tolist(), k, layout.alphabets)))
    return tuple(found)


def reweighted(votes: CodedVotes, weights: Floats) -> CodedVotes:
    """The rows of positive weight, with these weights (n_rows,)."""
    kept = np.flatnonzero(weights)
    if len(kept) == len(weights) and weights is votes.weights:
        return votes
    keys, weights = tuple(key[kept] for key in votes.keys), weights[kept]
    if votes.sparse_rows is not None:
        sparse_rows = votes.sparse_rows.rows(kept)
        return votes._replace(weights=weights, totals=(sparse_rows.totals(weights),), sparse_rows=sparse_rows)
    return votes._replace(keys=keys, weights=weights, totals=_totals(keys, votes.groups, weights))


def in_smaller_groups(votes: CodedVotes) -> CodedVotes:
    """The same rows with groups split where there are too few rows for tables of so many keys."""
    most = most_keys_for(len(votes.weights))
    if votes.sparse_rows is not None or all(group.n_keys <= most for group in votes.groups):
        return votes
    groups: list[Group] = []
    keys: list[Keys] = []
    by_task: list[list[int]] = [[] for _ in votes.tasks]
    for group, key in zip(votes.groups, votes.keys, strict=True):
        parts = split_group(group, most)
        by_task[group.task] += range(len(groups), len(groups) + len(parts))
        groups += parts
        rest, found = key.astype(np.int64), []
        for part in reversed(parts):
            rest, digits = np.divmod(rest, part.n_keys)
            found.append(digits)
        keys += reversed(found)
    tasks = tuple(task._replace(groups=tuple(own)) for task, own in zip(votes.tasks, by_task, strict=True))
    totals = _totals(keys, groups, votes.weights)
    return votes._replace(tasks=tasks, groups=tuple(groups), keys=tuple(keys), totals=totals)


def covered(votes: CodedVotes) -> CodedVotes:
    """The same votes without the row on which every LF abstains: the first, where distinct rows ascend."""
    if not len(votes.weights) or any(key[0] for key in keys_at(votes, np.zeros(1, np.int64))):
        return votes
    weights, totals = votes.weights[1:], votes.totals
    if votes.sparse_rows is not None:  # which count votes alone
        others = votes.sparse_rows.rows(np.arange(1, len(votes.weights)))
        return votes._replace(weights=weights, sparse_rows=others)
    for total in (totals := tuple(total.copy() for total in totals)):
        total[0] -= votes.weights[0]
    return votes._replace(keys=tuple(key[1:] for key in votes.keys), weights=weights, totals=totals)


def keys_at(votes: CodedVotes, rows: Int64Array) -> list[Int64Array]:
    """The keys of some rows (n_rows,), one array a group."""
    if votes.sparse_rows is not None:
        return votes.sparse_rows.keys(rows)
    return [key[rows].astype(np.int64) for key in votes.keys]


def n_votes_of(votes: CodedVotes) -> Int64Array:
    """How many LFs vote on each row: int array (n_rows,)."""
    if votes.sparse_rows is not None:
        return votes.sparse_rows.n_votes()
    n_votes = np.zeros(len(votes.weights), np.int64)
    for key, group in zip(votes.keys, votes.groups, strict=True):
        n_votes += votes_by_key(group).take(key)
    return n_votes


def stack(counted: list[Floats]) -> Floats:
    """Counts (n_lfs, n_states, n_outcomes) of groups, one after the other, with as many outcomes as any has."""
    widths = [part.shape[2] for part in counted]
    if min(widths) < max(widths):
        counted = [np.pad(part, ((0, 0), (0, 0), (0, max(widths) - part.shape[2]))) for part in counted]
    return np.concatenate(counted)


def by_digit(counts: Floats, group: Group) -> Floats:
    """Counts (n_states, n_keys) summed by the vote of each LF of the group: (n_lfs, n_states, n_outcomes)."""
    found = np.empty((len(group.lfs), len(counts), group.base - 1))
    for i in range(len(group.lfs)):
        by_digit = counts.reshape(len(counts), group.base, -1)
        found[i] = by_digit.sum(axis=2)[:, 1:]
        counts = by_digit.sum(axis=1)
    return found


def votes_of_task(votes: CodedVotes, t: int) -> Floats:
    """How often each LF of task t votes for each of its outcomes: float array (n_lfs, n_outcomes)."""
    task = votes.tasks[t]
    if votes.sparse_rows is not None:
        return votes.sparse_rows.of_task(t, votes.totals[0])
    shares, counted, first = dict(task.outcomes.shares), [], 0
    for g in task.groups:
        total, group = votes.totals[g][None, :], votes.groups[g]
        counted.append((total[:, 1:] @ shares[first])[None] if first in shares else by_digit(total, group))
        first += len(group.lfs)
    return stack(counted)[:, 0]


def one_hot(votes: CodedVotes, rows: Int64Array) -> sparse.csr_array:
    """Which LF said what on some rows: CSR (n_rows, sum of n_lfs * n_outcomes), group by group.

    A soft vote is shared out to the labels.
    """
    if votes.sparse_rows is not None:
        seen = votes.sparse_rows.matrix[rows]
    else:
        seen = _votes_in([key.take(rows) for key in votes.keys], votes.groups)
    if not any(task.outcomes.shares for task in votes.tasks):
        return seen
    blocks: list[Any] = []
    for task in votes.tasks:
        shares, first = dict(task.outcomes.shares), 0
        for group in (votes.groups[g] for g in task.groups):
            n_columns = len(group.lfs) * n_votes_of_lf(group)
            blocks.append(shares[first] if first in shares else sparse.eye_array(n_columns))
            first += len(group.lfs)
    return sparse.csr_array(seen @ sparse.block_diag(blocks, format="csr"))


def _votes_in(keys: Sequence[Keys], groups: Sequence[Group]) -> sparse.csr_array:
    found, columns, n_columns = [], [], 0
    for key, group in zip(keys, groups, strict=True):
        voted = np.flatnonzero(key)
        codes, k = votes_of_keys(key[voted], group), n_votes_of_lf(group)
        row, lf = np.nonzero(codes >= 0)
        found.append(voted[row])
        columns.append(n_columns + lf * k + codes[row, lf])
        n_columns += len(group.lfs) * k
    row, column = np.concatenate(found), np.concatenate(columns)
    return sparse.csr_array((np.ones(len(row)), (row, column)), shape=(len(keys[0]), n_columns))
