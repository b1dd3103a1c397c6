"""One colour a thing throughout a report: dev is always warm, test always dark, the class prior always pale."""

from collections.abc import Iterable, Sequence

_FIXED = {"dev": "s1", "test": "s2", "prior": "s3"}


def colours(names: Iterable[str], free: Sequence[str] = ("s0", "s4", "s5")) -> list[str]:
    """The style class of each series; names that end in none of the fixed words take the free ones in turn."""
    found, left = [], list(free)
    for name in names:
        fixed = next((colour for word, colour in _FIXED.items() if name.endswith(word)), None)
        found.append(fixed or (left.pop(0) if len(left) > 1 else left[0]))
    return found
