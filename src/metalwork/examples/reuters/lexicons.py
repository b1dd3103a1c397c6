"""Labeling functions made of word lists and turns of phrase."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import metalwork as mw


@dataclass(frozen=True)
class Lexicon:
    """Words and phrases that speak for a label.

    Attributes
    ----------
    words : str
        Separated by commas; ``*`` at the end of a word stands for any ending.
    at_least : int
        How many different ones must occur before they count.
    field : str
        The column to look in.
    """

    words: str
    at_least: int = 1
    field: str = "text"

    @property
    def phrases(self) -> tuple[str, ...]:
        """The words and phrases one by one."""
        return tuple(" ".join(phrase.split()) for phrase in self.words.split(","))


@dataclass(frozen=True)
class Form:
    """A turn of layout or phrase that speaks for a label: a pattern of ``re``, letter case heeded."""

    pattern: str
    field: str = "text"


Sources = Mapping[str, Lexicon | Form]
"""What speaks for one label, by what it is about."""

Evidence = Mapping[tuple[str, str], Sources]
"""Sources by (task, label)."""


def make_functions(evidence: Evidence) -> tuple[mw.LabelingFunction, ...]:
    """One LF for each piece of evidence; none looks at another's words again, as that would count them twice."""
    return tuple(
        _one_function(task, label, f"{label}: {about}", source)
        for (task, label), sources in evidence.items()
        for about, source in sources.items()
    )


def _one_function(task: str, label: str, name: str, source: Lexicon | Form) -> mw.LabelingFunction:
    if isinstance(source, Form):
        return mw.regex(task, label, source.pattern, source.field, name, flags=0)
    if source.at_least == 1:
        return mw.keywords(task, label, source.phrases, source.field, name)
    pattern, needed = _any_of(source.phrases), source.at_least

    def several(text: str | None) -> str | None:
        return label if _count_different(pattern, text or "") >= needed else None

    return mw.from_callable(several, task, [source.field], name)


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    escaped = (re.escape(word).replace(r"\*", r"\w*").replace(r"\ ", r"\s+") for word in longest_first)
    return re.compile(rf"(?<!\w)(?:{'|'.join(escaped)})(?!\w)", re.IGNORECASE)


def _count_different(pattern: re.Pattern[str], text: str) -> int:
    return len({found.lower() for found in pattern.findall(text)})
