"""Tables that come in parts, written whole or not at all: CSV, JSON lines or Parquet."""

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Final

import polars as pl

from metalwork._files import atomic_write
from metalwork.data import as_text
from metalwork.errors import ConfigError
from metalwork.pipeline import write_csv

Path_ = str | os.PathLike[str]


def check_suffix(path: Path_) -> str:
    """The suffix of a file of a known format; ``ConfigError`` for others."""
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise ConfigError(f"out must end in {', '.join(_WRITERS)}; got {os.fspath(path)!r}. Name another file.")
    return suffix


def write_tables(path: Path_, frames: Iterable[pl.DataFrame]) -> None:
    """Write frames of the same columns, one below the other, into one file, in the format that its name tells.

    Memory is that of one frame. In CSV, text that a spreadsheet would run is escaped, as in the tables of a run.

    Raises
    ------
    ConfigError
        For another suffix than ``.csv``, ``.jsonl``, ``.ndjson`` and ``.parquet``.
    """
    write = _WRITERS[check_suffix(path)]
    with atomic_write(path) as stream:
        write(stream, frames)


def _csv(stream: IO[bytes], frames: Iterable[pl.DataFrame]) -> None:
    write_csv(stream, (_without(frame, pl.Object, pl.List, pl.Array, pl.Struct, pl.Binary) for frame in frames))


def _jsonl(stream: IO[bytes], frames: Iterable[pl.DataFrame]) -> None:
    for frame in frames:
        _without(frame, pl.Object, pl.Binary).write_ndjson(stream)


def _parquet(stream: IO[bytes], frames: Iterable[pl.DataFrame]) -> None:
    """By a temporary file a part, in the folder that ``TMPDIR`` names, for Parquet has its index at its end."""
    with tempfile.TemporaryDirectory(prefix="metalwork-") as folder:
        parts: list[Path] = []
        for frame in frames:
            parts.append(Path(folder) / f"{len(parts)}.parquet")
            _without(frame, pl.Object).write_parquet(parts[-1])
        scanned = [pl.scan_parquet(part, glob=False) for part in parts]
        _of_one_kind(scanned).sink_parquet(stream)


def _of_one_kind(parts: list[pl.LazyFrame]) -> pl.LazyFrame:
    """All parts; a column that is of several kinds, as values of JSON may be, is text."""
    schemas = [part.collect_schema() for part in parts]
    kinds = {name: {schema[name] for schema in schemas} - {pl.Null()} for name in schemas[0]}
    mixed = [name for name, own in kinds.items() if len(own) > 1 and not all(kind.is_numeric() for kind in own)]
    if mixed:
        parts = [part.with_columns(pl.col(mixed).cast(pl.String)) for part in parts]
    return pl.concat(parts, how="vertical_relaxed")


def _without(frame: pl.DataFrame, *kinds: type[pl.DataType]) -> pl.DataFrame:
    """The frame with columns of these kinds as text."""
    return frame.with_columns(as_text(column) for column in frame if column.dtype.base_type() in kinds)


_WRITERS: Final[dict[str, Callable[[IO[bytes], Iterable[pl.DataFrame]], None]]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".parquet": _parquet,
}
