"""A mixture over end labels with one vote table an LF: p(y) * prod_j p(vote_j | label of j's task).

A *table* is a float array (n_states, n_outcomes + 1) of log probabilities: ``n_labels + 1`` states (the label of
the LF's task; last: the task does not apply) by outcomes (the vote; last: an abstain). A plain LF has its task's
labels as outcomes. Tables of all LFs of a task are stacked: (n_lfs of the task, n_states, n_outcomes + 1), those
of LFs with fewer outcomes filled up with finite numbers that nothing reads.

Rows come as keys of groups of LFs (see :mod:`metalwork.inference._packing`): what a row says of a task is the
sum of one table look-up a group. A leaf task with one group is worked out for every key, not for every row.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from metalwork._checks import ABSTAIN, IntArray
from metalwork.inference._outcomes import OutcomeSets, outcome_sets
from metalwork.inference._packing import (
    Group,
    Int64Array,
    Keys,
    Packing,
    blocks_of,
    key_blocks,
    unpack,
    votes_by_key,
    votes_of_keys,
)
from metalwork.inference._threads import in_threads
from metalwork.inference._touched import SparseRows, touched_counts
from metalwork.inference._tree import END, Floats, Tree, leaf_spans, normalise

_CHUNK_CELLS = 1 << 24
_CHUNK_ROWS = 1 << 16
_NONE: Floats = np.empty(0)


class TaskVotes(NamedTuple):
    """The LFs of a task, which groups they form, and what their outcomes say."""

    lfs: Int64Array
    n_labels: int
    groups: tuple[int, ...]
    outcomes: OutcomeSets


class CodedVotes(NamedTuple):
    """Distinct rows of a label matrix: ``keys[g]`` (n_rows,) holds their keys of group g.

    ``weights`` (n_rows,) say how many records each row stands for; ``totals[g]`` (n_keys,) sum them by key.
    Where votes are few, ``sparse_rows`` holds them in place of ``keys``, and a group has one LF at most.
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
    sparse_rows = SparseRows(sparse.csr_array(sparse.vstack(blocks, format="csr")), single.groups)
    return CodedVotes(
        tasks_of(single), single.groups, (), weights, sparse_rows.totals(weights), single.n_lfs, sparse_rows
    )


def code_votes(layout: Packing, codes: IntArray) -> CodedVotes:
    """Every row of a label matrix, in its order, with weight 1."""
    blocks = [keys for _, keys in key_blocks(codes, layout)]
    return coded(layout, [np.concatenate(parts) for parts in zip(*blocks, strict=True)], np.ones(len(codes)))


def tasks_of(layout: Packing) -> tuple[TaskVotes, ...]:
    """LFs and groups by task."""
    found = []
    for t, k in enumerate(layout.n_labels):
        groups = tuple(g for g, group in enumerate(layout.groups) if group.task == t)
        lfs = np.concatenate([layout.groups[g].lfs for g in groups])
        found.append(TaskVotes(lfs, k, groups, outcome_sets(lfs.tolist(), k, layout.alphabets)))
    return tuple(found)


def reweighted(votes: CodedVotes, weights: Floats) -> CodedVotes:
    """The rows of positive weight, with these weights (n_rows,)."""
    kept = np.flatnonzero(weights)
    if len(kept) == len(weights) and weights is votes.weights:
        return votes
    keys, weights = tuple(key[kept] for key in votes.keys), weights[kept]
    if votes.sparse_rows is not None:
        sparse_rows = votes.sparse_rows.rows(kept)
        return votes._replace(weights=weights, totals=sparse_rows.totals(weights), sparse_rows=sparse_rows)
    return votes._replace(keys=keys, weights=weights, totals=_totals(keys, votes.groups, weights))


def covered(votes: CodedVotes) -> CodedVotes:
    """The same votes without the records on which every LF abstains."""
    voted = any_vote(votes.keys) if votes.sparse_rows is None else votes.sparse_rows.n_votes() > 0
    return votes if voted.all() else reweighted(votes, np.where(voted, votes.weights, 0.0))


def any_vote(keys: Sequence[Keys]) -> npt.NDArray[np.bool_]:
    """bool array (n_rows,): does any LF vote on the row?"""
    voted = np.zeros(len(keys[0]), dtype=bool)
    for key in keys:
        voted |= key > 0
    return voted


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


class Weights(NamedTuple):
    """What the keys of a task's groups say: ``tables`` are log weights (n_labels, n_keys), one a group.

    Where the task is a leaf with one group (``settled``), also the log of their sum (n_keys,) and the shares
    (n_labels, n_keys); else these are empty.
    """

    groups: tuple[int, ...]
    tables: list[Floats]
    log_sum: Floats
    shares: Floats

    @property
    def settled(self) -> bool:
        """Whether the key alone tells the label's share."""
        return self.shares.size > 0


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
        k, start, first = task.n_labels, prior, 0
        gain = table[:, :k, :] - table[:, k:, :]
        gain = np.concatenate([gain[:, :, -1:], gain[:, :, :-1]], axis=2)
        by_group = []
        for g in task.groups:
            n_lfs = len(groups[g].lfs)
            by_group.append(_sum_digits(start, gain[first : first + n_lfs, :, : groups[g].base]))
            start, first = np.zeros(k), first + n_lfs
        if len(by_group) > 1 or any(below != END for below in children):
            found.append(Weights(task.groups, by_group, _NONE, _NONE))
        else:
            shares = by_group[0].copy()
            found.append(Weights(task.groups, by_group, normalise(shares), shares))
    return found


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
        total = known.tables[0].take(index[0], axis=1)
        for table, key in zip(known.tables[1:], index[1:], strict=True):
            total += table.take(key, axis=1)
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
    posterior /= posterior.sum(axis=0)
    return posterior


class SuffStats(NamedTuple):
    """Sufficient statistics: the counts that the M-step needs, expected given the votes.

    ``labels[t]`` (n_labels + 1,): records by label of task t, last where it does not apply.
    ``votes[t]`` (n_lfs of t, n_labels + 1 states, n_outcomes): each LF's votes by state.
    ``log_evidence``: summed over records.
    """

    labels: list[Floats]
    votes: list[Floats]
    log_evidence: float


def expected_counts(
    tree: Tree, votes: CodedVotes, tables: Sequence[Floats], log_prior: Sequence[Floats]
) -> SuffStats:
    """The E-step: one pass up and down the tree for every distinct row."""
    weights = weigh(tree, votes.tasks, votes.groups, tables, log_prior)
    if votes.sparse_rows is not None:
        counts = touched_counts(tree, votes.sparse_rows, [known.tables for known in weights], votes.weights)
        return _collect(votes, *counts)
    by_key = [np.zeros((len(tree.child[group.task]), group.n_keys)) for group in votes.groups]
    applies_by_key = [np.zeros(len(known.log_sum)) for known in weights]
    log_evidence = 0.0

    def up(rows: slice) -> tuple[slice, list[Keys], Floats, list[Floats]]:
        keys: list[Keys] = [key[rows].astype(np.intp) for key in votes.keys]
        return rows, keys, *pass_up_keys(tree, weights, keys)

    for rows, keys, evidence, branch in in_threads(up, _chunks(tree, weights, len(votes.weights))):
        log_evidence += float((votes.weights[rows] * evidence).sum())
        _add_down(tree, weights, keys, votes.weights[rows], branch, by_key, applies_by_key)
    for g in weights[0].groups:
        by_key[g][-1] = np.maximum(votes.totals[g] - by_key[g].sum(axis=0), 0.0)
    for known, count in zip(weights, applies_by_key, strict=True):
        if known.settled:
            by_key[known.groups[0]] = known.shares * count
    return _collect(votes, by_key, log_evidence)


def _chunks(tree: Tree, weights: Sequence[Weights], n_rows: int) -> Iterator[slice]:
    pairs = zip(tree.child, weights, strict=True)
    width = sum(1 if known.settled else len(children) for children, known in pairs)
    return blocks_of(n_rows, min(_CHUNK_ROWS, max(1, _CHUNK_CELLS // width)))


def _add_down(
    tree: Tree,
    weights: Sequence[Weights],
    keys: Sequence[Keys],
    records: Floats,
    branch: list[Floats],
    by_key: list[Floats],
    applies_by_key: list[Floats],
) -> None:
    """Pass down, adding expected records by label and key; where keys tell the labels, by key only.

    The root's last label is left out: it gets what the others leave.
    """
    applies = [records] * len(tree.child)
    for t, (children, joint) in enumerate(zip(tree.child, branch, strict=True)):
        if weights[t].settled:
            np.add.at(applies_by_key[t], keys[weights[t].groups[0]], applies[t])
            continue
        joint *= applies[t]
        for g in weights[t].groups:
            for count, share in zip(by_key[g], joint if t else joint[:-1], strict=False):
                np.add.at(count, keys[g], share)
        for c, below in enumerate(children):
            if below != END:
                applies[below] = joint[c]


def _collect(votes: CodedVotes, by_key: Sequence[Floats], log_evidence: float) -> SuffStats:
    labels, vote_counts = [], []
    for task in votes.tasks:
        counted = []
        for g in task.groups:
            applies = by_key[g]
            off = np.maximum(votes.totals[g] - applies.sum(axis=0), 0.0)
            states = np.concatenate([applies, off[None, :]])
            counted.append(_by_digit(states, votes.groups[g]))
        labels.append(states.sum(axis=1))
        vote_counts.append(_stack(counted))
    return SuffStats(labels, vote_counts, log_evidence)


def _stack(counted: list[Floats]) -> Floats:
    """Counts (n_lfs, n_states, n_outcomes) of groups, one after the other, with as many outcomes as any has."""
    widths = [part.shape[2] for part in counted]
    if min(widths) < max(widths):
        counted = [np.pad(part, ((0, 0), (0, 0), (0, max(widths) - part.shape[2]))) for part in counted]
    return np.concatenate(counted)


def _by_digit(counts: Floats, group: Group) -> Floats:
    """Counts (n_states, n_keys) summed by the vote of each LF of the group: (n_lfs, n_states, n_outcomes)."""
    found = np.empty((len(group.lfs), len(counts), group.base - 1))
    for i in range(len(group.lfs)):
        by_digit = counts.reshape(len(counts), group.base, -1)
        found[i] = by_digit.sum(axis=2)[:, 1:]
        counts = by_digit.sum(axis=1)
    return found


def known_counts(votes: CodedVotes, state_of: IntArray, weight: float) -> SuffStats:
    """Counts where labels are known: ``state_of`` (n_rows, n_tasks) holds label codes, -2, or -1 where not known.

    Every row counts for ``weight`` in the tasks known of it, and for nothing in others. ``log_evidence`` is 0.
    """
    by_key, totals = [], []
    for key, group in zip(votes.keys, votes.groups, strict=True):
        state = state_of[:, group.task]
        counts = np.zeros((votes.tasks[group.task].n_labels, group.n_keys))
        np.add.at(counts, (state[state >= 0], key[state >= 0]), weight)
        by_key.append(counts)
        known = key[state != ABSTAIN].astype(np.intp)
        totals.append(weight * np.bincount(known, minlength=group.n_keys).astype(np.float64))
    return _collect(votes._replace(totals=tuple(totals)), by_key, 0.0)


def mixed_counts(counts: Sequence[SuffStats], factors: Sequence[float]) -> SuffStats:
    """Counts times factors, summed: those of two sets of records together for factors of 1."""

    def mixed(parts: Sequence[Floats]) -> Floats:
        total = factors[0] * parts[0]
        for factor, part in zip(factors[1:], parts[1:], strict=True):
            total += factor * part
        return total

    labels = [mixed(parts) for parts in zip(*(part.labels for part in counts), strict=True)]
    vote_counts = [mixed(parts) for parts in zip(*(part.votes for part in counts), strict=True)]
    log_evidence = sum(f * part.log_evidence for f, part in zip(factors, counts, strict=True))
    return SuffStats(labels, vote_counts, log_evidence)


def log_likelihood(stats: SuffStats, tables: Sequence[Floats]) -> float:
    """Log likelihood of all votes under normalised tables, from the E-step that used them."""
    total = stats.log_evidence
    for counted, records, table in zip(stats.votes, stats.labels, tables, strict=True):
        outcomes = counted.sum(axis=1)
        silent = records.sum() - outcomes.sum(axis=1)
        total += float((outcomes * table[:, -1, :-1]).sum() + (silent * table[:, -1, -1]).sum())
    return total


def votes_of_task(votes: CodedVotes, t: int) -> Floats:
    """How often each LF of task t votes for each of its outcomes: float array (n_lfs, n_outcomes)."""
    return _stack([_by_digit(votes.totals[g][None, :], votes.groups[g]) for g in votes.tasks[t].groups])[:, 0]


def one_hot(votes: CodedVotes, rows: Int64Array) -> sparse.csr_array:
    """Which LF said what on some rows: CSR (n_rows, sum of n_lfs * n_outcomes), group by group."""
    if votes.sparse_rows is not None:
        return votes.sparse_rows.matrix[rows]
    return _votes_in([key.take(rows) for key in votes.keys], votes.groups)


def _votes_in(keys: Sequence[Keys], groups: Sequence[Group]) -> sparse.csr_array:
    found, columns, n_columns = [], [], 0
    for key, group in zip(keys, groups, strict=True):
        voted = np.flatnonzero(key)
        codes, k = votes_of_keys(key[voted], group), group.base - 1
        row, lf = np.nonzero(codes >= 0)
        found.append(voted[row])
        columns.append(n_columns + lf * k + codes[row, lf])
        n_columns += len(group.lfs) * k
    row, column = np.concatenate(found), np.concatenate(columns)
    return sparse.csr_array((np.ones(len(row)), (row, column)), shape=(len(keys[0]), n_columns))


def end_counts(tree: Tree, stats: SuffStats) -> Floats:
    """Expected number of records of each end label: float array (n_end_labels,)."""
    counts = np.empty(tree.n_end_labels)
    for t, children in enumerate(tree.child):
        for c, below in enumerate(children):
            if below == END:
                counts[tree.first_leaf[t][c]] = stats.labels[t][c]
    return counts


def named_labels(layout: Packing) -> list[npt.NDArray[np.bool_]]:
    """For every group, which states of its task a key has a vote for: bool (n_labels + 1, n_keys)."""
    found = []
    for group in layout.groups:
        k = layout.n_labels[group.task]
        member = outcome_sets(group.lfs.tolist(), k, layout.alphabets).member
        votes_for = np.concatenate([np.zeros((len(member), k + 1, 1)), member], axis=2)
        votes_for = np.broadcast_to(votes_for, (len(group.lfs), *votes_for.shape[1:]))
        found.append(_sum_digits(np.zeros(k + 1), votes_for) > 0)
    return found


def supported_labels(
    tree: Tree, groups: Sequence[Group], named: Sequence[npt.NDArray[np.bool_]], keys: Sequence[Keys]
) -> npt.NDArray[np.bool_]:
    """bool array (n_end_labels, n_rows): does any vote of the row hold the state that its task has under it?"""
    supported = np.zeros((tree.n_end_labels, len(keys[0])), dtype=bool)
    for group, labels, key in zip(groups, named, keys, strict=True):
        if len(group.lfs):
            voted = labels.take(key, axis=1)
            spans = leaf_spans(tree, group.task)
            for c, (start, stop) in enumerate(spans):
                supported[start:stop] |= voted[c]
            supported[: spans[0][0]] |= voted[-1]
            supported[spans[-1][1] :] |= voted[-1]
    return supported
