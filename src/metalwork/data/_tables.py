"""Parquet and Arrow files, read by ranges of rows."""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import polars as pl

from metalwork.data._limits import Limits
from metalwork.data._missing import nulls_for_missing
from metalwork.data._opening import File, Stamp, check_unchanged, open_bytes, stamp_of
from metalwork.data._pieces import MOST_RECORDS
from metalwork.data._remote import RemoteFile, without_secrets
from metalwork.data._sources import RecordSource, Shard
from metalwork.errors import DataError

_RANGE: Final = 1 << 24  # bytes of a file that a shard stands for at most, as they are packed
_MAGIC: Final = {"parquet": b"PAR1", "arrow": b"ARROW1"}
_NAMES: Final = {"parquet": "a Parquet file", "arrow": "an Arrow IPC file"}

T = TypeVar("T")


class TableFile(RecordSource):
    """One Parquet or Arrow file."""

    n_points: int

    def __init__(self, file: File, kind: str, limits: Limits) -> None:
        self._file, self._kind, self._stamp = (
            file,
            kind,
            stamp_of(file) if not isinstance(file, RemoteFile) else None,
        )
        self._size = _checked_size(file, kind)
        self.columns = _guarded(file, kind, lambda: tuple(_scan(file, kind).collect_schema()))
        if len(self.columns) > limits.columns:
            raise DataError(
                f"{file}: a table must have at most {limits.columns:,} columns (limits.columns); "
                f"got {len(self.columns):,}. Raise the limit."
            )
        self.n_points = _guarded(file, kind, lambda: int(_scan(file, kind).select(pl.len()).collect().item()))

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Shard]:
        """The file in ranges of rows: 100,000, or fewer where they are long.

        To read a range inside a row group costs little where pages have the usual size, and less memory than to
        hold a row group of a million rows.
        """
        chosen = self.columns if columns is None else tuple(columns)
        size = MOST_RECORDS
        if self._size is not None:
            size = max(1, min(size, int(_RANGE / self._size * self.n_points)))
        form = (self._file, self._kind, chosen, chunk_size, self._stamp)
        for start in range(0, self.n_points, size):
            yield TableShard(*form, start, min(size, self.n_points - start))


@dataclass(frozen=True)
class TableShard(Shard):
    """Rows ``start : start + n_points`` of a file."""

    file: File
    kind: str
    columns: tuple[str, ...]
    chunk_size: int
    stamp: Stamp | None
    start: int = 0
    n_points: int = 0

    @property
    def origin(self) -> str:  # type: ignore[override]
        return str(self.file)

    def chunks(self) -> Iterator[pl.DataFrame]:
        if self.stamp is not None:
            check_unchanged(self.file, stamp_of(self.file), self.stamp)
        scan = _scan(self.file, self.kind).select(self.columns).slice(self.start, self.n_points)
        frame = _guarded(self.file, self.kind, scan.collect)
        if frame.height != self.n_points and self.columns:
            raise _damaged(self.file, self.kind, "it holds fewer rows than it says")
        for part in frame.iter_slices(self.chunk_size):
            yield pl.DataFrame([nulls_for_missing(column) for column in part])

    def place(self, row: int) -> str:
        return super().place(self.start + row)


def _scan(file: File, kind: str) -> pl.LazyFrame:
    if isinstance(file, RemoteFile) and not file.is_known_to_polars:
        raise DataError(
            f"{file}: tables are read at addresses of s3, gs, az, abfs, https and hf. Copy the file first."
        )
    source = file.address if isinstance(file, RemoteFile) else os.path.abspath(file)
    scan: Any = pl.scan_parquet if kind == "parquet" else pl.scan_ipc
    return scan(source, glob=False, hive_partitioning=False)  # type: ignore[no-any-return]


def _checked_size(file: File, kind: str) -> int | None:
    """The size of a file on this machine; what is clearly of another kind never reaches a decoder."""
    if isinstance(file, RemoteFile):
        return None
    magic = _MAGIC[kind]
    with open_bytes(file) as stream:
        head = stream.read(len(magic))
        size = stream.seek(0, 2)
        stream.seek(max(0, size - len(magic)))
        if size < 12 or head != magic or stream.read(len(magic)) != magic:
            raise DataError(f"{file}: must be {_NAMES[kind]}; it is cut short, damaged or something else.")
    return size


def _guarded(file: File, kind: str, read: Callable[[], T]) -> T:
    try:
        with _without_panics():
            return read()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        text = str(error).strip()
        reason = text.splitlines()[0] if text else type(error).__name__
        if isinstance(file, RemoteFile):
            reason = without_secrets(reason.replace(file.address, str(file)))
            raise DataError(f"{file}: cannot be read ({reason}).") from None
        raise _damaged(file, kind, reason) from None


def _damaged(file: File, kind: str, reason: str) -> DataError:
    return DataError(f"{file}: must be {_NAMES[kind]}; it is damaged ({reason}). Write it anew.")


_turn: Final = threading.RLock()


@contextmanager
def _without_panics() -> Iterator[None]:
    """Keep off stderr what polars' decoders write there before they raise: it is no text for users.

    What others wrote meanwhile appears when the block is left.
    """
    try:
        kept, aside = os.dup(2), tempfile.TemporaryFile()  # noqa: SIM115
    except OSError:  # there is no stderr, or no room
        yield
        return
    with _turn, aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        aside.seek(0)
        if text := aside.read():
            os.write(2, text)
