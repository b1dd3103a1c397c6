"""How the name of a label is read, wherever one enters: from a schema, a file, a frame, a labeling function."""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

_WHOLE: Final = re.compile(r"(-?[0-9]+)\.0+")
"""A whole number as a float column writes it: what becomes of 1 where some row of the column is empty."""


def plain_name(text: str) -> str:
    """A name as it is compared: composed characters (NFC), no blanks around it."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFC", text.strip())


def plain_path(text: str) -> str:
    """A path such as ``"Billing / Refund"`` without blanks around its parts."""
    return "/".join(map(str.strip, text.split("/")))


def is_missing(value: Any) -> bool:
    """Whether a value stands for "there is none": None, NaN, NaT, NA, a masked value, empty or blank text."""
    if value is None or value is np.ma.masked:
        return True
    if isinstance(value, str):
        return not value.strip()
    if type(value).__name__ == "NAType":  # pandas.NA, whose comparisons have no truth value
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # an array, or what compares to no truth value
        return False


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number by type; a truth value is none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_)


def is_code(value: Any) -> bool:
    """Whether a value is a whole number, also one that a column with gaps has made a float."""
    return is_whole(value) or (isinstance(value, float | np.floating) and float(value).is_integer())


def as_written(value: Any) -> tuple[str, ...]:
    """How a value of a file or frame may be written, the nearest first: 1.0 is "1.0", or else "1"."""
    if isinstance(value, bool | np.bool_):
        return (str(value), str(value).lower())
    written = plain_name(str(value))
    whole = isinstance(value, str | float | np.floating) and _WHOLE.fullmatch(written)
    return (written, whole[1]) if whole else (written,)


def unknown_name(what: str, name: object, known: Sequence[str]) -> str:
    """Error text for a name that is not among ``known``, with the nearest one that is."""
    close = difflib.get_close_matches(name, known, n=1) if isinstance(name, str) else []
    hint = f"Did you mean {close[0]!r}?" if close else "Known: " + ", ".join(map(repr, known[:12]))
    more = f" and {len(known) - 12} more" if not close and len(known) > 12 else ""
    return f"{name!r} is no {what}. {hint}{more}" + ("" if close else ".")
