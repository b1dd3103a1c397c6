"""The generative reading: full tables p(vote or abstain | state) and the class prior, from expected counts."""

from collections.abc import Sequence

import numpy as np

from metalwork.inference import CodedVotes, Floats, SuffStats
from metalwork.label_models._constants import POOLED_ACCURACY, POOLED_VOTES
from metalwork.label_models._lf_priors import LFPriors
from metalwork.label_models._outcomes import (
    NOTHING,
    Outcomes,
    bounded_precision,
    branch_counts,
    estimate_precision,
    richness,
    vote_factors,
)

Tables = list[Floats]


def generative_tables(
    votes: CodedVotes, stats: SuffStats, outcomes: Sequence[Outcomes], strength: float, lf_priors: LFPriors
) -> Tables:
    """Generative tables, as log probabilities, from expected counts.

    Each state of an LF gets ``strength`` pseudo-records of what the LF does over all states: one propensity and
    one accuracy where its task applies, its overall votes where it does not. That keeps small data sane and
    labels from swapping. An LF of more outcomes than labels gets as many times more of them. Where the user chose
    an LF's strength, it and the precision stand in for the defaults.
    """
    tables = []
    for task, counted, records, own in zip(votes.tasks, stats.votes, stats.labels, outcomes, strict=True):
        stated = lf_priors.stated[task.lfs]
        accuracy = np.where(stated, lf_priors.precision[task.lfs], POOLED_ACCURACY)
        weight = np.where(stated, lf_priors.strength[task.lfs], POOLED_VOTES)
        pseudo = np.where(stated, np.maximum(weight, strength), strength) * richness(own)
        silent = np.maximum(records[None, :, None] - counted.sum(axis=2, keepdims=True), 0.0)
        table = np.concatenate([counted, silent], axis=2)
        table += pseudo[:, None, None] * _pooled_table(own, counted, records, accuracy, weight) + 1e-9
        tables.append(np.log(table / table.sum(axis=2, keepdims=True)))
    return tables


def _pooled_table(outcomes: Outcomes, counted: Floats, records: Floats, prior: Floats, weight: Floats) -> Floats:
    """What each LF does on average, as probabilities (n_lfs, n_states, n_outcomes + 1).

    Its accuracy starts from ``prior`` (n_lfs,), worth ``weight`` (n_lfs,) votes. LFs that vote for labels are
    wrong for all other labels alike; the others' outcomes are as frequent as they are.
    """
    plain, k = outcomes.sets.plain, len(records) - 1
    if plain.all():
        return _pooled_labels(counted, records, prior, weight)
    table = _pooled_outcomes(outcomes, counted, records, prior, weight)
    if plain.any():
        own = _pooled_labels(counted[plain, :, :k], records, prior[plain], weight[plain])
        table[plain] = 0.0
        table[plain, :, :k], table[plain, :, -1] = own[:, :, :k], own[:, :, k]
    return table


def _pooled_outcomes(
    outcomes: Outcomes, counted: Floats, records: Floats, prior: Floats, weight: Floats
) -> Floats:
    """Outcomes as frequent as they are where the LF asks, times what they say of each state with one precision;
    and where it does not ask, as they are there.
    """
    asked = outcomes.sets.asked
    counts = branch_counts(outcomes, counted, records)
    precision = estimate_precision(outcomes, counted, prior, weight)
    on, off = (np.where(which, counted, 0.0).sum(axis=1) for which in (asked, ~asked))
    exists = asked.any(axis=1)
    smooth = exists / np.maximum(exists.sum(axis=1, keepdims=True), 1)
    rate = (on + smooth) / (counts.on_records + 2.0)[:, None]
    off_rate = (off + 0.5 * rate) / (counts.off_records + 1.0)[:, None]
    by_state = rate[:, None, :] * vote_factors(outcomes, bounded_precision(outcomes, precision))
    table = np.where(asked, by_state, off_rate[:, None, :])
    total = table.sum(axis=2, keepdims=True)
    table *= np.minimum(1.0, 0.999 / np.maximum(total, NOTHING))
    return np.concatenate([table, 1.0 - table.sum(axis=2, keepdims=True)], axis=2)


def _pooled_labels(counted: Floats, records: Floats, prior: Floats, weight: Floats) -> Floats:
    """One propensity and one accuracy: probabilities (n_lfs, n_labels + 1 states, n_labels + 1 outcomes)."""
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


def estimate_log_prior(stats: SuffStats, strength: float) -> list[Floats]:
    """Log branch probabilities with ``strength`` pseudo-records a label."""
    counts = [records[:-1] + strength for records in stats.labels]
    return [np.log(count / count.sum()) for count in counts]
