"""Files of records by path, glob or folder."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from metalwork.data._csv import CsvFile
from metalwork.data._dialect import check_delimiter, check_quote
from metalwork.data._finding import FORMATS, Found, files_of, format_of, known_format, suffix_of
from metalwork.data._json import JsonArrayFile, is_array
from metalwork.data._jsonl import JsonLinesFile
from metalwork.data._limits import Limits
from metalwork.data._lines import check_encoding
from metalwork.data._opening import File, open_bytes
from metalwork.data._remote import RemoteFile, is_address
from metalwork.data._sources import RecordSource, Shard
from metalwork.data._tables import TableFile
from metalwork.data._texts import TextFiles
from metalwork.data._views import PlacedSource
from metalwork.errors import DataError


@dataclass(frozen=True)
class FileOptions:
    """How files are to be read, where their names and headers do not tell."""

    format: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    limits: Limits = field(default_factory=Limits)


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
    """Whether this reads as the name or address of a file of records, or is one that is there."""
    if is_address(text):
        return len(text.split()) == 1 and known_format(RemoteFile(text)) is not None
    is_known = any(suffix_of(Path(text)) in suffixes for suffixes in FORMATS.values())
    return is_known and (len(text.split()) == 1 or os.path.isfile(text))


def open_files(records: Sequence[str | os.PathLike[str]], options: FileOptions) -> RecordSource:
    """The records of the files that paths, globs, folders and addresses name."""
    if options.format is not None and options.format not in FORMATS:
        raise DataError(f"format must be one of {', '.join(map(repr, FORMATS))}; got {options.format!r}.")
    found = [one for given in records for one in files_of(given, options.format)]
    names, kinds = [one.file for one in found], []
    for name in names:
        if isinstance(name, Path) and not os.path.isfile(name):
            _check_not_empty(name)  # says what is wrong with it
        kinds.append(format_of(name, options.format))
    is_single = len(records) == 1 and str(names[0]) == os.fspath(records[0])
    if is_single and kinds == ["txt"] and options.format is None:
        raise DataError(
            f"{names[0]}: a text file must say what a record is. Pass its folder, of which each file is a record, "
            "or format='csv', 'jsonl' or 'txt' (the whole file is one)."
        )
    files = _open_all(found, kinds, options)
    if all(file.n_points == 0 for file in files):
        raise DataError(f"{', '.join(map(str, names))}: must hold at least one record; there is none.")
    return files[0] if len(files) == 1 else FileSource(files)


def _open_all(found: Sequence[Found], kinds: Sequence[str], options: FileOptions) -> list[RecordSource]:
    encoding = check_encoding(options.encoding)
    if set(kinds) == {"txt"}:
        return [TextFiles([one.file for one in found], encoding, options.limits)]
    if "txt" in kinds:
        raise DataError(
            f"{found[kinds.index('txt')].file}: files that are a record each and tables of records must not be "
            "mixed. Give files of one kind."
        )
    opened: list[RecordSource] = []
    for one, kind in zip(found, kinds, strict=True):
        _check_not_empty(one.file)
        opened.append(_OPENERS[kind](one.file, options, encoding))
    _check_same_columns([one.file for one in found], opened)
    parts = zip(found, opened, strict=True)
    return [PlacedSource(file, one.values) if one.values else file for one, file in parts]


def _csv_file(file: File, options: FileOptions, encoding: str | None) -> RecordSource:
    delimiter, quote = check_delimiter(options.delimiter), check_quote(options.quote)
    return CsvFile(file, delimiter, quote, encoding, options.limits)


def _tsv_file(file: File, options: FileOptions, encoding: str | None) -> RecordSource:
    delimiter, quote = check_delimiter(options.delimiter) or "\t", check_quote(options.quote)
    return CsvFile(file, delimiter, quote, encoding, options.limits)


def _json_file(file: File, options: FileOptions, encoding: str | None) -> RecordSource:
    if is_array(file, encoding):
        return JsonArrayFile(file, encoding, options.limits)
    try:
        return JsonLinesFile(file, encoding, options.limits)
    except DataError as error:
        raise DataError(f"{error} A .json file holds one array of objects, or an object a line.") from None


_OPENERS: Final[dict[str, Callable[[File, FileOptions, Any], RecordSource]]] = {
    "csv": _csv_file,
    "tsv": _tsv_file,
    "json": _json_file,
    "jsonl": lambda file, options, encoding: JsonLinesFile(file, encoding, options.limits),
    "parquet": lambda file, options, encoding: TableFile(file, "parquet", options.limits),
    "arrow": lambda file, options, encoding: TableFile(file, "arrow", options.limits),
}


def _check_not_empty(file: File) -> None:
    if isinstance(file, RemoteFile):
        return
    with open_bytes(file) as stream:
        if not stream.read(1):
            raise DataError(f"{file}: must hold records; the file is empty.")


def _check_same_columns(names: Sequence[File], files: Sequence[RecordSource]) -> None:
    """Objects in JSON lines may lack keys; tables may not lack columns."""
    tables = [
        (name, set(file.columns))
        for name, file in zip(names, files, strict=True)
        if isinstance(file, (CsvFile, TableFile))
    ]
    for name, columns in tables[1:]:
        first, known = tables[0]
        if columns != known:
            raise DataError(
                f"{name}: must have the same columns as {first}; they differ in "
                f"{', '.join(map(repr, sorted(columns ^ known)))}. Give files of one kind."
            )
