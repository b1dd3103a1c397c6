"""Words and phrases as patterns of the Rust regex engine that polars uses (Unicode words, UTS #18).

The patterns are for normalised text.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from metalwork.text._normal import normalised

_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$#&\-~])")


def compared_phrases(phrases: Sequence[str], fold: bool = False) -> list[str]:
    """The phrases as they are compared with texts: normalised, with single spaces, and ``fold`` case folded."""
    return [" ".join(normalised(phrase, fold).split()) for phrase in phrases]


def any_phrase_pattern(phrases: Sequence[str], whole: bool = True) -> str:
    """A pattern for any one of ``phrases``, which are as :func:`compared_phrases` gives them.

    Any white space stands between words, and a trailing ``*`` for any ending. With ``whole`` it does not match
    inside a longer word: combining marks such as vowel signs belong to the word.
    """
    return "(?:" + "|".join(_phrase_pattern(phrase.split(), whole) for phrase in phrases) + ")"


def one_of(words: Iterable[str]) -> str:
    """A pattern of ``re`` for any beginning with one of ``words``: letter by letter, so that most fail early."""
    tails: dict[str, list[str]] = {}
    for word in words:
        if not word:
            return ""
        tails.setdefault(word[0], []).append(word[1:])
    return "(?:" + "|".join(re.escape(first) + one_of(rest) for first, rest in sorted(tails.items())) + ")"


def _phrase_pattern(words: Sequence[str], whole: bool) -> str:
    start = r"\b" if whole and _is_word_character(words[0][0]) else ""
    end = r"\b" if whole and (_is_word_character(words[-1][-1]) or _is_stem(words[-1])) else ""
    return start + r"\s+".join(map(_word_pattern, words)) + end


def _word_pattern(word: str) -> str:
    pattern = _escape(word[:-1]) + r"\w*" if _is_stem(word) else _escape(word)
    return re.sub("([\u200c\u200d])", r"\1?", pattern.replace("'", "['`]"))


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _is_stem(word: str) -> bool:
    return len(word) > 1 and word[-1] == "*" and _is_word_character(word[-2])


def _is_word_character(character: str) -> bool:
    return character.isalnum() or character in "_\u200c\u200d" or unicodedata.category(character)[0] == "M"
