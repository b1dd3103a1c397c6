"""Rules about texts: words in them, and patterns."""

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from metalwork._checks import BoolArray
from metalwork.labeling._declared import ColumnRule, Reading, Verdicts
from metalwork.labeling._dialects import AGREED, rust_pattern
from metalwork.labeling._explain import Explanation, Match
from metalwork.labeling._lookup import Lookup, as_mask
from metalwork.labeling._negation import Negation
from metalwork.labeling._texts import Texts
from metalwork.text import any_phrase_pattern, compared_phrases, normalised

_FIRST: Final = np.zeros(1, np.intp)
_MOST: Final = 200  # words of a rule that one pattern looks for


class TextRule(ColumnRule):
    """Gives ``label`` to every text that matches and is not negated."""

    plain: bool  # whether it looks at normalised text

    def __init__(self, label: str, negation: Negation | None) -> None:
        self.label, self.negation, self.labels = label, negation, (label,)

    def verdicts(self, reading: Reading, fields: Sequence[str]) -> Verdicts:
        texts, why = reading.texts(fields[0])
        found = reading.found(self, fields[0])
        return Verdicts.of(self.holds(texts) if found is None else found, texts.missing, why)

    def holds(self, texts: Texts) -> BoolArray:
        """Of which texts (n_points,) it holds."""
        found = self.matches(texts)
        if self.negation is not None and (rows := np.flatnonzero(found)).size:
            changed, rest = texts.negated(self.negation, rows, self.plain)
            found[changed] = self.matches(Texts(rest))
        return found

    def explained(self, name: str, reading: Reading, fields: Sequence[str]) -> Explanation:
        base = super().explained(name, reading, fields)
        if base.holds is None:
            return base
        found = self.found(reading, fields)
        return replace(base, matches=found, said=base.said or ("" if found else "nothing found"))

    def found(self, reading: Reading, fields: Sequence[str]) -> tuple[Match, ...]:
        texts = reading.texts(fields[0])[0]
        if texts.missing[0]:
            return ()
        text, own = texts.written[0], (texts.plain if self.plain else texts.written)[:1]
        negated = None if self.negation is None else texts.negations(self.negation, _FIRST, self.plain)[0]
        found = []
        for start, stop in self.spans(texts)[:_MOST]:
            stretch = None if negated is None else negated.negating(start, stop)
            cue = None if stretch is None else own[0][stretch.cue_start : stretch.cue_stop]
            if self.plain:
                start, stop = came_from(start, stop, text, normalised)
            found.append(Match(text[start:stop], start, stop, cue, fields[0]))
        return tuple(found)

    @abstractmethod
    def spans(self, texts: Texts) -> list[tuple[int, int]]:
        """From where to where it finds something in the first text, in the form that it looks at."""

    @abstractmethod
    def matches(self, texts: Texts) -> BoolArray:
        """Which texts (n_points,) match, be it negated or not; null does not."""


class KeywordRule(TextRule):
    """Words and phrases in normalised text, at Unicode word boundaries."""

    plain = True

    def __init__(
        self, label: str, words: Sequence[str], ignore_case: bool, whole_words: bool, negation: Negation | None
    ) -> None:
        super().__init__(label, negation)
        self.words, self.ignore_case, self.whole_words = tuple(words), ignore_case, whole_words

    @property
    def phrases(self) -> list[str]:
        """The words as they are compared with texts."""
        return compared_phrases(self.words, self.ignore_case)

    @property
    def is_dotted(self) -> bool:
        """Whether a full stop stands for a word: then it may match what stands in for a negated stretch."""
        return any("." in word.split() for word in self.words if "." in word)

    def matches(self, texts: Texts) -> BoolArray:
        if len(self.words) > _MOST:
            found: BoolArray = self._lookup.matches(texts)[0]
            return found
        if self not in _patterns:
            _patterns[self] = any_phrase_pattern(self.phrases, self.whole_words)
        return as_mask((texts.folded if self.ignore_case else texts.plain).str.contains(_patterns[self]))

    def spans(self, texts: Texts) -> list[tuple[int, int]]:
        phrases = self.phrases if len(self.words) <= _MOST else self._lookup.phrases_in(texts)
        text, plain = (texts.folded if self.ignore_case else texts.plain)[:1], texts.plain[0]
        pattern = any_phrase_pattern(sorted(phrases, key=len, reverse=True) or ["\0"], self.whole_words)
        marked = text.str.replace_all("[\1\2]", " ").str.replace_all(pattern, "\1${0}\2")[0]
        found, place = list[tuple[int, int]](), 0
        for piece in marked.split("\1")[1:]:
            place = marked.index("\1", place) + 1
            start = place - 2 * len(found) - 1
            found.append((start, start + piece.index("\2")))
        fold = partial(_folded, self.ignore_case)
        return found if plain.isascii() else [came_from(start, stop, plain, fold) for start, stop in found]

    @property
    def _lookup(self) -> Lookup:
        """Its words without its negation, compiled by themselves."""
        if self not in _lookups:
            _lookups[self] = Lookup(
                [KeywordRule(self.label, self.words, self.ignore_case, self.whole_words, None)]
            )
        return _lookups[self]


_patterns: WeakKeyDictionary[KeywordRule, str] = WeakKeyDictionary()
_lookups: WeakKeyDictionary[KeywordRule, Lookup] = WeakKeyDictionary()
"""What is made of rules when they are used first; they travel, and are compared, without."""


class RegexRule(TextRule):
    """A pattern of Python's ``re`` on the text as it is written; the Rust engine stands in where both agree."""

    plain = False

    def __init__(self, label: str, pattern: str, flags: int, negation: Negation | None) -> None:
        super().__init__(label, negation)
        if not isinstance(pattern, str):
            raise TypeError("it is no text")
        self.pattern = re.compile(pattern, flags)

    def matches(self, texts: Texts) -> BoolArray:
        text, rust = texts.written, _in_rust(self.pattern)
        if rust is None:
            return self._search(text)
        mask = as_mask(text.str.contains(rust))
        other = texts.beyond_ascii
        if other.size:
            differing = other[as_mask(text.gather(other).str.contains(f"[^{AGREED}]"))]
            mask[differing] = self._search(text.gather(differing))
        return mask

    def spans(self, texts: Texts) -> list[tuple[int, int]]:
        return [found.span() for found in self.pattern.finditer(texts.written[0])]

    def _search(self, text: pl.Series) -> BoolArray:
        search = self.pattern.search
        found = (value is not None and search(value) is not None for value in text.to_list())
        return np.fromiter(found, dtype=bool, count=len(text))


def texts_matching(pattern: re.Pattern[str], texts: pl.Series) -> BoolArray:
    """Which texts (n_points,) a pattern is found in, as by a labeling function of :func:`regex`; null is none."""
    return RegexRule("", pattern.pattern, pattern.flags, None).matches(Texts(texts))


@lru_cache(maxsize=10_000)
def _in_rust(pattern: re.Pattern[str]) -> str | None:
    """The pattern for the Rust engine, where it may stand in."""
    rust = rust_pattern(pattern.pattern, pattern.flags)
    if rust is None:
        return None
    try:
        pl.Series([""]).str.contains(rust)
    except pl.exceptions.ComputeError:
        return None
    return rust


def _folded(fold: bool, text: str) -> str:
    return normalised(text, fold)


def came_from(start: int, stop: int, text: str, change: Callable[[str], str]) -> tuple[int, int]:
    """From where to where in ``text`` that stood which stands from ``start`` to ``stop`` once it is changed."""
    if text.isascii():
        return start, stop
    lengths = [len(change(text[:i])) for i in range(len(text) + 1)]
    first = max(i for i, length in enumerate(lengths) if length <= start)
    return first, min((i for i, length in enumerate(lengths) if i > first and length >= stop), default=len(text))
