"""Parquet files, read by ranges of rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from metalwork.data._lines import open_bytes
from metalwork.data._missing import nulls_for_missing
from metalwork.data._sources import RecordSource, Shard
from metalwork.errors import DataError

_MAGIC = b"PAR1"
T = TypeVar("T")


class ParquetFile(RecordSource):
    """One Parquet file."""

    n_points: int

    def __init__(self, path: Path) -> None:
        check_magic(path)
        self._path = path
        self.columns = _guarded(path, lambda: tuple(pl.read_parquet_schema(path)))
        self.n_points = _guarded(path, pl.scan_parquet(path, glob=False).select(pl.len()).collect).item()

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> list[Shard]:
        """The file in ranges of ``chunk_size`` rows."""
        chosen = self.columns if columns is None else tuple(columns)
        starts = range(0, self.n_points, chunk_size)
        return [ParquetShard(str(self._path), chosen, start, chunk_size) for start in starts]


@dataclass(frozen=True)
class ParquetShard(Shard):
    """Rows ``start : start + length`` of a file."""

    origin: str
    columns: tuple[str, ...]
    start: int
    length: int

    def chunks(self) -> Iterator[pl.DataFrame]:
        scan = pl.scan_parquet(self.origin, glob=False).select(self.columns).slice(self.start, self.length)
        frame = _guarded(Path(self.origin), scan.collect)
        yield pl.DataFrame([nulls_for_missing(column) for column in frame])

    def place(self, row: int) -> str:
        return super().place(self.start + row)


def check_magic(path: Path) -> None:
    """Turn away what is clearly no Parquet file before a decoder sees it."""
    with open_bytes(path) as stream:
        head = stream.read(4)
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 4))
        if size < 12 or head != _MAGIC or stream.read(4) != _MAGIC:
            raise DataError(f"{path}: must be a Parquet file; it is cut short, damaged or something else.")


def _guarded(path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{path}: must be a Parquet file; it is damaged ({reason}). Write it anew.") from None
