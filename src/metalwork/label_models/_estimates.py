"""M-steps of the hierarchical label model: from expected counts to vote tables, as pure functions.

Two readings of a vote, each a list of tables as :mod:`metalwork.inference` takes them:

*Votes only.* Abstains say nothing. A vote of LF j for label v is right with probability ``precision[j]``, so
against the class prior it multiplies the odds of v by ``precision / (1 - precision) * (1 - p_v) / p_v``. Where
the task does not apply, a vote is ``ratio[j]`` times as likely as where it does.

*Generative.* Each LF has a full table p(vote or abstain | label of its task, or task does not apply).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork.inference import (
    CodedVotes,
    Expected,
    Floats,
    Tree,
    end_posterior,
    leaf_spans,
    votes_of_task,
)
from metalwork.label_models import _claims
from metalwork.label_models._claims import Claims, Held, OnOff

Tables = list[Floats]
_POOLED_ACCURACY, _POOLED_VOTES = 0.75, 2.0
_LEAST_MARGIN = 0.02
_MOST_PRECISION = 0.99
_CONFUSION_STRENGTH = 20.0
_ONE_SIDED = 0.95
_NOTHING = 1e-9
_MOST_SHARE = 1.0 - 1e-9  # the only label of a task has all of it


class VotePriors(NamedTuple):
    """Beta priors of each LF: precision around ``precision`` (n_lfs,), off-branch ratio around ``ratio``.

    ``named`` (n_lfs,) says whose precision the user stated by name: it is that of the LF's own votes, else that of
    votes for one label. Priors weigh ``strength`` (n_lfs,) pseudo-votes, and where ``stated`` (n_lfs,) does not
    say that the user chose that weight, the precision's at least ``share`` times the LF's own votes: where LFs
    depend on each other, more data does not make their agreement more telling. The ratio's prior weighs
    ``ratio_strength`` records.
    """

    precision: Floats
    strength: Floats
    stated: npt.NDArray[np.bool_]
    share: float
    ratio: float
    ratio_strength: float
    named: npt.NDArray[np.bool_]


def as_of_labels(priors: VotePriors, votes: CodedVotes, claims: Sequence[Claims | None]) -> VotePriors:
    """Priors whose precision is that of votes for one label throughout, whatever the LFs vote for."""
    precision = priors.precision.copy()
    for t, (task, beyond) in enumerate(zip(votes.tasks, claims, strict=True)):
        if beyond is not None:
            own = _claims.as_of_labels(beyond, precision[task.lfs], votes_of_task(votes, t))
            precision[task.lfs] = np.where(priors.named[task.lfs], own, precision[task.lfs])
    return priors._replace(precision=precision)


class VotesOnly(NamedTuple):
    """Parameters of the votes-only reading: one float array (n_lfs of the task,) a task."""

    precision: list[Floats]
    ratio: list[Floats]


def initial_votes_only(votes: CodedVotes, priors: VotePriors) -> VotesOnly:
    """Every LF at the prior's precision and off-branch ratio."""
    return VotesOnly(
        [priors.precision[task.lfs] for task in votes.tasks],
        [np.full(len(task.lfs), priors.ratio) for task in votes.tasks],
    )


def votes_only_tables(
    votes: CodedVotes,
    parameters: VotesOnly,
    log_prior: Sequence[Floats],
    claims: Sequence[Claims | None],
    most: list[Floats],
    priors: VotePriors,
    counts: Expected | None = None,
) -> Tables:
    """Tables whose abstain column is 0; ``most[t]`` (n_lfs, n_outcomes) bounds each vote's precision.

    Where ``counts`` are given, LFs that vote on several labels are told by their confusions in these; but not
    those whose strength the user chose, who knows their one precision.
    """
    tables = []
    for t, (task, beyond) in enumerate(zip(votes.tasks, claims, strict=True)):
        if beyond is not None:
            tables.append(_claims.vote_table(beyond, parameters.precision[t], most[t], parameters.ratio[t]))
            continue
        k = task.n_labels
        share = np.minimum(np.exp(log_prior[t]), _MOST_SHARE)
        least = share + _LEAST_MARGIN * (1 - share)
        bounded = np.minimum(np.minimum(parameters.precision[t][:, None], most[t]), _MOST_PRECISION)
        precision = np.maximum(bounded, least)  # above the label's share, so no vote lowers its own label
        table = np.zeros((len(task.lfs), k + 1, k + 1))
        table[:, :k, :k] = np.log((1 - precision) / (1 - share))[:, None, :]
        label = np.arange(k)
        table[:, label, label] = np.log(precision / share)
        table[:, k, :k] = np.log(parameters.ratio[t])[:, None]
        tables.append(table)
    if counts is not None:
        for t, (task, beyond) in enumerate(zip(votes.tasks, claims, strict=True)):
            held = _labels_held(np.exp(log_prior[t])) if beyond is None else _claims.held(beyond)
            which = held.sets & ~priors.stated[task.lfs]
            _tell_confusions(tables[t], counts.votes[t], held, priors.share, which)
    return tables


def _labels_held(prior: Floats) -> Held:
    """What votes for labels hold: the label itself, whose share is ``prior`` (n_labels,)."""
    k = len(prior)
    member = np.eye(k + 1, k, dtype=bool)[None]
    asked = np.arange(k + 1)[None, :, None] < k
    return Held(member, asked, prior[None], np.ones(1, dtype=bool))


def _tell_confusions(table: Floats, counted: Floats, held: Held, own: float, which: npt.NDArray[np.bool_]) -> None:
    """Put the confusions of LFs that cast several votes in place of what one precision says, in ``table``.

    Of the LFs ``which`` (n_lfs,). A vote o of LF j changes the odds of state s by p(o | s, j votes) /
    p(o | j votes), which ``counted`` (n_lfs, n_states, n_outcomes) tells. Each state has pseudo-votes spread as
    the precision has it, worth ``own`` times its own votes or more. No state gains more by a vote than those that
    it holds, which gain something.
    """
    frequency = counted.sum(axis=1) + _NOTHING
    frequency /= frequency.sum(axis=1, keepdims=True)
    told = which & (frequency.max(axis=1) < _ONE_SIDED)
    if not told.any():
        return
    frequency, given = frequency[told, None], counted[told]
    by_precision = frequency * np.exp(table[told, :, :-1])
    by_precision /= by_precision.sum(axis=2, keepdims=True)
    n_votes = given.sum(axis=2, keepdims=True)
    pseudo = np.maximum(_CONFUSION_STRENGTH, own * n_votes)
    gain = np.log((given + pseudo * by_precision) / (n_votes + pseudo) / frequency)
    member, asked, chance = (np.broadcast_to(part, (len(told), *part.shape[1:]))[told] for part in held[:3])
    least = np.log(chance + _LEAST_MARGIN * (1 - chance)) - np.log(chance)
    inside = np.maximum(gain, least[:, None, :])
    lowest = np.where(member, inside, np.inf).min(axis=1, keepdims=True)
    gain = np.where(member, inside, np.minimum(gain, lowest))
    table[told, :, :-1] = np.where(asked, gain, table[told, :, :-1])


def most_precision(
    votes: CodedVotes,
    spoken: Sequence[Floats],
    claims: Sequence[Claims | None],
    log_prior: Sequence[Floats],
    applies: Floats,
    priors: VotePriors,
) -> list[Floats]:
    """Bound on the precision of each vote: an LF cannot be right on more records than hold its label.

    How many do is taken from the class prior (one LF's weight) and from the LFs that vote on several labels,
    which see the class balance; LFs of one label say nothing of it. Nothing bounds what the user chose.
    ``spoken[t]`` (n_lfs, n_outcomes) counts votes, ``applies[t]`` is the prior probability that task t applies.
    Sets and soft votes are shared out to the labels that they hold.
    """
    n_points = max(float(votes.weights.sum()), 1.0)  # no record at all has a vote: any bound will do
    bounds = []
    for t, (said, beyond) in enumerate(zip(spoken, claims, strict=True)):
        claimed = said if beyond is None else _claims.claimed(beyond, said)
        counted = claimed[:, : len(log_prior[t])]
        votes_of_lf = np.maximum(counted.sum(axis=1, keepdims=True), 1.0)
        balance = counted / votes_of_lf
        sees = (said / np.maximum(said.sum(axis=1, keepdims=True), 1.0)).max(axis=1, initial=0.0) < _ONE_SIDED
        weight = sees * np.minimum(votes_of_lf[:, 0] / (n_points * applies[t]), 1.0)
        share = (np.exp(log_prior[t]) + weight @ balance) / (1.0 + weight.sum())
        bound = n_points * applies[t] * share / np.maximum(counted, 1.0)
        if beyond is not None:
            outside = n_points * (1.0 - applies[t]) / np.maximum(claimed[:, -1:], 1.0)
            bound = _claims.bound_of_outcomes(beyond, np.append(bound, outside, axis=1))
        bounds.append(np.where(priors.stated[votes.tasks[t].lfs][:, None], 1.0, bound))
    return bounds


def estimate_votes_only(
    votes: CodedVotes,
    expected: Expected,
    claims: Sequence[Claims | None],
    parameters: VotesOnly,
    priors: VotePriors,
) -> VotesOnly:
    """Precision and off-branch ratio of each LF from expected counts, with the priors' pseudo-votes.

    ``parameters`` are those that the counts were found with.
    """
    precision, ratio = [], []
    for t, (counted, records, beyond) in enumerate(zip(expected.votes, expected.labels, claims, strict=True)):
        lfs = votes.tasks[t].lfs
        seen = on_and_off(counted, records, beyond)
        least = np.where(priors.stated[lfs], 0.0, priors.share * seen.on)
        weight, prior = np.maximum(priors.strength[lfs], least), priors.precision[lfs]
        if beyond is None:
            precision.append((right_of(counted, None) + prior * weight) / (seen.on + weight))
        else:
            before = parameters.precision[t]
            precision.append(_claims.estimate_precision(beyond, counted, prior, weight, before))
        applies_always = t == 0 and beyond is None
        ratio.append(np.ones(len(lfs)) if applies_always else _off_branch_ratio(seen, priors))
    return VotesOnly(precision, ratio)


def on_and_off(counted: Floats, records: Floats, beyond: Claims | None) -> OnOff:
    """Votes and records of one task's LFs, where its question arises and where not."""
    if beyond is not None:
        return _claims.on_and_off(beyond, counted, records)
    return OnOff(counted[:, :-1].sum(axis=(1, 2)), counted[:, -1].sum(axis=1), records[:-1].sum(), records[-1])


def right_of(counted: Floats, beyond: Claims | None) -> Floats:
    """Expected right votes (n_lfs,) of one task's LFs, where its question arises."""
    if beyond is not None:
        return _claims.all_right(beyond, counted)
    label = np.arange(counted.shape[2])
    return np.asarray(counted[:, label, label].sum(axis=1))


def _off_branch_ratio(seen: OnOff, priors: VotePriors) -> Floats:
    """How much rarer an LF's vote is where its task does not apply; at most 1."""
    on = seen.on
    on_rate = on / np.maximum(seen.on_records, 1e-9)
    weight = priors.ratio_strength
    off_rate = (seen.off + weight * priors.ratio * on_rate) / (seen.off_records + weight)
    ratio = np.divide(off_rate, on_rate, out=np.full_like(on, priors.ratio), where=on_rate > 0)
    return np.clip(ratio, 0.01, 1.0)


def balance_shift(expected: Expected, target: Sequence[Floats], band: float) -> list[Floats]:
    """What to add to the log branch probabilities so that no label strays from its ``target`` count.

    The odds of a label may move by a factor of ``band`` either way; only what goes beyond is taken back.
    """
    shifts = []
    for records, wanted in zip(expected.labels, target, strict=True):
        now, goal = records[:-1] + 1.0, wanted + 1.0
        if len(now) == 1:
            shifts.append(np.zeros(1))
            continue
        odds, goal_odds = now / (now.sum() - now), goal / (goal.sum() - goal)
        shifts.append(np.log(np.clip(odds, goal_odds / band, goal_odds * band) / odds))
    return shifts


def estimate_tables(
    votes: CodedVotes,
    expected: Expected,
    claims: Sequence[Claims | None],
    strength: float,
    priors: VotePriors,
) -> Tables:
    """Generative tables from expected counts.

    Each state of an LF gets ``strength`` pseudo-records of what the LF does over all states: one propensity and
    one accuracy where its task applies, its overall votes where it does not. That keeps small data sane and
    labels from swapping. An LF of more outcomes than labels gets as many times more of them. Where the user chose
    an LF's strength, it and the precision stand in for the defaults.
    """
    tables = []
    for task, counted, records, beyond in zip(votes.tasks, expected.votes, expected.labels, claims, strict=True):
        stated = priors.stated[task.lfs]
        accuracy = np.where(stated, priors.precision[task.lfs], _POOLED_ACCURACY)
        weight = np.where(stated, priors.strength[task.lfs], _POOLED_VOTES)
        pseudo = np.where(stated, np.maximum(weight, strength), strength)[:, None, None]
        if beyond is not None:
            pseudo = pseudo * _claims.richness(beyond)[:, None, None]
        silent = np.maximum(records[None, :, None] - counted.sum(axis=2, keepdims=True), 0.0)
        outcomes = np.concatenate([counted, silent], axis=2)
        outcomes += pseudo * _pooled_tables(counted, records, accuracy, weight, beyond) + 1e-9
        tables.append(np.log(outcomes / outcomes.sum(axis=2, keepdims=True)))
    return tables


def _pooled_tables(
    counted: Floats, records: Floats, prior: Floats, weight: Floats, beyond: Claims | None
) -> Floats:
    """:func:`_pooled_table` of a task's LFs, whatever they vote for."""
    if beyond is None:
        return _pooled_table(counted, records, prior, weight)
    table = _claims.pooled_table(beyond, counted, records, prior, weight)
    plain, k = beyond.alphabet.plain, len(records) - 1
    if plain.any():
        own = _pooled_table(counted[plain, :, :k], records, prior[plain], weight[plain])
        table[plain] = 0.0
        table[plain, :, :k], table[plain, :, -1] = own[:, :, :k], own[:, :, k]
    return table


def _pooled_table(counted: Floats, records: Floats, prior: Floats, weight: Floats) -> Floats:
    """What each LF does on average: probabilities (n_lfs, n_labels + 1 states, n_labels + 1 outcomes).

    Its accuracy starts from ``prior`` (n_lfs,), worth ``weight`` (n_lfs,) votes.
    """
    k = counted.shape[2]
    label = np.arange(k)
    votes = counted[:, :k].sum(axis=(1, 2))
    right = counted[:, label, label].sum(axis=1)
    rate = np.minimum((votes + 1.0) / (records[:k].sum() + 2.0), 1.0)
    accuracy = (right + prior * weight) / (votes + weight) if k > 1 else np.ones(len(votes))
    off_rate = np.minimum((counted[:, k].sum(axis=1) + 0.5 * rate) / (records[k] + 1.0), 0.999)
    labels = counted.sum(axis=1) + 0.5
    table = np.empty((len(counted), k + 1, k + 1))
    table[:, :k, :k] = ((1 - accuracy) / max(k - 1, 1) * rate)[:, None, None]
    table[:, label, label] = (accuracy * rate)[:, None]
    table[:, :k, k] = (1 - rate)[:, None]
    table[:, k, :k] = off_rate[:, None] * labels / labels.sum(axis=1, keepdims=True)
    table[:, k, k] = 1 - off_rate
    return table


def estimate_log_prior(expected: Expected, strength: float) -> list[Floats]:
    """Log branch probabilities with ``strength`` pseudo-records a label."""
    counts = [records[:-1] + strength for records in expected.labels]
    return [np.log(count / count.sum()) for count in counts]


def raise_own_labels(tables: Tables, claims: Sequence[Claims | None]) -> Tables:
    """Bound the tables of better-than-random LFs so that a vote never lowers its own label's posterior.

    Against an abstain, a vote for v multiplies the odds of state s by ``table[s, v] / table[s, abstain]``; no
    state may gain more than v itself.
    """
    bounded = []
    for table, beyond in zip(tables, claims, strict=True):
        if beyond is not None:
            bounded.append(_claims.raise_what_is_held(table, beyond))
            continue
        k = table.shape[2] - 1
        label = np.arange(k)
        odds = table[:, :, :k] - table[:, :, k:]
        own = odds[:, label, label]
        better = np.exp(table[:, label, label]).mean(axis=1) > np.exp(table[:, :k, :k]).mean(axis=(1, 2))
        limit = np.where(better[:, None], own, np.inf)[:, None, :]
        odds = np.minimum(odds, limit)
        top = np.maximum(odds.max(axis=2, keepdims=True), 0.0)
        log_total = top + np.log(np.exp(odds - top).sum(axis=2, keepdims=True) + np.exp(-top))
        bounded.append(np.concatenate([odds - log_total, -log_total], axis=2))
    return bounded


def hold_below_votes(
    left: Floats, tree: Tree, tables: Tables, claims: Sequence[Claims | None], log_prior: Sequence[Floats]
) -> Floats:
    """Move a record without a vote towards the prior until no label is surer than one vote for it makes it.

    ``left`` (n_end_labels,) is its distribution so far; ``tables`` are those of the votes-only reading.
    """
    prior = end_posterior(tree, [share[None, :] for share in log_prior])[0]
    keep = 1.0
    for t, (table, beyond) in enumerate(zip(tables, claims, strict=True)):
        spans = leaf_spans(tree, t)
        before = np.array([prior[start:stop].sum() for start, stop in spans])
        states = np.append(before, max(1.0 - before.sum(), 0.0))
        odds = np.exp(table[:, :, np.arange(table.shape[2] - 1)])
        now = np.array([left[start:stop].sum() for start, stop in spans])
        if beyond is not None:
            keep = min(keep, _claims.most_kept(beyond, states, np.append(now, max(1.0 - now.sum(), 0.0)), odds))
            continue
        label = np.arange(len(spans))
        voted = before * odds[:, label, label] / np.einsum("s,lsv->lv", states, odds)
        least = voted.min(axis=0, initial=1.0)
        over = now > least
        keep = min(keep, float(((least - before)[over] / (now - before)[over]).min(initial=1.0)))
    return np.asarray(prior + max(keep, 0.0) * (left - prior))
