"""Files of records by path or glob."""

import glob
import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from metalwork.data import _csv, _jsonl, _parquet
from metalwork.data._lines import open_bytes
from metalwork.data._sources import RecordSource, Shard
from metalwork.errors import DataError

_FORMATS: Final = {
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "jsonl": (".jsonl", ".ndjson"),
    "parquet": (".parquet", ".pq"),
}
_DELIMITERS: Final = {"csv": ",", "tsv": "\t"}


class FileSource(RecordSource):
    """The records of one or more files of one format, in the order of the files' names."""

    def __init__(self, paths: Sequence[Path], format: str | None) -> None:
        self.paths = tuple(paths)
        self._formats = [format_of(path, format) for path in paths]
        for path in paths:
            _check_not_empty(path)
        each = [_columns_of(path, kind) for path, kind in zip(paths, self._formats, strict=True)]
        _check_same_columns(paths, self._formats, each)
        if not any(map(_has_records, paths, self._formats)):
            raise DataError(f"{', '.join(map(str, paths))}: must hold at least one record; there is none.")
        self.columns = tuple(dict.fromkeys(name for columns in each for name in columns))
        parquet = all(kind == "parquet" for kind in self._formats)
        self.n_points = sum(map(_parquet.n_rows_of, paths)) if parquet else None

    def shards(self, columns: Sequence[str], chunk_size: int) -> list[Shard]:
        pairs = zip(self.paths, self._formats, strict=True)
        return [shard for path, kind in pairs for shard in _shards_of(path, kind, columns, chunk_size)]


def open_files(records: str | os.PathLike[str], format: str | None = None) -> RecordSource:
    """The records of the file at a path, or of all files that a glob matches."""
    return FileSource(_paths_of(records), format)


def format_of(path: Path, format: str | None = None) -> str:
    """The format of a file: as given, else as its suffix tells (``.gz`` aside)."""
    if format is not None:
        if format not in _FORMATS:
            raise DataError(f"format must be one of {', '.join(map(repr, _FORMATS))}; got {format!r}.")
        return format
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffix = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else path.suffix.lower()
    for name, known in _FORMATS.items():
        if suffix in known and not (name == "parquet" and suffixes[-1] == ".gz"):
            return name
    every = ", ".join(suffix for known in _FORMATS.values() for suffix in known)
    raise DataError(
        f"{path}: the suffix must be one of {every} (.gz after text is fine); got {path.suffix!r}. "
        "Pass format='csv', 'tsv', 'jsonl' or 'parquet' to say what it is."
    )


def _paths_of(records: str | os.PathLike[str]) -> list[Path]:
    path = Path(records).expanduser()
    if not glob.has_magic(str(path)) or path.exists():
        return [path]
    found = [name for name in sorted(glob.glob(str(path), recursive=True)) if not os.path.isdir(name)]
    if not found:
        raise DataError(f"{path}: no file matches. Check the folder and the pattern.")
    return [Path(name) for name in found]


def _check_not_empty(path: Path) -> None:
    with open_bytes(path) as stream:
        if not stream.read(1):
            raise DataError(f"{path}: must hold records; the file is empty.")


def _columns_of(path: Path, kind: str) -> tuple[str, ...]:
    if kind == "parquet":
        return _parquet.columns_of(path)
    return _jsonl.columns_of(path) if kind == "jsonl" else _csv.columns_of(path, _DELIMITERS[kind])


def _has_records(path: Path, kind: str) -> bool:
    if kind == "parquet":
        return _parquet.n_rows_of(path) > 0
    if kind == "jsonl":
        return any(True for _ in _jsonl.read_objects(path))
    return any(True for _ in islice(_csv.read_rows(path, _DELIMITERS[kind]), 1, None))


def _shards_of(path: Path, kind: str, columns: Sequence[str], chunk_size: int) -> list[Shard]:
    if kind == "parquet":
        return _parquet.shards_of(path, columns, chunk_size)
    if kind == "jsonl":
        return _jsonl.shards_of(path, columns, chunk_size)
    return [_csv.CsvShard(str(path), tuple(columns), chunk_size, _DELIMITERS[kind])]


def _check_same_columns(paths: Sequence[Path], kinds: Sequence[str], each: Sequence[tuple[str, ...]]) -> None:
    """Objects in JSON lines may lack keys; tables may not lack columns."""
    tables = [(path, set(names)) for path, kind, names in zip(paths, kinds, each, strict=True) if kind != "jsonl"]
    for path, names in tables[1:]:
        first, known = tables[0]
        if names != known:
            raise DataError(
                f"{path}: must have the same columns as {first}; they differ in "
                f"{', '.join(map(repr, sorted(names ^ known)))}. Give files of one kind."
            )
