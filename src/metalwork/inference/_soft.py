"""Soft votes: the vote for one label that an LF would cast, of which only probabilities are known.

An LF of soft votes has the table of an LF that votes for labels. With ``i_v`` what a vote for v multiplies the
weight of v by, and ``o_v`` that of another label, a soft vote of probabilities ``m`` multiplies that of label s by
``m_s I + (1 - m_s) O``: I and O are the harmonic means of i and o over the labels, each as far as m holds it. So
no label gains more than the one that the vote holds most, and where one precision stands behind all i and o, the
vote is as good as that, whatever the balance of labels. In counts, a soft vote is shared out to votes for labels
as the record's label and these factors say. The cost is linear in distinct soft votes times labels squared.
"""

from typing import NamedTuple

import numpy as np

from metalwork.inference._tree import Floats

_LEAST = 1e-300


class SoftFactors(NamedTuple):
    """What each soft vote multiplies weights by: ``inside`` and ``outside`` (n_votes,), and ``off`` (n_votes,)
    where the task does not apply.
    """

    inside: Floats
    outside: Floats
    off: Floats

    def by_label(self, shares: Floats) -> Floats:
        """Factors (n_votes, n_labels) of the labels."""
        return np.maximum(shares * (self.inside - self.outside)[:, None] + self.outside[:, None], _LEAST)


def soft_factors(table: Floats, shares: Floats) -> SoftFactors:
    """Factors of soft votes ``shares`` (n_votes, n_labels) under the table of an LF.

    That is (n_labels + 1, n_outcomes + 1); of its outcomes only the labels are looked at.
    """
    k = shares.shape[1]
    factor = np.exp(table[:, :k])
    inside, off = np.diagonal(factor), factor[k]
    others = np.maximum((factor[:k].sum(axis=0) - inside) / max(k - 1, 1), _LEAST)
    return SoftFactors(*(_harmonic_mean(part, shares) for part in (inside, others, off)))


def _harmonic_mean(values: Floats, shares: Floats) -> Floats:
    """Of values (n_labels,), row by row of shares: how a product of matrices sums depends on their sizes."""
    return np.asarray(1.0 / np.maximum((shares / np.maximum(values, _LEAST)).sum(axis=1), _LEAST))


def soft_gain(table: Floats, shares: Floats) -> Floats:
    """Log weights of labels against "does not apply" for every key, an abstain first: (n_labels, n_keys)."""
    factors, k = soft_factors(table, shares), shares.shape[1]
    votes = np.log(factors.by_label(shares) / np.maximum(factors.off, _LEAST)[:, None])
    abstain = table[:k, -1] - table[k, -1]
    return np.concatenate([abstain[None], votes]).T


def votes_for_labels(counts: Floats, table: Floats | None, shares: Floats) -> Floats:
    """Soft votes by state (n_labels + 1, n_votes) as votes for labels: (n_labels + 1, n_labels).

    Without a table each is shared out as its probabilities have it.
    """
    if table is None:
        return counts @ shares
    factors, k = soft_factors(table, shares), shares.shape[1]
    by_factor = counts[:k].T / factors.by_label(shares)
    found = np.empty((k + 1, k))
    found[:k] = (by_factor * factors.outside[:, None]).T @ shares
    label = np.arange(k)
    found[label, label] = ((by_factor * factors.inside[:, None]) * shares).sum(axis=0)
    found[k] = counts[k] @ shares
    return found


def soft_evidence(totals: Floats, table: Floats | None, shares: Floats, counted: Floats) -> float:
    """What :func:`log_likelihood` must add for soft votes: it takes them for the votes for labels, ``counted``.

    That is their log factor where the task does not apply, less that of those; ``totals`` (n_votes,) of each.
    """
    if table is None:
        return 0.0
    off = np.log(np.maximum(soft_factors(table, shares).off, _LEAST))
    return float(totals @ off - counted.sum(axis=0) @ table[-1, : shares.shape[1]])
