"""A word or phrase that could become a labeling function."""

from dataclasses import dataclass
from typing import Any

from metalwork.labeling import LabelingFunction, keywords

SOURCES = ("dev", "model", "name")


@dataclass(frozen=True)
class WordSuggestion:
    """Words that would vote for a label, and what is to be expected of that.

    Attributes
    ----------
    words : tuple of str
        Any one of them would do; mostly there is one.
    task, label : str
    field : str
        The text column.
    n_records : int
        Training records that hold a word, worked out from the sample that was looked at.
    coverage : float
        Their share of the training records.
    n_uncovered : int
        Those of them on which no labeling function votes yet.
    precision : float
        Estimated share of them with the label; see :func:`suggest_words` for how.
    interval : (float, float)
        Of 95 %, for that.
    n_dev : int
        Dev records of known label that hold a word.
    overlap : float
        Share of the records on which some labeling function votes already.
    lfs : tuple of (str, float)
        The labeling functions that vote on most of them, and on what share of them: at least a fifth.
    gain : float
        Training records whose end label is expected to become right; what suggestions are ordered by.
    source : {"dev", "model", "name"}
        What spoke for it: dev labels, what the label model made of the votes, or the label's name.
    examples : tuple of (str, int)
        Split and row of a few records that hold a word, drawn evenly: right or wrong.
    name : str
        Of the labeling function that it becomes.
    whole_words : bool
        False for scripts that put no space between words.
    """

    words: tuple[str, ...]
    task: str
    label: str
    field: str
    n_records: int
    coverage: float
    n_uncovered: int
    precision: float
    interval: tuple[float, float]
    n_dev: int
    overlap: float
    lfs: tuple[tuple[str, float], ...]
    gain: float
    source: str
    examples: tuple[tuple[str, int], ...]
    name: str
    whole_words: bool = True

    def rule(self) -> dict[str, Any]:
        """The rule as it stands under ``lfs.rules`` in a project file."""
        rule: dict[str, Any] = {
            "name": self.name,
            "task": self.task,
            "label": self.label,
            "keywords": list(self.words),
        }
        if self.field != "text":
            rule["field"] = self.field
        if not self.whole_words:
            rule["whole_words"] = False
        return rule

    def lf(self) -> LabelingFunction:
        """The labeling function."""
        return keywords(
            self.task, self.label, self.words, field=self.field, name=self.name, whole_words=self.whole_words
        )

    def __str__(self) -> str:
        low, high = self.interval
        known = {"dev": "dev labels", "model": "the votes of other functions", "name": "the label's name"}[
            self.source
        ]
        return (
            f"{' or '.join(map(repr, self.words))} for {self.label!r} ({self.task}): {self.n_records:,} records, "
            f"{self.n_uncovered:,} of them without a vote; precision about {self.precision:.0%} "
            f"({low:.0%} to {high:.0%}), by {known}"
        )
