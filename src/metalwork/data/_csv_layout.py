"""Where rows and fields of a block of CSV begin and end, and whether that is as it should be."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork._checks import BoolArray, IntArray
from metalwork.data._dialect import Dialect

Bytes = npt.NDArray[np.uint8]

_LF, _CR = 10, 13
_LINE_END = np.array([_LF], np.uint8)


class Rows(NamedTuple):
    """The whole rows at the start of a block, as far as they need to be known to cut it there.

    Attributes
    ----------
    is_regular : bool
        Quotes enclose whole fields, so that where a row ends is certain.
    stop : int
        Where they end; 0 where the block holds no whole row.
    n_rows : int
        How many they are, without blank lines.
    n_lines : int
        How many line breaks they hold, in quotes or not.
    longest, length : int
        Where the longest starts, and its length.
    """

    is_regular: bool
    stop: int = 0
    n_rows: int = 0
    n_lines: int = 0
    longest: int = 0
    length: int = 0


class Layout(NamedTuple):
    """Rows that are laid out as they should be.

    Attributes
    ----------
    n_lines : int
        How many they are, blank lines among them.
    is_blank : bool array (n_lines,) or None
        Which are blank; None where none is.
    has_quotes : bool
    """

    n_lines: int
    is_blank: BoolArray | None
    has_quotes: bool


def rows_of(block: bytes, is_last: bool, dialect: Dialect, most: int) -> Rows:
    """The first rows of a block that starts with a row, ``most`` of them; ``is_last``: the file ends with it."""
    array = np.frombuffer(block, np.uint8)
    quotes, breaks = _positions(block, array, dialect.quote), np.flatnonzero(array == _LF)
    if is_last and len(quotes) % 2:
        return Rows(False)
    ends = _ends(block, breaks, quotes, is_last)[:most]
    if not len(ends):
        return Rows(True)
    stop = int(min(ends[-1] + 1, len(block)))
    array, quotes = array[:stop], quotes[: np.searchsorted(quotes, stop)]
    if not (_are_whole_fields(array, quotes, dialect) and _has_no_lone_return(block, array, quotes)):
        return Rows(False)
    n_rows = len(ends) - int(_blank_lines(array, ends).sum())
    lengths = np.diff(ends, prepend=-1)
    longest = int(lengths.argmax())
    return Rows(
        True,
        stop,
        n_rows,
        int(np.searchsorted(breaks, stop)),
        int(ends[longest - 1]) + 1 if longest else 0,
        int(lengths[longest]),
    )


def layout_of(rows: bytes, dialect: Dialect, n_fields: int) -> Layout | None:
    """The layout of whole rows; None where they must be read with more care.

    That is where quotes do not enclose whole fields, a row has not as many fields as the header, or there is
    anything else in which readers of CSV differ.
    """
    array = np.frombuffer(rows, np.uint8)
    quotes = _positions(rows, array, dialect.quote)
    if b"\0" in rows or len(quotes) % 2:
        return None
    if not (_are_whole_fields(array, quotes, dialect) and _has_no_lone_return(rows, array, quotes)):
        return None
    ends = _ends(rows, np.flatnonzero(array == _LF), quotes, True)
    is_blank = _blank_lines(array, ends)
    separators = _outside(_positions(rows, array, dialect.delimiter), quotes)
    counts = np.diff(np.searchsorted(separators, ends), prepend=0)
    if (counts[~is_blank] != n_fields - 1).any():
        return None
    return Layout(len(ends), is_blank if is_blank.any() else None, len(quotes) > 0)


def _ends(block: bytes, breaks: IntArray, quotes: IntArray, is_last: bool) -> IntArray:
    """Where rows end: at line breaks outside quotes, and at the end of the file."""
    ends = _outside(breaks, quotes)
    return np.append(ends, len(block)) if is_last and block[-1] != _LF else ends


def _positions(block: bytes, array: Bytes, character: str) -> IntArray:
    """Where the character stands; nowhere if it is none."""
    found = character and ord(character) in block  # much faster than to look for all
    return np.flatnonzero(array == ord(character)) if found else np.empty(0, np.int64)


def _outside(positions: IntArray, quotes: IntArray) -> IntArray:
    """The positions that no pair of quotes encloses."""
    return positions[np.searchsorted(quotes, positions) % 2 == 0] if len(quotes) else positions


def _are_whole_fields(array: Bytes, quotes: IntArray, dialect: Dialect) -> bool:
    """Whether quotes open at the start of a field and close at its end; a quote inside is two of them."""
    if not len(quotes):
        return True
    quote, delimiter = ord(dialect.quote), ord(dialect.delimiter)
    padded = np.concatenate([_LINE_END, array, _LINE_END, _LINE_END])
    before, after, second = padded[quotes[0::2]], padded[quotes[1::2] + 2], padded[quotes[1::2] + 3]
    opens = (before == delimiter) | (before == _LF) | (before == quote)
    closes = (after == delimiter) | (after == _LF) | (after == quote) | ((after == _CR) & (second == _LF))
    return bool(opens.all() and closes.all())


def _has_no_lone_return(block: bytes, array: Bytes, quotes: IntArray) -> bool:
    returns = _outside(_positions(block, array, "\r"), quotes)
    if not len(returns):
        return True
    return bool(returns[-1] + 1 < len(array) and (array[returns + 1] == _LF).all())


def _blank_lines(array: Bytes, ends: Any) -> BoolArray:
    lengths = np.diff(ends, prepend=-1) - 1
    blank: BoolArray = lengths == 0
    short = np.flatnonzero(lengths == 1)
    blank[short] = array[ends[short] - 1] == _CR
    return blank
