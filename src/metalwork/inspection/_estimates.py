"""Shares with intervals."""

import math
from typing import Final, NamedTuple

from scipy.special import betaincinv

_Z90: Final = 1.6448536
"""Standard normal quantile of a two-sided 90 % interval."""


class Estimate(NamedTuple):
    """A share in [0, 1] with a 90 % interval; ``n`` is the number of known labels behind it."""

    value: float
    low: float
    high: float
    n: int = 0

    def __str__(self) -> str:
        return f"{100 * self.value:.0f} % ({100 * self.low:.0f} to {100 * self.high:.0f})"


def counted(right: float, n: int) -> Estimate | None:
    """The share of ``n`` that is right, with Wilson's interval; None of nothing."""
    if not n:
        return None
    share, scale = right / n, 1 + _Z90**2 / n
    centre = share + _Z90**2 / (2 * n)
    half = _Z90 * math.sqrt(share * (1 - share) / n + _Z90**2 / (4 * n**2))
    return Estimate(share, max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale), n)


def believed(share: float, worth: float, right: float = 0.0, n: int = 0) -> Estimate:
    """What to believe of a share after ``n`` labels, held before to be ``share`` as by ``worth`` of them.

    The mean and the central interval of a Beta distribution.
    """
    inside = min(max(float(share), 0.01), 0.99)
    alpha, beta = worth * inside + right, worth * (1 - inside) + n - right
    low, high = (float(betaincinv(alpha, beta, level)) for level in (0.05, 0.95))
    return Estimate(alpha / (alpha + beta), low, high, n)
