"""Shares of few records, with how far they may be off."""

import math
from typing import Final, NamedTuple, Self

_Z95: Final = 1.959963984540054


class Share(NamedTuple):
    """A share of ``n`` records in [0, 1], with its 95 % interval (Wilson 1927)."""

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, value: float | None, n: int) -> Self | None:
        """The share that ``value`` of ``n`` records is; None of none."""
        if value is None or n < 1:
            return None
        centre = value + _Z95**2 / (2 * n)
        half = _Z95 * math.sqrt(value * (1 - value) / n + _Z95**2 / (4 * n**2))
        scale = 1 + _Z95**2 / n
        return cls(value, max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale), n)

    def __str__(self) -> str:
        return f"{self.value:.1%} of {self.n:,} ({self.low:.0%} to {self.high:.0%})"


class PairedChange(NamedTuple):
    """How much more of the same ``n`` records are right now, with a 95 % interval (Agresti and Min 2005).

    ``gained`` records are right now that were wrong, ``lost`` the other way round.
    """

    value: float
    low: float
    high: float
    n: int
    gained: int
    lost: int

    @classmethod
    def of(cls, gained: int, lost: int, n: int) -> Self | None:
        """The change of ``n`` records; None of none."""
        if n < 1:
            return None
        b, c, m = gained + 0.5, lost + 0.5, n + 2.0
        middle, half = (b - c) / m, _Z95 * math.sqrt(max(b + c - (b - c) ** 2 / m, 0.0)) / m
        return cls((gained - lost) / n, max(-1.0, middle - half), min(1.0, middle + half), n, gained, lost)

    def __str__(self) -> str:
        return (
            f"{100 * self.value:+.1f} points ({100 * self.low:+.1f} to {100 * self.high:+.1f}; "
            f"{self.gained:,} gained, {self.lost:,} lost)"
        )
