"""Independent LFs: full tables p(vote or abstain | state) and the class balance, from expected counts."""

import numpy as np

from metalwork.inference import INSIDE, N_RELATIVE, OFF, OUTSIDE, CodedVotes, Floats, SuffStats
from metalwork.label_models._alike import alike_tasks, by_task
from metalwork.label_models._constants import ONE_SIDED, POOLED_ACCURACY, POOLED_VOTES, POOLING
from metalwork.label_models._em import Parameters, Priors, with_dev_counts
from metalwork.label_models._lf_priors import LFPriors
from metalwork.label_models._outcomes import (
    NOTHING,
    Outcomes,
    bounded_precision,
    branch_counts,
    estimate_precision,
    for_each,
    outcomes_of,
    richness,
    vote_factors,
)
from metalwork.label_models._rules import applies, log_shares

Tables = list[Floats]


def independent_m_step(votes: CodedVotes, stats: SuffStats, priors: Priors) -> Parameters:
    """Tables of log probabilities and the log shares of labels, from expected counts and those of dev records."""
    counts = with_dev_counts(stats, priors, 1.0)
    log_share = log_shares(counts)
    tables = independent_tables(votes, counts, log_share, POOLING, priors.lfs)
    if not priors.redundant.any():
        return tables, log_share
    for task, table, records in zip(votes.tasks, tables, counts.labels, strict=True):
        redundant = priors.redundant[task.lfs]
        share = records / records.sum()
        table[redundant] = np.log(np.einsum("s,jso->jo", share, np.exp(table[redundant])))[:, None]
    return tables, log_share


def independent_tables(
    votes: CodedVotes, stats: SuffStats, log_share: list[Floats], strength: float, lf_priors: LFPriors
) -> Tables:
    """Tables, as log probabilities, from expected counts.

    Each state of an LF gets ``strength`` pseudo-records of what the LF does over all states: one propensity and
    one accuracy where its task applies, its overall votes where it does not. That keeps small data sane and
    labels from swapping. An LF of more outcomes than labels gets as many times more of them. Where the user chose
    an LF's strength, it and the precision stand in for the defaults.
    """
    tables, now = [], applies(stats)
    for alike in alike_tasks(votes):
        task, counted, records = alike.votes, alike.joined(stats.votes), alike.by_lf(stats.labels)
        own = outcomes_of(task, alike.by_lf(log_share), alike.by_lf(now))
        stated = lf_priors.stated[task.lfs]
        accuracy = np.where(stated, lf_priors.precision[task.lfs], POOLED_ACCURACY)
        weight = np.where(stated, lf_priors.strength[task.lfs], POOLED_VOTES)
        if task.relative:
            table = _relative_table(counted, records[0], strength, accuracy, weight)
            tables.append((alike, np.log(table)))
            continue
        pseudo = np.where(stated, np.maximum(weight, strength), strength) * richness(own)
        silent = np.maximum(records[:, :, None] - counted.sum(axis=2, keepdims=True), 0.0)
        table = np.concatenate([counted, silent], axis=2)
        table += pseudo[:, None, None] * _pooled_table(own, counted, records, accuracy, weight) + 1e-9
        tables.append((alike, np.log(table / table.sum(axis=2, keepdims=True))))
    return by_task(tables)


def _pooled_table(outcomes: Outcomes, counted: Floats, records: Floats, prior: Floats, weight: Floats) -> Floats:
    """What each LF does on average, as probabilities (n_lfs, n_states, n_outcomes + 1).

    ``records`` are (n_lfs, n_states), or (1, n_states) for all LFs. An accuracy starts from
    ``prior`` (n_lfs,), worth ``weight`` (n_lfs,) votes. LFs that vote for several labels look at all records alike
    and are wrong for all other labels alike; of the others the precision is pooled.
    """
    k, frequency = records.shape[1] - 1, counted.sum(axis=1)
    several = outcomes.sets.plain & (frequency.max(axis=1) < ONE_SIDED * frequency.sum(axis=1))
    if several.all():
        return _pooled_labels(counted, records, prior, weight)
    table = _pooled_outcomes(outcomes, counted, records, prior, weight)
    if several.any():
        of_these = for_each(records, len(counted))[several]
        own = _pooled_labels(counted[several, :, :k], of_these, prior[several], weight[several])
        table[several] = 0.0
        table[several, :, :k], table[several, :, -1] = own[:, :, :k], own[:, :, k]
    return table


def _relative_table(counted: Floats, records: Floats, strength: float, prior: Floats, weight: Floats) -> Floats:
    """The table (n_lfs, 3, n_labels + 1) in relative states, each with pseudo-records of one propensity and one
    accuracy. Of abstains it tells no labels apart, so that it is one of probabilities for votes alone.
    """
    k, on = counted.shape[2], counted[:, :OFF].sum(axis=(1, 2))
    rate = np.minimum((on + 1.0) / (records[:-1].sum() + 2.0), 0.999)
    accuracy = (counted[:, INSIDE].sum(axis=1) + prior * weight) / (on + weight)
    off_rate = np.minimum((counted[:, OFF].sum(axis=1) + 0.5 * rate) / (records[-1] + 1.0), 0.999)
    labels = counted.sum(axis=1) + 0.5
    table = np.empty((len(counted), N_RELATIVE, k + 1))
    table[:, INSIDE, :k] = (accuracy * rate)[:, None]
    table[:, OUTSIDE, :k] = ((1 - accuracy) / (k - 1) * rate)[:, None]
    table[:, :OFF, k] = (1 - rate)[:, None]
    table[:, OFF, :k] = off_rate[:, None] * labels / labels.sum(axis=1, keepdims=True)
    table[:, OFF, k] = 1 - off_rate
    by_state = np.stack([records[:-1], records[:-1].sum() - records[:-1], np.full(k, records[-1])])
    table[:, :, :k] = (counted + strength * table[:, :, :k] + 1e-9) / (by_state + strength)
    return table


def _pooled_outcomes(
    outcomes: Outcomes, counted: Floats, records: Floats, prior: Floats, weight: Floats
) -> Floats:
    """Outcomes as frequent as they are where the LF asks, times what they say of each state with one precision;
    and where it does not ask, as they are there.
    """
    asked = outcomes.sets.asked
    counts = branch_counts(outcomes.sets, counted, records)
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
    rate = np.minimum((votes + 1.0) / (records[:, :k].sum(axis=1) + 2.0), 1.0)
    accuracy = (right + prior * weight) / (votes + weight) if k > 1 else np.ones(len(votes))
    off_rate = np.minimum((counted[:, k].sum(axis=1) + 0.5 * rate) / (records[:, k] + 1.0), 0.999)
    labels = counted.sum(axis=1) + 0.5
    table = np.empty((len(counted), k + 1, k + 1))
    table[:, :k, :k] = ((1 - accuracy) / max(k - 1, 1) * rate)[:, None, None]
    table[:, label, label] = (accuracy * rate)[:, None]
    table[:, :k, k] = (1 - rate)[:, None]
    table[:, k, :k] = off_rate[:, None] * labels / labels.sum(axis=1, keepdims=True)
    table[:, k, k] = 1 - off_rate
    return table
