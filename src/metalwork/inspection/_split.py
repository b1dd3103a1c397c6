"""What an inspection is given of a split: records, votes and probabilities, read when they are asked for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork.probabilities import TaskProbabilities
from metalwork.votes import LabelMatrix

Rows = npt.NDArray[np.int64]


class Records(NamedTuple):
    """Some records: their values by column, and what they are called."""

    frame: pl.DataFrame
    ids: tuple[str, ...]


@dataclass(frozen=True)
class SplitData:
    """One split, in shards that need not fit in memory together.

    Attributes
    ----------
    sizes : tuple of int
        Records of each shard of votes and probabilities.
    votes : callable
        From the number of a shard to its LabelMatrix.
    rows : callable
        From positions int64 (n_rows,) to these :class:`Records`, in that order.
    frames : callable
        All records anew, in frames of any size.
    known : int64 array (n_points, n_tasks) or None
        What is known of each task, as ``schema.known_codes`` says it; None where nothing is.
    labels, end : callable, optional
        From the number of a shard to the TaskProbabilities of the label model, and of the end model.
    reads_features : bool
        Whether the label model has something to say of records without a vote.
    """

    sizes: tuple[int, ...]
    votes: Callable[[int], LabelMatrix]
    rows: Callable[[Rows], Records]
    frames: Callable[[], Iterable[pl.DataFrame]]
    known: Rows | None = None
    labels: Callable[[int], TaskProbabilities] | None = None
    end: Callable[[int], TaskProbabilities] | None = None
    reads_features: bool = False

    @property
    def n_points(self) -> int:
        """Number of records."""
        return sum(self.sizes)
