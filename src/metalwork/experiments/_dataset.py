"""One shape for every experiment's data set."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork.schema import TaskSchema

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Dataset:
    """Records in three splits, with the gold end labels that the protocol allows.

    Sets of texts have the column ``words``, whose words the end model counts; the labeling functions may read
    others. ``train_labels`` are for scoring only and absent where the data set does not publish them; no model
    ever sees them.
    """

    name: str
    schema: TaskSchema
    train: pl.DataFrame
    dev: pl.DataFrame
    test: pl.DataFrame
    dev_labels: Codes
    test_labels: Codes
    train_labels: Codes | None = None
    words: str = "text"
