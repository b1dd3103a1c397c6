"""Something on a run that is worth fixing."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fix:
    """Something that is worth fixing, and how much it costs.

    Attributes
    ----------
    problem : str
        "wrong" (a labeling function that is wrong more often than right), "off branch" (one that votes where its
        task does not apply), "word" (one word of a list that does the harm), "copy" (two that say the same),
        "conflict" (two that contradict each other) or "missing" (a label without a reliable labeling function).
    sentence : str
        What is wrong, by names and figures, and what to do.
    severity : float
        Training records that probably get a wrong label by it, or none: what fixes are ordered by.
    lfs : tuple of str
        The labeling functions concerned; empty for "missing".
    task, label : str or None
        The label concerned.
    word : str or None
        The word concerned.
    query : dict
        What to ask ``inspection.records`` to see the records: ``inspection.records(**fix.query)``.
    """

    problem: str
    sentence: str
    severity: float
    lfs: tuple[str, ...] = ()
    task: str | None = None
    label: str | None = None
    word: str | None = None
    query: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.sentence
