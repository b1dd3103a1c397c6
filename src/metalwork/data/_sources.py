"""Where records come from: frames, lists, iterators and files, all seen as columns and shards."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from itertools import chain, islice
from typing import Any, TypeVar

import narwhals as nw
import polars as pl

from metalwork.data._columns import column_of, frame_of, names_of
from metalwork.data._missing import is_missing, nulls_for_missing
from metalwork.errors import DataError

T = TypeVar("T")

_SAMPLE = 10_000  # records of an iterator whose keys tell the columns


class Shard(ABC):
    """A part of the records that a worker reads by itself, at most some 100,000; it may be pickled.

    Attributes
    ----------
    origin : str
        The file it is a part of, or ``""``.
    start : int or None
        Number in ``origin`` of its first record, where that is known before it is read.
    n_points : int or None
        How many records it holds, where that is known before it is read.
    is_held : bool
        Whether its records lie in memory.
    """

    origin: str
    start: int | None = None
    n_points: int | None = None
    is_held = False

    @abstractmethod
    def chunks(self) -> Iterator[pl.DataFrame]:
        """Its records, a bounded number at a time; every missing value is null."""

    def place(self, row: int) -> str:
        """Where its record of this number stands, as an error names it."""
        return f"row {row} of {self.origin}" if self.origin else f"row {row}"


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
    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterable[Shard]:
        """All records in order, in parts, with ``columns`` only; None reads all columns, also those found late."""


@dataclass(frozen=True)
class FrameShard(Shard):
    """A slice of a frame in memory."""

    frame: pl.DataFrame
    start: int = 0
    origin: str = ""
    is_held = True

    def chunks(self) -> Iterator[pl.DataFrame]:
        yield self.frame

    @property
    def n_points(self) -> int:  # type: ignore[override]
        return self.frame.height

    def place(self, row: int) -> str:
        return super().place(self.start + row)

    def __reduce__(self) -> tuple[Any, ...]:
        # polars does not pickle columns of Python objects
        objects = [name for name, kind in self.frame.schema.items() if kind == pl.Object]
        values = {name: self.frame[name].to_list() for name in objects}
        return _frame_shard, (self.frame.drop(objects), values, self.frame.columns, self.start, self.origin)


def _frame_shard(
    frame: pl.DataFrame, values: dict[str, list[Any]], columns: list[str], start: int, origin: str
) -> FrameShard:
    objects = [pl.Series(name, column, dtype=pl.Object) for name, column in values.items()]
    return FrameShard(frame.with_columns(objects).select(columns) if objects else frame, start, origin)


@dataclass(frozen=True)
class FaultShard(Shard):
    """Stands for records that cannot be read: the error is raised where they are asked for."""

    origin: str
    message: str

    def chunks(self) -> Iterator[pl.DataFrame]:
        raise DataError(self.message)


class FrameSource(RecordSource):
    """Any data frame that narwhals reads: polars, pandas, pyarrow, duckdb and others."""

    n_points: int

    def __init__(self, frame: "nw.DataFrame[Any]") -> None:
        self._frame = frame
        self.columns = names_of(frame.columns, "records")
        self.n_points = len(frame)

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Shard]:
        place_of = {name: place for place, name in enumerate(self.columns)}
        chosen = {name: place_of[name] for name in (self.columns if columns is None else columns)}
        for start in range(0, self.n_points, chunk_size):
            part = self._frame[start : start + chunk_size]
            yield FrameShard(pl.DataFrame([_column(part, *one) for one in chosen.items()]), start)


def _column(frame: "nw.DataFrame[Any]", name: str, place: int) -> pl.Series:
    column = frame[:, place]  # a name may be a whole number in pandas
    if frame.implementation is nw.Implementation.POLARS:
        return nulls_for_missing(column.to_native())
    return column_of(name, column.to_list())


class LazySource(RecordSource):
    """A lazy frame of polars, computed a chunk at a time, anew whenever it is read."""

    def __init__(self, frame: pl.LazyFrame) -> None:
        self._frame, self.n_points = frame, None
        self.columns = names_of(_computed(frame.collect_schema), "records")

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Shard]:
        query = self._frame.select(self.columns if columns is None else columns)
        if "python" in _computed(lambda: query.explain(optimized=False)).lower():
            batches = iter([_computed(query.collect)])  # Python may wait for this thread
        else:
            batches = iter(_computed(lambda: query.collect_batches(chunk_size=chunk_size, maintain_order=True)))
        start = 0
        while (batch := _computed(lambda: next(batches, None))) is not None:
            for frame in batch.iter_slices(chunk_size):
                yield FrameShard(pl.DataFrame(list(map(nulls_for_missing, frame))), start)
                start += frame.height


class ArrowSource(RecordSource):
    """A data set of pyarrow, such as a folder of files, read a batch at a time."""

    def __init__(self, dataset: Any) -> None:
        self._dataset, self.n_points = dataset, None
        self.columns = names_of(dataset.schema.names, "records")

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Shard]:
        chosen, start = list(self.columns if columns is None else columns), 0
        for batch in self._dataset.to_batches(columns=chosen, batch_size=chunk_size):
            for frame in pl.DataFrame(batch).iter_slices(chunk_size):
                yield FrameShard(pl.DataFrame(list(map(nulls_for_missing, frame))), start)
                start += frame.height


def _computed(act: Callable[[], T]) -> T:
    """What polars computes; its failures are those of the query."""
    try:
        return act()
    except pl.exceptions.PolarsError as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"records must be a sound lazy frame; computing it failed ({reason}).") from None


class ListSource(RecordSource):
    """A sequence of mappings from column to value, or of texts, which are a column ``text``."""

    def __init__(self, records: Sequence[Mapping[Any, Any]]) -> None:
        self._texts = _are_texts(records)
        _check_records(records, 0, self._texts)
        self._records = records
        self._keys = _keys_of(records, self._texts)
        self.columns = tuple(self._keys)
        self.n_points = len(records)

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> list[Shard]:
        chosen = self.columns if columns is None else columns
        starts = range(0, len(self._records), chunk_size)
        return [FrameShard(self._part(i, chunk_size, chosen), i) for i in starts]

    def _part(self, start: int, size: int, columns: Iterable[str]) -> pl.DataFrame:
        return _frame_of(self._records[start : start + size], self._keys, columns, self._texts)


class IteratorSource(RecordSource):
    """Records of an iterator, which are read once, a chunk at a time."""

    def __init__(self, records: Iterator[Any]) -> None:
        head = list(islice(records, _SAMPLE))
        self._texts = _are_texts(head)
        _check_records(head, 0, self._texts)
        self._records: Iterator[Any] | None = chain(head, records)
        self._keys = _keys_of(head, self._texts)
        self.columns = tuple(self._keys)
        self.n_points = None if len(head) == _SAMPLE else len(head)

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Shard]:
        if self._records is None:
            raise DataError(
                "records of an iterator can be read once; these have been read. Pass a list, or a new iterator."
            )
        records, self._records = self._records, None
        return self._shards(records, columns, chunk_size)

    def _shards(self, records: Iterator[Any], columns: Sequence[str] | None, chunk_size: int) -> Iterator[Shard]:
        start = 0
        while batch := list(islice(records, chunk_size)):
            _check_records(batch, start, self._texts)
            keys = self._keys if columns is not None else self._keys | _keys_of(batch, self._texts)
            yield FrameShard(_frame_of(batch, keys, keys if columns is None else columns, self._texts), start)
            start += len(batch)


def _frame_of(
    records: Sequence[Any], keys: Mapping[str, Any], columns: Iterable[str], texts: bool
) -> pl.DataFrame:
    if texts:
        return pl.DataFrame([column_of(name, records) for name in columns])
    return frame_of(records, {name: keys[name] for name in columns})


def _keys_of(records: Sequence[Any], texts: bool) -> dict[str, Any]:
    """The key of each column in the records; texts are a column ``text``."""
    if texts:
        return {"text": "text"}
    keys = list(dict.fromkeys(name for record in records for name in record))
    return dict(zip(names_of(keys, "records"), keys, strict=True))


def _are_texts(records: Iterable[Any]) -> bool:
    """Whether the first record that is not missing is a text."""
    return isinstance(next((one for one in records if isinstance(one, str) or not is_missing(one)), None), str)


def _check_records(records: Sequence[Any], start: int, texts: bool) -> None:
    """``DataError`` unless all are mappings, or all texts, some of them missing."""
    for row, record in enumerate(records):
        if not (isinstance(record, str) or is_missing(record) if texts else isinstance(record, Mapping)):
            what = "texts like the others" if texts else "dicts from column to value"
            raise DataError(
                f"records must be {what}; got {type(record).__name__} at row {start + row}. {_remedy(record)}"
            )


def _remedy(record: Any) -> str:
    if hasattr(record, "_asdict"):
        return "Pass [record._asdict() for record in records]."
    if is_dataclass(record):
        return "Pass [dataclasses.asdict(record) for record in records]."
    if isinstance(record, (tuple, list)):
        return "Pass polars.DataFrame(records, schema=[...], orient='row') with the names of the columns."
    return "Pass e.g. [{'text': '...'}]."


def frame_source(records: Any) -> RecordSource | None:
    """The records of a data frame, a column, or anything else that exports Arrow; None where it is none."""
    try:
        frame = nw.from_native(records, allow_series=True)
    except TypeError:
        if all(hasattr(records, name) for name in ("schema", "scanner", "to_batches")):
            return ArrowSource(records)
        return FrameSource(nw.from_native(_from_arrow(records))) if _is_arrow(records) else None
    except nw.exceptions.NarwhalsError as error:
        names_of(getattr(records, "columns", ()), "records")
        raise DataError(f"records must be a sound data frame; it is not ({error}).") from None
    if isinstance(frame, nw.Series):
        frame = frame.rename(str(frame.name or "text")).to_frame()
    if isinstance(frame, nw.LazyFrame):
        lazy = frame.to_native()
        return LazySource(lazy) if isinstance(lazy, pl.LazyFrame) else FrameSource(frame.collect("polars"))
    return FrameSource(frame)


def _from_arrow(records: Any) -> pl.DataFrame:
    """A frame of what exports Arrow: a table, or an array, which is a column ``text``."""
    try:
        return pl.DataFrame(records)
    except pl.exceptions.SchemaError:
        return pl.DataFrame({"text": pl.Series(records)})


def _is_arrow(records: Any) -> bool:
    return hasattr(records, "__arrow_c_stream__") or hasattr(records, "__arrow_c_array__")
