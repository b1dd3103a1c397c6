"""The columns that featurizers read, out of records of any form."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from metalwork._checks import FloatArray
from metalwork.data import as_text, read_as, read_records
from metalwork.errors import ConfigError, DataError


def is_frame(records: Any) -> bool:
    """Whether ``records`` have columns by name: a frame, dicts, or files."""
    if isinstance(records, os.PathLike) or (hasattr(records, "columns") and not isinstance(records, pl.Series)):
        return True
    return isinstance(records, Sequence) and bool(records) and isinstance(records[0], Mapping)


def read_rows(records: Any, columns: Sequence[str]) -> pl.DataFrame | list[Any]:
    """Records in memory: these columns of what has columns (all, for none), or a list of values."""
    if isinstance(records, str) and columns:  # what names columns reads no single text
        return read_records(records, columns=list(columns))
    if isinstance(records, str | bytes):
        raise DataError(
            f"records must be several; got the single text {records[:40]!r}. "
            "Wrap it in a list, or pass a file as pathlib.Path."
        )
    if not is_frame(records) and (isinstance(records, Mapping) or not hasattr(records, "__iter__")):
        raise DataError(f"records must be a frame, a list, an iterator or a file; got {type(records).__name__}.")
    rows = records if is_frame(records) else list(records)
    return read_records(rows, columns=list(columns) or None) if is_frame(rows) else rows


def joined(parts: Sequence[pl.DataFrame | list[Any]]) -> pl.DataFrame | list[Any]:
    """Parts that :func:`read_rows` gave, as one."""
    frames = [part for part in parts if isinstance(part, pl.DataFrame)]
    if not frames:
        return [value for part in parts for value in part]
    if len(frames) < len(parts):
        raise DataError("parts must all be frames, or all lists of values; got both.")
    return pl.concat(frames, how="vertical_relaxed")


def text_column(records: Any, field: str | None, reader: str) -> list[str]:
    """Texts (n_points,) of the column ``field``, or of the only one; a record without one has an empty text."""
    if isinstance(records, str) and field is not None:
        return _as_texts(read_records(records, columns=[field])[field])
    if isinstance(records, str):
        raise DataError(
            f"texts must be a sequence of texts; got the single text {records[:40]!r}. Wrap it in a list."
        )
    if not is_frame(records) and (isinstance(records, Mapping) or not hasattr(records, "__iter__")):
        raise DataError(f"texts must be a sequence of texts; got {type(records).__name__}.")
    rows = records if is_frame(records) or isinstance(records, pl.Series | list) else list(records)
    if not is_frame(rows):
        return _checked(list(rows))
    if field is not None:
        return _as_texts(read_records(rows, columns=[field])[field])
    frame = read_records(rows)
    if frame.width != 1:
        raise ConfigError(
            f"field of {reader} must name the text column of records that have several; they have: "
            f"{', '.join(frame.columns)}. Pass {reader}(field=...)."
        )
    return _as_texts(frame.to_series())


def _as_texts(column: pl.Series) -> list[str]:
    return as_text(column).fill_null("").to_list()


def _checked(rows: list[Any]) -> list[str]:
    for row, text in enumerate(rows):
        if not isinstance(text, str):
            raise DataError(
                f"texts must be text; got {text!r} at row {row}. Fill missing texts with '' or drop the record."
            )
        if not text.isascii():
            try:
                text.encode("utf-8")
            except UnicodeEncodeError:
                raise DataError(
                    f"texts must be valid Unicode; the text at row {row} has half of a surrogate pair. "
                    "Repair the text, or drop the record."
                ) from None
    return rows


def checked_fields(fields: Any) -> tuple[str, ...]:
    """Names of columns; ``ConfigError`` for anything else."""
    if isinstance(fields, str) or not isinstance(fields, Sequence) or not fields:
        raise ConfigError(f"fields must be a list of column names; got {fields!r}.")
    if not all(isinstance(name, str) and name for name in fields) or len(set(fields)) != len(fields):
        raise ConfigError(f"fields must be distinct column names; got {list(fields)!r}.")
    return tuple(fields)


def number_columns(records: Any, fields: Sequence[str], may_lack: bool = False) -> FloatArray:
    """float64 array (n_points, n_fields) of columns that hold numbers, or texts that read as numbers.

    Missing ones are NaN with ``may_lack``, else a ``DataError``.
    """
    frame = read_records(records, columns=list(fields))
    return np.stack([_as_numbers(frame[name], may_lack) for name in fields], axis=1)


def _as_numbers(column: pl.Series, may_lack: bool) -> FloatArray:
    values, unreadable = read_as(column, float)
    if unreadable:
        raise DataError(
            f"column {column.name!r} must hold numbers; got {column[unreadable[0]]!r} at row {unreadable[0]}. "
            "Correct the value, or leave the column out."
        )
    numbers: FloatArray = values.cast(pl.Float64).to_numpy()
    bad = np.flatnonzero(np.isinf(numbers) if may_lack else ~np.isfinite(numbers))
    if bad.size:
        row = int(bad[0])
        remedy = "Fill or drop such records."
        if np.isnan(numbers[row]):
            remedy = "Fill or drop such records, or pass missing='median' (missing: median in a project file)."
        raise DataError(
            f"column {column.name!r} must hold finite numbers; got {column[row]!r} at row {row}. {remedy}"
        )
    return numbers
