"""Columns from plain Python values, whatever they are."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from metalwork.data._missing import without_missing
from metalwork.errors import DataError

_SIMPLE: dict[frozenset[type], Any] = {
    frozenset(): pl.String,
    frozenset({str}): pl.String,
    frozenset({bool}): pl.Boolean,
    frozenset({int}): pl.Int64,
    frozenset({float}): pl.Float64,
}
_AS_THEY_ARE = frozenset({list, tuple, set, frozenset, dict, Decimal})  # polars would give them another form


def column_of(name: str, values: Sequence[Any]) -> pl.Series:
    """A polars column, null for what is missing; values of several types, or of none in polars, stay as they are.

    A mixture of whole and broken numbers is one of several types: what a record holds must not depend on the
    others in its chunk.
    """
    values = without_missing(values)
    kinds = frozenset(map(type, values)) - {type(None)}
    if any(issubclass(kind, np.generic) for kind in kinds):
        values = [_plain(value) for value in values]
        kinds = frozenset(map(type, values)) - {type(None)}
    try:
        if kinds in _SIMPLE:
            return pl.Series(name, values, dtype=_SIMPLE[kinds], strict=True)
        if len(kinds) == 1 and not kinds & _AS_THEY_ARE:
            return pl.Series(name, values)
        if kinds == {list} and _is_uniform(values):
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


def _plain(value: Any) -> Any:
    """A number of numpy's as one of Python's; dates have no form in Python that keeps nanoseconds."""
    is_time = isinstance(value, (np.datetime64, np.timedelta64))
    return value.item() if isinstance(value, np.generic) and not is_time else value


def _is_uniform(values: Sequence[Any]) -> bool:
    """Whether all items of all lists are of one simple type, so that polars keeps them as they are."""
    kinds = {type(item) for value in values if value is not None for item in value}
    return len(kinds - {type(None)}) <= 1 and kinds <= {str, int, float, bool, type(None)}


def frame_of(records: Sequence[Mapping[Any, Any]], columns: Mapping[str, Any]) -> pl.DataFrame:
    """Records as a frame; ``columns`` has the key of each, which is null where a record lacks it."""
    return pl.DataFrame(
        [column_of(name, [record.get(key) for record in records]) for name, key in columns.items()]
    )


def names_of(columns: Iterable[Any], what: str) -> tuple[str, ...]:
    """Names of columns as text; ``DataError`` where two would have the same."""
    names = tuple(map(str, columns))
    if len(set(names)) < len(names):
        twice = ", ".join(repr(name) for name, count in Counter(names).items() if count > 1)
        raise DataError(f"{what} must have distinct column names; got {twice} twice. Rename one.")
    return names


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def concatenate(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Frames, one below the other; where types differ they are settled anew, and a missing column is null."""
    if all(frame.schema == frames[0].schema for frame in frames) and pl.Object not in frames[0].dtypes:
        return pl.concat(frames, rechunk=True)
    names = dict.fromkeys(name for frame in frames for name in frame.columns)
    return pl.DataFrame([_concatenate_column(name, frames) for name in names])


def _concatenate_column(name: str, frames: Sequence[pl.DataFrame]) -> pl.Series:
    parts = [frame[name] for frame in frames if name in frame.columns and frame[name].null_count() < frame.height]
    if len(parts) == len(frames) and len({part.dtype for part in parts}) == 1 and parts[0].dtype != pl.Object:
        return pl.concat(parts, rechunk=True)
    values: list[Any] = []
    for frame in frames:
        values += frame[name].to_list() if name in frame.columns else [None] * frame.height
    if len({part.dtype for part in parts}) == 1 and parts[0].dtype != pl.Object:
        return pl.Series(name, values, dtype=parts[0].dtype)
    return column_of(name, values)
