"""Fitting raters: what is learned of them, and whether they are foretold by what was learned."""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from metalwork.inference import CodedVotes, Tree, foretold_votes, mixed_counts
from metalwork.label_models._constants import ASKED_ALIKE, BALANCE_RECORDS, MANY_RATERS
from metalwork.label_models._e_step import e_step
from metalwork.label_models._em import EMResult, Priors, Stopping, log_likelihood_of_dev, plain_em
from metalwork.label_models._raters import (
    Reading,
    evidence_bound,
    evidence_without_labels,
    rated,
    rater_m_step,
    spread_between,
)
from metalwork.label_models._rules import initial_rules


class RatersFit(NamedTuple):
    """A fit, the ``reading`` that it took, the ``bound`` on its evidence, a record, and whether it ``foretells``
    votes: better than without labels, and no worse than the majority of the other votes does.
    """

    fit: EMResult
    reading: Reading
    bound: float
    foretells: bool


def may_be_raters(votes: CodedVotes) -> bool:
    """Whether LFs vote for labels, or sets of labels, and much alike, as those do that are asked at random.

    LFs that are alone in their tasks cannot be foretold by others.
    """
    if all(len(task.lfs) < 2 for task in votes.tasks):
        return False
    if any(task.outcomes.shares or not rated(task).all() for task in votes.tasks):
        return False
    return spread_between(votes) <= ASKED_ALIKE


def are_many(votes: CodedVotes) -> bool:
    """Whether any task has many LFs, so that few of them meet always."""
    return max(len(task.lfs) for task in votes.tasks) >= MANY_RATERS


def fit_raters(tree: Tree, votes: CodedVotes, priors: Priors, stopping: Stopping) -> RatersFit:
    """Raters by their confusions; where these do not foretell votes, by one accuracy each.

    Raters are not quite as the model has them, and a balance that is free takes that up: whatever is doubtful goes
    to one label. So with confusions labels count as all alike, unless votes are not foretold then, or 200 records'
    worth of the evidence would speak for a balance after all (BIC; Schwarz, 1978, with the evidence coarsened as
    by Miller and Dunson, 2019). One accuracy leaves less room: there the balance comes last.

    What raters are is told by their votes alone; dev records come in then.
    """
    found = _chosen(partial(_fit, tree, votes, priors._replace(dev_counts=None), stopping), votes)
    return found if priors.dev_counts is None else _with_dev(tree, votes, priors, stopping, found)


def _chosen(fit: Callable[[Reading], RatersFit], votes: CodedVotes) -> RatersFit:
    alike, learned = fit(Reading(True, False)), fit(Reading(True, True))
    freedom = sum(task.n_labels - 1 for task in votes.tasks)
    clear = (learned.bound - alike.bound) * BALANCE_RECORDS > freedom * math.log(BALANCE_RECORDS) / 2.0
    first = learned if clear else alike
    if first.foretells:
        return first
    if learned.foretells:
        return learned
    for balance in (False, True):
        found = fit(Reading(False, balance))
        if found.foretells:
            return found
    return first


def _with_dev(tree: Tree, votes: CodedVotes, priors: Priors, stopping: Stopping, found: RatersFit) -> RatersFit:
    """The fit with dev records, from where it ended or from what these alone say, whichever is likelier.

    Votes are as likely with all labels and raters turned round; dev records orient them.
    """
    step = partial(rater_m_step, votes, priors=priors, reading=found.reading)
    starts = [(found.fit.tables, found.fit.log_prior), step(mixed_counts([found.fit.stats], [0.0]))]
    fits = [plain_em(e_step(tree, votes), step, start, stopping) for start in starts]
    n_points = float(votes.weights.sum())

    def evidence(fit: EMResult) -> float:
        return n_points * evidence_bound(votes, fit, priors, found.reading) + log_likelihood_of_dev(priors, fit)

    return found._replace(fit=max(fits, key=evidence))


def _fit(tree: Tree, votes: CodedVotes, priors: Priors, stopping: Stopping, reading: Reading) -> RatersFit:
    step = partial(rater_m_step, votes, priors=priors, reading=reading)
    fit = plain_em(e_step(tree, votes), step, initial_rules(votes, priors), stopping)
    bound = evidence_bound(votes, fit, priors, reading)
    explains = bound > evidence_without_labels(votes)
    return RatersFit(fit, reading, bound, explains and _foretells(votes, fit))


def _foretells(votes: CodedVotes, fit: EMResult) -> bool:
    """Whether the labels found foretell votes, each left out in turn, no worse than the majority of the others.

    Where raters depend on each other, EM may find groups of records that are likely but are no labels. A few
    raters that always meet each other leave much room for that: theirs must be foretold as often, and as often
    beyond chance. Of many raters one of the two will do, for those that lean to one label are foretold most often
    by that label, and where most records have one label little is left beyond chance; but the labels found must
    not have run into one.
    """
    model, majority = foretold_votes(votes, fit.tables, fit.log_prior)
    as_often, beyond = model.share >= majority.share, model.beyond_chance >= majority.beyond_chance
    if are_many(votes):
        return (as_often or beyond) and model.beyond_chance > majority.beyond_chance / 2.0
    return as_often and beyond
