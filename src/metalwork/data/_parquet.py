"""Parquet files, read by ranges of rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import polars as pl

from metalwork.data._lines import open_bytes
from metalwork.data._missing import nulls_for_missing
from metalwork.data._pieces import MOST_RECORDS, Stamp, check_unchanged, stamp_of
from metalwork.data._sources import RecordSource, Shard
from metalwork.errors import DataError

_MAGIC: Final = b"PAR1"
_RANGE: Final = 1 << 24  # bytes of a file that a shard stands for at most, as they are packed
T = TypeVar("T")


class ParquetFile(RecordSource):
    """One Parquet file."""

    n_points: int

    def __init__(self, path: Path) -> None:
        self._path, self._size = path, check_magic(path)
        self.columns = _guarded(path, lambda: tuple(pl.read_parquet_schema(path)))
        self.n_points = _guarded(path, pl.scan_parquet(path, glob=False).select(pl.len()).collect).item()

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> list[Shard]:
        """The file in ranges of rows: 100,000, or fewer where they are long.

        To read a range inside a row group costs little where pages have the usual size, and less memory than to
        hold a row group of a million rows.
        """
        chosen = self.columns if columns is None else tuple(columns)
        size = max(1, min(MOST_RECORDS, int(_RANGE / self._size * self.n_points)))
        form = (str(self._path), chosen, chunk_size, stamp_of(self._path))
        starts = range(0, self.n_points, size)
        return [ParquetShard(*form, start, min(size, self.n_points - start)) for start in starts]


@dataclass(frozen=True)
class ParquetShard(Shard):
    """Rows ``start : start + n_points`` of a file."""

    origin: str
    columns: tuple[str, ...]
    chunk_size: int
    stamp: Stamp | None
    start: int = 0
    n_points: int = 0

    def chunks(self) -> Iterator[pl.DataFrame]:
        path = Path(self.origin)
        check_unchanged(path, stamp_of(path), self.stamp)
        scan = pl.scan_parquet(self.origin, glob=False).select(self.columns).slice(self.start, self.n_points)
        frame = _guarded(path, scan.collect)
        for part in frame.iter_slices(self.chunk_size):
            yield pl.DataFrame([nulls_for_missing(column) for column in part])

    def place(self, row: int) -> str:
        return super().place(self.start + row)


def check_magic(path: Path) -> int:
    """The size of the file; what is clearly no Parquet file is turned away before a decoder sees it."""
    with open_bytes(path) as stream:
        head = stream.read(4)
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 4))
        if size < 12 or head != _MAGIC or stream.read(4) != _MAGIC:
            raise DataError(f"{path}: must be a Parquet file; it is cut short, damaged or something else.")
    return size


def _guarded(path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{path}: must be a Parquet file; it is damaged ({reason}). Write it anew.") from None
