"""From votes and priors to a fit: EM by kind of LF, the choice of the kind, all records, and the calibration."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from metalwork._checks import FloatArray
from metalwork.inference import CodedVotes, Packing, Tree, covered, expected_counts, mixed_counts
from metalwork.label_models._calibration import balanced, by_task, design_effects, known_balance, tempered
from metalwork.label_models._constants import HOPELESS, LEAST_EVIDENCE, MOST_DEPENDENCE, TABLE_TOLERANCE
from metalwork.label_models._e_step import EM_ROWS, EStep, e_step, thinned
from metalwork.label_models._em import (
    EMResult,
    Parameters,
    Priors,
    Stopping,
    carry_over,
    carry_plain_over,
    likelihood_em,
    log_likelihood_of_dev,
    plain_em,
)
from metalwork.label_models._fit_raters import are_many, fit_raters, may_be_raters
from metalwork.label_models._independence import dependence, evidence, most_dependence, too_few_votes
from metalwork.label_models._independent import independent_m_step
from metalwork.label_models._monotone import monotone_tables
from metalwork.label_models._raters import rater_m_step, silence_tells
from metalwork.label_models._rules import initial_rules, rules_m_step

_CLOSE = 1e-4
_OF_SAMPLE = 5.0
_LOOKS = ((10, 1.0 / 3.0), (30, 1.0))  # steps after which evidence is looked at, and how much of the least is due
_NAN = float("nan")


class Check(NamedTuple):
    """Whether LFs pass for independent: ``dependence``, and the ``limit`` up to which; NaN where not looked at."""

    dependence: float = _NAN
    limit: float = _NAN


class Choice(NamedTuple):
    """What kind the LFs are taken for, the M-step of that kind, the fit to the sample, and the check made."""

    kind: str
    m_step: Callable[..., Parameters]
    fit: EMResult
    check: Check = Check()


class Problem(NamedTuple):
    """Votes to learn from: all distinct rows, a sample of them, what is believed beforehand, and when to stop.

    Where LFs are not independent EM sees the records with a vote alone: ``voted_on`` of all, ``sample_voted_on``
    of the sample. ``n_fitted`` records are what the sample stands for.
    """

    tree: Tree
    layout: Packing
    votes: CodedVotes
    sample: CodedVotes
    voted_on: CodedVotes
    sample_voted_on: CodedVotes
    n_fitted: int
    priors: Priors
    stopping: Stopping

    def of_kind(self, kind: str) -> tuple[CodedVotes, CodedVotes]:
        """All votes and the sample that LFs of this kind are learned from."""
        if kind == "independent":
            return self.votes, self.sample
        return self.voted_on, self.sample_voted_on


def problem(
    tree: Tree, layout: Packing, votes: CodedVotes, n_points: int, priors: Priors, max_iter: int, tol: float
) -> Problem:
    """What is to be fitted, where ``n_points`` records were counted."""
    sample = thinned(votes)
    n_fitted = n_points if sample is votes else EM_ROWS
    voted_on = covered(votes)
    of_sample = voted_on if sample is votes else covered(sample)
    if sample is votes:
        stopping = Stopping(max_iter, min(tol, _CLOSE / n_points), TABLE_TOLERANCE)
    else:  # whose noise is larger, and of which the fit is only where that of all starts
        stopping = Stopping(max_iter, tol, _OF_SAMPLE * TABLE_TOLERANCE)
    return Problem(tree, layout, votes, sample, voted_on, of_sample, n_fitted, priors, stopping)


def fit_kind(asked: str, found: Problem) -> Choice:
    """The kind ``asked`` for, or in its place "auto" what the votes tell, fitted to the sample.

    A few raters whose confusions foretell votes may also pass for independent, which is asking more of them.
    """
    votes = found.sample_voted_on
    step = partial(rules_m_step, votes, priors=found.priors)
    fit = plain_em(e_step(found.tree, votes), step, initial_rules(votes, found.priors), found.stopping)
    if asked == "rules":
        return Choice(asked, rules_m_step, fit)
    raters, settled = _raters(found, fit, asked == "raters") if asked in ("auto", "raters") else (None, False)
    if raters is not None and settled:
        return raters
    independent, check = _independent(found, fit, asked == "independent")
    if independent is not None:
        return Choice("independent", independent_m_step, independent, check)
    return (raters or Choice("rules", rules_m_step, fit))._replace(check=check)


def _raters(found: Problem, rules: EMResult, sure: bool) -> tuple[Choice | None, bool]:
    """The fit that takes LFs for raters, and whether that settles their kind.

    None where LFs do not vote for labels alike, where the labels found do not foretell their votes, or where
    abstains tell of the label, as they do not where it is chance who is asked.
    """
    tree, votes, priors = found.tree, found.sample_voted_on, found.priors

    def abstains_tell(fit: EMResult) -> bool:
        return silence_tells(found.sample, expected_counts(tree, found.sample, fit.tables, fit.log_prior))

    if not sure and (not may_be_raters(votes) or abstains_tell(rules)):
        return None, False
    raters = fit_raters(tree, votes, priors, found.stopping)
    fit = raters.fit
    if not sure and (not raters.foretells or abstains_tell(fit)):
        return None, False
    choice = Choice("raters", partial(rater_m_step, reading=raters.reading), fit)
    return choice, sure or are_many(votes) or not raters.reading.confusions


def _independent(found: Problem, initial: EMResult, sure: bool) -> tuple[EMResult | None, Check]:
    """The fit that takes LFs for independent, from the beliefs of the other, and the check.

    None where LFs do not pass for independent, or hardly agree more than by chance; or where a task has too many
    labels for tables of all states. Votes alone are looked at: dev records come in once the kind is chosen.
    """
    tree, votes, stopping = found.tree, found.sample, found.stopping
    if any(task.relative for task in votes.tasks):
        return None, Check()
    priors = found.priors._replace(dev_counts=None)
    if not sure and too_few_votes(tree, votes, priors, found.n_fitted):
        return None, Check()
    expect, step = e_step(tree, votes), partial(independent_m_step, votes, priors=priors)
    n_points, fit = float(votes.weights.sum()), initial
    for n_steps, least in () if sure else _LOOKS:
        fit = likelihood_em(expect, step, fit, stopping.at_most(n_steps), n_points)
        if evidence(tree, votes, fit, priors, found.n_fitted) < least * LEAST_EVIDENCE:
            return None, Check(dependence(tree, votes, fit, priors))
    check = Check(_NAN if sure else dependence(tree, votes, fit, priors))
    if check.dependence > HOPELESS * MOST_DEPENDENCE:
        return None, check
    if not fit.log_likelihoods or (not fit.converged and fit.n_iter < stopping.max_iter):
        fit = likelihood_em(expect, step, fit, stopping, n_points)
        check = Check(dependence(tree, votes, fit, priors))
    if not sure:
        if check.dependence > MOST_DEPENDENCE:
            return None, check
        limit = most_dependence(tree, votes, found.layout, fit, priors, found.n_fitted)
        check = Check(check.dependence, limit)
        if check.dependence > limit:
            return None, check
    return (fit if found.priors.dev_counts is None else _with_dev(found, fit, n_points)), check


def _with_dev(found: Problem, fit: EMResult, n_points: float) -> EMResult:
    """The fit with dev records, from where it ended or from what these alone say, whichever is likelier.

    Votes are as likely with all labels and LFs turned round; dev records orient them.
    """
    votes, priors = found.sample, found.priors
    expect, step = e_step(found.tree, votes), partial(independent_m_step, votes, priors=priors)
    tables, log_prior = step(mixed_counts([fit.stats], [0.0]))
    anew = fit._replace(log_likelihoods=[], n_iter=0)
    starts = [anew, anew._replace(tables=tables, log_prior=log_prior)]
    fits = [likelihood_em(expect, step, start, found.stopping, n_points) for start in starts]
    return max(fits, key=lambda one: one.log_likelihoods[-1] * n_points + log_likelihood_of_dev(priors, one))


def over_all(found: Problem, choice: Choice) -> tuple[EMResult, EStep]:
    """The fit of the sample carried over to all votes, and the E-step of all votes near there."""
    votes, sample = found.of_kind(choice.kind)
    if found.sample is found.votes:
        return choice.fit, e_step(found.tree, votes)
    carry = carry_over if choice.kind == "independent" else carry_plain_over
    step = partial(choice.m_step, votes, priors=found.priors)
    return carry(found.tree, votes, sample, choice.fit, step, found.stopping)


def calibrated(
    kind: str,
    found: Problem,
    fit: EMResult,
    expect: EStep,
    class_prior: FloatArray | None,
    dev: list[FloatArray] | None,
) -> EMResult:
    """Tables and balance as they predict, and what ``expect``, the E-step of all votes, counts under them.

    ``dev[t]`` (n_labels,) counts the labels of dev records with a vote.
    """
    all_votes, votes = found.of_kind(kind)
    tables, log_prior, discount = fit.tables, fit.log_prior, design_effects(votes, found.priors)
    if kind != "rules":  # dev records have been counted with the others
        dev = None
    if kind == "independent":
        tables = monotone_tables(tables, found.priors.outcomes)
    elif kind == "rules":
        tables = tempered(votes, tables, found.priors, discount)
    if kind == "raters" and class_prior is not None:  # who is asked at random sees the balance of all records
        log_prior = [np.log(share) for share in by_task(found.tree, np.asarray(class_prior, np.float64))[0]]
    elif class_prior is not None or dev is not None:
        share = float(all_votes.weights.sum() / found.votes.weights.sum())
        target = known_balance(found.tree, class_prior, share, dev)
        log_prior = balanced(found.tree, votes, tables, log_prior, target)
    stats = expect(tables, log_prior)
    if kind == "raters":  # the balance is their own, and taken back with what they say
        tables = tempered(votes, tables, found.priors, discount)
        log_prior = [part * worth for part, worth in zip(log_prior, discount, strict=True)]
    return fit._replace(tables=tables, log_prior=log_prior, stats=stats)
