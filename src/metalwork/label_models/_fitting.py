"""The two EM loops of the hierarchical label model, as functions of coded votes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from metalwork.inference import (
    CodedVotes,
    Expected,
    Floats,
    PairResiduals,
    Tree,
    add_counts,
    expected_counts,
    log_likelihood,
    pair_residuals,
    reweighted,
    shared_votes,
    systematic_sample,
    typical_correlation,
    votes_of_task,
    votes_on_task,
)
from metalwork.label_models._claims import Claims
from metalwork.label_models._estimates import (
    Tables,
    VotePriors,
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
EM_ROWS = 50_000
_FULL_STEPS = 30
_OVERLAP = 2.0
_PARAMETER_TOLERANCE = 1e-4
_PRIOR_STRENGTH = 1.0
_REPEATED = 0.9
_FIRST_STRENGTH = 20.0
_TABLE_STRENGTH = 40.0


class Branches(NamedTuple):
    """A class prior by task: ``log_share[t]`` (n_labels,) given that the task applies, ``applies`` (n_tasks,)."""

    log_share: list[Floats]
    applies: Floats


class Start(NamedTuple):
    """What is known beforehand: the class prior by task, whether it was given, and counts of known records.

    ``uniform`` is the class prior of end labels alike, against which a vote's precision is weighed; ``prior`` the
    one to start from; ``known`` holds the dev records' counts, each of them ``weight`` strong in it;
    ``priors`` are those of the LFs, ``claims`` what their votes say by task, None where all are for labels.
    """

    uniform: Branches
    prior: Branches
    given: bool
    known: Expected | None
    weight: float
    priors: VotePriors
    claims: list[Claims | None]


class Limits(NamedTuple):
    """When EM stops: after ``max_iter`` steps, or when a record's log likelihood moves less than ``tol``."""

    max_iter: int
    tol: float


class Fit(NamedTuple):
    """Tables and log prior as :func:`metalwork.inference.weigh` takes them, and how EM went."""

    tables: Tables
    log_prior: list[Floats]
    expected: Expected
    log_likelihoods: list[float]
    converged: bool
    n_iter: int


def band_of(n_tasks: int) -> float:
    """By what factor a label's odds may move from the first balance; of votes on several tasks that is rough."""
    return BALANCE_BAND if n_tasks == 1 else BALANCE_BAND_OF_TREES


class Repetition(NamedTuple):
    """How far LFs repeat each other.

    ``copied`` (n_lfs, n_lfs) is how much two LFs vote alike beyond chance where one all but copies the other, else
    0; ``weights`` (n_lfs,) in (0, 1] for how much of a vote each LF's is to count on their account.
    ``correlation`` is the typical correlation of two other votes beyond what the labels explain, and ``evidence``
    (n_tasks,) in (0, 1] how much the votes on a task are worth in all against independent ones.
    """

    copied: Floats
    weights: Floats
    correlation: float
    evidence: Floats


def fit_votes_only(tree: Tree, votes: CodedVotes, start: Start, limits: Limits, repeated: Repetition) -> Fit:
    """EM in which abstains say nothing and the labels stay near the balance that they begin with.

    Where LFs repeat each other, many votes make an LF's agreement no more telling than few, and in the end all log
    odds are taken back to what the votes are worth.
    """
    priors = start.priors._replace(share=DISCOUNT * repeated.correlation)
    spoken = [votes_of_task(votes, t) for t in range(len(votes.tasks))]
    claims = start.claims
    most = most_precision(votes, spoken, claims, *start.uniform, start.priors)
    parameters = initial_votes_only(votes, priors)
    expected: Expected | None = None
    log_prior, converged, n_iter = start.prior.log_share, False, 0
    target: list[Floats] = []
    for n_iter in range(1, limits.max_iter + 1):  # noqa: B007 (kept for the record)
        tables = votes_only_tables(votes, parameters, start.uniform.log_share, claims, most, priors, expected)
        tables = _weighted(votes, tables, repeated.weights)
        plain = expected_counts(tree, votes, tables, log_prior)
        target = target or _balance(plain, start)
        shifts = balance_shift(plain, target, band_of(len(votes.tasks)))
        log_prior = [old + shift for old, shift in zip(log_prior, shifts, strict=True)]
        expected = _with_known(plain, start)
        updated = estimate_votes_only(votes, expected, claims, parameters, priors)
        moved = max(_distance(new, old) for new, old in zip(updated, parameters, strict=True))
        parameters = updated
        if moved < _PARAMETER_TOLERANCE:
            converged = True
            break
    tables = votes_only_tables(votes, parameters, start.uniform.log_share, claims, most, priors, expected)
    worth = np.ones(votes.n_lfs)
    for task, evidence in zip(votes.tasks, repeated.evidence, strict=True):
        worth[task.lfs] = np.where(priors.stated[task.lfs], 1.0, evidence)
    tables = _weighted(votes, tables, worth * repeated.weights)
    moves = zip(log_prior, start.prior.log_share, repeated.evidence, strict=True)
    log_prior = [first + evidence * (last - first) for last, first, evidence in moves]
    return Fit(tables, log_prior, expected_counts(tree, votes, tables, log_prior), [], converged, n_iter)


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
    weights = 1.0 / (1.0 + copied.sum(axis=1))
    correlation = typical_correlation(residuals, copied > 0)
    cast = [weights[task.lfs] @ said.sum(axis=1) for task, said in zip(votes.tasks, spoken, strict=True)]
    records = [votes.weights @ (votes_on_task(votes, t) > 0) for t in range(len(votes.tasks))]
    others = np.maximum(np.array(cast) / np.maximum(records, 1.0) - 1.0, 0.0)
    return Repetition(copied, weights, correlation, 1.0 / (1.0 + _OVERLAP * correlation * others))


def residuals_of_counts(tree: Tree, votes: CodedVotes, expected: Expected, start: Start) -> PairResiduals:
    """How far pairs of votes are from what tables made of expected counts explain."""
    tables = estimate_tables(votes, expected, start.claims, _FIRST_STRENGTH, start.priors)
    return pair_residuals(tree, votes, tables, estimate_log_prior(expected, _PRIOR_STRENGTH))


def _weighted(votes: CodedVotes, tables: Tables, weights: Floats) -> Tables:
    """Tables in which the votes of each LF count for ``weights`` (n_lfs,) of one."""
    return [table * weights[task.lfs][:, None, None] for table, task in zip(tables, votes.tasks, strict=True)]


def thinned(votes: CodedVotes) -> CodedVotes:
    """The same votes up to 50,000 distinct rows; beyond, a systematic sample of as many records stands for all."""
    if len(votes.weights) <= EM_ROWS:
        return votes
    share = EM_ROWS / float(votes.weights.sum())
    return reweighted(votes, systematic_sample(votes.weights, EM_ROWS) / share)


def refine_generative(tree: Tree, votes: CodedVotes, first: Fit, start: Start, limits: Limits) -> Fit:
    """Go on with EM that converged on a sample, in 30 steps at most: they take out most of what it left wrong."""
    few_steps = limits._replace(max_iter=min(limits.max_iter, _FULL_STEPS))
    fit = fit_generative(tree, votes, first, start, few_steps)
    return fit._replace(converged=first.converged, n_iter=first.n_iter + fit.n_iter)


def fit_generative(tree: Tree, votes: CodedVotes, first: Fit, start: Start, limits: Limits) -> Fit:
    """EM over full tables and the class prior, from the beliefs of another fit."""
    plain = expected_counts(tree, votes, first.tables, first.log_prior)
    values: list[float] = []
    converged = False
    while len(values) < limits.max_iter and not converged:
        tables, log_prior = generative_m_step(votes, plain, start)
        plain = expected_counts(tree, votes, tables, log_prior)
        values.append(log_likelihood(plain, tables) / float(votes.weights.sum()))
        converged = len(values) > 1 and abs(values[-1] - values[-2]) < limits.tol
    return Fit(tables, log_prior, plain, values, converged, len(values))


def go_on(tree: Tree, votes: CodedVotes, fit: Fit, start: Start, limits: Limits) -> Fit:
    """More steps of :func:`fit_generative`, from where it stopped."""
    more = fit_generative(tree, votes, fit, start, limits)
    values = fit.log_likelihoods + more.log_likelihoods
    return more._replace(log_likelihoods=values, n_iter=len(values))


def generative_m_step(votes: CodedVotes, expected: Expected, start: Start) -> tuple[Tables, list[Floats]]:
    """Tables and log prior of the generative reading from expected counts."""
    counts = _with_known(expected, start)
    tables = estimate_tables(votes, counts, start.claims, _TABLE_STRENGTH, start.priors)
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
        kept.append(blended / blended.sum() * total)
    return kept


def _with_known(expected: Expected, start: Start) -> Expected:
    return expected if start.known is None else add_counts(expected, start.known)


def _distance(new: Sequence[Floats], old: Sequence[Floats]) -> float:
    return max(float(np.abs(a - b).max(initial=0.0)) for a, b in zip(new, old, strict=True))
