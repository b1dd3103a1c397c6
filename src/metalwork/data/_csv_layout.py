"""Where rows and fields of a block of CSV begin and end, and whether that is as it should be."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork._checks import BoolArray, IntArray
from metalwork.data._dialect import Dialect

_LF, _CR = 10, 13
_LINE_END = np.array([_LF], np.uint8)


class Layout(NamedTuple):
    """The whole rows at the start of a block.

    Attributes
    ----------
    is_regular : bool
        Quotes enclose whole fields, every row has as many fields as the header, and there is nothing else in which
        readers of CSV differ. Else the block must be read with more care.
    stop : int
        Where they end; 0 where the block holds no whole row.
    n_lines : int
        How many they are, blank lines among them.
    is_blank : bool array (n_lines,) or None
        Which are blank; None where none is.
    has_quotes : bool
    """

    is_regular: bool
    stop: int = 0
    n_lines: int = 0
    is_blank: BoolArray | None = None
    has_quotes: bool = False


_IRREGULAR = Layout(False)


def layout_of(block: bytes, is_last: bool, dialect: Dialect, n_fields: int) -> Layout:
    """The layout of a block that starts with a row; ``is_last``: the file ends with it."""
    if b"\0" in block:
        return _IRREGULAR
    array = np.frombuffer(block, np.uint8)
    quotes = _positions(array, dialect.quote) if dialect.quote else np.empty(0, np.int64)
    ends = _outside(np.flatnonzero(array == _LF), quotes)
    if is_last and block[-1] != _LF:
        if len(quotes) % 2:
            return _IRREGULAR
        ends = np.append(ends, len(block))
    elif is_last and len(quotes) % 2:
        return _IRREGULAR
    if not len(ends):
        return Layout(True)
    stop = int(min(ends[-1] + 1, len(block)))
    quotes = quotes[quotes < stop]
    array = array[:stop]
    if not (_are_whole_fields(array, quotes, dialect) and _has_no_lone_return(array, quotes)):
        return _IRREGULAR
    is_blank = _blank_lines(array, ends)
    separators = _outside(_positions(array, dialect.delimiter), quotes)
    counts = np.diff(np.searchsorted(separators, ends), prepend=0)
    if (counts[~is_blank] != n_fields - 1).any():
        return _IRREGULAR
    return Layout(True, stop, len(ends), is_blank if is_blank.any() else None, len(quotes) > 0)


def _positions(array: npt.NDArray[np.uint8], character: str) -> IntArray:
    return np.flatnonzero(array == ord(character))


def _outside(positions: IntArray, quotes: IntArray) -> IntArray:
    """The positions that no pair of quotes encloses."""
    return positions[np.searchsorted(quotes, positions) % 2 == 0] if len(quotes) else positions


def _are_whole_fields(array: npt.NDArray[np.uint8], quotes: IntArray, dialect: Dialect) -> bool:
    """Whether quotes open at the start of a field and close at its end; a quote inside is two of them."""
    if not len(quotes):
        return True
    quote, delimiter = ord(dialect.quote), ord(dialect.delimiter)
    padded = np.concatenate([_LINE_END, array, _LINE_END, _LINE_END])
    before, after, second = padded[quotes[0::2]], padded[quotes[1::2] + 2], padded[quotes[1::2] + 3]
    opens = (before == delimiter) | (before == _LF) | (before == quote)
    closes = (after == delimiter) | (after == _LF) | (after == quote) | ((after == _CR) & (second == _LF))
    return bool(opens.all() and closes.all())


def _has_no_lone_return(array: npt.NDArray[np.uint8], quotes: IntArray) -> bool:
    returns = _outside(np.flatnonzero(array == _CR), quotes)
    if not len(returns):
        return True
    return bool(returns[-1] + 1 < len(array) and (array[returns + 1] == _LF).all())


def _blank_lines(array: npt.NDArray[np.uint8], ends: Any) -> BoolArray:
    lengths = np.diff(ends, prepend=-1) - 1
    blank: BoolArray = lengths == 0
    short = np.flatnonzero(lengths == 1)
    blank[short] = array[ends[short] - 1] == _CR
    return blank
