"""Counts around a known mean: the strength of a Dirichlet prior, found from the counts that it is a prior of."""

import numpy as np
from scipy.special import digamma, gammaln

from metalwork.inference._tree import Floats

_STEPS = 40
_CLOSE = 1e-3
_SOME = 1e-9


def dirichlet_strength(counts: Floats, mean: Floats, least: float, most: float) -> float:
    """The strength, within bounds, under which the counts are likeliest (empirical Bayes; Minka, 2000).

    Each row of ``counts`` (..., n_outcomes), not negative, is a sample from a distribution of its own, and these
    come from a Dirichlet distribution whose parameters are the strength times ``mean`` (the same shape; rows sum
    to 1, positive where anything is counted). The strength is how many counts of a row its mean is worth. It is
    ``most`` where rows differ from their means no more than by chance, and where there is nothing to count.
    """
    n = counts.sum(axis=-1)
    n = n[n > _SOME]
    seen = counts > _SOME
    counts, mean = counts[seen], mean[seen]

    def slope(log_strength: float) -> float:
        strength = float(np.exp(log_strength))
        alpha = strength * mean
        gained = float((mean * (digamma(counts + alpha) - digamma(alpha))).sum())
        return gained - float((digamma(n + strength) - digamma(strength)).sum())

    low, high = float(np.log(least)), float(np.log(most))
    at_low, at_high = slope(low), slope(high)
    if at_high >= 0.0:
        return most
    if at_low <= 0.0:
        return least
    for _ in range(_STEPS):
        if high - low < _CLOSE:
            break
        middle = (low + high) / 2.0
        if slope(middle) > 0.0:
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2.0))


def log_dirichlet_multinomial(counts: Floats, alpha: Floats) -> float:
    """Log probability of the samples that rows of ``counts`` (..., n_outcomes) count, one by one and summed.

    Each row's distribution comes from a Dirichlet distribution with parameters ``alpha`` (the same shape,
    positive where anything is counted), and is integrated out.
    """
    n, total = counts.sum(axis=-1), alpha.sum(axis=-1)
    n, total = n[n > 0], total[n > 0]
    seen = counts > 0
    counts, alpha = counts[seen], alpha[seen]
    by_outcome = float((gammaln(alpha + counts) - gammaln(alpha)).sum())
    return by_outcome - float((gammaln(total + n) - gammaln(total)).sum())
