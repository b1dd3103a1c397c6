"""A mixture over end labels with one vote table an LF: p(y) * prod_j p(vote_j | label of j's task).

A *table* is a float array (n_states, n_labels + 1) of log probabilities: ``n_labels + 1`` states (the label of
the LF's task; last: the task does not apply) by ``n_labels + 1`` outcomes (the vote; last: an abstain). Tables
of all LFs of a task are stacked: (n_lfs of the task, n_labels + 1, n_labels + 1).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from metalwork._checks import ABSTAIN, IntArray
from metalwork.inference._patterns import distinct_rows
from metalwork.inference._tree import END, Floats, Tree, leaf_spans, pass_down, pass_up

Int64Array = npt.NDArray[np.int64]
_CHUNK_CELLS = 1 << 22


class TaskPatterns(NamedTuple):
    """The distinct votes on one task: ``one_hot`` is a CSR matrix (n_patterns, n_lfs * n_labels)."""

    lfs: Int64Array
    n_labels: int
    one_hot: sparse.csr_array


class CodedVotes(NamedTuple):
    """A label matrix as distinct rows: ``rows`` (n_rows, n_tasks) points into each task's patterns.

    ``weights`` (n_rows,) says how many records each row stands for.
    """

    tasks: tuple[TaskPatterns, ...]
    rows: Int64Array
    weights: Floats
    n_lfs: int


def code_votes(
    codes: IntArray, lfs_of_task: Sequence[Int64Array], n_labels: Sequence[int]
) -> tuple[CodedVotes, Int64Array]:
    """Code a label matrix by its distinct rows; returns it with the row of each record (n_points,)."""
    tasks, columns = [], []
    for lfs, k in zip(lfs_of_task, n_labels, strict=True):
        patterns = distinct_rows(codes[:, lfs])
        tasks.append(TaskPatterns(lfs, k, _one_hot(patterns.codes, k)))
        columns.append(patterns.inverse)
    rows = distinct_rows(np.stack(columns, axis=1))
    weights = rows.weights.astype(np.float64)
    return CodedVotes(tuple(tasks), rows.codes.astype(np.int64), weights, codes.shape[1]), rows.inverse


def _one_hot(codes: IntArray, n_labels: int) -> sparse.csr_array:
    row, lf = np.nonzero(codes != ABSTAIN)
    column = lf * n_labels + codes[row, lf]
    shape = (codes.shape[0], codes.shape[1] * n_labels)
    return sparse.csr_array((np.ones(len(row)), (row, column)), shape=shape)


def _pattern_potentials(task: TaskPatterns, table: Floats) -> Floats:
    """Log weight of each label against "does not apply", for each pattern: (n_patterns, n_labels)."""
    k = task.n_labels
    gain = table[:, :k, :] - table[:, k:, :]
    silent = gain[:, :, k]
    if len(task.lfs) == 0:
        return np.zeros((task.one_hot.shape[0], k))
    spoken = (gain[:, :, :k] - silent[:, :, None]).transpose(0, 2, 1).reshape(-1, k)
    potentials: Floats = task.one_hot @ spoken + silent.sum(axis=0)
    return potentials


def _chunks(tree: Tree, n_rows: int) -> Iterator[slice]:
    width = sum(len(children) for children in tree.child)
    step = max(1, _CHUNK_CELLS // width)
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def row_beliefs(
    tree: Tree, votes: CodedVotes, tables: Sequence[Floats], log_prior: Sequence[Floats]
) -> Iterator[tuple[slice, Floats, list[Floats]]]:
    """Yield, chunk by chunk, the rows, their log evidence and their log branch probabilities.

    ``log_prior[t]`` (n_labels,) is the log probability of each label given that the task applies. The evidence
    leaves out what all end labels share (the votes' probability where no task applies).
    """
    found = [
        _pattern_potentials(task, table) + prior
        for task, table, prior in zip(votes.tasks, tables, log_prior, strict=True)
    ]
    for rows in _chunks(tree, len(votes.weights)):
        gathered = [potential[votes.rows[rows, t]] for t, potential in enumerate(found)]
        beliefs = pass_up(tree, gathered)
        yield rows, beliefs.log_evidence, beliefs.log_branch


class Expected(NamedTuple):
    """Expected counts given the votes.

    ``labels[t]`` (n_labels + 1,): records by label of task t, last where it does not apply.
    ``votes[t]`` (n_lfs of t, n_labels + 1 states, n_labels): each LF's votes by state.
    ``log_evidence``: summed over records.
    """

    labels: list[Floats]
    votes: list[Floats]
    log_evidence: float


def expected_counts(
    tree: Tree, votes: CodedVotes, tables: Sequence[Floats], log_prior: Sequence[Floats]
) -> Expected:
    """The E-step: one pass up and down the tree for every distinct row."""
    by_pattern = [np.zeros((task.one_hot.shape[0], task.n_labels)) for task in votes.tasks]
    log_evidence = 0.0
    for rows, evidence, log_branch in row_beliefs(tree, votes, tables, log_prior):
        weights = votes.weights[rows]
        log_evidence += float(weights @ evidence)
        for t, joint in enumerate(pass_down(tree, log_branch)):
            index = votes.rows[rows, t]
            for c in range(joint.shape[1]):
                by_pattern[t][:, c] += np.bincount(index, weights * joint[:, c], by_pattern[t].shape[0])
    total = [np.bincount(votes.rows[:, t], votes.weights, len(p)) for t, p in enumerate(by_pattern)]
    labels, spoken = [], []
    for task, applies, n in zip(votes.tasks, by_pattern, total, strict=True):
        states = np.concatenate([applies, np.maximum(n - applies.sum(axis=1), 0.0)[:, None]], axis=1)
        labels.append(states.sum(axis=0))
        counted = np.asarray(task.one_hot.T @ states).reshape(len(task.lfs), task.n_labels, task.n_labels + 1)
        spoken.append(counted.transpose(0, 2, 1))
    return Expected(labels, spoken, log_evidence)


def known_counts(votes: CodedVotes, row_of: Int64Array, state_of: IntArray, weight: float) -> Expected:
    """Counts where the end labels are known: ``state_of`` (n_points, n_tasks) holds label codes, or -2.

    ``row_of`` (n_points,) is the distinct row of each record; every record counts for ``weight``.
    ``log_evidence`` is 0.
    """
    labels, spoken = [], []
    for t, task in enumerate(votes.tasks):
        k = task.n_labels
        state = np.where(state_of[:, t] < 0, k, state_of[:, t])
        pattern = votes.rows[row_of, t]
        states = np.zeros((task.one_hot.shape[0], k + 1))
        np.add.at(states, (pattern, state), weight)
        labels.append(states.sum(axis=0))
        counted = np.asarray(task.one_hot.T @ states).reshape(len(task.lfs), k, k + 1)
        spoken.append(counted.transpose(0, 2, 1))
    return Expected(labels, spoken, 0.0)


def add_counts(first: Expected, second: Expected) -> Expected:
    """The counts of two sets of records together."""
    labels = [a + b for a, b in zip(first.labels, second.labels, strict=True)]
    spoken = [a + b for a, b in zip(first.votes, second.votes, strict=True)]
    return Expected(labels, spoken, first.log_evidence + second.log_evidence)


def log_likelihood(expected: Expected, tables: Sequence[Floats]) -> float:
    """Log likelihood of all votes under normalised tables, from the E-step that used them."""
    total = expected.log_evidence
    for counted, records, table in zip(expected.votes, expected.labels, tables, strict=True):
        k = counted.shape[2]
        outcomes = counted.sum(axis=1)
        silent = records.sum() - outcomes.sum(axis=1)
        total += float((outcomes * table[:, k, :k]).sum() + silent @ table[:, k, k])
    return total


def votes_of_task(votes: CodedVotes, t: int) -> Floats:
    """How often each LF of task t votes for each label: float array (n_lfs, n_labels)."""
    task = votes.tasks[t]
    weights = np.bincount(votes.rows[:, t], votes.weights, task.one_hot.shape[0])
    return np.asarray(task.one_hot.T @ weights).reshape(len(task.lfs), task.n_labels)


def covered(votes: CodedVotes) -> CodedVotes:
    """The same votes without the records on which every LF abstains."""
    n_votes = np.zeros(len(votes.weights), dtype=np.int64)
    for t, task in enumerate(votes.tasks):
        n_votes += np.diff(task.one_hot.indptr)[votes.rows[:, t]]
    return votes._replace(rows=votes.rows[n_votes > 0], weights=votes.weights[n_votes > 0])


def end_counts(tree: Tree, expected: Expected) -> Floats:
    """Expected number of records of each end label: float array (n_end_labels,)."""
    counts = np.empty(tree.n_end_labels)
    for t, children in enumerate(tree.child):
        for c, below in enumerate(children):
            if below == END:
                counts[tree.first_leaf[t][c]] = expected.labels[t][c]
    return counts


def supported_labels(tree: Tree, votes: CodedVotes) -> npt.NDArray[np.bool_]:
    """bool array (n_rows, n_end_labels): does any vote of the row name a label on the end label's path?"""
    supported = np.zeros((len(votes.weights), tree.n_end_labels), dtype=bool)
    for t, task in enumerate(votes.tasks):
        by_label = np.tile(np.eye(task.n_labels), (len(task.lfs), 1))
        named = (task.one_hot @ by_label > 0)[votes.rows[:, t]]
        for c, (start, stop) in enumerate(leaf_spans(tree, t)):
            supported[:, start:stop] |= named[:, c : c + 1]
    return supported
