"""Records as polars frames, whole or in chunks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from metalwork.data._columns import concatenate
from metalwork.data._limits import Limits
from metalwork.data._open import open_records
from metalwork.data._sources import RecordSource
from metalwork.errors import ConfigError, DataError
from metalwork.schema import unknown_name


def read_records(
    source: Any,
    columns: Sequence[str] | None = None,
    *,
    format: str | None = None,
    types: Mapping[str, Any] | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    encoding: str | None = None,
    where: Mapping[str, Any] | None = None,
    limits: Limits | Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """Read records into one polars frame.

    Values are those that :func:`open_records` tells of. A nested object stays a Python dict, and so do columns of
    mixed types (polars type ``Object``).

    Parameters
    ----------
    source : records
        Whatever :func:`open_records` takes, or what it returned.
    columns : sequence of str, optional
        The columns to read; all by default.
    format, types, delimiter, quote, encoding, where, limits
        As for :func:`open_records`.

    Raises
    ------
    DataError
        Naming file, line and reason, for what cannot be read: a missing or empty file, a malformed line, a key
        that stands twice, NaN in JSON, another encoding than said, a damaged Parquet file. Nothing is guessed.
    """
    options: dict[str, Any] = {"types": types, "delimiter": delimiter, "quote": quote, "encoding": encoding}
    opened = open_records(source, format, **options, where=where, limits=limits)
    frames = list(iter_records(opened, columns=columns))
    if not frames:
        raise DataError("records must hold at least one record; got none. Check the condition in where.")
    return concatenate(frames)


def iter_records(
    source: Any, chunk_size: int = 10_000, columns: Sequence[str] | None = None, *, format: str | None = None
) -> Iterator[pl.DataFrame]:
    """Read records as frames of at most ``chunk_size`` records, which need not fit in memory together.

    The parameters are those of :func:`read_records`; options for reading go to :func:`open_records`, whose
    result is a source too.
    """
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1:
        raise ConfigError(f"chunk_size must be a whole number from 1; got {chunk_size!r}.")
    opened = open_records(source, format)
    _check_columns(columns, opened)
    return (frame for shard in opened.shards(columns, chunk_size) for frame in shard.chunks())


def _check_columns(columns: Sequence[str] | None, source: RecordSource) -> None:
    if isinstance(columns, str):
        raise ConfigError(f"columns must be a list of column names; got {columns!r}. Write [{columns!r}].")
    unknown = [name for name in columns or () if name not in source.columns]
    if unknown:
        raise DataError(unknown_name("column of the records", unknown[0], source.columns))
