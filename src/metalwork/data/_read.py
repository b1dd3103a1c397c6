"""Records as polars frames, whole or in chunks."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from metalwork.data._columns import concatenate
from metalwork.data._sources import RecordSource, open_records
from metalwork.errors import ConfigError, DataError
from metalwork.schema import unknown_name


def read_records(source: Any, columns: Sequence[str] | None = None, *, format: str | None = None) -> pl.DataFrame:
    """Read records into one polars frame.

    Parameters
    ----------
    source : data frame, list of dicts, or path or glob of CSV, TSV, JSON lines or Parquet files
        Text files may be packed (``.csv.gz``). A nested object stays a Python dict, and so do columns of mixed
        types (polars type ``Object``). In CSV an empty field is null, a column whose first 10,000 values are
        numbers is one of numbers; numbers with leading zeros stay text.
    columns : sequence of str, optional
        The columns to read; all by default.
    format : {"csv", "tsv", "jsonl", "parquet"}, optional
        Of a file whose name does not tell.

    Raises
    ------
    DataError
        Naming file, line and reason, for what cannot be read: a missing or empty file, a malformed line, a key
        that stands twice, NaN in JSON, another encoding than UTF-8, a damaged Parquet file. Nothing is guessed.
    """
    return concatenate(list(iter_records(source, columns=columns, format=format)))


def iter_records(
    source: Any, chunk_size: int = 10_000, columns: Sequence[str] | None = None, *, format: str | None = None
) -> Iterator[pl.DataFrame]:
    """Read records as frames of at most about ``chunk_size`` records, which need not fit in memory together.

    The parameters are those of :func:`read_records`.
    """
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1:
        raise ConfigError(f"chunk_size must be a whole number from 1; got {chunk_size!r}.")
    opened = open_records(source, format)
    chosen = _check_columns(columns, opened)
    return (frame for shard in opened.shards(chosen, chunk_size) for frame in shard.chunks())


def _check_columns(columns: Sequence[str] | None, source: RecordSource) -> Sequence[str]:
    if columns is None:
        return source.columns
    unknown = [name for name in columns if name not in source.columns]
    if unknown:
        raise DataError(unknown_name("column of the records", unknown[0], source.columns))
    return columns
