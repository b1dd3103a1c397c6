"""How far labeling functions repeat each other: copies, and the correlation of the others."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from metalwork._checks import FloatArray
from metalwork.inference import (
    CodedVotes,
    Floats,
    PairResiduals,
    RepeatedVotes,
    RepetitionPrior,
    SuffStats,
    Tree,
    covered,
    expected_counts,
    pair_residuals,
    repeated_votes,
    typical_correlation,
    votes_of_task,
)
from metalwork.label_models._constants import (
    COPIED,
    FALSE_REPETITIONS,
    FIRST_STRENGTH,
    LEAST_TOLD_APART,
    LOADING,
    LOADING_SPREAD,
    MISFIT,
    MOST_MISFIT,
    NEAR_COPIES,
    ONE_SIDED,
    SOFTENED,
    SURE_COPIES,
)
from metalwork.label_models._e_step import thinned
from metalwork.label_models._em import Priors
from metalwork.label_models._independent import independent_tables
from metalwork.label_models._rules import initial_rules, log_shares
from metalwork.label_models._vote_counts import VoteCounts


class Repetition(NamedTuple):
    """How far LFs repeat each other.

    ``copied`` (n_lfs, n_lfs), sparse, is how much of their votes two LFs share beyond what the label explains,
    where that is half or more; ``weights`` (n_lfs,) in (0, 1] for how much of a vote each LF's is to count.
    ``correlation`` is the typical correlation of two other votes beyond what the labels explain.
    """

    copied: sparse.csr_array
    weights: Floats
    correlation: float


def repetition_of(votes: CodedVotes) -> RepeatedVotes:
    """How far pairs of LFs repeat each other, before any label is believed."""
    prior = RepetitionPrior(
        one_sided=ONE_SIDED,
        loading=LOADING,
        spread=LOADING_SPREAD,
        misfit=MISFIT,
        most_misfit=MOST_MISFIT,
        near_copies=NEAR_COPIES,
        copies=SURE_COPIES,
        false_alarms=FALSE_REPETITIONS,
    )
    return repeated_votes(votes, prior)


def repetition(counts: VoteCounts) -> FloatArray:
    """How far pairs of LFs of a task repeat each other: float array (n_lfs, n_lfs) in [0, 1], symmetric.

    1 where the LF of more votes never votes unless the other says the same, whatever the label; 0 where they say
    the same no more often than the label makes them. It is what :class:`HierarchicalLabelModel` goes by; no labels
    are needed. Works on up to 50,000 distinct rows.
    """
    votes = covered(thinned(counts._rows.coded()))
    if not len(votes.weights):
        return np.zeros((votes.n_lfs, votes.n_lfs))
    return np.asarray(repetition_of(votes).shared.todense())


def find_repetition(tree: Tree, votes: CodedVotes, priors: Priors) -> Repetition:
    """How far LFs repeat each other: pairs before labels are believed, the others from the first E-step.

    Of m LFs that share r of their votes, each counts for 1 / (1 + (m - 1) r) of one: the design effect of a
    clustered sample (Kish, Survey Sampling, 1965). Where r says little of errors, for LFs vote for one label each,
    or have more in common than the label and such pairs, only copies lose weight.
    """
    n_lfs = votes.n_lfs
    if len(votes.weights) == 0:  # no record has a vote
        return Repetition(sparse.csr_array((n_lfs, n_lfs)), np.ones(n_lfs), 0.0)
    shared, explained = repetition_of(votes)
    counted = shared.copy()
    counted.data = np.where(explained.data > 0, shared.data, shared.data**SOFTENED)
    weights = 1.0 / (1.0 + counted.sum(axis=1))
    copied = shared.multiply(shared >= COPIED).tocsr()
    copied.eliminate_zeros()
    stats = expected_counts(tree, votes, *initial_rules(votes, priors._replace(weights=weights)))
    correlation = typical_correlation(residuals_of_counts(tree, votes, stats, priors), shared)
    return Repetition(copied, weights, correlation)


def redundant_copies(votes: CodedVotes, copied: sparse.csr_array) -> npt.NDArray[np.bool_]:
    """bool array (n_lfs,): LFs that copy one another, but for the one of each group that votes most.

    None in tasks of which fewer than three LFs would be left: these could not be told apart.
    """
    _, group = connected_components(copied, directed=False)
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
