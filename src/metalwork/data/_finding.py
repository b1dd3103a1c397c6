"""Which files a path, a glob, a folder or an address names."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from metalwork.data._globs import find_files
from metalwork.data._opening import PACKED, File
from metalwork.data._remote import RemoteFile, is_address
from metalwork.errors import DataError

FORMATS: Final = {
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "jsonl": (".jsonl", ".ndjson"),
    "json": (".json",),
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".feather", ".ipc"),
    "txt": (".txt",),
}
_TABLES: Final = ("parquet", "arrow")
_REMEDIES: Final = {
    ".xlsx": "Save the table as CSV, or pass pandas.read_excel(path).",
    ".xls": "Save the table as CSV, or pass pandas.read_excel(path).",
    ".arrows": "Write it as an Arrow file, or pass polars.read_ipc_stream(path).",
    ".zip": "Unpack it first.",
    ".pkl": "Store the records as Parquet or JSON lines; pickles may run any code.",
    ".pickle": "Store the records as Parquet or JSON lines; pickles may run any code.",
}
_NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"


class Found(NamedTuple):
    """A file, and the values of columns that folders named ``column=value`` give to its records."""

    file: File
    values: dict[str, str | None]


def files_of(given: str | os.PathLike[str], format: str | None) -> list[Found]:
    """The files that a path, glob, folder or address names, in the order of their names."""
    text = os.fspath(given)
    if is_address(text) and not text.lower().startswith("file://"):
        return _remote_files(RemoteFile(text), format)
    path = _local_path(text)
    if os.path.isdir(path):
        files = [Path(folder) / name for folder, name in _walk(path)]
        return _records_in(path, [(file, file.relative_to(path).parts[:-1]) for file in files], format)
    found = find_files("", path)
    if not found and any(mark in str(path) for mark in "*?["):
        raise DataError(f"{path}: no file matches. Check the folder and the pattern.")
    return [Found(file, {}) for file in found or [path]]


def _local_path(text: str) -> Path:
    if "\0" in text:
        raise DataError(f"a path must hold no NUL character; got {text!r}. Remove it.")
    if is_address(text):
        text = url2pathname(unquote(urlsplit(text).path))
    if text.startswith(("/dev/", "/proc/")) and os.path.isfile(real := os.path.realpath(text)):
        text = real  # worker processes have another standard input
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def _remote_files(file: RemoteFile, format: str | None) -> list[Found]:
    if found := file.matching():
        return [Found(one, {}) for one in found]
    if any(mark in file.path for mark in "*?["):
        raise DataError(f"{file}: no file matches. Check the address and the pattern.")
    if format is not None or known_format(file) is not None or not file.is_folder():
        return [Found(file, {})]
    start = len(PurePosixPath(file.path).parts)
    below = [(one, PurePosixPath(one.path).parts[start:-1]) for one in file.below()]
    visible = [(one, parts) for one, parts in below if not any(map(_is_hidden, (*parts, one.name)))]
    return _records_in(file, visible, format)


def _walk(folder: Path) -> Iterator[tuple[str, str]]:
    """Folder and name of the files below a folder, by name; links to folders are not followed."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        yield from ((place, name) for name in sorted(names) if not _is_hidden(name))


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "_")) and "=" not in name


def _records_in(folder: File, files: Sequence[tuple[File, Sequence[str]]], format: str | None) -> list[Found]:
    """The files of records among those in a folder, which must be of one kind."""
    kinds = [format or known_format(file) for file, _ in files]
    counts = Counter(kind for kind in kinds if kind is not None)
    if not counts:
        every = ", ".join(suffix for suffixes in FORMATS.values() for suffix in suffixes)
        raise DataError(
            f"{folder}: must be a file, or a folder that holds files of records ({every}); it holds none. "
            f"Give a glob such as '{folder}/*.csv', or say their format."
        )
    if len(counts) > 1:
        got = ", ".join(f"{count:,} of {kind}" for kind, count in counts.items())
        raise DataError(
            f"{folder}: must hold files of one kind; got {got}. "
            f"Give a glob such as '{folder}/*{FORMATS[next(iter(counts))][0]}'."
        )
    found = [Found(file, _values(parts)) for (file, parts), kind in zip(files, kinds, strict=True) if kind]
    for one in found:
        if one.values.keys() != found[0].values.keys():
            raise DataError(
                f"{one.file}: folders named column=value must be of the same columns everywhere below {folder}; "
                f"got {', '.join(one.values) or 'none'}, and {', '.join(found[0].values) or 'none'} of "
                f"{found[0].file}. Give a glob."
            )
    return found


def _values(parts: Sequence[str]) -> dict[str, str | None]:
    pairs = (part.split("=", 1) for part in parts if "=" in part.strip("="))
    return {unquote(name): None if value == _NO_VALUE else unquote(value) for name, value in pairs}


def known_format(file: File) -> str | None:
    """The format that the suffix of a file tells, those of packed files aside; None where it tells none."""
    suffix = suffix_of(file)
    for name, known in FORMATS.items():
        if suffix in known and not (name in _TABLES and file.suffix.lower() in PACKED):
            return name
    return None


def format_of(file: File, format: str | None = None) -> str:
    """The format of a file: as given, else as its suffix tells."""
    found = format or known_format(file)
    if found is not None:
        return found
    every, suffix = ", ".join(suffix for known in FORMATS.values() for suffix in known), suffix_of(file)
    remedy = f"Pass format={', '.join(map(repr, FORMATS))} to say what it is."
    raise DataError(
        f"{file}: the suffix must be one of {every} ({', '.join(PACKED)} after text is fine); "
        f"got {file.suffix!r}. {_REMEDIES.get(suffix, remedy)}"
    )


def suffix_of(file: File) -> str:
    """The suffix of a file, before that of its packing."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    return suffixes[-2] if suffixes[-1:] and suffixes[-1] in PACKED and len(suffixes) > 1 else file.suffix.lower()
