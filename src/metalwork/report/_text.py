"""Turning values into the text of a report: numbers with sensible digits, names and records cut to length."""

import re
from typing import Final

from markupsafe import Markup

from metalwork._html import showable

DASH: Final = "–"


def shorten(text: str, limit: int) -> str:
    """``text`` on one line, cut to at most ``limit`` characters, the last of them an ellipsis where cut."""
    line = " ".join(text[: 8 * limit].split())
    if len(line) <= limit and len(text) <= 8 * limit:
        return line
    return line[: limit - 1].rstrip() + "…"


def breakable(name: str) -> Markup:
    """A name, escaped, that may be broken into lines after its punctuation."""
    return Markup("<wbr>").join(re.split(r"(?<=[_./:\-])(?=\w)", showable(name)))


def percent(share: float | None) -> str:
    """A share in [0, 1] in percent with one decimal, without the sign."""
    if share is None or share != share:
        return DASH
    return "<0.1" if 0 < share < 0.0005 else f"{100 * share:.1f}"


def decimals(value: float | None) -> str:
    """A number with three decimals."""
    return DASH if value is None or value != value else f"{value:.3f}"


def count(value: int) -> str:
    """A whole number with its thousands set apart."""
    return f"{value:,}"


def plural(number: int, noun: str) -> str:
    """``"1 record"``, ``"2,630 records"``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
