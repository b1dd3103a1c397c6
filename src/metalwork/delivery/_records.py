"""Records as a predictor reads them: checked for their columns, and a bounded number at a time."""

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from metalwork.data import RecordSource, iter_records
from metalwork.errors import DataError
from metalwork.schema import unknown_name

_ROWS: Final = 10_000
_MOST_CELLS: Final = 1 << 22
"""Probabilities that are held at a time, at most."""


def opened(source: RecordSource, columns: Sequence[str], keep: Sequence[str]) -> RecordSource:
    """The source, when it has the columns that a model reads and those to keep."""
    missing = [name for name in columns if name not in source.columns]
    if missing:
        raise DataError(
            f"records must have the column {missing[0]!r}, which the model reads; they have: "
            f"{', '.join(map(repr, source.columns))}. Rename the column, or pass records as the run had them."
        )
    for name in keep:
        if name not in source.columns:
            raise DataError(unknown_name("column of the records", name, source.columns))
    return source


def frames_of(
    source: RecordSource, columns: Sequence[str] | None, keep: Sequence[str], n_end_labels: int
) -> Iterator[pl.DataFrame]:
    """Frames of the columns that are read (all, for None) and kept; ``DataError`` where there is no record."""
    size = max(1, min(_ROWS, _MOST_CELLS // n_end_labels))
    asked = None if columns is None else list(dict.fromkeys([*columns, *keep]))
    n_points = 0
    for frame in iter_records(source, size, asked):
        for part in frame.iter_slices(size):
            n_points += part.height
            if part.height:
                yield part
    if not n_points:
        raise DataError("records must hold at least one record; got none.")
