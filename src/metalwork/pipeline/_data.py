"""Where the records of a project come from: files, a public data set, a column that names the split, or Python."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from metalwork.data import (
    RecordSource,
    as_text,
    find_data,
    find_files,
    is_address,
    open_records,
    read_records,
    without_secrets,
)
from metalwork.errors import ConfigError, DataError, MetalworkError
from metalwork.pipeline._code import run_file
from metalwork.pipeline._settings import DataSettings
from metalwork.pipeline._watching import CodeFiles

SPLITS: Final = ("train", "dev", "test")

LOADER: Final = "load"
"""The function of the file ``data.python`` that returns the records."""


@dataclass(frozen=True)
class Source:
    """The records of one split, opened; ``origin`` is what messages call them, ``files`` are where they lie."""

    records: RecordSource
    origin: str
    files: tuple[Path, ...] = ()


def open_sources(settings: DataSettings, folder: Path, code: CodeFiles) -> dict[str, Source]:
    """The records of every split that a project has, in the order train, dev, test; files are opened, not read.

    One table of all splits is read, and so is what a loader in Python returns; ``code`` is told of the files that
    the loader reads.

    Raises
    ------
    ConfigError
        When the loader fails or gives no training records, or the column of splits is not there.
    DataError
        For a data set that is not on this machine, a record whose split is none, and files that cannot be opened.
    """
    if settings.python is not None:
        return _loaded(settings, folder / settings.python, code)
    base = folder if settings.dataset is None else find_data(settings.dataset)
    if settings.split is not None:
        return _by_split(settings, *_open_files(settings, base, settings.records or ("",)))
    given = {split: files for split in SPLITS if (files := getattr(settings, split)) is not None}
    found, faults = {}, []
    for split, named in given.items():
        try:
            found[split] = Source(*_open_files(settings, base, named))
        except DataError as error:
            faults.append(str(error))
    if faults:
        raise DataError("\n".join(faults))
    return found


def _open_files(
    settings: DataSettings, base: Path, named: Sequence[str]
) -> tuple[RecordSource, str, tuple[Path, ...]]:
    """The records of paths and globs below a folder, what messages call them, and the files they lie in."""
    paths: list[str | Path] = []
    for name in named:
        paths += [name] if is_address(name) else find_files(base, name) or [base / name]
    origin = ", ".join(without_secrets(name) if is_address(name) else str(base / name) for name in named)
    files = _files_in([path for path in paths if isinstance(path, Path)])
    return open_records(paths, types=settings.types, **settings.reading), origin, tuple(files)


def _files_in(paths: Sequence[Path]) -> Iterator[Path]:
    """The files themselves, and those in folders."""
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (entry for entry in inside if entry.is_file())


def _loaded(settings: DataSettings, path: Path, code: CodeFiles) -> dict[str, Source]:
    """What the project's own function returns: records by split, or one table of all."""
    load = getattr(run_file(path, code), LOADER, None)
    if not callable(load):
        raise ConfigError(f"{path} must define the function {LOADER}(), which returns the records; it does not.")
    try:
        with code.watching():
            found = load()
    except MetalworkError:
        raise
    except Exception as error:
        raise ConfigError(f"{path}: {LOADER}() must not fail; got {type(error).__name__}: {error}") from error
    origin = f"{LOADER}() of {path}"
    if settings.split is not None:
        return _by_split(settings, open_records(found, types=settings.types), origin)
    if not isinstance(found, Mapping) or "train" not in found or not set(found) <= set(SPLITS):
        got = list(found) if isinstance(found, Mapping) else type(found).__name__
        raise ConfigError(
            f"{origin} must return a dict of records by split: train, and dev and test where there are any; "
            f"got {got}. For one table of all splits, name its column that says the split under data.split."
        )
    parts = {split: open_records(found[split], types=settings.types) for split in SPLITS if split in found}
    return {split: Source(part, f"{split} of {origin}") for split, part in parts.items()}


def _by_split(
    settings: DataSettings, records: RecordSource, origin: str, files: tuple[Path, ...] = ()
) -> dict[str, Source]:
    frame, column = read_records(records), str(settings.split)
    if column not in frame.columns:
        raise ConfigError(missing_column("data.split", column, origin, frame.columns))
    names = as_text(frame[column])
    wrong = (~names.is_in(SPLITS)).fill_null(True).arg_true()
    if len(wrong):
        value = frame[column][int(wrong[0])]
        raise DataError(
            f"{origin}: column {column!r} must say train, dev or test; got {value!r} in record {int(wrong[0])}. "
            "Correct the record."
        )
    present = [split for split in SPLITS if (names == split).any()]
    if "train" not in present:
        raise DataError(f"{origin}: column {column!r} must say train for some records; it does for none.")
    parts = {split: open_records(frame.filter(names == split)) for split in present}
    return {split: Source(part, f"{split} of {origin}", files) for split, part in parts.items()}


def missing_column(key: str, name: str, origin: str, columns: Sequence[str]) -> str:
    """What to say where a key of the project file names a column that the records do not have."""
    return f"{key} must be a column of {origin}; got {name!r}. It has: {', '.join(columns)}. Correct the name."
