"""Do LFs agree more, or less, than a fitted model explains?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from metalwork.inference._mixture import CodedVotes, one_hot
from metalwork.inference._outcomes import factors_of_votes
from metalwork.inference._tree import Floats, Tree, end_posterior, states_of_ends

Int64Array = npt.NDArray[np.int64]
MOST_COMPARED = 20_000
_MOST_COLUMNS = 1_000
_DENSE = 0.05


class PairResiduals(NamedTuple):
    """For every pair of votes of two LFs, how far their joint count is from the model's, in standard errors.

    ``lf`` (n_votes,) and ``label`` (n_votes,) say which vote a column is (the outcome, where the LF does not vote
    for labels); ``observed`` and ``expected`` are joint counts and ``z`` (n_votes, n_votes) the residuals: 0
    within an LF and where under one joint vote is expected and none seen. ``n_points`` records were looked at.
    """

    lf: Int64Array
    label: Int64Array
    observed: Floats
    expected: Floats
    z: Floats
    n_points: float


def systematic_sample(weights: Floats, size: int) -> Floats:
    """Weights of a systematic sample of ``size`` records, drawn in canonical order: the same every time."""
    n_points = int(weights.sum())
    if n_points <= size:
        return weights
    picks = (np.arange(size) + 0.5) * (n_points / size)
    found = np.searchsorted(np.cumsum(weights), picks, side="right")
    return np.bincount(found, minlength=len(weights)).astype(np.float64)


def pair_residuals(
    tree: Tree,
    votes: CodedVotes,
    tables: Sequence[Floats],
    log_prior: Sequence[Floats],
    most_records: int = MOST_COMPARED,
) -> PairResiduals:
    """Compare joint vote counts of LF pairs with what independence given the end label predicts.

    Looks at up to ``most_records`` records, so that its power does not grow with the data, and at the up to 1,000
    most frequent votes.
    """
    weights = systematic_sample(votes.weights, most_records)
    chosen = np.flatnonzero(weights)
    weights = weights[chosen]
    seen = one_hot(votes, chosen)
    lf = np.concatenate([np.repeat(group.lfs, group.base - 1) for group in votes.groups])
    label = np.concatenate([np.tile(np.arange(group.base - 1), len(group.lfs)) for group in votes.groups])
    frequent = np.sort(np.argsort(-(seen.T @ weights), kind="stable")[:_MOST_COLUMNS])
    seen, lf, label = seen[:, frequent], lf[frequent], label[frequent]
    given = _votes_given_end(tree, votes, tables, frequent)
    n_points = weights.sum()
    prior = end_posterior(tree, [share[None, :] for share in log_prior])[0]
    observed = _joint_counts(seen, weights)
    expected = n_points * (given.T @ (prior[:, None] * given))
    spread = np.sqrt(np.maximum(expected * (1 - expected / n_points), 0.5))
    z = (observed - expected) / spread
    z[(lf[:, None] == lf[None, :]) | ((expected < 1) & (observed < 1))] = 0.0
    return PairResiduals(lf, label, observed, expected, z, float(n_points))


def typical_correlation(residuals: PairResiduals, leave_out: sparse.csr_array) -> float:
    """Root mean square of the correlation of two votes beyond the model, sampling noise taken out: 0 or more.

    ``leave_out`` (n_lfs, n_lfs) names pairs of LFs to pass over, by numbers above 0.
    """
    passed = leave_out[residuals.lf][:, residuals.lf].toarray() > 0
    used = residuals.z[np.triu((residuals.z != 0) & ~passed, 1)]
    if not used.size:
        return 0.0
    return float(np.sqrt(max(float((used**2).mean()) - 1.0, 0.0) / residuals.n_points))


def _joint_counts(seen: sparse.csr_array, weights: Floats) -> Floats:
    """How often two votes occur together, (n_votes, n_votes); by a dense product where votes are frequent.

    Single precision counts a sample of records exactly.
    """
    if seen.nnz > _DENSE * seen.shape[0] * seen.shape[1]:
        marks = seen.astype(np.float32).toarray()
        counts: Floats = (marks.T @ (marks * weights.astype(np.float32)[:, None])).astype(np.float64)
        return counts
    return np.asarray((seen.T @ (seen * weights[:, None])).toarray())


def _votes_given_end(tree: Tree, votes: CodedVotes, tables: Sequence[Floats], columns: Int64Array) -> Floats:
    """p(vote | end label) of some votes: float array (n_end_labels, n_votes)."""
    state, found, start = states_of_ends(tree), [], 0
    for t, (task, table) in enumerate(zip(votes.tasks, tables, strict=True)):
        first = 0
        for group in (votes.groups[g] for g in task.groups):
            stop = start + len(group.lfs) * (group.base - 1)
            own = columns[np.searchsorted(columns, start) : np.searchsorted(columns, stop)] - start
            lf, label = np.divmod(own, group.base - 1)
            found.append(np.exp(factors_of_votes(table, first + lf, label, task.n_labels))[:, state[:, t]].T)
            start, first = stop, first + len(group.lfs)
    return np.concatenate(found, axis=1)
