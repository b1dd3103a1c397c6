"""Columns from plain Python values, whatever they are."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from metalwork.errors import DataError

_SIMPLE: dict[frozenset[type], Any] = {
    frozenset(): pl.String,
    frozenset({str}): pl.String,
    frozenset({bool}): pl.Boolean,
    frozenset({int}): pl.Int64,
    frozenset({float}): pl.Float64,
    frozenset({int, float}): pl.Float64,
}


def column_of(name: str, values: Sequence[Any]) -> pl.Series:
    """A polars column; values that share no column type (dicts, mixtures) stay Python objects."""
    kinds = frozenset(map(type, values)) - {type(None)}
    if str in kinds and float in kinds:  # how pandas marks a missing text
        values = [None if isinstance(value, float) and math.isnan(value) else value for value in values]
        kinds = frozenset(map(type, values)) - {type(None)}
    try:
        if kinds in _SIMPLE:
            return pl.Series(name, values, dtype=_SIMPLE[kinds], strict=True)
        if len(kinds) == 1 and dict not in kinds:
            return pl.Series(name, values)
    except UnicodeEncodeError:
        row = next(i for i, value in enumerate(values) if isinstance(value, str) and not _is_unicode(value))
        raise DataError(
            f"column {name!r} must hold valid Unicode text; the value at row {row} has half of a surrogate pair. "
            "Repair the text, or drop the record."
        ) from None
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        pass
    return pl.Series(name, values, dtype=pl.Object)


def frame_of(records: Sequence[Mapping[str, Any]], columns: Iterable[str]) -> pl.DataFrame:
    """Records as a frame of ``columns``; a key that a record lacks is null."""
    return pl.DataFrame([column_of(name, [record.get(name) for record in records]) for name in columns])


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def concatenate(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Frames of the same columns, one below the other; where types differ they are settled anew."""
    if all(frame.schema == frames[0].schema for frame in frames):
        return pl.concat(frames, rechunk=True)
    return pl.DataFrame([_concatenate_column([frame[name] for frame in frames]) for name in frames[0].columns])


def _concatenate_column(parts: Sequence[pl.Series]) -> pl.Series:
    if all(part.dtype == parts[0].dtype for part in parts):
        return pl.concat(parts, rechunk=True)
    return column_of(parts[0].name, [value for part in parts for value in part.to_list()])
