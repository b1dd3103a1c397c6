"""The two EM loops of the hierarchical label model, as functions of coded votes."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from metalwork.inference import (
    CodedVotes,
    Expected,
    Floats,
    PairResiduals,
    Tree,
    expected_counts,
    log_likelihood,
    mixed_counts,
    one_hot,
    pair_residuals,
    reweighted,
    shared_votes,
    typical_correlation,
    votes_of_task,
    votes_on_task,
)
from metalwork.label_models._claims import Claims
from metalwork.label_models._e_step import EStep, anchored, e_step, not_negative
from metalwork.label_models._estimates import (
    Tables,
    VotePriors,
    VotesOnly,
    balance_shift,
    estimate_log_prior,
    estimate_tables,
    estimate_votes_only,
    initial_votes_only,
    most_precision,
    votes_only_tables,
)

BALANCE_BAND, BALANCE_BAND_OF_TREES = 1.1, 1.5
BALANCE_STRENGTH = 10.0
DISCOUNT = 20.0
_LONGEST_LEAP, _SETBACK = 100.0, 0.1
_MOST_PASSES, _STEPS_A_PASS, _LITTLE = 8, 9, 1.0
STEPS_OVER_ALL = 30
_OVERLAP = 2.0
_PARAMETER_TOLERANCE = 1e-4
_PRIOR_STRENGTH = 1.0
_REPEATED, _LEAST_TOLD = 0.5, 3
_SOFTENED = 16
_MIX = 2654435761
_FIRST_STRENGTH = 20.0
LEAST_POOLING, _MORE_POOLING = 40.0, 80.0


class Branches(NamedTuple):
    """A class prior by task: ``log_share[t]`` (n_labels,) given that the task applies, ``applies`` (n_tasks,)."""

    log_share: list[Floats]
    applies: Floats


class Start(NamedTuple):
    """What is known beforehand: the class prior by task, whether it was given, and counts of known records.

    ``uniform`` is the class prior of end labels alike, against which a vote's precision is weighed; ``prior`` the
    one to start from; ``known`` holds the dev records' counts, each of them ``weight`` strong in it;
    ``priors`` are those of the LFs, ``claims`` what their votes say by task, None where all are for labels.
    ``pooling`` is how many pseudo-records hold a generative table's rows near what the LF does on average; LFs
    that are ``spare`` (n_lfs,), copies of others, tell nothing there.
    """

    uniform: Branches
    prior: Branches
    given: bool
    known: Expected | None
    weight: float
    priors: VotePriors
    claims: list[Claims | None]
    spare: npt.NDArray[np.bool_]
    pooling: float = LEAST_POOLING


class Limits(NamedTuple):
    """When EM stops: after ``max_iter`` steps, or when a record's log likelihood moves less than ``tol``."""

    max_iter: int
    tol: float


class Reached(NamedTuple):
    """Where EM of the votes-only reading stands: its log odds not yet taken back to what the votes are worth."""

    parameters: VotesOnly
    log_prior: list[Floats]
    expected: Expected | None


class Fit(NamedTuple):
    """Tables and log prior as :func:`metalwork.inference.weigh` takes them, and how EM went."""

    tables: Tables
    log_prior: list[Floats]
    expected: Expected
    log_likelihoods: list[float]
    converged: bool
    n_iter: int
    reached: Reached | None = None


def band_of(n_tasks: int) -> float:
    """By what factor a label's odds may move from the first balance; of votes on several tasks that is rough."""
    return BALANCE_BAND if n_tasks == 1 else BALANCE_BAND_OF_TREES


class Repetition(NamedTuple):
    """How far LFs repeat each other.

    ``copied`` (n_lfs, n_lfs) is how much two LFs vote alike beyond chance where one copies the other, else 0;
    ``weights`` (n_lfs,) in (0, 1] for how much of a vote each LF's is to count on that account.
    ``correlation`` is the typical correlation of two other votes beyond what the labels explain, and ``evidence``
    (n_tasks,) in (0, 1] how much the votes on a task are worth in all against independent ones.
    """

    copied: Floats
    weights: Floats
    correlation: float
    evidence: Floats


def fit_votes_only(
    tree: Tree, votes: CodedVotes, start: Start, limits: Limits, repeated: Repetition, first: Fit | None = None
) -> Fit:
    """EM in which abstains say nothing and the labels stay near the balance that they begin with.

    Where LFs repeat each other, many votes make an LF's agreement no more telling than few, and in the end all log
    odds are taken back to what the votes are worth. Goes on from where the fit of a sample, ``first``, ended.
    """
    priors = start.priors._replace(share=DISCOUNT * repeated.correlation)
    spoken = [votes_of_task(votes, t) for t in range(len(votes.tasks))]
    claims = start.claims
    most = most_precision(votes, spoken, claims, *start.uniform, start.priors)

    def tables_of(now: Reached, weights: Floats) -> Tables:
        uniform = start.uniform.log_share
        tables = votes_only_tables(votes, now.parameters, uniform, claims, most, priors, now.expected)
        return _weighted(votes, tables, weights)

    now = Reached(initial_votes_only(votes, priors), start.prior.log_share, None)
    plain = expected_counts(tree, votes, tables_of(now, repeated.weights), now.log_prior)
    target, anew = _balance(plain, start), False
    if first is not None and first.reached is not None:
        now, anew = first.reached, True
    converged, n_iter = False, 0
    while n_iter < limits.max_iter and not converged:
        if n_iter or anew:
            plain = expected_counts(tree, votes, tables_of(now, repeated.weights), now.log_prior)
        n_iter += 1
        shifts = balance_shift(plain, target, band_of(len(votes.tasks)))
        log_prior = [old + shift for old, shift in zip(now.log_prior, shifts, strict=True)]
        expected = _with_known(plain, start)
        parameters = estimate_votes_only(votes, expected, claims, now.parameters, priors)
        moved = max(_distance(new, old) for new, old in zip(parameters, now.parameters, strict=True))
        now, converged = Reached(parameters, log_prior, expected), moved < _PARAMETER_TOLERANCE
    worth = np.ones(votes.n_lfs)
    for task, evidence in zip(votes.tasks, repeated.evidence, strict=True):
        worth[task.lfs] = np.where(priors.stated[task.lfs], 1.0, evidence)
    tables = tables_of(now, worth * repeated.weights)
    moves = zip(now.log_prior, start.prior.log_share, repeated.evidence, strict=True)
    log_prior = [begun + evidence * (last - begun) for last, begun, evidence in moves]
    return Fit(tables, log_prior, expected_counts(tree, votes, tables, log_prior), [], converged, n_iter, now)


def find_repetition(tree: Tree, votes: CodedVotes, start: Start) -> Repetition:
    """How far LFs repeat each other, seen from the first E-step of :func:`fit_votes_only`."""
    if len(votes.weights) == 0:  # no record has a vote
        return Repetition(
            np.zeros((votes.n_lfs, votes.n_lfs)), np.ones(votes.n_lfs), 0.0, np.ones(len(votes.tasks))
        )
    spoken = [votes_of_task(votes, t) for t in range(len(votes.tasks))]
    most = most_precision(votes, spoken, start.claims, *start.uniform, start.priors)
    first = initial_votes_only(votes, start.priors)
    tables = votes_only_tables(votes, first, start.uniform.log_share, start.claims, most, start.priors)
    expected = expected_counts(tree, votes, tables, start.prior.log_share)
    residuals = residuals_of_counts(tree, votes, expected, start)
    shared = shared_votes(votes, residuals)
    copied = np.where(shared >= _REPEATED, shared, 0.0)
    weights = 1.0 / (1.0 + (shared**_SOFTENED).sum(axis=1))
    correlation = typical_correlation(residuals, copied > 0)
    cast = [weights[task.lfs] @ said.sum(axis=1) for task, said in zip(votes.tasks, spoken, strict=True)]
    records = [votes.weights @ (votes_on_task(votes, t) > 0) for t in range(len(votes.tasks))]
    others = np.maximum(np.array(cast) / np.maximum(records, 1.0) - 1.0, 0.0)
    return Repetition(copied, weights, correlation, 1.0 / (1.0 + _OVERLAP * correlation * others))


def spare_copies(votes: CodedVotes, copied: Floats) -> npt.NDArray[np.bool_]:
    """bool array (n_lfs,): LFs that copy one another, but for the one of each group that votes most.

    None in tasks of which fewer than three LFs would be left: these could not be told apart.
    """
    _, group = connected_components(coo_array(copied), directed=False)
    spare = np.zeros(votes.n_lfs, dtype=bool)
    for t, task in enumerate(votes.tasks):
        by_votes = task.lfs[np.argsort(-votes_of_task(votes, t).sum(axis=1), kind="stable")]
        _, kept = np.unique(group[by_votes], return_index=True)
        if len(kept) >= _LEAST_TOLD:
            spare[np.delete(by_votes, kept)] = True
    return spare


def residuals_of_counts(tree: Tree, votes: CodedVotes, expected: Expected, start: Start) -> PairResiduals:
    """How far pairs of votes are from what tables made of expected counts explain."""
    tables = estimate_tables(votes, expected, start.claims, _FIRST_STRENGTH, start.priors)
    return pair_residuals(tree, votes, tables, estimate_log_prior(expected, _PRIOR_STRENGTH))


def _weighted(votes: CodedVotes, tables: Tables, weights: Floats) -> Tables:
    """Tables in which the votes of each LF count for ``weights`` (n_lfs,) of one."""
    return [table * weights[task.lfs][:, None, None] for table, task in zip(tables, votes.tasks, strict=True)]


def fit_generative(expect: EStep, votes: CodedVotes, first: Fit, start: Start, limits: Limits) -> Fit:
    """EM over full tables and the class prior, from the beliefs of another fit; goes on from one of its own.

    Two plain steps, then one from where these two point (SQUAREM, Varadhan and Roland, 2008), and so on: EM alone
    slows down long before it arrives. A leap that clearly lowers the likelihood is not taken.
    """
    values, trail = list(first.log_likelihoods), [expect(first.tables, first.log_prior)]
    tables, log_prior, n_points = first.tables, first.log_prior, float(votes.weights.sum())
    n_iter, converged = len(values), False
    while n_iter < limits.max_iter and not converged:
        leaps, n_iter = len(trail) == 3, n_iter + 1
        found = generative_m_step(votes, _extrapolated(*trail) if leaps else trail[-1], start)
        plain = expect(*found)
        value = log_likelihood(plain, found[0]) / n_points
        if leaps and value < values[-1] - _SETBACK / n_points:
            trail = trail[-1:]
            continue
        (tables, log_prior), values = found, [*values, value]
        trail = [plain] if leaps else [*trail, plain]
        converged = len(values) > 3 and abs(values[-1] - values[-4]) < limits.tol
    return Fit(tables, log_prior, trail[-1], values, converged, n_iter)


def with_pooling(tree: Tree, votes: CodedVotes, first: Fit, start: Start, limits: Limits) -> Start:
    """``start`` with the pooling under which a fit to either half of the records makes the other half likelier.

    Where all records fall into one half, as those whose rows are equally rare do, nothing is to be compared.
    """
    half = _half(votes)
    if half.sum() in (0.0, votes.weights.sum()):
        return start
    halves = [reweighted(votes, half), reweighted(votes, votes.weights - half)]
    first = first._replace(log_likelihoods=[])

    def likelihood(pooling: float) -> float:
        total, tried = 0.0, start._replace(pooling=pooling)
        for seen, other in (halves, halves[::-1]):
            fit = fit_generative(e_step(tree, seen), seen, first, tried, limits)
            total += log_likelihood(expected_counts(tree, other, fit.tables, fit.log_prior), fit.tables)
        return total

    return start._replace(pooling=max((LEAST_POOLING, _MORE_POOLING), key=likelihood))


def _half(votes: CodedVotes) -> Floats:
    """Weights (n_rows,) of half of the records, whatever the order of LFs.

    Of a row's odd record a fixed hash decides: it adds up, vote by vote, a hash of how often that vote is cast.
    """
    seen = one_hot(votes, np.arange(len(votes.weights)))
    marks = (seen.T @ votes.weights).astype(np.int64) * _MIX % (1 << 20)
    odd = (seen @ marks.astype(np.float64)).astype(np.int64) >> 10 & 1
    half: Floats = votes.weights // 2.0 + odd * (votes.weights % 2.0)
    return half


def carry_over(tree: Tree, votes: CodedVotes, few: CodedVotes, fit: Fit, start: Start, limits: Limits) -> Fit:
    """:func:`fit_generative` to all records, from where it ended on a sample, ``few``, in few passes over them.

    A pass gains what the sample's noise had cost, up to a share of it; passes end when there is little to gain.
    Should one lead astray, so that all votes become less likely, EM goes over all records at each step.
    """
    n_points, before, best = float(votes.weights.sum()), -math.inf, fit
    found, n_iter, converged = fit, fit.n_iter, False
    few_steps = limits._replace(max_iter=min(limits.max_iter, _STEPS_A_PASS))
    for _ in range(_MOST_PASSES):
        exact = expected_counts(tree, votes, found.tables, found.log_prior)
        value = log_likelihood(exact, found.tables) / n_points
        if value < before - limits.tol:
            some_steps = limits._replace(max_iter=min(limits.max_iter, STEPS_OVER_ALL))
            anew = best._replace(log_likelihoods=[])
            found = fit_generative(e_step(tree, votes), votes, anew, start, some_steps)
            return found._replace(n_iter=n_iter + found.n_iter)
        before, best = value, found
        expect = anchored(tree, few, exact, found.tables, found.log_prior)
        found = fit_generative(expect, votes, found._replace(log_likelihoods=[]), start, few_steps)
        n_iter += found.n_iter
        converged = (found.log_likelihoods[-1] - value) * n_points < _LITTLE
        if converged:
            break
    return found._replace(converged=converged, n_iter=n_iter)


def _extrapolated(first: Expected, second: Expected, third: Expected) -> Expected:
    """Where three counts in a row point, if each step shortens by the same factor."""
    step = mixed_counts([second, first], [1.0, -1.0])
    bend = mixed_counts([third, second, step], [1.0, -1.0, -1.0])
    reach = math.sqrt(_length(step, third) / max(_length(bend, third), 1e-300))
    reach = min(max(reach, 1.0), _LONGEST_LEAP)
    return not_negative(mixed_counts([first, step, bend], [1.0, 2.0 * reach, reach**2]))


def _length(change: Expected, counts: Expected) -> float:
    """Squared length of a change of votes by label, in units of their sampling noise."""
    pairs = zip(change.votes, counts.votes, strict=True)
    return sum(float((moved**2 / (count + 1.0)).sum()) for moved, count in pairs)


def generative_m_step(votes: CodedVotes, expected: Expected, start: Start) -> tuple[Tables, list[Floats]]:
    """Tables and log prior of the generative reading from expected counts."""
    counts = _with_known(expected, start)
    tables = estimate_tables(votes, counts, start.claims, start.pooling, start.priors)
    for task, table, records in zip(votes.tasks, tables, counts.labels, strict=True):
        spare = start.spare[task.lfs]
        share = records / records.sum()
        table[spare] = np.log(np.einsum("s,jso->jo", share, np.exp(table[spare])))[:, None]
    return tables, start.prior.log_share if start.given else estimate_log_prior(counts, _PRIOR_STRENGTH)


def _balance(expected: Expected, start: Start) -> list[Floats]:
    """Label counts to stay near: the given prior's, or those expected at the start blended with what is known.

    Left free, EM on dependent LFs lets one class swallow the others. The start is worth 10 records a label.
    """
    found_first = [records[:-1] for records in expected.labels]
    if start.given:
        n_points = float(expected.labels[0].sum())
        shares = zip(start.prior.log_share, start.prior.applies, strict=True)
        found_first = [n_points * applies * np.exp(share) for share, applies in shares]
    if start.known is None or start.given:
        return found_first
    kept = []
    for found, seen in zip(found_first, start.known.labels, strict=True):
        total = max(float(found.sum()), 1e-9)
        blended = BALANCE_STRENGTH * len(found) * found / total + seen[:-1] / start.weight
        kept.append(blended / max(float(blended.sum()), 1e-9) * total)
    return kept


def _with_known(expected: Expected, start: Start) -> Expected:
    return expected if start.known is None else mixed_counts([expected, start.known], [1.0, 1.0])


def _distance(new: Sequence[Floats], old: Sequence[Floats]) -> float:
    return max(float(np.abs(a - b).max(initial=0.0)) for a, b in zip(new, old, strict=True))
