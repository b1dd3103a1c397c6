"""What votes beyond labels (sets, soft votes) claim, and the estimates of a task whose LFs cast such votes.

An LF's *precision* is stated on the scale of votes for one label. It says how often the LF knows the answer: with
probability ``a`` it does, else its vote is chance. So a vote that chance makes right with probability ``p`` is
right with probability ``a + (1 - a) p``, be it for one label or for "not Sports". A state that it holds by ``m``
has its weight multiplied by ``m * precision / p + (1 - m) * (1 - precision) / (1 - p)``.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork.inference import Alphabet, Floats, TaskVotes

_NOTHING = 1e-9
_LEAST_MARGIN = 0.02
_MOST_PRECISION = 0.99
_STEPS = 10


class Claims(NamedTuple):
    """What the outcomes of the LFs of a task claim, beside what chance makes of them.

    ``right`` (n_lfs, n_outcomes) is the chance that an outcome is right where it asks, before any vote is seen;
    ``single`` that of one of the states it holds; ``says`` is False where it holds all states or none.
    ``spread`` (n_lfs, n_states, n_outcomes) is the distribution over states given that an outcome is right.
    """

    alphabet: Alphabet
    right: Floats
    single: Floats
    says: npt.NDArray[np.bool_]
    spread: Floats


class OnOff(NamedTuple):
    """Votes of a task's LFs, and records, where its question arises and where not: (n_lfs,) each."""

    on: Floats
    off: Floats
    on_records: Floats
    off_records: Floats


class Held(NamedTuple):
    """Which states the votes of LFs hold (n_lfs, n_states, n_outcomes), and where they ask.

    An axis of length 1 stands for all. ``chance`` (n_lfs, n_outcomes) is the share of the states held; ``sets``
    (n_lfs,) says that all votes of an LF are for sets, and ask of the same states.
    """

    member: npt.NDArray[np.bool_]
    asked: npt.NDArray[np.bool_]
    chance: Floats
    sets: npt.NDArray[np.bool_]


def held(claims: Claims) -> Held:
    """What the outcomes of a task's LFs hold; those that say nothing ask nothing."""
    member, asked = claims.alphabet.member, claims.alphabet.asked
    everywhere = asked.any(axis=2, keepdims=True) & asked.any(axis=1, keepdims=True)
    sets = ((member == 0) | (member == 1)).all(axis=(1, 2)) & (asked == everywhere).all(axis=(1, 2))
    return Held(member == 1, asked & claims.says[:, None, :], claims.right, sets)


def claims_of(task: TaskVotes, log_share: Floats, applies: float) -> Claims | None:
    """Claims of a task's LFs, or None where all vote for labels.

    Chance is the prior probability of the task's labels given that it applies (``log_share``, as logs), and that
    it ``applies``.
    """
    if task.alphabet is None:
        return None
    state = np.append(applies * np.exp(log_share), 1.0 - applies)[None, :, None]
    asked = np.maximum((task.alphabet.asked * state).sum(axis=1), _NOTHING)
    held = task.alphabet.member * state
    mass = held.sum(axis=1)
    spread = held / np.maximum(mass, _NOTHING)[:, None, :]
    right = mass / asked
    single = (spread * state).sum(axis=1) / asked
    says = (right > _NOTHING) & (right < 1.0 - _NOTHING) & (single < 1.0 - _NOTHING)
    return Claims(task.alphabet, np.where(says, right, 0.5), np.where(says, single, 0.5), says, spread)


def of_outcomes(claims: Claims, precision: Floats) -> Floats:
    """Precision (n_lfs, n_outcomes) of each outcome, from that of LFs (n_lfs,) in votes for one label."""
    known = (precision[:, None] - claims.single) / (1.0 - claims.single)
    found: Floats = claims.right + known * (1.0 - claims.right)
    return found


def of_labels(claims: Claims, right: Floats, votes: Floats) -> Floats:
    """The inverse: right votes (n_lfs,) in votes for one label, from ``right`` and all ``votes`` by outcome."""
    scale = (1.0 - claims.single) / (1.0 - claims.right)
    found: Floats = (votes * claims.single + scale * (right - votes * claims.right)).sum(axis=1)
    return found


def as_of_labels(claims: Claims, precision: Floats, votes: Floats) -> Floats:
    """Precision (n_lfs,) in votes for one label of LFs whose ``votes`` by outcome are right with ``precision``."""
    share = votes + _NOTHING * claims.says
    share /= np.maximum(share.sum(axis=1, keepdims=True), _NOTHING)
    slope = (1.0 - claims.right) / (1.0 - claims.single)
    at_zero = (share * (claims.right - claims.single * slope)).sum(axis=1)
    found: Floats = (precision - at_zero) / np.maximum((share * slope).sum(axis=1), _NOTHING)
    return found


def bounded(claims: Claims, precision: Floats, most: Floats | float = 1.0) -> Floats:
    """:func:`of_outcomes`, at most ``most`` and above chance, so that no vote lowers what it holds."""
    least = claims.right + _LEAST_MARGIN * (1.0 - claims.right)
    return np.maximum(np.minimum(np.minimum(of_outcomes(claims, precision), most), _MOST_PRECISION), least)


def factors(claims: Claims, precision: Floats) -> Floats:
    """What each outcome multiplies the weight of each state by: (n_lfs, n_states, n_outcomes).

    That is 1 where it does not ask. ``precision`` (n_lfs, n_outcomes) is that of each outcome.
    """
    held, other = precision / claims.right, (1.0 - precision) / (1.0 - claims.right)
    member = claims.alphabet.member
    told = claims.says[:, None, :] & claims.alphabet.asked
    return np.where(told, member * held[:, None, :] + (1.0 - member) * other[:, None, :], 1.0)


def right_votes(claims: Claims, counted: Floats, precision: Floats) -> tuple[Floats, Floats]:
    """Expected right votes and all votes, where they ask and say something: both (n_lfs, n_outcomes).

    ``counted`` (n_lfs, n_states, n_outcomes) counts votes by state; ``precision`` is that of each outcome.
    """
    asked = np.where(claims.alphabet.asked & claims.says[:, None, :], counted, 0.0)
    return (asked * _share_right(claims, precision)).sum(axis=1), asked.sum(axis=1)


def _share_right(claims: Claims, precision: Floats) -> Floats:
    """How likely each outcome is right in each state: (n_lfs, n_states, n_outcomes)."""
    held = np.where(claims.says, precision / claims.right, 1.0)[:, None, :]
    share: Floats = claims.alphabet.member * held / factors(claims, precision)
    return share


def estimate_precision(
    claims: Claims, counted: Floats, prior: Floats, weight: Floats, start: Floats | None = None
) -> Floats:
    """Precision (n_lfs,) that votes counted by state suggest, its ``prior`` worth ``weight`` votes.

    A state tells whether a set is right. Of a soft vote that hangs on the precision: one step is made from
    ``start``, or several from the prior.
    """
    precision = prior if start is None else start
    for _ in range(_STEPS if start is None else 1):
        right, votes = right_votes(claims, counted, bounded(claims, precision))
        known = (of_labels(claims, right, votes) + prior * weight) / (votes.sum(axis=1) + weight)
        precision = np.clip(known, 0.0, 1.0)
    return precision


def all_right(claims: Claims, counted: Floats) -> Floats:
    """Expected right votes of each LF (n_lfs,) where it asks, with the precision that its votes suggest."""
    n_lfs = len(counted)
    precision = estimate_precision(claims, counted, np.full(n_lfs, 0.5), np.full(n_lfs, _NOTHING))
    share = _share_right(claims, bounded(claims, precision))
    found: Floats = np.where(claims.alphabet.asked, counted * share, 0.0).sum(axis=(1, 2))
    return found


def on_and_off(claims: Claims, counted: Floats, records: Floats) -> OnOff:
    """Votes where LFs ask and where they do not, and the records of either kind.

    ``records`` (n_states,) counts records by state. Where an LF's outcomes ask of different states, its votes
    decide how much of a state's records counts as asked.
    """
    asked = claims.alphabet.asked
    votes = counted.sum(axis=1) + _NOTHING * asked.any(axis=1)
    total = np.maximum(votes.sum(axis=1, keepdims=True), _NOTHING)
    share = np.einsum("lso,lo->ls", asked, votes) / total
    on = np.where(asked, counted, 0.0).sum(axis=(1, 2))
    off = np.where(asked, 0.0, counted).sum(axis=(1, 2))
    return OnOff(on, off, share @ records, np.maximum(1.0 - share, 0.0) @ records)


def vote_table(claims: Claims, precision: Floats, most: Floats, ratio: Floats) -> Floats:
    """Votes-only table (n_lfs, n_states, n_outcomes + 1) of log factors, 0 for an abstain."""
    told = np.log(factors(claims, bounded(claims, precision, most)))
    table = np.where(claims.alphabet.asked, told, np.log(ratio)[:, None, None])
    return np.concatenate([table, np.zeros((*table.shape[:2], 1))], axis=2)


def claimed(claims: Claims, counted: Floats) -> Floats:
    """Votes by outcome (n_lfs, n_outcomes) as votes for states (n_lfs, n_states), shared out by chance."""
    return np.asarray(np.einsum("lo,lso->ls", counted, claims.spread))


def bound_of_outcomes(claims: Claims, bound: Floats) -> Floats:
    """The bound (n_lfs, n_outcomes) of each outcome, from that of votes for each state (n_lfs, n_states)."""
    return np.asarray(np.einsum("ls,lso->lo", bound, claims.spread))


def richness(claims: Claims) -> Floats:
    """How many times more outcomes than labels an LF has (n_lfs,), at least 1."""
    n_outcomes = claims.alphabet.asked.any(axis=1).sum(axis=1)
    return np.asarray(np.maximum(n_outcomes / (claims.alphabet.member.shape[1] - 1), 1.0))


def pooled_table(claims: Claims, counted: Floats, records: Floats, prior: Floats, weight: Floats) -> Floats:
    """What each LF does on average, as probabilities (n_lfs, n_states, n_outcomes + 1).

    Outcomes are as frequent as they are where the LF asks, times what they say of each state with one precision,
    which starts from ``prior`` (n_lfs,), worth ``weight`` (n_lfs,) votes; and where it does not ask, as they are
    there.
    """
    asked = claims.alphabet.asked
    _, _, on_records, off_records = on_and_off(claims, counted, records)
    precision = estimate_precision(claims, counted, prior, weight)
    on, off = (np.where(which, counted, 0.0).sum(axis=1) for which in (asked, ~asked))
    exists = asked.any(axis=1)
    smooth = exists / np.maximum(exists.sum(axis=1, keepdims=True), 1)
    rate = (on + smooth) / (on_records + 2.0)[:, None]
    off_rate = (off + 0.5 * rate) / (off_records + 1.0)[:, None]
    said = rate[:, None, :] * factors(claims, bounded(claims, precision))
    table = np.where(asked, said, off_rate[:, None, :])
    total = table.sum(axis=2, keepdims=True)
    table *= np.minimum(1.0, 0.999 / np.maximum(total, _NOTHING))
    return np.concatenate([table, 1.0 - table.sum(axis=2, keepdims=True)], axis=2)


def most_kept(claims: Claims, before: Floats, now: Floats, odds: Floats) -> float:
    """How far, from 0 to 1, states may go from ``before`` towards ``now`` (n_states,) without outdoing one vote.

    Whatever an outcome holds most stays at most as probable as that vote alone makes it, by its ``odds`` (n_lfs,
    n_states, n_outcomes).
    """
    member = np.where(before[:, None] > _NOTHING, claims.alphabet.member, 0.0)  # the root's task always applies
    held = (member == member.max(axis=1, keepdims=True)) & (member > 0)
    voted = before[:, None] * odds
    least = (held * voted).sum(axis=1) / voted.sum(axis=1)
    start, end = (held * before[:, None]).sum(axis=1), (held * now[:, None]).sum(axis=1)
    over = claims.says & (end > least)
    return float(((least - start)[over] / (end - start)[over]).min(initial=1.0))


def raise_what_is_held(table: Floats, claims: Claims) -> Floats:
    """Bound a generative table so that no state outside a set gains more by a vote than any state in it.

    Only of LFs that are better than chance; soft votes are left as they are.
    """
    member, asked = claims.alphabet.member, claims.alphabet.asked
    odds = table[:, :, :-1] - table[:, :, -1:]
    sets = ((member == 0) | (member == 1)).all(axis=1, keepdims=True)
    inside = member == 1
    shown = np.exp(table[:, :, :-1])
    better = _mean(shown, inside & sets) > _mean(shown, ~inside & sets & asked)
    limit = np.where(inside, odds, np.inf).min(axis=1, keepdims=True)
    limit = np.where(better[:, None, None] & sets, limit, np.inf)
    odds = np.where(inside, odds, np.minimum(odds, limit))
    log_total = np.logaddexp(np.logaddexp.reduce(odds, axis=2, keepdims=True), 0.0)
    return np.concatenate([odds - log_total, -log_total], axis=2)


def _mean(values: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    found: Floats = np.where(where, values, 0.0).sum(axis=(1, 2)) / np.maximum(where.sum(axis=(1, 2)), 1)
    return found
