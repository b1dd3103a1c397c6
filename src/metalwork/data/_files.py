"""Files of records by path, glob or folder."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from metalwork.data._csv import CsvFile
from metalwork.data._dialect import check_delimiter, check_quote
from metalwork.data._globs import find_files
from metalwork.data._json import JsonArrayFile, is_array
from metalwork.data._jsonl import JsonLinesFile
from metalwork.data._lines import check_encoding, open_bytes
from metalwork.data._parquet import ParquetFile
from metalwork.data._sources import RecordSource, Shard
from metalwork.data._texts import TextFiles
from metalwork.errors import DataError

_FORMATS: Final = {
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "jsonl": (".jsonl", ".ndjson"),
    "json": (".json",),
    "parquet": (".parquet", ".pq"),
    "txt": (".txt",),
}
_REMEDIES: Final = {
    ".xlsx": "Save the table as CSV, or pass pandas.read_excel(path).",
    ".xls": "Save the table as CSV, or pass pandas.read_excel(path).",
    ".arrow": "Pass polars.read_ipc(path).",
    ".feather": "Pass polars.read_ipc(path).",
    ".zip": "Unpack it first.",
    ".pkl": "Store the records as Parquet or JSON lines; pickles may run any code.",
    ".pickle": "Store the records as Parquet or JSON lines; pickles may run any code.",
}


@dataclass(frozen=True)
class FileOptions:
    """How files are to be read, where their names and headers do not tell."""

    format: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None


class FileSource(RecordSource):
    """The records of several files, one after another."""

    def __init__(self, files: Sequence[RecordSource]) -> None:
        self._files = tuple(files)
        self.columns = tuple(dict.fromkeys(name for file in files for name in file.columns))
        known = [file.n_points for file in files]
        self.n_points = None if None in known else sum(n for n in known if n is not None)

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Shard]:
        return (shard for file in self._files for shard in file.shards(columns, chunk_size))


def is_file_name(text: str) -> bool:
    """Whether this reads as the name of a file of records, or is one that is there."""
    known = {suffix for suffixes in _FORMATS.values() for suffix in suffixes}
    return _suffix(Path(text)) in known and (len(text.split()) == 1 or os.path.isfile(text))


def open_files(records: Sequence[str | os.PathLike[str]], options: FileOptions) -> RecordSource:
    """The records of the files that paths, globs and folders of ``.txt`` files name."""
    if options.format is not None and options.format not in _FORMATS:
        raise DataError(f"format must be one of {', '.join(map(repr, _FORMATS))}; got {options.format!r}.")
    is_single = len(records) == 1 and os.path.isfile(records[0])
    paths = [path for given in records for path in _paths_of(given)]
    for path in paths:
        if not os.path.isfile(path):
            _check_not_empty(path)  # says what is wrong with it
    kinds = [format_of(path, options.format) for path in paths]
    if is_single and kinds == ["txt"] and options.format is None:
        raise DataError(
            f"{paths[0]}: a text file must say what a record is. Pass its folder, of which each file is a record, "
            "or format='csv', 'jsonl' or 'txt' (the whole file is one)."
        )
    for path, kind in zip(paths, kinds, strict=True):
        if kind != "txt":
            _check_not_empty(path)
    files = _open_all(paths, kinds, options)
    if all(file.n_points == 0 for file in files):
        raise DataError(f"{', '.join(map(str, paths))}: must hold at least one record; there is none.")
    return files[0] if len(files) == 1 else FileSource(files)


def _open_all(paths: Sequence[Path], kinds: Sequence[str], options: FileOptions) -> list[RecordSource]:
    encoding = check_encoding(options.encoding)
    if set(kinds) == {"txt"}:
        return [TextFiles(paths, encoding)]
    if "txt" in kinds:
        raise DataError(
            f"{paths[kinds.index('txt')]}: files that are a record each and tables of records must not be mixed. "
            "Give files of one kind."
        )
    opened = [_OPENERS[kind](path, options, encoding) for path, kind in zip(paths, kinds, strict=True)]
    _check_same_columns(paths, opened)
    return opened


def _csv_file(path: Path, options: FileOptions, encoding: str | None) -> RecordSource:
    return CsvFile(path, check_delimiter(options.delimiter), check_quote(options.quote), encoding)


def _tsv_file(path: Path, options: FileOptions, encoding: str | None) -> RecordSource:
    return CsvFile(path, check_delimiter(options.delimiter) or "\t", check_quote(options.quote), encoding)


def _json_file(path: Path, options: FileOptions, encoding: str | None) -> RecordSource:
    if is_array(path, encoding):
        return JsonArrayFile(path, encoding)
    try:
        return JsonLinesFile(path, encoding)
    except DataError as error:
        raise DataError(f"{error} A .json file holds one array of objects, or an object a line.") from None


_OPENERS: Final[dict[str, Callable[[Path, FileOptions, Any], RecordSource]]] = {
    "csv": _csv_file,
    "tsv": _tsv_file,
    "json": _json_file,
    "jsonl": lambda path, options, encoding: JsonLinesFile(path, encoding),
    "parquet": lambda path, options, encoding: ParquetFile(path),
}


def format_of(path: Path, format: str | None = None) -> str:
    """The format of a file: as given, else as its suffix tells (``.gz`` aside)."""
    if format is not None:
        return format
    suffix = _suffix(path)
    for name, known in _FORMATS.items():
        if suffix in known and not (name == "parquet" and path.suffix.lower() == ".gz"):
            return name
    every = ", ".join(suffix for known in _FORMATS.values() for suffix in known)
    remedy = "Pass format='csv', 'tsv', 'jsonl', 'json', 'parquet' or 'txt' to say what it is."
    raise DataError(
        f"{path}: the suffix must be one of {every} (.gz after text is fine); got {path.suffix!r}. "
        f"{_REMEDIES.get(suffix, remedy)}"
    )


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else path.suffix.lower()


def _paths_of(records: str | os.PathLike[str]) -> list[Path]:
    path = Path(records).expanduser()
    if os.path.isdir(path) and (texts := sorted([*path.glob("*.txt"), *path.glob("*.txt.gz")])):
        return texts
    found = find_files("", path)
    if not found and any(mark in str(path) for mark in "*?["):
        raise DataError(f"{path}: no file matches. Check the folder and the pattern.")
    return found or [path]


def _check_not_empty(path: Path) -> None:
    with open_bytes(path) as stream:
        if not stream.read(1):
            raise DataError(f"{path}: must hold records; the file is empty.")


def _check_same_columns(paths: Sequence[Path], files: Sequence[RecordSource]) -> None:
    """Objects in JSON lines may lack keys; tables may not lack columns."""
    tables = [
        (path, set(file.columns))
        for path, file in zip(paths, files, strict=True)
        if isinstance(file, (CsvFile, ParquetFile))
    ]
    for path, names in tables[1:]:
        first, known = tables[0]
        if names != known:
            raise DataError(
                f"{path}: must have the same columns as {first}; they differ in "
                f"{', '.join(map(repr, sorted(names ^ known)))}. Give files of one kind."
            )
