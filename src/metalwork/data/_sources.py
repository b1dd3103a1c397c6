"""Where records come from: frames, lists of dicts and files, all seen as columns and shards."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import polars as pl

from metalwork.data._columns import column_of, frame_of
from metalwork.errors import DataError


class Shard(ABC):
    """A part of the records that a worker reads by itself; it may be pickled."""

    origin: str
    """The file it is a part of, or ``""``."""

    @abstractmethod
    def chunks(self) -> Iterator[pl.DataFrame]:
        """Its records, a bounded number at a time."""


class RecordSource(ABC):
    """Records that can be read by column and in parts.

    Attributes
    ----------
    columns : tuple of str
    n_points : int or None
        How many records there are, where that is known before they are read.
    """

    columns: tuple[str, ...]
    n_points: int | None

    @abstractmethod
    def shards(self, columns: Sequence[str], chunk_size: int) -> list[Shard]:
        """All records in order, in parts, with ``columns`` only."""


@dataclass(frozen=True)
class FrameShard(Shard):
    """A slice of a frame in memory."""

    frame: pl.DataFrame
    origin: str = ""

    def chunks(self) -> Iterator[pl.DataFrame]:
        yield self.frame

    def __reduce__(self) -> tuple[Any, ...]:
        # polars does not pickle columns of Python objects
        objects = [name for name, kind in self.frame.schema.items() if kind == pl.Object]
        values = {name: self.frame[name].to_list() for name in objects}
        return _frame_shard, (self.frame.drop(objects), values, self.frame.columns)


def _frame_shard(frame: pl.DataFrame, values: dict[str, list[Any]], columns: list[str]) -> FrameShard:
    objects = [pl.Series(name, column, dtype=pl.Object) for name, column in values.items()]
    return FrameShard(frame.with_columns(objects).select(columns) if objects else frame)


class FrameSource(RecordSource):
    """Any data frame that narwhals reads: polars, pandas, pyarrow, duckdb and others."""

    def __init__(self, frame: "nw.DataFrame[Any]") -> None:
        self._frame = frame
        self.columns = tuple(map(str, frame.columns))
        self.n_points = len(frame)

    def shards(self, columns: Sequence[str], chunk_size: int) -> list[Shard]:
        frame = self._to_polars(columns)
        return [FrameShard(frame.slice(start, chunk_size)) for start in range(0, len(frame), chunk_size)]

    def _to_polars(self, columns: Sequence[str]) -> pl.DataFrame:
        chosen = self._frame.select(list(columns))
        if self._frame.implementation is nw.Implementation.POLARS:
            native: pl.DataFrame = chosen.to_native()
            return native
        return pl.DataFrame([column_of(name, chosen[name].to_list()) for name in columns])


class ListSource(RecordSource):
    """A sequence of mappings from column to value."""

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        for row, record in enumerate(records):
            if not isinstance(record, Mapping):
                raise DataError(
                    f"records must be dicts from column to value; got {type(record).__name__} at row {row}. "
                    "Pass e.g. [{'text': '...'}]."
                )
        self._records = records
        self.columns = tuple(dict.fromkeys(str(name) for record in records for name in record))
        self.n_points = len(records)

    def shards(self, columns: Sequence[str], chunk_size: int) -> list[Shard]:
        starts = range(0, len(self._records), chunk_size)
        return [FrameShard(frame_of(self._records[i : i + chunk_size], columns)) for i in starts]


def open_records(records: Any, format: str | None = None) -> RecordSource:
    """The records of a data frame, a list of dicts, a file or a glob of files.

    Raises
    ------
    DataError
        When they are none of these, hold no records, or cannot be read.
    """
    if isinstance(records, RecordSource):
        return records
    if isinstance(records, (str, os.PathLike)):
        from metalwork.data._files import open_files

        return open_files(records, format)
    source = _open_memory(records)
    if source.n_points == 0:
        raise DataError("records must hold at least one record; got none.")
    return source


def _open_memory(records: Any) -> RecordSource:
    if isinstance(records, Sequence) and not isinstance(records, (bytes, bytearray)):
        return ListSource(records)
    try:
        frame = nw.from_native(records, allow_series=False)
    except TypeError:
        raise DataError(
            "records must be a data frame (polars, pandas, pyarrow), a list of dicts, or the path of a file; "
            f"got {type(records).__name__}."
        ) from None
    return FrameSource(frame.collect("polars") if isinstance(frame, nw.LazyFrame) else frame)
