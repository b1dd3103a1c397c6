"""Cutting normalised text into words or characters."""

import re
import unicodedata
from functools import cache
from itertools import pairwise
from typing import NamedTuple

_PLAIN_WORD = re.compile(r"\b\w\w+\b")  # the default token of scikit-learn's CountVectorizer
_WITHOUT_SPACES = (
    "\u0e01-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
    # Han, Kana
    "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)


def words_of(text: str) -> list[str]:
    """The words of a normalised text, in order: runs of two or more letters, digits or underscores.

    On ASCII they are the tokens of scikit-learn's ``CountVectorizer``. Elsewhere combining marks (vowel signs,
    accents that have no composed form) and joiners belong to their word. Scripts that put no spaces between
    words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) give every pair of neighbouring characters, or the
    character where it stands alone: in these scripts most words have one or two.
    """
    if _is_latin(text):
        return _PLAIN_WORD.findall(text)
    patterns = _patterns()
    runs = patterns.run.findall(text)
    if not patterns.unspaced.search(text):
        return [run for run in runs if len(run) > 1]
    words: list[str] = []
    for run in runs:
        for piece in patterns.unspaced.split(run):
            if not patterns.unspaced.fullmatch(piece):
                words += [piece] if len(piece) > 1 else []
                continue
            characters = patterns.character.findall(piece)
            words += map("".join, pairwise(characters)) if len(characters) > 1 else characters
    return words


def characters_of(text: str) -> list[str]:
    """The characters of a normalised text, each with its combining marks; a run of white space is one space."""
    plain = " ".join(text.split())
    return list(plain) if plain.isascii() else _patterns().character.findall(plain)


def _is_latin(text: str) -> bool:
    """Whether the text has neither combining marks nor scripts without spaces, as a quick look tells."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


class _Patterns(NamedTuple):
    """A run of word characters; one of a script without spaces, to split at; a character with its marks."""

    run: re.Pattern[str]
    unspaced: re.Pattern[str]
    character: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    every = (chr(code) for start, stop in ((0x300, 0xD800), (0xE000, 0x20000)) for code in range(start, stop))
    marks = "".join(character for character in every if unicodedata.category(character)[0] == "M")
    marks += "\u200c\u200d"
    return _Patterns(
        re.compile(rf"\w+(?:[{marks}]+\w*)*"),
        re.compile(f"([{_WITHOUT_SPACES}](?:[{_WITHOUT_SPACES}{marks}])*)"),
        re.compile(f"(?s:.)[{marks}]*"),
    )
