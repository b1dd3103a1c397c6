"""Negation: cutting out of a text what it says is *not* so.

A cue such as "no" negates what follows it, up to the end of the sentence, a word such as "but", or a number of
words; a cue such as "is not seen" negates what stands before it in its clause. What is uncertain ("cannot
exclude", "unlikely") is not negated.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final, NamedTuple

import polars as pl

from metalwork.errors import LabelingError
from metalwork.labeling._negation_words import (
    ANSWERS_NO,
    CLAUSE_STARTS,
    FIRST_WORDS,
    NEGATED_BEFORE,
    NEGATED_ITSELF,
    NEGATION_ENDS,
    NEGATIONS,
    NOT_NEGATIONS,
    PREDICATES,
    TRIGGERS,
)
from metalwork.text import Sentences, normalised, one_of

_CUT: Final = "\n.\n"  # what stands in for a removed stretch: neither a phrase nor "." of a regex reaches across
_MARK: Final = "\x01"  # stands before each trigger for a moment
_WORD: Final = re.compile(r"[^\s.,:;!?()\[\]{}\"/]+")
_SEPARATOR: Final = re.compile(r",|\b(?:and|or)\b")
_PREDICATE: Final = re.compile(PREDICATES)
_CONJOINED: Final = re.compile(r"\b(?:and|or|nor)\b|&|/")
_NO_WORD: Final = re.compile(r"\W", re.ASCII)
_QUOTES: Final = "'`\u2018\u2019\u02bc\u2032\u00b4"
_PLAIN: Final = str.maketrans(
    dict.fromkeys(_QUOTES, "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
    | dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\u3000", " ")
    | dict.fromkeys("\u0085\u2028\u2029", "\n")
)


@dataclass(frozen=True)
class Negation:
    """Which words negate, and how far (``window`` words, or to the end of the sentence).

    ``cues`` of one's own negate what follows; None takes all that English has.
    """

    cues: tuple[str, ...] | None = None
    window: int | None = None

    @property
    def trigger_words(self) -> tuple[str, ...] | None:
        """Words, some with a ``*`` for any ending, with which all triggers begin; None where some are no words."""
        words = _first_words(self.cues)
        if not all(map(_is_plain_word, words)):
            return None
        begun = ((word, len(_NO_WORD.split(word, maxsplit=1)[0])) for word in sorted(words))
        return tuple(dict.fromkeys(word[:n].lower() + "*" * (word[n:] == "*") for word, n in begun))

    def cut(self, texts: pl.Series) -> list[str | None]:
        """Each text (n_points,) without its negated stretches; None where it has none, or is null."""
        return [None if read is None else read.rest() for read in self.read(texts)]

    def read(self, texts: pl.Series) -> "list[NegatedText | None]":
        """What is negated in each text (n_points,); None where nothing is."""
        found: list[NegatedText | None] = []
        texts = texts.str.replace_all(_MARK, " ", literal=True)
        for marked in texts.str.replace_all(_trigger_of(self.cues), f"{_MARK}${{0}}").to_list():
            pieces = [] if marked is None else marked.split(_MARK)
            triggers = accumulate(map(len, pieces[:-1]))
            found.append(self.read_at("".join(pieces), triggers) if len(pieces) > 1 else None)
        return found

    def read_at(
        self, text: str, triggers: Iterable[int], start: int = 0, stop: int | None = None
    ) -> "NegatedText | None":
        """What is negated in the sentences that hold ``triggers``, places in their order.

        A sentence may be known to end at ``start`` and one at ``stop``, between which the triggers are.
        """
        text = text.replace(_MARK, " ")
        plain, sentences, read = _comparable(text), Sentences(text, start, stop), 0
        reading, events = _Reading(plain, self.window), _events_of(self.cues)
        for trigger in triggers:
            if trigger >= read:
                begin, read = sentences.around(trigger)
                reading.begin(begin)
                for found in events.finditer(plain, begin, read):
                    reading.take(str(found.lastgroup), found.start(), found.end())
                reading.end(read, read)
        return NegatedText(text, sorted(reading.stretches)) if reading.stretches else None


class Stretch(NamedTuple):
    """From where to where something is negated, and from where to where that stands which negates it."""

    start: int
    stop: int
    cue_start: int
    cue_stop: int


class NegatedText(NamedTuple):
    """A text, and what is negated in it."""

    text: str
    stretches: list[Stretch]

    def rest(self) -> str:
        """The text without what is negated."""
        kept, done = [], 0
        for start, stop, *_ in self.stretches:
            if start >= done:
                kept.append(self.text[done:start])
            done = max(done, stop)
        return _CUT.join([*kept, self.text[done:]])

    def negating(self, start: int, stop: int) -> Stretch | None:
        """The first stretch that overlaps with the places from ``start`` to ``stop``."""
        return next((own for own in self.stretches if own.start < stop and start < own.stop), None)


class _Reading:
    """What has been read of a text: the negated stretches, and the cues that are open in the clause."""

    def __init__(self, text: str, window: int | None) -> None:
        self.text, self.window = text, window
        self.stretches: list[Stretch] = []
        self._cues: list[tuple[int, int]] = []
        self._clause = 0

    def begin(self, start: int) -> None:
        """A sentence begins."""
        self._clause = start

    def take(self, kind: str, start: int, stop: int) -> None:
        """What was found next in the sentence."""
        if kind == "cue":
            self._cues.append((start, stop))
        elif kind in ("before", "answer"):
            self._negate_before(start, stop, listed=kind == "answer")
        elif kind in ("itself", "free"):
            self.stretches.append(Stretch(_word_start(self.text, start), stop, start, stop))
        elif kind != "stop" or self._stops(start):
            self.end(start, stop)

    def end(self, start: int, stop: int) -> None:
        """A clause ends at ``start``, and the next begins at ``stop``."""
        if self._cues and self.window is None:
            self.stretches.append(Stretch(self._cues[0][0], start, *self._cues[0]))
        elif self._cues:
            self.stretches += [Stretch(cue[0], self._reach(cue[1], start), *cue) for cue in self._cues]
        self._cues.clear()
        self._clause = stop

    def _stops(self, at: int) -> bool:
        """Whether the punctuation mark at ``at`` ends the clause."""
        if self.text[at] != ":":
            return True
        if self._cues and not self.text[self._cues[-1][1] : at].strip():  # "denies: fever, cough"
            return False
        return not (self.text[at - 1 : at].isdigit() and self.text[at + 1 : at + 2].isdigit())

    def _negate_before(self, start: int, stop: int, listed: bool) -> None:
        """A cue at ``start`` negates what its clause said before; where that is nothing, what follows."""
        if self._cues:
            self.end(start, stop)
            return
        begin = self._subject(start, listed)
        words = list(_WORD.finditer(self.text, begin, start))
        if not words:
            self._cues.append((start, stop))
            return
        if self.window is not None:
            begin = words[-self.window :][0].start()
        self.stretches.append(Stretch(begin, stop, start, stop))
        self._clause = stop

    def _subject(self, stop: int, listed: bool) -> int:
        """Where that begins of which the clause speaks last: after its verb, or after its last comma.

        Not after a comma of a list, which has an "and" or, ``listed``, a colon to say so.
        """
        said = self.text[self._clause : stop]
        verbs = [verb for verb in _PREDICATE.finditer(said) if _WORD.search(said, verb.end())]
        if verbs:
            after = verbs[-1].end()
            separator = _SEPARATOR.search(said, after)
            return self._clause + (separator.end() if separator else after)
        comma = said.rstrip(" ,").rfind(",")
        return self._clause if listed or comma < 0 or _CONJOINED.search(said) else self._clause + comma + 1

    def _reach(self, last: int, stop: int) -> int:
        for count, word in enumerate(_WORD.finditer(self.text, last, stop), 1):
            if count == self.window:
                return word.end()
        return stop


def make_negation(negated_by: Sequence[str] | bool, window: int | None, lf: str) -> Negation | None:
    """The negation that an LF's arguments ask for, or None."""
    if window is not None and (isinstance(window, bool) or not isinstance(window, int) or window < 1):
        raise LabelingError(f"window of LF {lf!r} must be a whole number from 1 or None; got {window!r}.")
    if isinstance(negated_by, bool):
        return Negation(window=window) if negated_by else None
    if isinstance(negated_by, str) or not all(isinstance(cue, str) and cue.strip() for cue in negated_by):
        raise LabelingError(f"negated_by of LF {lf!r} must be True or a list of words; got {negated_by!r}.")
    return Negation(tuple(negated_by), window) if negated_by else None


def _first_words(cues: tuple[str, ...] | None) -> set[str]:
    return {normalised(cue).split()[0] for cue in (TRIGGERS if cues is None else cues)}


def _is_plain_word(word: str) -> bool:
    return word.isascii() and word[0].isalnum()


@cache
def _trigger_of(cues: tuple[str, ...] | None) -> str:
    """A pattern of the Rust engine that every negation holds a match of; it may match elsewhere too."""
    words = sorted(_first_words(cues))
    if not all(map(_is_plain_word, words)):
        return f"(?i)(?:{_any(re.escape(word.rstrip('*')) for word in words)})"
    hints = (re.escape(word[:-1]) if word[-1] == "*" else re.escape(word) + r"\b" for word in words)
    return rf"(?i-u)\b(?:{_any(hints)})".replace("'", f"(?:{'|'.join(_QUOTES)})")


@cache
def _events_of(cues: tuple[str, ...] | None) -> re.Pattern[str]:
    english = cues is None
    words = {
        "itself": NEGATED_ITSELF if english else "",
        "harmless": rf"(?:{_any(NOT_NEGATIONS)})\b",
        "before": rf"(?:{_any(NEGATED_BEFORE)})\b" if english else "",
        "cue": rf"(?:{_any(map(_cue_pattern, NEGATIONS if cues is None else cues))})(?!\w)",
        "end": rf"(?:{_any(NEGATION_ENDS)})\b",
    }
    signs = {
        "answer": ANSWERS_NO if english else "",
        "free": r"-free\b" if english else "",
        "clause": CLAUSE_STARTS,
        "stop": "[:;!?]",
    }
    start = rf"\b(?={one_of(FIRST_WORDS)})" if english else r"(?<!\w)"
    pattern = rf"{start}(?:{_groups(words)})|(?=[:;!?=|(,\-])(?:{_groups(signs)})"
    return re.compile(pattern.replace(" ", r"\s+").replace(r"\s+?", r"\s*"))


def _any(patterns: Iterable[str]) -> str:
    return "|".join(patterns)


def _groups(patterns: Mapping[str, str]) -> str:
    return _any(f"(?P<{name}>{pattern})" for name, pattern in patterns.items() if pattern)


def _cue_pattern(cue: str) -> str:
    words = normalised(cue, fold=True).split()
    return " ".join(re.escape(w[:-1]) + r"\w*" if len(w) > 1 and w[-1] == "*" else re.escape(w) for w in words)


def _word_start(text: str, at: int) -> int:
    while at and text[at - 1].isalnum():
        at -= 1
    return at


def _comparable(text: str) -> str:
    """The text in lower case with plain signs, character for character."""
    low = text.lower()
    if text.isascii():
        return low
    if len(low) != len(text):
        low = "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
    return low.translate(_PLAIN)
