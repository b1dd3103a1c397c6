"""Figures of a run that several pages show, each worked out once."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from metalwork._checks import FloatArray
from metalwork.analysis import LFSummary

if TYPE_CHECKING:
    from metalwork.pipeline import Results, Run


class Facts:
    """What is said of a run as a whole.

    Parameters
    ----------
    run : Run
        Its votes have been found.
    """

    def __init__(self, run: "Run") -> None:
        self.run = run

    @cached_property
    def lfs(self) -> LFSummary:
        """How the labeling functions do on train."""
        return self.run.lfs

    @cached_property
    def dev(self) -> LFSummary | None:
        """How they do on dev, as far as its labels are known."""
        return self.run.gold_lfs.get("dev")

    @cached_property
    def shares(self) -> FloatArray | None:
        """The share of each end label (n_end_labels,) in train, by the label model once it is fitted."""
        return np.asarray(self.run.label_shares["train"].shares) if "fit" in self.run.steps else None

    @cached_property
    def metrics(self) -> "Results":
        """How the models do on dev."""
        return self.run.dev_metrics if "fit" in self.run.steps else {}

    def warm(self) -> None:
        """Work all of it out."""
        for name in ("lfs", "dev", "shares", "metrics"):
            getattr(self, name)
