"""No vote lowers what it holds: bounds on tables, and on records without a vote."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from metalwork.inference import INSIDE, Floats, Tree, end_posterior, leaf_spans
from metalwork.label_models._outcomes import NOTHING, Outcomes


def monotone_tables(tables: Sequence[Floats], outcomes: Sequence[Outcomes]) -> list[Floats]:
    """Bound the generative tables of better-than-random LFs so that a vote never lowers what it holds.

    Against an abstain, vote o multiplies the odds of state s by ``table[s, o] / table[s, abstain]``; no state
    outside a set gains more than any state in it. Soft votes are left as they are.
    """
    return [_monotone(table, own) for table, own in zip(tables, outcomes, strict=True)]


def _monotone(table: Floats, outcomes: Outcomes) -> Floats:
    member, asked = outcomes.sets.member, outcomes.sets.asked
    odds = table[:, :, :-1] - table[:, :, -1:]
    sets = ((member == 0) | (member == 1)).all(axis=1, keepdims=True)
    inside = member == 1
    probability = np.exp(table[:, :, :-1])
    better = _mean(probability, inside & sets) > _mean(probability, ~inside & sets & asked)
    limit = np.where(inside, odds, np.inf).min(axis=1, keepdims=True)
    limit = np.where(better[:, None, None] & sets, limit, np.inf)
    odds = np.where(inside, odds, np.minimum(odds, limit))
    log_total = np.logaddexp(np.logaddexp.reduce(odds, axis=2, keepdims=True), 0.0)
    return np.concatenate([odds - log_total, -log_total], axis=2)


def _mean(values: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    found: Floats = np.where(where, values, 0.0).sum(axis=(1, 2)) / np.maximum(where.sum(axis=(1, 2)), 1)
    return found


def bounded_by_votes(
    posterior: Floats,
    tree: Tree,
    tables: Sequence[Floats],
    outcomes: Sequence[Outcomes],
    log_prior: Sequence[Floats],
) -> Floats:
    """Move a record without a vote towards the prior until no label is surer than one vote for it makes it.

    ``posterior`` (n_end_labels,) is its distribution so far; ``tables`` are those of rules.
    """
    prior = end_posterior(tree, [share[None, :] for share in log_prior])[0]
    kept = 1.0
    for t, (table, own) in enumerate(zip(tables, outcomes, strict=True)):
        spans = leaf_spans(tree, t)
        before, now = (_states(end, spans) for end in (prior, posterior))
        kept = min(kept, _most_kept(own, before, now, np.exp(table[:, :, :-1])))
    return np.asarray(prior + max(kept, 0.0) * (posterior - prior))


def _states(end: Floats, spans: Sequence[tuple[int, int]]) -> Floats:
    """Probability of each state of a task, from that of end labels."""
    labels = np.array([end[start:stop].sum() for start, stop in spans])
    return np.append(labels, max(1.0 - labels.sum(), 0.0))


def _most_kept(outcomes: Outcomes, before: Floats, now: Floats, odds: Floats) -> float:
    """How far, from 0 to 1, states may go from ``before`` towards ``now`` (n_states,) without outdoing one vote.

    Whatever an outcome holds most stays at most as probable as that vote alone makes it, by its ``odds`` (n_lfs,
    n_states, n_outcomes).
    """
    if outcomes.sets.relative:
        start, end, off = before[:-1], now[:-1], before[-1]
        by_state = np.stack([start, 1.0 - off - start, np.full(len(start), off)])
        least = start * odds[:, INSIDE] / (by_state * odds).sum(axis=1)
    else:
        member = np.where(before[:, None] > NOTHING, outcomes.sets.member, 0.0)  # the root's task always applies
        top = (member == member.max(axis=1, keepdims=True)) & (member > 0)
        voted = before[:, None] * odds
        least = (top * voted).sum(axis=1) / voted.sum(axis=1)
        start, end = (top * before[:, None]).sum(axis=1), (top * now[:, None]).sum(axis=1)
    over = outcomes.informative & (end > least) & (end > start)
    reach = np.where(over, end - start, 1.0)
    return float(np.where(over, (least - start) / reach, 1.0).min(initial=1.0))
