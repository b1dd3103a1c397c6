"""The votes-only reading: its parameters, tables and M-step, as pure functions from expected counts.

Abstains say nothing. A vote of LF j for label v is right with probability ``precision[j]``, so against the class
prior it multiplies the odds of v by ``precision / (1 - precision) * (1 - p_v) / p_v``. Where the task does not
apply, a vote is ``ratio[j]`` times as likely as where it does. LFs that vote on several labels are told by their
confusions.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork.inference import CodedVotes, Floats, SuffStats
from metalwork.label_models._constants import CONFUSION_STRENGTH, LEAST_MARGIN, LEAST_RATIO, ONE_SIDED
from metalwork.label_models._lf_priors import LFPriors
from metalwork.label_models._outcomes import (
    NOTHING,
    BranchCounts,
    Outcomes,
    always_asked,
    bound_by_outcome,
    bounded_precision,
    branch_counts,
    by_state,
    estimate_precision,
    for_each,
    vote_factors,
)

Tables = list[Floats]


class VotesOnly(NamedTuple):
    """Parameters of the votes-only reading: one float array (n_lfs of the task,) a task."""

    precision: list[Floats]
    ratio: list[Floats]


def initial_votes_only(votes: CodedVotes, lf_priors: LFPriors) -> VotesOnly:
    """Every LF at the prior's precision and off-branch ratio."""
    return VotesOnly(
        [lf_priors.precision[task.lfs] for task in votes.tasks],
        [np.full(len(task.lfs), lf_priors.ratio) for task in votes.tasks],
    )


def votes_only_tables(
    votes: CodedVotes,
    parameters: VotesOnly,
    outcomes: Sequence[Outcomes],
    bounds: Sequence[Floats],
    lf_priors: LFPriors,
    stats: SuffStats | None = None,
) -> Tables:
    """Tables of log factors whose abstain column is 0; ``bounds[t]`` (n_lfs, n_outcomes) are of votes' precision.

    Where ``stats`` are given, LFs that vote on several labels are told by their confusions in these; but not
    those whose strength the user chose, who knows their one precision.
    """
    tables = []
    for t, (task, own) in enumerate(zip(votes.tasks, outcomes, strict=True)):
        factors = vote_factors(own, bounded_precision(own, parameters.precision[t], bounds[t]))
        log_ratio = np.log(parameters.ratio[t])[:, None, None]
        table = np.where(own.sets.asked, np.log(factors), log_ratio)
        tables.append(np.concatenate([table, np.zeros((*table.shape[:2], 1))], axis=2))
        if stats is not None:
            _put_confusions(tables[t], stats.votes[t], own, lf_priors.share, ~lf_priors.stated[task.lfs])
    return tables


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
    chosen = which & _of_sets(outcomes) & (frequency.max(axis=1) < ONE_SIDED)
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


def _of_sets(outcomes: Outcomes) -> npt.NDArray[np.bool_]:
    """Which LFs vote for sets alone, all of which ask of the same states: (n_lfs,), or (1,) for all."""
    member, asked = outcomes.sets.member, outcomes.sets.asked
    everywhere = asked.any(axis=2, keepdims=True) & asked.any(axis=1, keepdims=True)
    hard = ((member == 0) | (member == 1)).all(axis=(1, 2))
    return np.asarray(hard & (asked == everywhere).all(axis=(1, 2)))


def precision_bounds(
    votes: CodedVotes,
    cast: Sequence[Floats],
    outcomes: Sequence[Outcomes],
    log_prior: Sequence[Floats],
    applies: Floats,
    lf_priors: LFPriors,
) -> list[Floats]:
    """Bound on the precision of each vote: an LF cannot be right on more records than hold its label.

    How many do is taken from the class prior (one LF's weight) and from the LFs that vote on several labels,
    which see the class balance; LFs of one label say nothing of it. Nothing bounds what the user chose.
    ``cast[t]`` (n_lfs, n_outcomes) counts votes, ``applies[t]`` is the prior probability that task t applies.
    Sets and soft votes are shared out to the labels that they hold.
    """
    n_points = max(float(votes.weights.sum()), 1.0)  # no record at all has a vote: any bound will do
    bounds = []
    for t, (of_task, own) in enumerate(zip(cast, outcomes, strict=True)):
        states = by_state(own, of_task)
        counted = states[:, :-1]
        votes_of_lf = np.maximum(counted.sum(axis=1, keepdims=True), 1.0)
        frequency = of_task / np.maximum(of_task.sum(axis=1, keepdims=True), 1.0)
        sees_balance = frequency.max(axis=1, initial=0.0) < ONE_SIDED
        weight = sees_balance * np.minimum(votes_of_lf[:, 0] / (n_points * applies[t]), 1.0)
        share = (np.exp(log_prior[t]) + weight @ (counted / votes_of_lf)) / (1.0 + weight.sum())
        bound = n_points * applies[t] * share / np.maximum(counted, 1.0)
        outside = n_points * (1.0 - applies[t]) / np.maximum(states[:, -1:], 1.0)
        bound = bound_by_outcome(own, np.append(bound, outside, axis=1))
        bounds.append(np.where(lf_priors.stated[votes.tasks[t].lfs][:, None], 1.0, bound))
    return bounds


def votes_only_m_step(
    votes: CodedVotes,
    stats: SuffStats,
    outcomes: Sequence[Outcomes],
    parameters: VotesOnly,
    lf_priors: LFPriors,
) -> VotesOnly:
    """Precision and off-branch ratio of each LF from expected counts, with the priors' pseudo-votes.

    ``parameters`` are those that the counts were found with.
    """
    precision, ratio = [], []
    for t, (counted, records, own) in enumerate(zip(stats.votes, stats.labels, outcomes, strict=True)):
        lfs = votes.tasks[t].lfs
        counts = branch_counts(own, counted, records)
        least = np.where(lf_priors.stated[lfs], 0.0, lf_priors.share * counts.on)
        weight, prior = np.maximum(lf_priors.strength[lfs], least), lf_priors.precision[lfs]
        precision.append(estimate_precision(own, counted, prior, weight, parameters.precision[t]))
        root_alone = always_asked(own) if t == 0 else np.zeros(1, dtype=bool)  # the root's task always applies
        ratio.append(np.where(root_alone, 1.0, _off_branch_ratio(counts, lf_priors)))
    return VotesOnly(precision, ratio)


def _off_branch_ratio(counts: BranchCounts, lf_priors: LFPriors) -> Floats:
    """How much rarer an LF's vote is where its task does not apply; at most 1."""
    on_rate = counts.on / np.maximum(counts.on_records, NOTHING)
    weight = lf_priors.ratio_strength
    off_rate = (counts.off + weight * lf_priors.ratio * on_rate) / (counts.off_records + weight)
    ratio = np.divide(off_rate, on_rate, out=np.full_like(on_rate, lf_priors.ratio), where=on_rate > 0)
    return np.clip(ratio, LEAST_RATIO, 1.0)


def balance_shift(stats: SuffStats, target: Sequence[Floats], band: float) -> list[Floats]:
    """What to add to the log branch probabilities so that no label strays from its ``target`` count.

    The odds of a label may move by a factor of ``band`` either way; only what goes beyond is taken back.
    """
    shifts = []
    for records, wanted in zip(stats.labels, target, strict=True):
        now, goal = records[:-1] + 1.0, wanted + 1.0
        if len(now) == 1:
            shifts.append(np.zeros(1))
            continue
        odds, goal_odds = now / (now.sum() - now), goal / (goal.sum() - goal)
        shifts.append(np.log(np.clip(odds, goal_odds / band, goal_odds * band) / odds))
    return shifts
