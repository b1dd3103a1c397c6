"""EM of the generative reading."""

import math

import numpy as np

from metalwork.inference import (
    CodedVotes,
    Floats,
    SuffStats,
    Tree,
    expected_counts,
    log_likelihood,
    mixed_counts,
    one_hot,
    reweighted,
)
from metalwork.label_models._constants import LEAST_POOLING, MORE_POOLING, PRIOR_STRENGTH
from metalwork.label_models._e_step import EStep, anchored, e_step, not_negative
from metalwork.label_models._em import STEPS_OVER_ALL, EMResult, Priors, Stopping, with_dev_counts
from metalwork.label_models._generative import estimate_log_prior, generative_tables

_LONGEST_LEAP, _SETBACK = 100.0, 0.1
_MOST_PASSES, _STEPS_A_PASS, _LITTLE = 8, 9, 1.0
_MIX = 2654435761


def fit_generative(
    expect: EStep, votes: CodedVotes, initial: EMResult, priors: Priors, stopping: Stopping
) -> EMResult:
    """EM over full tables and the class prior, from the beliefs of another fit; goes on from one of its own.

    Two stats steps, then one from where these two point (SQUAREM, Varadhan and Roland, 2008), and so on: EM alone
    slows down long before it arrives. A leap that clearly lowers the likelihood is not taken.
    """
    values, trail = list(initial.log_likelihoods), [expect(initial.tables, initial.log_prior)]
    tables, log_prior, n_points = initial.tables, initial.log_prior, float(votes.weights.sum())
    n_iter, converged = len(values), False
    while n_iter < stopping.max_iter and not converged:
        leaps, n_iter = len(trail) == 3, n_iter + 1
        found = m_step(votes, _extrapolated(*trail) if leaps else trail[-1], priors)
        stats = expect(*found)
        value = log_likelihood(stats, found[0]) / n_points
        if leaps and value < values[-1] - _SETBACK / n_points:
            trail = trail[-1:]
            continue
        (tables, log_prior), values = found, [*values, value]
        trail = [stats] if leaps else [*trail, stats]
        converged = len(values) > 3 and abs(values[-1] - values[-4]) < stopping.tol
    return EMResult(tables, log_prior, trail[-1], values, converged, n_iter)


def m_step(votes: CodedVotes, stats: SuffStats, priors: Priors) -> tuple[list[Floats], list[Floats]]:
    """Tables and log prior of the generative reading from stats counts."""
    counts = with_dev_counts(stats, priors)
    tables = generative_tables(votes, counts, priors.outcomes, priors.pooling, priors.lfs)
    for task, table, records in zip(votes.tasks, tables, counts.labels, strict=True):
        redundant = priors.redundant[task.lfs]
        share = records / records.sum()
        table[redundant] = np.log(np.einsum("s,jso->jo", share, np.exp(table[redundant])))[:, None]
    if priors.class_prior_given:
        return tables, priors.class_prior.log_share
    return tables, estimate_log_prior(counts, PRIOR_STRENGTH)


def with_pooling(tree: Tree, votes: CodedVotes, initial: EMResult, priors: Priors, stopping: Stopping) -> Priors:
    """``priors`` with the pooling under which a fit to either half of the records makes the other half likelier.

    Where all records fall into one half, as those whose rows are equally rare do, nothing is to be compared.
    """
    half = _half(votes)
    if half.sum() in (0.0, votes.weights.sum()):
        return priors
    halves = [reweighted(votes, half), reweighted(votes, votes.weights - half)]
    initial = initial._replace(log_likelihoods=[])

    def likelihood(pooling: float) -> float:
        total, tried = 0.0, priors._replace(pooling=pooling)
        for seen, other in (halves, halves[::-1]):
            fit = fit_generative(e_step(tree, seen), seen, initial, tried, stopping)
            total += log_likelihood(expected_counts(tree, other, fit.tables, fit.log_prior), fit.tables)
        return total

    return priors._replace(pooling=max((LEAST_POOLING, MORE_POOLING), key=likelihood))


def _half(votes: CodedVotes) -> Floats:
    """Weights (n_rows,) of half of the records, whatever the order of LFs.

    Of a row's odd record a fixed hash decides: it adds up, vote by vote, a hash of how often that vote is cast.
    """
    seen = one_hot(votes, np.arange(len(votes.weights)))
    marks = (seen.T @ votes.weights).astype(np.int64) * _MIX % (1 << 20)
    odd = (seen @ marks.astype(np.float64)).astype(np.int64) >> 10 & 1
    half: Floats = votes.weights // 2.0 + odd * (votes.weights % 2.0)
    return half


def carry_over(
    tree: Tree, votes: CodedVotes, sample: CodedVotes, fit: EMResult, priors: Priors, stopping: Stopping
) -> EMResult:
    """:func:`fit_generative` to all records, from where it ended on a ``sample`` in few passes over them.

    A pass gains what the sample's noise had cost, up to a share of it; passes end when there is little to gain.
    Should one lead astray, so that all votes become less likely, EM goes over all records at each step.
    """
    n_points, before, best = float(votes.weights.sum()), -math.inf, fit
    found, n_iter, converged = fit, fit.n_iter, False
    few_steps = stopping.at_most(_STEPS_A_PASS)
    for _ in range(_MOST_PASSES):
        exact = expected_counts(tree, votes, found.tables, found.log_prior)
        value = log_likelihood(exact, found.tables) / n_points
        if value < before - stopping.tol:
            some_steps = stopping.at_most(STEPS_OVER_ALL)
            anew = best._replace(log_likelihoods=[])
            found = fit_generative(e_step(tree, votes), votes, anew, priors, some_steps)
            return found._replace(n_iter=n_iter + found.n_iter)
        before, best = value, found
        expect = anchored(tree, sample, exact, found.tables, found.log_prior)
        found = fit_generative(expect, votes, found._replace(log_likelihoods=[]), priors, few_steps)
        n_iter += found.n_iter
        converged = (found.log_likelihoods[-1] - value) * n_points < _LITTLE
        if converged:
            break
    return found._replace(converged=converged, n_iter=n_iter)


def _extrapolated(first: SuffStats, second: SuffStats, third: SuffStats) -> SuffStats:
    """Where three counts in a row point, if each step shortens by the same factor."""
    step = mixed_counts([second, first], [1.0, -1.0])
    bend = mixed_counts([third, second, step], [1.0, -1.0, -1.0])
    reach = math.sqrt(_length(step, third) / max(_length(bend, third), 1e-300))
    reach = min(max(reach, 1.0), _LONGEST_LEAP)
    return not_negative(mixed_counts([first, step, bend], [1.0, 2.0 * reach, reach**2]))


def _length(change: SuffStats, counts: SuffStats) -> float:
    """Squared length of a change of votes by label, in units of their sampling noise."""
    pairs = zip(change.votes, counts.votes, strict=True)
    return sum(float((moved**2 / (count + 1.0)).sum()) for moved, count in pairs)
