"""E-steps over all records: exact, or on a sample of them that one exact pass set right.

Beyond 50,000 distinct rows, EM runs on a systematic sample. What the sample expects is off by sampling noise that
hardly depends on the tables: measured once, at an *anchor*, it is taken out of all E-steps nearby (a control
variate, as in the variance-reduced EM of Chen, Zhu, Teh and Zhang, 2018). So EM ends about where it would on all
records, for one pass over them.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from metalwork.inference import (
    CodedVotes,
    Floats,
    SuffStats,
    Tree,
    expected_counts,
    in_smaller_groups,
    mixed_counts,
    reweighted,
    systematic_sample,
)

EM_ROWS = 50_000

EStep = Callable[[Sequence[Floats], Sequence[Floats]], SuffStats]
"""From tables and log prior to expected counts."""


def thinned(votes: CodedVotes) -> CodedVotes:
    """The same votes up to 50,000 distinct rows; beyond, a systematic sample of as many records stands for all."""
    if len(votes.weights) <= EM_ROWS:
        return votes
    share = EM_ROWS / float(votes.weights.sum())
    return in_smaller_groups(reweighted(votes, systematic_sample(votes.weights, EM_ROWS) / share))


def e_step(tree: Tree, votes: CodedVotes) -> EStep:
    """The exact E-step of these votes."""
    return partial(expected_counts, tree, votes)


def anchored(
    tree: Tree, few: CodedVotes, exact: SuffStats, tables: Sequence[Floats], log_prior: Sequence[Floats]
) -> EStep:
    """The E-step of all votes, worked out on a sample, ``few``, of them: close to it near the anchor.

    ``exact`` are the counts of all votes at the anchor, ``tables`` and ``log_prior``.
    """
    anchor = (tables, log_prior)
    noise = mixed_counts([expected_counts(tree, few, tables, log_prior), exact], [1.0, -1.0])

    def expect(tables: Sequence[Floats], log_prior: Sequence[Floats]) -> SuffStats:
        counts = mixed_counts([expected_counts(tree, few, tables, log_prior), noise], [1.0, -1.0])
        evidence = counts.log_evidence - _noise_of_evidence(noise, tables, log_prior, *anchor)
        return not_negative(counts._replace(log_evidence=evidence))

    return expect


def _noise_of_evidence(
    noise: SuffStats,
    tables: Sequence[Floats],
    log_prior: Sequence[Floats],
    old_tables: Sequence[Floats],
    old_log_prior: Sequence[Floats],
) -> float:
    """What noise in the counts, which are the log evidence's slopes, makes of a step away from the anchor."""
    total = 0.0
    for t, records in enumerate(noise.labels):
        step, counted = tables[t] - old_tables[t], noise.votes[t][:, :-1]
        step = step[:, :-1] - step[:, -1:]
        silent = records[:-1] - counted.sum(axis=2)
        total += float((counted * step[:, :, :-1]).sum() + (silent * step[:, :, -1]).sum())
        total += float(records[:-1] @ (log_prior[t] - old_log_prior[t]))
    return total


def not_negative(counts: SuffStats) -> SuffStats:
    """Counts with 0 in place of what extrapolation took below."""
    labels = [np.maximum(records, 0.0) for records in counts.labels]
    return counts._replace(labels=labels, votes=[np.maximum(counted, 0.0) for counted in counts.votes])
