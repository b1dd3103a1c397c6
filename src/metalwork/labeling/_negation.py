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
from metalwork.labeling._words import any_phrase_pattern

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
        """What is no negation after all, what ends one, and a negated stretch."""
        harmless, ends, cue = map(any_phrase_pattern, (NOT_NEGATIONS, NEGATION_ENDS, self.cues))
        if self.window is None:
            scope = rf"{cue}[^.;:!?\n]*"
        else:
            step = rf"{_GAP}[\w'’\-]+"
            chain = (
                rf"(?:(?:{step}){{0,{self.window - 1}}}{_GAP}{cue})*"  # a cue within reach of another extends it
            )
            scope = rf"{cue}{chain}(?:{step}){{0,{self.window}}}"
        return f"(?i){harmless}", f"(?i){ends}", f"(?i){scope}"

    def cut(self, text: pl.Series) -> pl.Series:
        """The texts (n_points,) without their negated stretches."""
        harmless, ends, scope = self._patterns
        return text.str.replace_all(harmless, _CUT).str.replace_all(ends, _CUT).str.replace_all(scope, _CUT)


def make_negation(negated_by: Sequence[str] | bool, window: int | None, lf: str) -> Negation | None:
    """The negation that an LF's arguments ask for, or None."""
    if window is not None and (isinstance(window, bool) or not isinstance(window, int) or window < 1):
        raise LabelingError(f"window of LF {lf!r} must be a whole number from 1 or None; got {window!r}.")
    if isinstance(negated_by, bool):
        return Negation(window=window) if negated_by else None
    if isinstance(negated_by, str) or not all(isinstance(cue, str) and cue.strip() for cue in negated_by):
        raise LabelingError(f"negated_by of LF {lf!r} must be True or a list of words; got {negated_by!r}.")
    return Negation(tuple(negated_by), window) if negated_by else None
