"""What votes say beside what chance makes of them, and how good LFs are at it: the same for labels and for sets.

An LF's *precision* is stated on the scale of votes for one label. It says how often the LF knows the answer: with
probability ``a`` it does, else its vote is chance. So a vote that chance makes right with probability ``p`` is
right with probability ``a + (1 - a) p``, be it for one label or for "not Sports". A state that it holds by ``m``
has its weight multiplied by ``m * precision / p + (1 - m) * (1 - precision) / (1 - p)``.

Arrays of outcomes have a first axis of length 1 where all LFs of the task vote for labels.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork.inference import Floats, OutcomeSets, TaskVotes
from metalwork.label_models._constants import LEAST_MARGIN, MOST_PRECISION, SOFT_STEPS

NOTHING = 1e-9


class Outcomes(NamedTuple):
    """The outcomes of a task's LFs, beside what chance makes of them.

    ``chance`` (n_lfs, n_outcomes) is the chance that an outcome is right where it asks, before any vote is seen;
    ``single_chance`` that of one of the states it holds; ``informative`` is False where it holds all states or
    none.
    """

    sets: OutcomeSets
    chance: Floats
    single_chance: Floats
    informative: npt.NDArray[np.bool_]


class BranchCounts(NamedTuple):
    """Votes of a task's LFs, and records, where its question arises (on) and where not (off): (n_lfs,) each."""

    on: Floats
    off: Floats
    on_records: Floats
    off_records: Floats


def outcomes_of(task: TaskVotes, log_share: Floats, applies: Floats) -> Outcomes:
    """The outcomes of a task's LFs, where its labels have log shares ``log_share`` and it ``applies``.

    These are (n_lfs, n_labels) and (n_lfs,), or with a first axis of length 1 for all.
    """
    sets, share = task.outcomes, np.exp(log_share)
    if sets.relative:
        return Outcomes(sets, share, share, (share > NOTHING) & (share < 1.0 - NOTHING))
    state = np.concatenate([applies[:, None] * share, 1.0 - applies[:, None]], axis=1)[:, :, None]
    asked = np.maximum((sets.asked * state).sum(axis=1), NOTHING)
    held = sets.member * state
    mass = held.sum(axis=1)
    chance = mass / asked
    single = (held / np.maximum(mass, NOTHING)[:, None, :] * state).sum(axis=1) / asked
    informative = (chance > NOTHING) & (chance < 1.0 - NOTHING) & (single < 1.0 - NOTHING)
    chance, single = (np.where(informative, part, 0.5) for part in (chance, single))
    return Outcomes(sets, chance, single, informative)


def by_outcome(outcomes: Outcomes, precision: Floats) -> Floats:
    """Precision (n_lfs, n_outcomes) of each outcome, from that of LFs (n_lfs,) in votes for one label."""
    known = (precision[:, None] - outcomes.single_chance) / (1.0 - outcomes.single_chance)
    found: Floats = outcomes.chance + known * (1.0 - outcomes.chance)
    return found


def right_in_labels(outcomes: Outcomes, right: Floats, votes: Floats) -> Floats:
    """The inverse: right votes (n_lfs,) in votes for one label, from ``right`` and all ``votes`` by outcome."""
    chance, single = outcomes.chance, outcomes.single_chance
    scale = (1.0 - single) / (1.0 - chance)
    found: Floats = (votes * single + scale * (right - votes * chance)).sum(axis=1)
    return found


def precision_in_labels(outcomes: Outcomes, precision: Floats, votes: Floats) -> Floats:
    """Precision (n_lfs,) in votes for one label of LFs whose ``votes`` by outcome are right with ``precision``."""
    chance, single = outcomes.chance, outcomes.single_chance
    share = votes + NOTHING * outcomes.informative
    share /= np.maximum(share.sum(axis=1, keepdims=True), NOTHING)
    slope = (1.0 - chance) / (1.0 - single)
    at_zero = (share * (chance - single * slope)).sum(axis=1)
    found: Floats = (precision - at_zero) / np.maximum((share * slope).sum(axis=1), NOTHING)
    return found


def bounded_precision(outcomes: Outcomes, precision: Floats) -> Floats:
    """:func:`by_outcome`, short of certain and above chance, so that no vote lowers what it holds."""
    least = outcomes.chance + LEAST_MARGIN * (1.0 - outcomes.chance)
    known = np.minimum(by_outcome(outcomes, precision), MOST_PRECISION)
    return np.maximum(known, least)


def vote_factors(outcomes: Outcomes, precision: Floats) -> Floats:
    """What each outcome multiplies the weight of each state by: (n_lfs, n_states, n_outcomes).

    That is 1 where it does not ask. ``precision`` (n_lfs, n_outcomes) is that of each outcome.
    """
    inside = (precision / outcomes.chance)[:, None, :]
    outside = ((1.0 - precision) / (1.0 - outcomes.chance))[:, None, :]
    member, asked = outcomes.sets.member, outcomes.sets.asked
    factors = member * inside + (1.0 - member) * outside
    return np.where(outcomes.informative[:, None, :] & asked, factors, 1.0)


def _right_given_state(outcomes: Outcomes, precision: Floats) -> Floats:
    """How likely each outcome is right in each state; of sets the state alone tells (then (1, ...) may do)."""
    member = outcomes.sets.member
    if not outcomes.sets.soft:
        return member
    inside = np.where(outcomes.informative, precision / outcomes.chance, 1.0)[:, None, :]
    share: Floats = member * inside / vote_factors(outcomes, precision)
    return share


def estimate_precision(outcomes: Outcomes, counted: Floats, prior: Floats, weight: Floats) -> Floats:
    """Precision (n_lfs,) that votes ``counted`` by state suggest, its ``prior`` worth ``weight`` votes.

    ``counted`` is (n_lfs, n_states, n_outcomes). A state tells whether a set is right. Of a soft vote that hangs
    on the precision, which is found in several steps from the prior.
    """
    n_steps, precision = SOFT_STEPS if outcomes.sets.soft else 1, prior
    asked = np.where(outcomes.sets.asked & outcomes.informative[:, None, :], counted, 0.0)
    votes = asked.sum(axis=1)
    for _ in range(n_steps):
        right = (asked * _right_given_state(outcomes, bounded_precision(outcomes, precision))).sum(axis=1)
        known = right_in_labels(outcomes, right, votes) + prior * weight
        precision = np.clip(known / (votes.sum(axis=1) + weight), 0.0, 1.0)
    return precision


def right_votes(outcomes: Outcomes, counted: Floats) -> Floats:
    """Expected right votes of each LF (n_lfs,) where it asks, with the precision that its votes suggest."""
    n_lfs, precision = len(counted), np.full(len(counted), 0.5)
    if outcomes.sets.soft:
        precision = estimate_precision(outcomes, counted, precision, np.full(n_lfs, NOTHING))
    right = _right_given_state(outcomes, bounded_precision(outcomes, precision))
    found: Floats = np.where(outcomes.sets.asked, counted * right, 0.0).sum(axis=(1, 2))
    return found


def branch_counts(sets: OutcomeSets, counted: Floats, records: Floats) -> BranchCounts:
    """Votes where LFs ask and where they do not, and the records of either kind.

    ``records`` (n_states,), or (n_lfs, n_states), counts records by state. Where an LF's outcomes ask of different
    states, its votes decide how much of a state's records counts as asked.
    """
    asked = sets.asked
    votes = counted.sum(axis=1) + NOTHING * asked.any(axis=1)
    on = np.where(asked, counted, 0.0).sum(axis=(1, 2))
    off = np.where(asked, 0.0, counted).sum(axis=(1, 2))
    if sets.relative:
        everywhere = np.ones(len(counted))
        return BranchCounts(on, off, everywhere * records[..., :-1].sum(axis=-1), everywhere * records[..., -1])
    total = np.maximum(votes.sum(axis=1, keepdims=True), NOTHING)
    share = np.einsum("lso,lo->ls", for_each(asked, len(counted)), votes) / total
    return BranchCounts(
        on, off, (share * records).sum(axis=1), (np.maximum(1.0 - share, 0.0) * records).sum(axis=1)
    )


def always_asked(sets: OutcomeSets) -> npt.NDArray[np.bool_]:
    """Which LFs ask of every label by all outcomes that they have: bool array (n_lfs,), or (1,) for all."""
    asked = sets.asked
    exists = asked.any(axis=1, keepdims=True)
    return np.asarray((asked[:, :-1] == exists).all(axis=(1, 2)))


def richness(outcomes: Outcomes) -> Floats:
    """How many times more outcomes than labels an LF has (n_lfs,), at least 1; (1,) stands for all."""
    n_outcomes = outcomes.sets.asked.any(axis=1).sum(axis=1)
    return np.asarray(np.maximum(n_outcomes / (outcomes.sets.member.shape[1] - 1), 1.0))


def for_each(part: npt.NDArray[Any], n_lfs: int) -> npt.NDArray[Any]:
    """``part`` of outcomes with its first axis for each of the task's LFs, where it was one for all."""
    return np.broadcast_to(part, (n_lfs, *part.shape[1:]))
