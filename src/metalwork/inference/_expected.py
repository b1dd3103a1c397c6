"""The E-step: expected counts from votes, tables and a class prior, and what is made of counts."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from metalwork._checks import ABSTAIN, IntArray
from metalwork.inference._mixture import CodedVotes, by_digit, stack
from metalwork.inference._outcomes import INSIDE, N_RELATIVE, OUTSIDE, TaskVotes
from metalwork.inference._packing import Keys, blocks_of
from metalwork.inference._soft import soft_evidence, votes_for_labels
from metalwork.inference._threads import in_threads
from metalwork.inference._touched_counts import touched_counts
from metalwork.inference._tree import END, Floats, Tree
from metalwork.inference._weights import Weights, pass_up_keys, weigh

_CHUNK_CELLS = 1 << 24
_CHUNK_ROWS = 1 << 16


class SuffStats(NamedTuple):
    """Sufficient statistics: the counts that the M-step needs, expected given the votes.

    ``labels[t]`` (n_labels + 1,): records by label of task t, last where it does not apply.
    ``votes[t]`` (n_lfs of t, n_states, n_outcomes): each LF's votes by state, n_labels + 1 of them or three that
    are relative.
    ``log_evidence``: summed over records.
    """

    labels: list[Floats]
    votes: list[Floats]
    log_evidence: float


class KeyCounts(NamedTuple):
    """Expected records where a task applies, by key: ``by_key[g]`` (n_states but the last, n_keys).

    ``labels[t]`` (n_labels,) are the records by label of a task with relative states, whose keys do not tell them;
    of others it is empty.
    """

    by_key: list[Floats]
    labels: list[Floats]
    log_evidence: float


def expected_counts(
    tree: Tree, votes: CodedVotes, tables: Sequence[Floats], log_prior: Sequence[Floats]
) -> SuffStats:
    """The E-step: one pass up and down the tree for every distinct row."""
    if votes.sparse_rows is not None:
        own = votes.weights, votes.totals[0]
        return SuffStats(*touched_counts(tree, votes.sparse_rows, tables, log_prior, *own))
    weights = weigh(tree, votes.tasks, votes.groups, tables, log_prior)
    by_key = [np.zeros((_n_on(votes.tasks[group.task]), group.n_keys)) for group in votes.groups]
    labels = [np.zeros(task.n_labels if task.relative else 0) for task in votes.tasks]
    applies_by_key = [np.zeros(len(known.log_sum)) for known in weights]
    counts, log_evidence = KeyCounts(by_key, labels, 0.0), 0.0

    def up(rows: slice) -> tuple[slice, list[Keys], Floats, list[Floats]]:
        keys: list[Keys] = [key[rows].astype(np.intp) for key in votes.keys]
        return rows, keys, *pass_up_keys(tree, weights, keys)

    for rows, keys, evidence, branch in in_threads(up, _chunks(tree, weights, len(votes.weights))):
        log_evidence += float((votes.weights[rows] * evidence).sum())
        _add_down(tree, weights, keys, votes.weights[rows], branch, counts, applies_by_key)
    for g in weights[0].groups:
        by_key[g][-1] = np.maximum(votes.totals[g] - by_key[g].sum(axis=0), 0.0)
    for known, count in zip(weights, applies_by_key, strict=True):
        if known.settled:
            by_key[known.groups[0]] = known.shares * count
    return _collect(votes, counts._replace(log_evidence=log_evidence), tables)


def _n_on(task: TaskVotes) -> int:
    """States in which a task applies."""
    return N_RELATIVE - 1 if task.relative else task.n_labels


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
    counts: KeyCounts,
    applies_by_key: list[Floats],
) -> None:
    """Pass down, adding expected records by label and key; where keys tell the labels, by key only.

    The root's last state is left out: it gets what the others leave.
    """
    applies = [records] * len(tree.child)
    for t, (children, joint) in enumerate(zip(tree.child, branch, strict=True)):
        known = weights[t]
        if known.settled:
            np.add.at(applies_by_key[t], keys[known.groups[0]], applies[t])
            continue
        joint *= applies[t]
        if known.relative:
            counts.labels[t] += joint.sum(axis=1)
        for g in known.groups:
            parts = _seen_from_votes(joint, keys[g], applies[t]) if known.relative else joint
            for count, share in zip(counts.by_key[g], parts if t else parts[:-1], strict=False):
                np.add.at(count, keys[g], share)
        for c, below in enumerate(children):
            if below != END:
                applies[below] = joint[c]


def _seen_from_votes(joint: Floats, key: Keys, applies: Floats) -> Floats:
    """Records of the label voted for, and of others, (2, n_rows): the first is 0 where the LF abstains."""
    inside, voted = np.zeros(len(key)), np.flatnonzero(key)
    inside[voted] = joint[key[voted] - 1, voted]
    return np.stack([inside, applies - inside])


def _collect(votes: CodedVotes, counts: KeyCounts, tables: Sequence[Floats] = ()) -> SuffStats:
    """``tables`` are those that the counts were found with, if any."""
    labels, vote_counts, log_evidence = [], [], counts.log_evidence
    for t, (task, records) in enumerate(zip(votes.tasks, counts.labels, strict=True)):
        counted, first, shares = [], 0, dict(task.outcomes.shares)
        for g in task.groups:
            applies = counts.by_key[g]
            off = np.maximum(votes.totals[g] - applies.sum(axis=0), 0.0)
            states = np.concatenate([applies, off[None, :]])
            if first in shares:
                table = tables[t][first] if tables else None
                counted.append(votes_for_labels(states[:, 1:], table, shares[first])[None])
                log_evidence += soft_evidence(states[:, 1:].sum(axis=0), table, shares[first], counted[-1][0])
            else:
                counted.append(by_digit(states, votes.groups[g]))
            first += len(votes.groups[g].lfs)
        by_state = states.sum(axis=1)
        labels.append(np.append(records, by_state[-1]) if task.relative else by_state)
        vote_counts.append(stack(counted))
    return SuffStats(labels, vote_counts, log_evidence)


def known_counts(votes: CodedVotes, state_of: IntArray, weight: float) -> SuffStats:
    """Counts where labels are known: ``state_of`` (n_rows, n_tasks) holds label codes, -2, or -1 where not known.

    Every row counts for ``weight`` in the tasks known of it, and for nothing in others. ``log_evidence`` is 0.
    """
    by_key, totals = [], []
    for key, group in zip(votes.keys, votes.groups, strict=True):
        state, task = state_of[:, group.task], votes.tasks[group.task]
        seen = np.where(key.astype(np.int64) - 1 == state, INSIDE, OUTSIDE) if task.relative else state
        counts = np.zeros((_n_on(task), group.n_keys))
        np.add.at(counts, (seen[state >= 0], key[state >= 0]), weight)
        by_key.append(counts)
        known = key[state != ABSTAIN].astype(np.intp)
        totals.append(weight * np.bincount(known, minlength=group.n_keys).astype(np.float64))
    labels = []
    for task, state in zip(votes.tasks, state_of.T, strict=True):
        n_labels = task.n_labels if task.relative else 0
        found = np.bincount(state[(state >= 0) & task.relative], minlength=n_labels)
        labels.append(weight * found.astype(np.float64))
    return _collect(votes._replace(totals=tuple(totals)), KeyCounts(by_key, labels, 0.0))


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


def end_counts(tree: Tree, stats: SuffStats) -> Floats:
    """Expected number of records of each end label: float array (n_end_labels,)."""
    counts = np.empty(tree.n_end_labels)
    for t, children in enumerate(tree.child):
        for c, below in enumerate(children):
            if below == END:
                counts[tree.first_leaf[t][c]] = stats.labels[t][c]
    return counts
