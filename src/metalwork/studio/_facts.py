"""Figures of a run that several pages show, each worked out once."""

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from metalwork.analysis import LFSummary

if TYPE_CHECKING:
    from metalwork.inspection import Inspection, LabelCard, LFCard
    from metalwork.pipeline import Results, Run


class Facts:
    """What is said of a run as a whole.

    Parameters
    ----------
    run : Run
        Its votes have been found, or it has no labeling function.
    inspection : Inspection
    """

    def __init__(self, run: "Run", inspection: "Inspection") -> None:
        self.run, self.inspection = run, inspection
        self.has_votes = bool(run.job.labeling_functions)
        self.are_ready = threading.Event()

    @cached_property
    def lfs(self) -> LFSummary | None:
        """How the labeling functions do on train."""
        return self.run.lfs if self.has_votes else None

    @cached_property
    def dev(self) -> LFSummary | None:
        """How they do on dev, as far as its labels are known."""
        return self.run.gold_lfs.get("dev") if self.has_votes else None

    @cached_property
    def lf_cards(self) -> "list[LFCard]":
        """A card a labeling function."""
        return self.inspection.lf_cards() if self.has_votes else []

    @cached_property
    def label_cards(self) -> "dict[str, LabelCard]":
        """A card an end label, by its name."""
        return {card.name: card for card in self.inspection.label_cards()} if self.has_votes else {}

    @cached_property
    def metrics(self) -> "Results":
        """How the models do on dev."""
        return self.run.dev_metrics if "fit" in self.run.steps else {}

    def warm(self) -> None:
        """Work all of it out."""
        try:
            for name in ("lfs", "dev", "lf_cards", "label_cards", "metrics"):
                getattr(self, name)
        finally:
            self.are_ready.set()
