"""Where sentences end for sure, in many texts at once."""

from functools import cache
from typing import Final

import numpy as np

from metalwork._checks import BoolArray
from metalwork.text._runs import PIECE, Pieces, Places, Runs
from metalwork.text._sentences import ABBREVIATIONS

_STOP, _LINE, _END = ord("."), ord("\n"), 0xFF
_CERTAIN: Final = (ord("!"), ord(";"))


def sentence_ends(runs: Runs) -> Places:
    """Places (n,), in order, at which a sentence ends as :class:`Sentences` has it, in case-folded ASCII texts.

    Not all of them: the full stop after an abbreviation or a number, and most line breaks, take a closer look.
    """
    letters = runs.letters[:-PIECE]
    ends = (letters == _CERTAIN[0]) | (letters == _CERTAIN[1]) | (letters == _END)
    following = runs.letters[1 : len(letters) + 1]
    ends |= (letters == _LINE) & (following == _LINE)
    stops = np.flatnonzero(letters == _STOP)
    after = following[stops]
    stops = stops[~_is_alnum(after)]
    ends[stops] = ~_is_alnum(letters[stops - 1])
    if len(runs.starts):
        ends[stops] |= _ends_after_word(runs, stops)
    return np.flatnonzero(ends)


def _ends_after_word(runs: Runs, stops: Places) -> BoolArray:
    """Before which full stops stands a word, blanks before it, that is no abbreviation."""
    run = np.searchsorted(runs.starts, stops) - 1
    start, length = runs.starts[run], runs.lengths[run]
    before = runs.letters[start - 1]
    alone = (run >= 0) & (start + length == stops) & ((before == 32) | (before == _LINE) | (before == _END))
    word, known = runs.pieces(start, length), _abbreviations()
    plain: BoolArray = alone & (
        (length > PIECE) | (known[np.minimum(np.searchsorted(known, word), len(known) - 1)] != word)
    )
    return plain


def _is_alnum(letters: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> BoolArray:
    return ((letters | np.uint8(32)) - np.uint8(97) < 26) | (letters - np.uint8(48) < 10)


@cache
def _abbreviations() -> Pieces:
    words = [word for word in (*ABBREVIATIONS, "no") if len(word) <= PIECE]
    return np.sort(np.array([int.from_bytes(word.encode(), "little") for word in words], np.uint64))
