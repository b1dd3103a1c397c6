"""Why a labeling function votes as it does: what it found, and what spoke against it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Match:
    """What a rule found in a text.

    Attributes
    ----------
    text : str
        As it stands in the record.
    start, stop : int
        Where, in characters of the record's text.
    negated_by : str or None
        The words that negate it, so that it does not count.
    field : str
        The column that holds the text.
    """

    text: str
    start: int
    stop: int
    negated_by: str | None = None
    field: str = ""

    def __str__(self) -> str:
        negated = "" if self.negated_by is None else f", negated by {self.negated_by!r}"
        return f"{self.text!r} at {self.start}{negated}"


@dataclass(frozen=True)
class Explanation:
    """A labeling function's vote on one record, and why; ``str()`` of it is for people.

    Attributes
    ----------
    name : str
        Of the labeling function, or of a part of it.
    vote : object
        What it returned; None where it abstains or failed.
    holds : bool or None
        Whether its condition holds of the record; None where it has nothing to look at, and of Python functions.
    matches : tuple of Match
        Where words or patterns were found, in their order; with what negates them.
    said : str
        What it compared, or why it failed; empty where the matches say it.
    parts : tuple of Explanation
        Of a composite.
    """

    name: str
    vote: Any = None
    holds: bool | None = None
    matches: tuple[Match, ...] = ()
    said: str = ""
    parts: tuple["Explanation", ...] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines(top=True))

    @property
    def all_matches(self) -> tuple[Match, ...]:
        """Its own matches and those of its parts, in the order of the parts."""
        return (*self.matches, *(match for part in self.parts for match in part.all_matches))

    def _lines(self, top: bool) -> list[str]:
        outcome = f"votes {self.vote!r}" if self.vote is not None else "abstains"
        if not top:
            outcome = {True: "holds", False: "does not hold", None: "unknown"}[self.holds]
        why = "; ".join([*([self.said] if self.said else []), *map(str, self.matches)])
        line = f"{self.name}: {outcome}" + (f" ({why})" if why else "")
        return [line, *(f"  {line}" for part in self.parts for line in part._lines(top=False))]
