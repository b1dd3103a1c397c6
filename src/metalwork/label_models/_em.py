"""EM: E-steps and M-steps in turn, over all records or first over a sample of them."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork.inference import (
    CodedVotes,
    Floats,
    SuffStats,
    Tree,
    expected_counts,
    log_likelihood,
    mixed_counts,
)
from metalwork.label_models._e_step import EStep, anchored, e_step, not_negative
from metalwork.label_models._lf_priors import LFPriors
from metalwork.label_models._outcomes import Outcomes

_LONGEST_LEAP, _SETBACK = 100.0, 0.1
_STEPS_OVER_ALL, _MOST_PASSES, _STEPS_A_PASS = 30, 8, 9
_NATS_A_NUMBER = 1.0

Parameters = tuple[list[Floats], list[Floats]]
"""Tables of all tasks, and their log priors, as :func:`metalwork.inference.weigh` takes them."""
MStep = Callable[[SuffStats], Parameters]


class Priors(NamedTuple):
    """What is known before the votes are seen.

    ``log_share[t]`` (n_labels,) are the log shares of labels given that their task applies, ``applies`` (n_tasks,)
    the probabilities that it does, of end labels that are all alike: what EM starts from; ``outcomes[t]`` is what
    votes say there. ``lfs`` are the priors of the LFs. ``dev_counts`` are the counts of the dev records, each of
    which is worth ``dev_weight`` others where LFs are held near their priors. LFs that are ``redundant`` (n_lfs,),
    copies of others, tell nothing where LFs are taken for independent; elsewhere the votes of an LF count for
    ``weights`` (n_lfs,) of one.
    """

    log_share: list[Floats]
    applies: Floats
    outcomes: list[Outcomes]
    lfs: LFPriors
    dev_counts: SuffStats | None
    dev_weight: float
    redundant: npt.NDArray[np.bool_]
    weights: Floats


class Stopping(NamedTuple):
    """When EM stops: after ``max_iter`` steps, or when a record's log likelihood moves less than ``tol``.

    Where tables are no probabilities: when no log factor of a vote or a label moves by ``moved``.
    """

    max_iter: int
    tol: float
    moved: float

    def at_most(self, n_steps: int) -> "Stopping":
        """The same with no more than ``n_steps`` steps."""
        return self._replace(max_iter=min(self.max_iter, n_steps))


class EMResult(NamedTuple):
    """Tables and log prior as :func:`metalwork.inference.weigh` takes them, and how EM went."""

    tables: list[Floats]
    log_prior: list[Floats]
    stats: SuffStats
    log_likelihoods: list[float]
    converged: bool
    n_iter: int


def with_dev_counts(stats: SuffStats, priors: Priors, weight: float) -> SuffStats:
    """Expected counts and those of the dev records together, each of which counts for ``weight`` others."""
    if priors.dev_counts is None:
        return stats
    return mixed_counts([stats, priors.dev_counts], [1.0, weight])


def log_likelihood_of_dev(priors: Priors, fit: EMResult) -> float:
    """Of the dev records: their votes, abstains and labels."""
    dev, known = priors.dev_counts, 0.0
    if dev is None:
        return known
    for counted, records, table, prior in zip(dev.votes, dev.labels, fit.tables, fit.log_prior, strict=True):
        silent = np.maximum(records - counted.sum(axis=2), 0.0)
        known += float((counted * table[:, :, :-1]).sum() + (silent * table[:, :, -1]).sum())
        known += float(records[:-1] @ prior)
    return known


def plain_em(expect: EStep, m_step: MStep, initial: Parameters, stopping: Stopping) -> EMResult:
    """EM of tables that are no probabilities, so that there is no likelihood to watch."""
    (tables, log_prior), converged, n_iter = initial, False, 0
    stats = expect(tables, log_prior)
    while n_iter < stopping.max_iter and not converged:
        found = m_step(stats)
        n_iter += 1
        converged = max(_distance(found[0], tables), _distance(found[1], log_prior)) < stopping.moved
        tables, log_prior = found
        stats = expect(tables, log_prior)
    return EMResult(tables, log_prior, stats, [], converged, n_iter)


def likelihood_em(
    expect: EStep, m_step: MStep, initial: EMResult, stopping: Stopping, n_points: float
) -> EMResult:
    """EM that climbs the likelihood of normalised tables, from another fit; goes on from one of its own.

    Two E-steps, then one from where these two point (SQUAREM, Varadhan and Roland, 2008), and so on: EM alone
    slows down long before it arrives. A leap that clearly lowers the likelihood is not taken.
    """
    values, trail = list(initial.log_likelihoods), [expect(initial.tables, initial.log_prior)]
    tables, log_prior = initial.tables, initial.log_prior
    n_iter, converged = len(values), False
    while n_iter < stopping.max_iter and not converged:
        leaps, n_iter = len(trail) == 3, n_iter + 1
        found = m_step(_extrapolated(*trail) if leaps else trail[-1])
        stats = expect(*found)
        value = log_likelihood(stats, found[0]) / n_points
        if leaps and value < values[-1] - _SETBACK / n_points:
            trail = trail[-1:]
            continue
        (tables, log_prior), values = found, [*values, value]
        trail = [stats] if leaps else [*trail, stats]
        converged = len(values) > 3 and abs(values[-1] - values[-4]) < stopping.tol
    return EMResult(tables, log_prior, trail[-1], values, converged, n_iter)


def carry_plain_over(
    tree: Tree, votes: CodedVotes, sample: CodedVotes, fit: EMResult, m_step: MStep, stopping: Stopping
) -> tuple[EMResult, EStep]:
    """:func:`plain_em` over all records, from where it ended on a ``sample``, in a pass over them.

    Also the E-step of all votes near there.
    """
    exact, start = expected_counts(tree, votes, fit.tables, fit.log_prior), (fit.tables, fit.log_prior)
    expect = anchored(tree, sample, exact, *start)
    found = plain_em(expect, m_step, start, stopping.at_most(_STEPS_A_PASS))
    return found._replace(n_iter=fit.n_iter + found.n_iter), expect


def carry_over(
    tree: Tree, votes: CodedVotes, sample: CodedVotes, fit: EMResult, m_step: MStep, stopping: Stopping
) -> tuple[EMResult, EStep]:
    """:func:`likelihood_em` over all records, from where it ended on a ``sample``, in few passes over them.

    A pass gains what the sample's noise had cost, up to a tenth of it or less; passes end when what one gained is
    no more than the noise of all records costs. Should one lead astray, so that all votes become less likely, EM
    goes over all records at each step. Also the E-step of all votes near where it ends.
    """
    n_points, before, best = float(votes.weights.sum()), -math.inf, fit
    found, n_iter, converged = fit, fit.n_iter, False
    little = _NATS_A_NUMBER * sum(table.size for table in fit.tables)
    few_steps = stopping.at_most(_STEPS_A_PASS)
    for _ in range(_MOST_PASSES):
        exact = expected_counts(tree, votes, found.tables, found.log_prior)
        value = log_likelihood(exact, found.tables) / n_points
        if value < before - stopping.tol:
            some_steps, anew = stopping.at_most(_STEPS_OVER_ALL), best._replace(log_likelihoods=[])
            found = likelihood_em(e_step(tree, votes), m_step, anew, some_steps, n_points)
            return found._replace(n_iter=n_iter + found.n_iter), e_step(tree, votes)
        before, best = value, found
        expect = anchored(tree, sample, exact, found.tables, found.log_prior)
        found = likelihood_em(expect, m_step, found._replace(log_likelihoods=[]), few_steps, n_points)
        n_iter += found.n_iter
        converged = (found.log_likelihoods[-1] - value) * n_points < little
        if converged:
            break
    return found._replace(converged=converged, n_iter=n_iter), expect


def _distance(new: Sequence[Floats], old: Sequence[Floats]) -> float:
    return max(float(np.abs(a - b).max(initial=0.0)) for a, b in zip(new, old, strict=True))


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
