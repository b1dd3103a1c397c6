"""Confusion: how often one thing was taken for another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from metalwork import _html
from metalwork.analysis._gold import Codes

OTHER_BRANCH: Final = "(other branch)"
"""Column of a task's confusion matrix for predictions on another branch of the tree."""

NO_PREDICTION: Final = "(no prediction)"
"""Column for records without a prediction."""


@dataclass(frozen=True)
class Confusion:
    """How often records of one true label (row) were predicted as another (column).

    ``counts`` is (n_rows, n_columns). Of predictions, the first columns are the rows' labels, in the same order;
    after them there may be columns for predictions on another branch and for records without one.
    """

    labels: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def to_frame(self) -> pl.DataFrame:
        """A polars frame: the column ``label``, then one column of counts for each of ``columns``.

        A column that is itself called "label" is named "label (predicted)" in it.
        """
        names = [f"{name} (predicted)" if name == "label" else name for name in self.columns]
        shares = {name: [row[c] for row in self.counts] for c, name in enumerate(names)}
        return pl.DataFrame(
            {"label": list(self.labels), **shares}, schema_overrides=dict.fromkeys(shares, pl.Int64)
        )

    def _repr_html_(self) -> str:
        rows = [[label, *counts] for label, counts in zip(self.labels, self.counts, strict=True)]
        return _html.table(["", *self.columns], rows)


def cross(truth: Codes, guess: Codes, labels: Sequence[str], columns: Sequence[str]) -> Confusion:
    """The confusion of codes (n_points,) of rows and of columns."""
    return confusion(labels, columns, count_pairs(truth, guess, len(labels), len(columns)))


def confusion(labels: Sequence[str], columns: Sequence[str], counts: Codes) -> Confusion:
    """A confusion of counts (n_rows, n_columns)."""
    return Confusion(tuple(labels), tuple(columns), tuple(tuple(row) for row in counts.tolist()))


def count_pairs(truth: Codes, guess: Codes, n_rows: int, n_columns: int) -> Codes:
    """int64 array (n_rows, n_columns): how often codes (n_points,) of rows and of columns stand together."""
    counts = np.bincount(truth * n_columns + guess, minlength=n_rows * n_columns)
    return np.asarray(counts, dtype=np.int64).reshape(n_rows, n_columns)
