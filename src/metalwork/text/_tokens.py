"""Cutting normalised text into words or characters."""

import re
import unicodedata
from functools import cache
from itertools import pairwise

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
    if text.isascii():
        return _PLAIN_WORD.findall(text)
    word, unspaced, character = _patterns()
    words: list[str] = []
    for run in word.findall(text):
        for piece in unspaced.split(run):
            if not unspaced.fullmatch(piece):
                words += [piece] if len(piece) > 1 else []
                continue
            characters = character.findall(piece)
            pairs = pairwise(characters)
            words += map("".join, pairs) if len(characters) > 1 else characters
    return words


def characters_of(text: str) -> list[str]:
    """The characters of a normalised text, each with its combining marks; a run of white space is one space."""
    plain = " ".join(text.split())
    return list(plain) if plain.isascii() else _patterns()[2].findall(plain)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """A word, a run of a script without spaces (captured, to split at), a character with its marks."""
    every = (chr(code) for start, stop in ((0x300, 0xD800), (0xE000, 0x20000)) for code in range(start, stop))
    marks = "".join(character for character in every if unicodedata.category(character)[0] == "M")
    part = f"[\\w{marks}\u200c\u200d]"
    return (
        re.compile(rf"\w{part}*"),
        re.compile(f"([{_WITHOUT_SPACES}](?:[{_WITHOUT_SPACES}{marks}\u200c\u200d])*)"),
        re.compile(f"(?s:.)[{marks}\u200c\u200d]*"),
    )
