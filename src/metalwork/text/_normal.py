"""One normalisation of text, for what labeling functions look up and what features count.

Texts out of PDFs, web pages and keyboards spell one word in many ways. Normalised, they share one spelling:

* composed as in NFC, so that ``e`` with a combining accent is ``é``;
* ligatures, full-width and half-width letters, presentation forms and styled letters are plain ones, as in
  NFKC. Kept as they are: superscripts, subscripts, fractions and circled digits (a footnote mark is no part of
  its word), the sign ``№`` (it would read "No"), accents that stand alone, and Hangul compatibility letters;
* every dash is ``-``, every single quote or apostrophe ``'``, every double one ``"``, every space a space,
  every line separator a line break;
* invisible characters are gone: soft hyphens (with the line break after them), zero-width spaces, direction marks,
  variation selectors. Joiners (ZWNJ, ZWJ) stay inside words of the scripts that spell with them, Arabic to
  Mongolian in Unicode's order, and go elsewhere.

Folded, letter case is gone too, by Unicode's full case folding: ``ß`` is ``ss``, the final sigma a sigma, and the
Turkish ``İ`` an ``i``; the dotless ``ı`` stays a letter of its own, as by default in Unicode.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork._checks import BoolArray

_PLAIN_KINDS = frozenset(
    f"<{kind}>"
    for kind in (
        *("compat", "wide", "narrow", "noBreak", "font", "square", "vertical", "small"),
        *("initial", "medial", "final", "isolated"),
    )
)
_KEPT = re.compile("[№\u3130-\u318f\uffa0-\uffdc]")
_ALIKE = {
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d",
    "'": "\u2018\u2019\u201a\u201b\u02bb\u02bc\u02bd\u2032\u00b4\uff07",
    '"': "\u201c\u201d\u201e\u201f\u2033\uff02",
    "\n": "\u0085\u2028",
    "\n\n": "\u2029",
    "": "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u2060\ufeff"
    + "".join(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xFE00, 0xFE10)))),
}
_SPELLED_WITH_JOINERS = "\u0600-\u18ff"
_MAPPED = ((0x80, 0xD800), (0xE000, 0x10000), (0x1D400, 0x1D800), (0x1EE00, 0x1EF00), (0x1F100, 0x1F300))
_HYPHENATED = "\u00ad[ \\t]*\\r?\\n[ \\t]*"
_STRAY_JOINERS = re.compile(
    f"(?<![{_SPELLED_WITH_JOINERS}\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+$|\u200c+(?![{_SPELLED_WITH_JOINERS}])"
    "|(?<=\u200c)\u200c+|(?<=\u200d)\u200d+"
)


def is_ascii(text: pl.Series) -> BoolArray:
    """Which texts (n_points,) are plain ASCII, which is normalised as it stands; null is."""
    same = (text.str.len_bytes() == text.str.len_chars()).fill_null(True)
    return np.array(same.to_numpy(), dtype=bool)


def normalise(text: pl.Series) -> pl.Series:
    """The texts (n_points,) normalised; null stays null."""
    rows = np.flatnonzero(~is_ascii(text))
    if not rows.size:
        return text
    spellings = _spellings()
    unhyphenated = text.gather(rows).str.replace_all(_HYPHENATED, "")
    plain = unhyphenated.str.replace_many(list(spellings), list(spellings.values()))
    return _with(text, rows, [_composed(value) for value in plain.to_list()])


def fold_case(text: pl.Series) -> pl.Series:
    """Normalised texts (n_points,) without letter case."""
    rows = np.flatnonzero(~is_ascii(text))
    low = text.str.to_lowercase()
    return _with(low, rows, [_folded(value) for value in text.gather(rows).to_list()]) if rows.size else low


def normalised(text: str, fold: bool = False) -> str:
    """One text normalised, and with ``fold`` case folded."""
    if not text.isascii():
        text = _composed(re.sub(_HYPHENATED, "", text).translate(_translation()))
    return _folded(text) if fold else text


def _with(column: pl.Series, rows: npt.NDArray[np.intp], values: list[str]) -> pl.Series:
    """``column`` with other ``values`` in ``rows``."""
    places = np.arange(len(column))
    places[rows] = len(column) + np.arange(rows.size)
    return pl.concat([column, pl.Series(column.name, values, dtype=pl.String)]).gather(places)


def _composed(text: str) -> str:
    if "\u200c" in text or "\u200d" in text:
        text = _STRAY_JOINERS.sub("", text)
    return unicodedata.normalize("NFC", text)


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text.casefold().replace("i\u0307", "i"))


@cache
def _translation() -> dict[int, str]:
    return str.maketrans(_spellings())


@cache
def _spellings() -> dict[str, str]:
    """What each character that is spelled otherwise becomes."""
    spellings = {character: plain for plain, characters in _ALIKE.items() for character in characters}
    for character in _candidates():
        kind = unicodedata.decomposition(character).partition(" ")[0]
        plain = unicodedata.normalize("NFKC" if kind in _PLAIN_KINDS else "NFC", character)
        if unicodedata.category(character) == "Zs":
            spellings[character] = " "
        elif character not in spellings and plain != character and plain[0] != " " and not _KEPT.match(character):
            spellings[character] = plain
    return {character: "".join(spellings.get(c, c) for c in plain) for character, plain in spellings.items()}


def _candidates() -> Iterator[str]:
    """Non-ASCII characters that may have a compatibility mapping: the basic plane and the styled alphabets."""
    for start, stop in _MAPPED:
        yield from map(chr, range(start, stop))
