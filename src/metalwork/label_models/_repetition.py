"""How far labeling functions repeat each other: copies, and the correlation of the others."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from metalwork.inference import (
    CodedVotes,
    Floats,
    PairResiduals,
    SuffStats,
    Tree,
    expected_counts,
    pair_residuals,
    shared_votes,
    typical_correlation,
    votes_of_task,
)
from metalwork.label_models._constants import (
    COPIED,
    FIRST_STRENGTH,
    LEAST_TOLD_APART,
    SOFTENED,
)
from metalwork.label_models._em import Priors
from metalwork.label_models._independent import independent_tables
from metalwork.label_models._rules import initial_rules, log_shares


class Repetition(NamedTuple):
    """How far LFs repeat each other.

    ``copied`` (n_lfs, n_lfs) is how much two LFs vote alike beyond chance where one copies the other, else 0;
    ``weights`` (n_lfs,) in (0, 1] for how much of a vote each LF's is to count on that account.
    ``correlation`` is the typical correlation of two other votes beyond what the labels explain.
    """

    copied: Floats
    weights: Floats
    correlation: float


def find_repetition(tree: Tree, votes: CodedVotes, priors: Priors) -> Repetition:
    """How far LFs repeat each other, seen from the first E-step of the votes-only reading."""
    if len(votes.weights) == 0:  # no record has a vote
        return Repetition(np.zeros((votes.n_lfs, votes.n_lfs)), np.ones(votes.n_lfs), 0.0)
    stats = expected_counts(tree, votes, *initial_rules(votes, priors))
    residuals = residuals_of_counts(tree, votes, stats, priors)
    shared = shared_votes(votes, residuals)
    copied = np.where(shared >= COPIED, shared, 0.0)
    weights = 1.0 / (1.0 + (shared**SOFTENED).sum(axis=1))
    correlation = typical_correlation(residuals, copied > 0)
    return Repetition(copied, weights, correlation)


def redundant_copies(votes: CodedVotes, copied: Floats) -> npt.NDArray[np.bool_]:
    """bool array (n_lfs,): LFs that copy one another, but for the one of each group that votes most.

    None in tasks of which fewer than three LFs would be left: these could not be told apart.
    """
    _, group = connected_components(coo_array(copied), directed=False)
    redundant = np.zeros(votes.n_lfs, dtype=bool)
    for t, task in enumerate(votes.tasks):
        by_votes = task.lfs[np.argsort(-votes_of_task(votes, t).sum(axis=1), kind="stable")]
        _, kept = np.unique(group[by_votes], return_index=True)
        if len(kept) >= LEAST_TOLD_APART:
            redundant[np.delete(by_votes, kept)] = True
    return redundant


def residuals_of_counts(tree: Tree, votes: CodedVotes, stats: SuffStats, priors: Priors) -> PairResiduals:
    """How far pairs of votes are from what tables made of stats counts explain."""
    tables = independent_tables(votes, stats, log_shares(stats), FIRST_STRENGTH, priors.lfs)
    return pair_residuals(tree, votes, tables, log_shares(stats))
