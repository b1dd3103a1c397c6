"""Raters: that one votes says nothing, what it votes is told by its confusions, an abstain was not asked.

Rater j who is asked votes v with probability ``p(v | s, j votes)`` where the state of its task is s. A vote
multiplies the odds of state s by ``p(v | s, j votes) / p(v | j votes)``, and of "the task does not apply" by
``ratio[j]``, as with rules. Few answers do not tell a table of confusions, so they are shrunk, by as much as the
votes themselves ask for (empirical Bayes): rows of confusions towards one accuracy of the rater, wrong for all
other labels alike, and that accuracy towards the mean of all raters,

    p(. | s, j votes) ~ Dirichlet(a * mean[j, s]), where mean[j, s] is accuracy[j] on s and the rest elsewhere;
    accuracy[j] ~ Beta(b * mean accuracy, b * (1 - mean accuracy)),

with the strengths a and b under which the votes are likeliest. (Dawid and Skene, 1979, with the priors of Kim and
Ghahramani, 2012, in two levels and learned.)
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from metalwork.inference import (
    CodedVotes,
    Floats,
    SuffStats,
    TaskVotes,
    dirichlet_strength,
    log_dirichlet_multinomial,
    votes_of_task,
)
from metalwork.label_models._alike import alike_tasks, by_task
from metalwork.label_models._em import EMResult, Parameters, Priors, with_dev_counts
from metalwork.label_models._outcomes import NOTHING, branch_counts, for_each
from metalwork.label_models._rules import applies, log_shares, of_sets, off_branch_ratio, rules_m_step

_LEAST_OF_ROWS, _LEAST_OF_ACCURACY, _LEAST_OF_SHARES, _MOST = 0.1, 0.5, 1e-3, 1e4
_FIXED = 1e7
_LEAST_SHARE = 1e-4


class Reading(NamedTuple):
    """What is learned: raters' ``confusions``, or one accuracy each; the ``balance``, or labels are all alike."""

    confusions: bool
    balance: bool


class RaterCounts(NamedTuple):
    """Votes of some raters of one task, and what was believed of them.

    ``given`` (n_lfs, n_states, n_outcomes) counts votes by state, where they ask of it; ``mean`` (the same shape)
    is what one accuracy makes of them, ``strength`` (n_lfs,) how many votes for each state that is worth.
    ``right`` and ``n_votes`` (n_lfs,) count votes; a rater's accuracy is believed to be ``accuracy`` (n_lfs,), and
    that belief is worth ``worth`` (n_lfs,) votes.
    """

    given: Floats
    mean: Floats
    strength: Floats
    right: Floats
    n_votes: Floats
    accuracy: Floats
    worth: Floats


def rater_m_step(votes: CodedVotes, stats: SuffStats, priors: Priors, reading: Reading) -> Parameters:
    """Tables of log factors whose abstain column is 0, and the log shares of labels, from expected counts.

    LFs whose sets hold labels by a part, and those of tasks with relative states, are read as rules are.
    """
    seen, tables = with_dev_counts(stats, priors, 1.0), []
    log_prior = log_shares(stats) if reading.balance else list(priors.log_share)
    now, alike = applies(stats), alike_tasks(votes)
    others = None if all(rated(part.votes).all() for part in alike) else rules_m_step(votes, stats, priors)[0]
    for part in alike:
        task, counted, which = part.votes, part.joined(seen.votes), rated(part.votes)
        shape = (len(counted), task.n_labels + 1, counted.shape[2] + 1)
        table = np.zeros(shape) if others is None else part.joined(others)
        if which.any():
            told = rater_counts(task, counted, priors, reading, which)
            counts = branch_counts(task.outcomes, counted, part.by_lf(seen.labels))
            ratio = off_branch_ratio(part, counts, now, priors)[which]
            asked = for_each(task.outcomes.asked, len(counted))[which]
            share = for_each(np.exp(part.by_lf(log_prior)), len(counted))[which]
            table[which, :, :-1] = _log_factors(told, asked, share, np.log(ratio))
            table[which] *= priors.weights[task.lfs][which, None, None]
        tables.append((part, table))
    return by_task(tables), log_prior


def rated(task: TaskVotes) -> npt.NDArray[np.bool_]:
    """Which LFs of a task vote for labels, or sets of labels, and so can be read as raters: (n_lfs,)."""
    if task.relative:
        return np.zeros(len(task.lfs), dtype=bool)
    return np.asarray(np.broadcast_to(of_sets(task.outcomes), (len(task.lfs),)))


def rater_counts(
    task: TaskVotes, counted: Floats, priors: Priors, reading: Reading, which: npt.NDArray[np.bool_]
) -> RaterCounts:
    """What votes ``counted`` (n_lfs, n_states, n_outcomes) tell of the LFs ``which``, and what they ask for."""
    sets, lfs = task.outcomes, task.lfs[which]
    member, asked = (for_each(part, len(counted))[which] for part in (sets.member, sets.asked))
    given = np.where(asked, counted[which], 0.0)
    inside = asked & (member == 1)
    right, n_votes = np.where(inside, given, 0.0).sum(axis=(1, 2)), given.sum(axis=(1, 2))
    stated, named = priors.lfs.stated[lfs], priors.lfs.named[lfs]
    pooled = (right[~stated].sum() + 1.0) / (n_votes[~stated].sum() + 2.0)
    accuracy = np.where(stated | named, priors.lfs.precision[lfs], pooled)
    shares = np.stack([right, n_votes - right], axis=1)[~stated]
    of_all = np.stack([accuracy, 1.0 - accuracy], axis=1)[~stated]
    worth = np.where(
        stated, priors.lfs.strength[lfs], dirichlet_strength(shares, of_all, _LEAST_OF_ACCURACY, _MOST)
    )
    own = (right + worth * accuracy) / (n_votes + worth)
    mean = _by_accuracy(own, inside, asked)
    strength = np.full(len(lfs), _FIXED)
    if reading.confusions:
        strength[~stated] = dirichlet_strength(given[~stated], mean[~stated], _LEAST_OF_ROWS, _MOST)
    return RaterCounts(given, mean, strength, right, n_votes, accuracy, worth)


def _by_accuracy(accuracy: Floats, inside: npt.NDArray[np.bool_], asked: npt.NDArray[np.bool_]) -> Floats:
    """Votes of raters with one accuracy (n_lfs,) each, by state: right votes alike, and wrong ones alike."""
    outside = asked & ~inside
    right, wrong = (part / np.maximum(part.sum(axis=2, keepdims=True), 1) for part in (inside, outside))
    share = accuracy[:, None, None] * right + (1.0 - accuracy)[:, None, None] * wrong
    share = np.where(asked, np.maximum(share, _LEAST_SHARE), 0.0)
    total = share.sum(axis=2, keepdims=True)
    return np.asarray(np.divide(share, total, out=np.zeros_like(share), where=total > 0))


def _log_factors(told: RaterCounts, asked: npt.NDArray[np.bool_], balance: Floats, log_ratio: Floats) -> Floats:
    """What each vote adds to the log weight of each state: (n_lfs, n_states, n_outcomes).

    ``balance`` (n_lfs, n_labels) are the shares of the labels of the LF's task.
    """
    strength = told.strength[:, None, None]
    n_given = told.given.sum(axis=2, keepdims=True)
    confusion = (told.given + strength * told.mean) / (n_given + strength)
    share = n_given[:, :, 0]
    share[:, :-1] += balance
    share /= share.sum(axis=1, keepdims=True)
    frequency = np.einsum("js,jso->jo", share, confusion)[:, None, :]
    factor = np.divide(confusion, frequency, out=np.ones_like(confusion), where=asked & (frequency > 0))
    return np.asarray(np.where(asked, np.log(np.maximum(factor, 1e-300)), log_ratio[:, None, None]))


def rater_accuracies(votes: CodedVotes, stats: SuffStats, priors: Priors) -> tuple[Floats, Floats]:
    """Accuracy of each rater (n_lfs,), shrunk to that of all, and the votes it rests on, pseudo-votes included.

    Of LFs that cannot be read as raters, NaN and 0.
    """
    accuracy, weight = np.full(votes.n_lfs, np.nan), np.zeros(votes.n_lfs)
    seen = with_dev_counts(stats, priors, 1.0)
    for alike in alike_tasks(votes):
        task, which = alike.votes, rated(alike.votes)
        if which.any():
            told = rater_counts(task, alike.joined(seen.votes), priors, Reading(False, False), which)
            weight[task.lfs[which]] = told.n_votes + told.worth
            accuracy[task.lfs[which]] = (told.right + told.worth * told.accuracy) / (told.n_votes + told.worth)
    return accuracy, weight


def rater_confusion(votes: CodedVotes, stats: SuffStats, priors: Priors, lf: int) -> Floats | None:
    """P(vote | label, LF ``lf`` votes), shrunk as raters' are: (n_labels, n_outcomes); None where it is none."""
    seen = with_dev_counts(stats, priors, 1.0)
    for alike in alike_tasks(votes):
        task, which = alike.votes, rated(alike.votes)
        place = np.flatnonzero(task.lfs == lf)
        if len(place) and which[place[0]]:
            told = rater_counts(task, alike.joined(seen.votes), priors, Reading(True, False), which)
            i = int(which[: place[0]].sum())
            found = told.given[i, :-1] + told.strength[i] * told.mean[i, :-1]
            return np.asarray(found / found.sum(axis=1, keepdims=True))
    return None


def evidence_bound(votes: CodedVotes, fit: EMResult, priors: Priors, reading: Reading) -> float:
    """A lower bound on the log evidence of the votes, a record, with confusions and balance integrated out.

    The bound of variational Bayes at the posterior of ``fit`` (Beal, 2003), whose counts are those of its tables.
    """
    stats, total = fit.stats, fit.stats.log_evidence
    for records, own, even in zip(stats.labels, fit.log_prior, priors.log_share, strict=True):
        total -= float(records[:-1] @ own)
        if reading.balance:
            total += log_dirichlet_multinomial(records[None, :-1], np.ones((1, len(own))))
        else:
            total += float(records[:-1] @ even)
    for alike in alike_tasks(votes):
        task, which = alike.votes, rated(alike.votes)
        if which.any():
            counted, table = alike.joined(stats.votes), alike.joined(fit.tables)[which]
            told = rater_counts(task, counted, priors, reading, which)
            asked, counted = for_each(task.outcomes.asked, len(counted))[which], counted[which]
            total -= float((counted[:, :-1] * (table[:, :-1, :-1] - table[:, -1:, :-1])).sum())
            total += log_dirichlet_multinomial(told.given, told.strength[:, None, None] * told.mean)
            cast = counted.sum(axis=1)
            often = np.log((cast + 1.0) / (cast.sum(axis=1, keepdims=True) + cast.shape[1]))
            total += float((np.where(asked, 0.0, counted) * (table[:, :, :-1] + often[:, None, :])).sum())
    return total / max(float(votes.weights.sum()), 1.0)


def evidence_without_labels(votes: CodedVotes) -> float:
    """The log evidence of the votes, a record, where LFs have nothing to do with each other.

    Each votes by shares of its own, which are near those of all (see :func:`spread_between`) and integrated out.
    """
    total = 0.0
    for t in range(len(votes.tasks)):
        cast, mean, strength = _shares_of_lfs(votes, t)
        total += log_dirichlet_multinomial(cast, strength * mean)
    return total / max(float(votes.weights.sum()), 1.0)


def spread_between(votes: CodedVotes) -> float:
    """How much of the spread of votes over labels lies between LFs, in [0, 1]: near 0 for raters, 1 for rules.

    Raters who are asked about records at random vote for labels much alike; rules that each vote for a label of
    their own share nothing. It is the intra-class correlation of LFs whose shares come from a Dirichlet
    distribution around those of all votes, averaged over tasks by their votes.
    """
    spread, n_votes = 0.0, 0.0
    for t in range(len(votes.tasks)):
        cast, _, strength = _shares_of_lfs(votes, t)
        spread += float(cast.sum()) / (1.0 + strength)
        n_votes += float(cast.sum())
    return spread / max(n_votes, 1.0)


def _shares_of_lfs(votes: CodedVotes, t: int) -> tuple[Floats, Floats, float]:
    """Votes of the LFs of a task (n_lfs, n_outcomes), the shares of all votes, and how near to these LFs are."""
    cast = votes_of_task(votes, t)
    share = (cast.sum(axis=0) + NOTHING) / (float(cast.sum()) + NOTHING * cast.shape[1])
    mean = np.broadcast_to(share, cast.shape)
    return cast, mean, dirichlet_strength(cast, mean, _LEAST_OF_SHARES, _MOST)


def silence_tells(votes: CodedVotes, stats: SuffStats) -> bool:
    """Whether raters vote more often in some states of their task than in others, so that abstains tell of it.

    The log likelihood ratio of one rate of voting a state against one for all, over all LFs, against the price of
    the rates by BIC (Schwarz, 1978). ``stats`` are those of all records, those without a vote included.
    """
    gain, price = 0.0, 0.0
    for counted, records in zip(stats.votes, stats.labels, strict=True):
        n_points, some = float(records.sum()), records > NOTHING
        cast = counted.sum(axis=2)[:, some]
        rate = cast.sum(axis=1, keepdims=True) / max(n_points, 1.0)
        cast, rate = cast[(part := (rate > 0) & (rate < 1.0 - NOTHING))[:, 0]], rate[part][:, None]
        silent = np.maximum(records[some] - cast, 0.0)
        gain += float((xlogy(cast, cast / records[some] / rate)).sum())
        gain += float((xlogy(silent, silent / records[some] / (1.0 - rate))).sum())
        price += len(cast) * (int(some.sum()) - 1) / 2.0 * float(np.log(max(n_points, 1.0)))
    return gain > price
