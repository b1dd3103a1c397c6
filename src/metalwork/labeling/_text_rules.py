"""Rules about texts: words in them, and patterns."""

import re
from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from metalwork._checks import BoolArray
from metalwork.labeling._declared import ColumnRule, Reading, Verdicts
from metalwork.labeling._dialects import AGREED, rust_pattern
from metalwork.labeling._lookup import Lookup, as_mask
from metalwork.labeling._negation import Negation
from metalwork.labeling._texts import Texts
from metalwork.text import any_phrase_pattern, compared_phrases

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

    def _search(self, text: pl.Series) -> BoolArray:
        search = self.pattern.search
        found = (value is not None and search(value) is not None for value in text.to_list())
        return np.fromiter(found, dtype=bool, count=len(text))


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
