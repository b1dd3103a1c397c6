"""Negation: cutting out of a text what it says is *not* so.

A compact relative of NegEx (Chapman et al. 2001) and ConText (Harkema et al. 2009): a cue such as "no" negates
what follows it, up to the end of the sentence, a word such as "but", or a number of words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from metalwork.errors import LabelingError
from metalwork.labeling._words import phrase_pattern

NEGATIONS: Final = (
    "no", "not", "without", "never", "neither", "nor", "cannot", "deny", "denies", "denied", "denying",
    "negative for", "free of", "clear of", "absence of", "lack of", "lacks", "rather than",
    "isn't", "aren't", "wasn't", "weren't", "don't", "doesn't", "didn't", "won't", "can't", "hasn't", "haven't",
)  # fmt: skip
"""English words that negate what follows them."""

NEGATION_ENDS: Final = (
    "but", "however", "although", "though", "nevertheless", "yet", "except", "apart from", "aside from",
    "other than", "because of", "due to",
)  # fmt: skip
"""English words at which a negation ends."""

NOT_NEGATIONS: Final = (
    "no change", "no significant change", "no interval change", "no significant interval change", "no increase",
    "not only", "not necessarily", "no doubt", "without change", "without significant change",
)  # fmt: skip
"""English phrases that look like a negation of what follows but are none."""

_CUT = "\n.\n"  # what stands in for a removed stretch: neither a phrase nor "." of a regex reaches across
_GAP = r"[^\w.;:!?\n]+"


@dataclass(frozen=True)
class Negation:
    """Which words negate, and how far (``window`` words, or to the end of the sentence)."""

    cues: tuple[str, ...] = NEGATIONS
    window: int | None = None

    @cached_property
    def _patterns(self) -> tuple[str, str, str]:
        either = [rf"(?i)\b(?:{'|'.join(map(phrase_pattern, p))})\b" for p in (NOT_NEGATIONS, NEGATION_ENDS)]
        cue = rf"\b(?:{'|'.join(map(phrase_pattern, self.cues))})\b"
        if self.window is None:
            return either[0], either[1], rf"(?i){cue}[^.;:!?\n]*"
        word = r"[\w'’\-]+"
        chain = rf"(?:(?:{_GAP}{word}){{0,{self.window - 1}}}{_GAP}{cue})*" if self.window else ""
        return either[0], either[1], rf"(?i){cue}{chain}(?:{_GAP}{word}){{0,{self.window}}}"

    def cut(self, text: pl.Series) -> pl.Series:
        """The texts (n_points,) without their negated stretches."""
        harmless, ends, scope = self._patterns
        # The longest pseudo cue would win by order alone; none of the phrases is a prefix of another.
        text = text.str.replace_all(harmless, " ").str.replace_all(ends, _CUT)
        return text.str.replace_all(scope, _CUT)


def make_negation(negated_by: Sequence[str] | bool, window: int | None, lf: str) -> Negation | None:
    """The negation that an LF's arguments ask for, or None."""
    if window is not None and (isinstance(window, bool) or not isinstance(window, int) or window < 1):
        raise LabelingError(f"window of LF {lf!r} must be a whole number from 1 or None; got {window!r}.")
    if isinstance(negated_by, bool):
        return Negation(window=window) if negated_by else None
    if isinstance(negated_by, str) or not all(isinstance(cue, str) and cue.strip() for cue in negated_by):
        raise LabelingError(f"negated_by of LF {lf!r} must be True or a list of words; got {negated_by!r}.")
    return Negation(tuple(negated_by), window) if negated_by else None
