"""How many tokens a text has, near enough to plan with."""

import re
from typing import Final

_PARTS: Final = re.compile(
    r"([a-zA-Z]+)|(\d+)|(\n+|[^\S\n]{2,})|([\u0080-\u2fff]+)|([\u3000-\U0010ffff]+)|([^\w\s])", re.ASCII
)
_DIGITS, _SCRIPTS, _EAST_ASIAN = 1.8, 2.2, 1.5
"""Digits, characters of other scripts, and those of East Asia that a token holds."""


def count_tokens(text: str) -> int:
    """An estimate of how many tokens a text has; how good it is stands in the documentation."""
    total = 0.0
    for letters, digits, _blanks, script, east_asian, _ in _PARTS.findall(text):
        if letters:
            total += 1 + max(0, len(letters) - 5) / 5
        elif digits:
            total += max(1, len(digits) / _DIGITS)
        elif script:
            total += max(1, len(script) / _SCRIPTS)
        elif east_asian:
            total += max(1, len(east_asian) / _EAST_ASIAN)
        else:
            total += 0.9
    return max(1, round(total))
