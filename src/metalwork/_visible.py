"""Text of records and names as it may be shown: what would steer a terminal is written out."""

import re
from typing import Final

STEERING: Final = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but for tab and line feed
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"  # what turns the direction of writing, and breaks lines
)
"""A regular expression for characters that a terminal obeys, or that show text in another order than it has."""

_STEERING: Final = re.compile(STEERING[:-1] + "\ud800-\udfff]")


def visible(text: str) -> str:
    r"""The text with each such character as Python escapes it: ``\x1b`` for the escape character."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)
