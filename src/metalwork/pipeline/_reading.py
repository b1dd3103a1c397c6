"""Reading a split once: the columns that anything asks for, and which file each record came from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from metalwork.data import RecordSource, Shard, open_records, read_records

Parts = tuple[tuple[str, int], ...]
"""Name of a file and number of its records, in the order of the records."""


def read_once(source: RecordSource, wanted: Iterable[str]) -> tuple[pl.DataFrame, Parts]:
    """The wanted columns that a source has (all, where it has none of them), and the files they came from."""
    asked = set(wanted)
    columns = [name for name in source.columns if name in asked] or None
    counted = _Counted(source)
    frame = read_records(counted, columns)
    return frame, tuple(counted.counts.items())


class ReadRecords(RecordSource):
    """Records that have been read, for labeling functions; messages still name their files.

    Parameters
    ----------
    frame : polars DataFrame (n_points)
    columns : sequence of str
        All columns of the files, also those that were not read.
    parts : tuple of (str, int)
    """

    def __init__(self, frame: pl.DataFrame, columns: Sequence[str], parts: Parts) -> None:
        self._frame, self._parts = frame, parts or (("", frame.height),)
        self.columns, self.n_points = tuple(columns), frame.height

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> list[Shard]:
        shards: list[Shard] = []
        start = 0
        for origin, size in self._parts:
            part = open_records(self._frame.slice(start, size))
            shards += [_Placed(shard, origin) for shard in part.shards(columns, chunk_size)]
            start += size
        return shards


@dataclass(frozen=True)
class _Placed(Shard):
    shard: Shard
    origin: str

    def chunks(self) -> Iterator[pl.DataFrame]:
        return self.shard.chunks()


class _Counted(RecordSource):
    """A source that keeps account of how many records came from each file."""

    def __init__(self, source: RecordSource) -> None:
        self._source = source
        self.columns, self.n_points = source.columns, source.n_points
        self.counts: dict[str, int] = {}

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Shard]:
        return (_CountedShard(shard, self.counts) for shard in self._source.shards(columns, chunk_size))


@dataclass(frozen=True)
class _CountedShard(Shard):
    shard: Shard
    counts: dict[str, int]

    @property
    def origin(self) -> str:  # type: ignore[override]
        return self.shard.origin

    def chunks(self) -> Iterator[pl.DataFrame]:
        for frame in self.shard.chunks():
            self.counts[self.origin] = self.counts.get(self.origin, 0) + frame.height
            yield frame
