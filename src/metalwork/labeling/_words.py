"""Words and phrases as patterns of the Rust regex engine that polars uses (Unicode words, UTS #18)."""

import re
import unicodedata
from collections.abc import Sequence

_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$#&\-~])")


def escape(text: str) -> str:
    """``text`` as a pattern that matches itself."""
    return _SPECIAL.sub(r"\\\1", text)


def phrase_pattern(phrase: str) -> str:
    """A pattern for the words of ``phrase``, with any white space between; a trailing ``*`` is any word ending."""
    return r"\s+".join(map(_word_pattern, unicodedata.normalize("NFC", phrase).split()))


def whole_phrase_pattern(phrase: str) -> str:
    """The same, not inside a longer word."""
    words = unicodedata.normalize("NFC", phrase).split()
    start = r"\b" if _is_word_character(words[0][0]) else ""
    end = r"\b" if _is_word_character(words[-1][-1]) or _is_stem(words[-1]) else ""
    return f"{start}{phrase_pattern(phrase)}{end}"


def any_phrase_pattern(phrases: Sequence[str], whole: bool = True) -> str:
    """A pattern for any one of ``phrases``."""
    return "(?:" + "|".join(map(whole_phrase_pattern if whole else phrase_pattern, phrases)) + ")"


def _word_pattern(word: str) -> str:
    pattern = escape(word[:-1]) + r"\w*" if _is_stem(word) else escape(word)
    return re.sub("['’]", "['’]", pattern)


def _is_stem(word: str) -> bool:
    return len(word) > 1 and word[-1] == "*" and _is_word_character(word[-2])


def _is_word_character(character: str) -> bool:
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"
