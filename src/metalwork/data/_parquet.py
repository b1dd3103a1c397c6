"""Parquet files, read by ranges of rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from metalwork.data._lines import open_bytes
from metalwork.data._sources import Shard
from metalwork.errors import DataError

_MAGIC = b"PAR1"
T = TypeVar("T")


@dataclass(frozen=True)
class ParquetShard(Shard):
    """Rows ``start : start + length`` of a file."""

    origin: str
    columns: tuple[str, ...]
    start: int
    length: int

    def chunks(self) -> Iterator[pl.DataFrame]:
        scan = pl.scan_parquet(self.origin, glob=False).select(self.columns).slice(self.start, self.length)
        yield _guarded(Path(self.origin), scan.collect)


def columns_of(path: Path) -> tuple[str, ...]:
    """The columns that the file's footer names."""
    check_magic(path)
    return _guarded(path, lambda: tuple(pl.read_parquet_schema(path)))


def n_rows_of(path: Path) -> int:
    """How many rows the file's footer tells of."""
    rows: int = _guarded(path, pl.scan_parquet(path, glob=False).select(pl.len()).collect).item()
    return rows


def shards_of(path: Path, columns: Sequence[str], chunk_size: int) -> list[Shard]:
    """The file in ranges of ``chunk_size`` rows."""
    starts = range(0, n_rows_of(path), chunk_size)
    return [ParquetShard(str(path), tuple(columns), start, chunk_size) for start in starts]


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
