"""EM of the votes-only reading."""

from collections.abc import Sequence

import numpy as np

from metalwork.inference import CodedVotes, Floats, Tree, expected_counts, votes_of_task
from metalwork.label_models._constants import DISCOUNT, PARAMETER_TOLERANCE
from metalwork.label_models._em import (
    EMResult,
    EMState,
    Priors,
    Stopping,
    band_of,
    target_balance,
    with_dev_counts,
)
from metalwork.label_models._repetition import Repetition
from metalwork.label_models._votes_only import (
    balance_shift,
    initial_votes_only,
    precision_bounds,
    votes_only_m_step,
    votes_only_tables,
)


def fit_votes_only(
    tree: Tree,
    votes: CodedVotes,
    priors: Priors,
    stopping: Stopping,
    repetition: Repetition,
    initial: EMResult | None = None,
) -> EMResult:
    """EM in which abstains say nothing and the labels stay near the balance that they begin with.

    Where LFs repeat each other, many votes make an LF's agreement no more telling than few, and in the end all log
    odds are taken back to what the votes are worth. Goes on from where the fit of a sample, ``initial``, ended.
    """
    lf_priors, outcomes = priors.lfs._replace(share=DISCOUNT * repetition.correlation), priors.outcomes
    cast = [votes_of_task(votes, t) for t in range(len(votes.tasks))]
    bounds = precision_bounds(votes, cast, outcomes, *priors.uniform, priors.lfs)

    def tables_of(state: EMState, weights: Floats) -> list[Floats]:
        tables = votes_only_tables(votes, state.parameters, outcomes, bounds, lf_priors, state.stats)
        return _weighted(votes, tables, weights)

    state = EMState(initial_votes_only(votes, lf_priors), priors.class_prior.log_share, None)
    stats = expected_counts(tree, votes, tables_of(state, repetition.weights), state.log_prior)
    target, anew = target_balance(stats, priors), False
    if initial is not None and initial.state is not None:
        state, anew = initial.state, True
    converged, n_iter = False, 0
    while n_iter < stopping.max_iter and not converged:
        if n_iter or anew:
            stats = expected_counts(tree, votes, tables_of(state, repetition.weights), state.log_prior)
        n_iter += 1
        shifts = balance_shift(stats, target, band_of(len(votes.tasks)))
        log_prior = [old + shift for old, shift in zip(state.log_prior, shifts, strict=True)]
        with_dev = with_dev_counts(stats, priors)
        parameters = votes_only_m_step(votes, with_dev, outcomes, state.parameters, lf_priors)
        moved = max(_distance(new, old) for new, old in zip(parameters, state.parameters, strict=True))
        state, converged = EMState(parameters, log_prior, with_dev), moved < PARAMETER_TOLERANCE
    discounts = np.ones(votes.n_lfs)
    for task, discount in zip(votes.tasks, repetition.discount, strict=True):
        discounts[task.lfs] = np.where(lf_priors.stated[task.lfs], 1.0, discount)
    tables = tables_of(state, discounts * repetition.weights)
    moves = zip(state.log_prior, priors.class_prior.log_share, repetition.discount, strict=True)
    log_prior = [prior + discount * (last - prior) for last, prior, discount in moves]
    return EMResult(
        tables, log_prior, expected_counts(tree, votes, tables, log_prior), [], converged, n_iter, state
    )


def _weighted(votes: CodedVotes, tables: list[Floats], weights: Floats) -> list[Floats]:
    """Tables in which the votes of each LF count for ``weights`` (n_lfs,) of one."""
    return [table * weights[task.lfs][:, None, None] for table, task in zip(tables, votes.tasks, strict=True)]


def _distance(new: Sequence[Floats], old: Sequence[Floats]) -> float:
    return max(float(np.abs(a - b).max(initial=0.0)) for a, b in zip(new, old, strict=True))
