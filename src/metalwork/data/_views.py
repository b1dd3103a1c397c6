"""Sources seen with declared types, or with some of their records only."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from metalwork.data._as_text import as_text
from metalwork.data._sources import RecordSource, Shard
from metalwork.data._types import WORDS, Kind, read_as
from metalwork.errors import ConfigError, DataError
from metalwork.schema import unknown_name


class TypedSource(RecordSource):
    """A source whose columns of declared type hold nothing else."""

    def __init__(self, source: RecordSource, types: Mapping[str, Kind]) -> None:
        check_known(types, source.columns)
        self._source, self._types = source, dict(types)
        self.columns, self.n_points = source.columns, source.n_points

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterable[Shard]:
        return _lazily(_TypedShard, self._source.shards(columns, chunk_size), self._types)


class _SameRecords(Shard):
    """Another look at the records of a shard, one for one."""

    shard: Shard

    @property
    def origin(self) -> str:  # type: ignore[override]
        return self.shard.origin

    @property
    def start(self) -> int | None:  # type: ignore[override]
        return self.shard.start

    @property
    def n_points(self) -> int | None:  # type: ignore[override]
        return self.shard.n_points

    def place(self, row: int) -> str:
        return self.shard.place(row)


@dataclass(frozen=True)
class _TypedShard(_SameRecords):
    shard: Shard
    types: dict[str, Kind]

    def chunks(self) -> Iterator[pl.DataFrame]:
        done = 0
        for frame in self.shard.chunks():
            columns = [self._typed(frame[name], done) for name in self.types if name in frame.columns]
            yield frame.with_columns(columns)
            done += frame.height

    def _typed(self, column: pl.Series, done: int) -> pl.Series:
        kind = self.types[column.name]
        values, unreadable = read_as(column, kind)
        if unreadable:
            row = unreadable[0]
            raise DataError(
                f"{self.place(done + row)}: column {column.name!r} must hold {WORDS[kind]}; got {column[row]!r}. "
                f"Mend the value, leave it empty, or do not declare the column as {kind.__name__}."
            )
        return values


class FilteredSource(RecordSource):
    """The records of a source whose columns have given values."""

    def __init__(self, source: RecordSource, where: Mapping[str, Any]) -> None:
        check_known(where, source.columns)
        self._source = source
        self._where = {name: _texts_of(name, wanted) for name, wanted in where.items()}
        self.columns, self.n_points = source.columns, None

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterable[Shard]:
        needed = None if columns is None else list(dict.fromkeys([*columns, *self._where]))
        return _lazily(_FilteredShard, self._source.shards(needed, chunk_size), self._where, columns)


@dataclass(frozen=True)
class _FilteredShard(Shard):
    shard: Shard
    where: dict[str, tuple[str, ...]]
    columns: Sequence[str] | None

    @property
    def origin(self) -> str:  # type: ignore[override]
        what = " and ".join(f"{name} is {' or '.join(wanted)}" for name, wanted in self.where.items())
        return f"the records of {self.shard.origin or 'memory'} where {what}"

    def chunks(self) -> Iterator[pl.DataFrame]:
        for frame in self.shard.chunks():
            kept = pl.Series([True]).new_from_index(0, frame.height)
            for name, wanted in self.where.items():
                kept &= as_text(frame[name]).is_in(wanted).fill_null(False)
            part = frame.filter(kept) if kept.any() else frame.clear()
            if part.height:
                yield part if self.columns is None else part.select(self.columns)


class PlacedSource(RecordSource):
    """The records of a file with the columns that the names of its folders give; the file's own columns win."""

    def __init__(self, source: RecordSource, values: Mapping[str, str | None]) -> None:
        self._source = source
        self._values = {name: value for name, value in values.items() if name not in source.columns}
        self.columns, self.n_points = (*source.columns, *self._values), source.n_points

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterable[Shard]:
        chosen = None if columns is None else [name for name in columns if name not in self._values]
        wanted = (
            self._values
            if columns is None
            else {name: self._values[name] for name in columns if name in self._values}
        )
        if chosen == []:  # something must tell how many records there are
            chosen = list(self._source.columns[:1])
        return _lazily(_PlacedShard, self._source.shards(chosen, chunk_size), wanted, columns)


@dataclass(frozen=True)
class _PlacedShard(_SameRecords):
    shard: Shard
    values: dict[str, str | None]
    columns: Sequence[str] | None

    def chunks(self) -> Iterator[pl.DataFrame]:
        for frame in self.shard.chunks():
            placed = frame.with_columns(
                pl.lit(value, pl.String).alias(name) for name, value in self.values.items()
            )
            yield placed if self.columns is None else placed.select(self.columns)


def check_known(names: Iterable[str], columns: Sequence[str]) -> None:
    """``DataError`` for the first name that is no column."""
    for name in names:
        if name not in columns:
            raise DataError(unknown_name("column of the records", name, columns))


def check_where(where: Any) -> dict[str, Any]:
    """The condition, empty where it is None."""
    if where is None or isinstance(where, Mapping):
        return dict(where or {})
    raise ConfigError(f"where must be a dict from columns to values; got {where!r}. Write {{'split': 'train'}}.")


def _texts_of(name: str, wanted: Any) -> tuple[str, ...]:
    values = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
    texts = as_text(pl.Series(values, dtype=pl.Object)).to_list()
    if not texts or None in texts:
        raise ConfigError(f"where[{name!r}] must be a value or a list of values; got {wanted!r}.")
    return tuple(texts)


def _lazily(make: Any, shards: Iterable[Shard], *arguments: Any) -> Iterable[Shard]:
    made = (make(shard, *arguments) for shard in shards)
    return list(made) if isinstance(shards, list) else made
