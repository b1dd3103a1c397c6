"""What marks a missing value: None, NaN, pandas' NA and NaT, and the empty text."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl

_PLAIN: Final = frozenset({int, bool, type(None)})


def is_missing(value: Any) -> bool:
    """Whether a value stands for none."""
    if value is None or isinstance(value, str):
        return value is None or value == ""
    if isinstance(value, (float, np.floating)):
        return math.isnan(value)
    if isinstance(value, np.generic):
        return isinstance(value, (np.datetime64, np.timedelta64)) and bool(np.isnat(value))
    kind = type(value)
    if kind.__name__ in ("NAType", "NaTType"):  # without importing pandas
        return kind.__module__.startswith("pandas.")
    return kind.__module__ in ("decimal", "_decimal") and bool(value.is_nan())


def without_missing(values: Sequence[Any]) -> Sequence[Any]:
    """The values, None in place of every missing one."""
    if set(map(type, values)) <= _PLAIN:
        return values
    return [None if is_missing(value) else value for value in values]


def nulls_for_missing(column: pl.Series) -> pl.Series:
    """The column, null in place of every missing value."""
    if column.dtype == pl.String:
        empty = column == ""
        return pl.select(pl.when(~empty).then(column).alias(column.name)).to_series() if empty.any() else column
    if column.dtype in (pl.Float32, pl.Float64):
        return column.fill_nan(None) if column.is_nan().any() else column
    if column.dtype == pl.Object:
        values = column.to_list()
        return pl.Series(column.name, without_missing(values), dtype=pl.Object)
    if column.dtype in (pl.Categorical, pl.Enum):
        return nulls_for_missing(column.cast(pl.String)) if (column.cast(pl.String) == "").any() else column
    return column
