"""How far a fit by EM would move had other records been drawn: the sandwich of an estimating equation.

EM stops where the expected counts S reproduce themselves, ``S = sum_i w_i z_i(S)``: ``z_i`` are the counts
expected of record i under the tables that the M-step makes of S. To first order, other weights ``dw`` move S by
``(I - C D)^-1 sum_i dw_i z_i``. C is what the E-step makes of a change of log weights: the posterior covariance
of the complete counts, summed over records (what the hidden labels take away, in Louis' information). D is what
the M-step, pseudo-counts included, makes of a change of S. With the records' own covariance of z in the middle
this gives the covariance of S.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from metalwork.inference._expected import SuffStats
from metalwork.inference._mixture import CodedVotes, votes_of_task
from metalwork.inference._packing import Int64Array
from metalwork.inference._rows import Rows, row_blocks
from metalwork.inference._tree import Floats, Tree, states_of_ends

_STEP = 1e-3

MStep = Callable[[SuffStats], tuple[list[Floats], list[Floats]]]
"""From expected counts to log tables and log branch probabilities, task by task, each LF's by its own counts."""


class CountLayout(NamedTuple):
    """Where the counts of a fit stand in one vector: votes by task, state, LF and label; then labels by task.

    ``votes[t]`` (n_lfs, n_labels + 1 states, n_outcomes) and ``labels[t]`` (n_labels,) hold positions, -1 for
    votes never cast; ``size`` is the length, and ``work`` the multiplications that a record costs.
    """

    votes: list[Int64Array]
    labels: list[Int64Array]
    size: int
    work: float


def count_layout(tree: Tree, votes: CodedVotes) -> CountLayout:
    """Positions of all counts that are not structurally zero."""
    size, used, positions, labels = 0, 0, [], []
    for t, task in enumerate(votes.tasks):
        codes = votes_of_task(votes, t) > 0
        column = np.where(codes, np.cumsum(codes).reshape(codes.shape) - 1, -1)
        n_states, n_used = len(tree.child[t]) + 1, int(codes.sum())
        state = np.arange(n_states)[:, None] * n_used
        positions.append(np.where(codes[:, None], size + state + column[:, None], -1))
        size += n_states * n_used
        labels.append(np.arange(size, size + task.n_labels))
        size, used = size + task.n_labels, used + n_used
    return CountLayout(positions, labels, size, float(size**2) + tree.n_end_labels * (used + 1.0) ** 2)


def count_covariance(tree: Tree, votes: CodedVotes, stats: SuffStats, m_step: MStep, gradients: Floats) -> Floats:
    """Covariance (n, n) of functions of the expected counts where EM stopped.

    ``gradients`` (n, layout.size) are theirs in the counts, in the order of :func:`count_layout`. Looks at up to
    20,000 rows.
    """
    layout, n_points = count_layout(tree, votes), float(votes.weights.sum())
    hidden, outer, mean = _moments(tree, votes, *m_step(stats), layout)
    lost = np.eye(layout.size) - hidden @ m_step_slope(layout, stats, m_step)
    back = np.linalg.solve(lost.T, gradients.T)
    covariance: Floats = back.T @ (outer - np.outer(mean, mean) / n_points) @ back
    return covariance


def _moments(
    tree: Tree,
    votes: CodedVotes,
    tables: Sequence[Floats],
    log_prior: Sequence[Floats],
    layout: CountLayout,
) -> tuple[Floats, Floats, Floats]:
    """C, then the outer products of the counts expected of each record, and these counts; summed over records."""
    places = _places(tree, layout)
    hidden, outer = np.zeros((2, layout.size, layout.size))
    mean = np.zeros(layout.size)
    for rows in row_blocks(tree, votes, tables, log_prior, layout.size):
        one_hot = _one_hot_votes(rows, layout)
        counts = np.zeros((len(one_hot), layout.size))
        for (columns, positions), share in zip(places, rows.end, strict=True):
            joint = one_hot * (share * rows.weights)[:, None]
            hidden[np.ix_(positions, positions)] += (one_hot.T @ joint)[np.ix_(columns, columns)]
            counts[:, positions] += one_hot[:, columns] * share[:, None]
        weighted = counts * rows.weights[:, None]
        outer += counts.T @ weighted
        mean += weighted.sum(axis=0)
    return hidden - outer, outer, mean


def _one_hot_votes(rows: Rows, layout: CountLayout) -> Floats:
    """Which votes were cast, one-hot in the order of positions, and last a column of ones: (n_rows, n)."""
    columns = []
    for codes, where in zip(rows.codes, layout.votes, strict=True):
        one_hot = (codes[:, :, None] == np.arange(where.shape[2])).reshape(len(codes), -1)
        columns.append(one_hot[:, (where[:, 0] >= 0).reshape(-1)])
    return np.concatenate([*columns, np.ones((len(rows.weights), 1))], axis=1).astype(np.float64)


def _places(tree: Tree, layout: CountLayout) -> list[tuple[Int64Array, Int64Array]]:
    """For each end label, which columns (votes cast, last the record itself) count at which positions."""
    states, found = states_of_ends(tree), []
    n_used = sum(int((where[:, 0] >= 0).sum()) for where in layout.votes)
    for state in states:
        positions = [where[:, s][where[:, s] >= 0] for where, s in zip(layout.votes, state, strict=True)]
        labels = [where[s] for where, s in zip(layout.labels, state, strict=True) if s < len(where)]
        columns = np.concatenate([np.arange(n_used), np.full(len(labels), n_used)])
        found.append((columns, np.concatenate([*positions, np.array(labels, dtype=np.int64)])))
    return found


def m_step_slope(layout: CountLayout, stats: SuffStats, m_step: MStep) -> Floats:
    """D: by how much each log weight moves with each count, by central differences of the M-step.

    An LF's table hangs on its own counts and its task's, so one difference does for all LFs of all tasks.
    """
    slope = np.zeros((layout.size, layout.size))
    cells = [positions.shape[1:] for positions in layout.votes]
    for s, v in sorted({cell for shape in cells for cell in np.ndindex(*shape)}):
        tasks = [t for t, shape in enumerate(cells) if s < shape[0] and v < shape[1]]
        up = {t: _STEP * np.maximum(stats.votes[t][:, s, v], 1.0) for t in tasks}
        down = {t: -np.minimum(up[t], stats.votes[t][:, s, v]) for t in tasks}  # no count below 0
        high, low = (m_step(_with_votes(stats, s, v, step)) for step in (up, down))
        for t in tasks:
            positions, labels = layout.votes[t], layout.labels[t]
            table = (high[0][t] - low[0][t]) / (up[t] - down[t])[:, None, None]
            lfs = np.flatnonzero(positions[:, s, v] >= 0)
            _put(slope, positions, table, lfs, positions[lfs, s, v])
            slope[np.ix_(labels, positions[lfs, s, v])] = (table[lfs, :-1, -1] - table[lfs, -1:, -1]).T
    for c in range(max(len(labels) for labels in layout.labels)):
        tasks = [t for t, labels in enumerate(layout.labels) if c < len(labels)]
        size = {t: _STEP * max(float(stats.labels[t][c]), 1.0) for t in tasks}
        high, low = (m_step(_with_records(stats, c, {t: sign * size[t] for t in tasks})) for sign in (1, -1))
        for t in tasks:
            positions, labels = layout.votes[t], layout.labels[t]
            table, prior = ((up[t] - down[t]) / (2 * size[t]) for up, down in zip(high, low, strict=True))
            _put(slope, positions, table, np.arange(len(positions)), np.full(len(positions), labels[c]))
            slope[labels, labels[c]] = prior + (table[:, :-1, -1] - table[:, -1:, -1]).sum(axis=0)
    return slope


def _put(slope: Floats, positions: Int64Array, table: Floats, lfs: Int64Array, column: Int64Array) -> None:
    """Write each LF's change of log weights, votes against abstains, into its column."""
    gain = table[:, :, :-1] - table[:, :, -1:]
    lf, state, vote = np.nonzero(positions[lfs] >= 0)
    slope[positions[lfs][lf, state, vote], column[lf]] = gain[lfs][lf, state, vote]


def _with_votes(stats: SuffStats, s: int, v: int, change: Mapping[int, Floats]) -> SuffStats:
    votes = [counted.copy() if t in change else counted for t, counted in enumerate(stats.votes)]
    for t, more in change.items():
        votes[t][:, s, v] += more
    return stats._replace(votes=votes)


def _with_records(stats: SuffStats, c: int, change: Mapping[int, float]) -> SuffStats:
    """Records moved to label c of some tasks from where the task does not apply; at the root, new ones."""
    labels = [records.copy() if t in change else records for t, records in enumerate(stats.labels)]
    for t, more in change.items():
        labels[t][c] += more
        labels[t][-1] -= more * (t > 0)
    return stats._replace(labels=labels)
