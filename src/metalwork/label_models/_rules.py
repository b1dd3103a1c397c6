"""Rules: an abstain says nothing, and a vote what its precision makes of it.

A vote of LF j for label v is right with probability ``precision[j]``. With ``p_v`` the share of v among the
records with votes, as EM finds it, the vote multiplies the odds of v by
``precision / (1 - precision) * (1 - p_v) / p_v``: alone it gives its label just its precision, and where it meets
others, a vote for a rare label says more than one for a frequent label. Where the task does not apply, a vote is
``ratio[j]`` times as likely as where it does. LFs that vote on several labels are told by their confusions.
"""

import numpy as np
import numpy.typing as npt

from metalwork.inference import CodedVotes, Floats, OutcomeSets, SuffStats, TaskVotes
from metalwork.label_models._alike import Alike, alike_tasks, by_task
from metalwork.label_models._constants import (
    CONFUSION_STRENGTH,
    LEAST_MARGIN,
    LEAST_RATIO,
    ONE_SIDED,
    PRIOR_STRENGTH,
    UNIFORM,
)
from metalwork.label_models._em import Parameters, Priors, with_dev_counts
from metalwork.label_models._lf_priors import LFPriors
from metalwork.label_models._outcomes import (
    NOTHING,
    BranchCounts,
    Outcomes,
    always_asked,
    bounded_precision,
    branch_counts,
    estimate_precision,
    for_each,
    outcomes_of,
    vote_factors,
)


def initial_rules(votes: CodedVotes, priors: Priors) -> Parameters:
    """Every LF at the prior's precision and off-branch ratio, end labels all alike."""
    tables = []
    for alike in alike_tasks(votes):
        own = outcomes_of(alike.votes, alike.by_lf(priors.log_share), alike.by_lf(priors.applies))
        lfs = alike.votes.lfs
        table = _table(own, priors.lfs.precision[lfs], np.full(len(lfs), priors.lfs.ratio))
        tables.append((alike, _weighted(table, alike.votes, priors)))
    return by_task(tables), list(priors.log_share)


def rules_m_step(votes: CodedVotes, stats: SuffStats, priors: Priors) -> Parameters:
    """Tables of log factors whose abstain column is 0, and the log shares of labels, from expected counts.

    Dev records tell of the LFs alone: of the balance they tell in the calibration.
    """
    tables, log_prior, seen = [], _balance(stats, priors), with_dev_counts(stats, priors, priors.dev_weight)
    now = applies(stats)
    for alike in alike_tasks(votes):
        task, counted = alike.votes, alike.joined(seen.votes)
        own = outcomes_of(task, alike.by_lf(log_prior), alike.by_lf(now))
        counts = branch_counts(task.outcomes, counted, alike.by_lf(seen.labels))
        precision = _precision(own, counted, counts, priors.lfs, task)
        table = _table(own, precision, off_branch_ratio(alike, counts, now, priors))
        if not own.sets.relative:
            _put_confusions(table, counted, own, priors.lfs.share, ~priors.lfs.stated[task.lfs])
        tables.append((alike, _weighted(table, task, priors)))
    return by_task(tables), log_prior


def log_shares(stats: SuffStats) -> list[Floats]:
    """Log shares of the labels of each task where it applies, each label with a pseudo-record (Laplace)."""
    counts = [records[:-1] + PRIOR_STRENGTH for records in stats.labels]
    return [np.log(count / count.sum()) for count in counts]


def _balance(stats: SuffStats, priors: Priors) -> list[Floats]:
    """Log shares of labels; in a tree three quarters uniform.

    There the balance is found by votes on several tasks, which only ever speak for the branch that they are on.
    """
    found = log_shares(stats)
    if len(found) == 1:
        return found
    pairs = zip(found, priors.log_share, strict=True)
    return [np.log((1.0 - UNIFORM) * np.exp(share) + UNIFORM * np.exp(even)) for share, even in pairs]


def applies(stats: SuffStats) -> Floats:
    """The share of records to which each task applies (n_tasks,): all, for the root's."""
    shares = [float(records[:-1].sum() / max(float(records.sum()), NOTHING)) for records in stats.labels]
    return np.array([1.0, *shares[1:]])


def _weighted(table: Floats, task: TaskVotes, priors: Priors) -> Floats:
    """The table with the votes of each LF counted for its weight."""
    return table * priors.weights[task.lfs][:, None, None]


def _precision(
    outcomes: Outcomes, counted: Floats, counts: BranchCounts, lf_priors: LFPriors, task: TaskVotes
) -> Floats:
    """Precision of each LF (n_lfs,) with the prior's pseudo-votes, the more the more LFs repeat each other."""
    least = np.where(lf_priors.stated[task.lfs], 0.0, lf_priors.share * counts.on)
    weight = np.maximum(lf_priors.strength[task.lfs], least)
    return estimate_precision(outcomes, counted, lf_priors.precision[task.lfs], weight)


def _table(outcomes: Outcomes, precision: Floats, ratio: Floats) -> Floats:
    """Log factors (n_lfs, n_states, n_outcomes + 1) of LFs with one precision (n_lfs,) each; 0 for abstains."""
    factors = np.log(vote_factors(outcomes, bounded_precision(outcomes, precision)))
    table = np.where(outcomes.sets.asked, factors, np.log(ratio)[:, None, None])
    return np.concatenate([table, np.zeros((*table.shape[:2], 1))], axis=2)


def off_branch_ratio(alike: Alike, counts: BranchCounts, applies_now: Floats, priors: Priors) -> Floats:
    """How much rarer each LF's vote (n_lfs,) is where its task does not apply; at most 1.

    As a vote for a label is read against the label's share, so is a vote at all against the share of records to
    which the task applies, now (n_tasks,) and before any vote was seen.
    """
    now, before = alike.by_lf(applies_now), alike.by_lf(priors.applies)
    weight, ratio = priors.lfs.ratio_strength, priors.lfs.ratio
    believed = ratio * (1.0 - before) / (before + ratio * (1.0 - before))
    off = (counts.off + weight * believed) / (counts.on + counts.off + weight)
    odds = off / (1.0 - off) * now / np.maximum(1.0 - now, NOTHING)
    always = alike.of_root & always_asked(alike.votes.outcomes)  # the root's task always applies
    return np.where(always, 1.0, np.clip(odds, LEAST_RATIO, 1.0))


def _put_confusions(
    table: Floats, counted: Floats, outcomes: Outcomes, own: float, which: npt.NDArray[np.bool_]
) -> None:
    """Put the confusions of LFs that cast several votes in place of what one precision says, in ``table``.

    Of those LFs ``which`` (n_lfs,) all of whose votes are for sets and ask of the same states. A vote o of LF j
    changes the odds of state s by p(o | s, j votes) / p(o | j votes), which ``counted`` (n_lfs, n_states,
    n_outcomes) tells. Each state has pseudo-votes spread as the precision has it, worth ``own`` times its own
    votes or more. No state gains more by a vote than those that it holds, which gain something.
    """
    frequency = counted.sum(axis=1) + NOTHING
    frequency /= frequency.sum(axis=1, keepdims=True)
    chosen = which & of_sets(outcomes.sets) & (frequency.max(axis=1) < ONE_SIDED)
    if not chosen.any():
        return
    frequency, given = frequency[chosen, None], counted[chosen]
    by_precision = frequency * np.exp(table[chosen, :, :-1])
    by_precision /= by_precision.sum(axis=2, keepdims=True)
    n_votes = given.sum(axis=2, keepdims=True)
    pseudo = np.maximum(CONFUSION_STRENGTH, own * n_votes)
    gain = np.log((given + pseudo * by_precision) / (n_votes + pseudo) / frequency)
    inside = outcomes.sets.member == 1
    asked = outcomes.sets.asked & outcomes.informative[:, None, :]
    inside, asked, chance = (for_each(part, len(table))[chosen] for part in (inside, asked, outcomes.chance))
    least = np.log(chance + LEAST_MARGIN * (1 - chance)) - np.log(chance)
    raised = np.maximum(gain, least[:, None, :])
    lowest = np.where(inside, raised, np.inf).min(axis=1, keepdims=True)
    gain = np.where(inside, raised, np.minimum(gain, lowest))
    table[chosen, :, :-1] = np.where(asked, gain, table[chosen, :, :-1])


def of_sets(sets: OutcomeSets) -> npt.NDArray[np.bool_]:
    """Which LFs vote for sets alone, all of which ask of the same states: (n_lfs,), or (1,) for all."""
    member, asked = sets.member, sets.asked
    everywhere = asked.any(axis=2, keepdims=True) & asked.any(axis=1, keepdims=True)
    hard = ((member == 0) | (member == 1)).all(axis=(1, 2))
    return np.asarray(hard & (asked == everywhere).all(axis=(1, 2)))
