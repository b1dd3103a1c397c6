"""Where the dev records of a project lie, where new ones may go, and the training records that go there."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import polars as pl

from metalwork.data import Dialect, dialect_of, find_files, format_of, is_address, is_packed, open_records
from metalwork.errors import ConfigError
from metalwork.pipeline import Project

_MOST_NAMES: Final = 1_000
_MADE: Final = {"csv": ".csv", "tsv": ".tsv", "jsonl": ".jsonl", "json": ".json", "parquet": ".parquet"}
"""The kinds of files that are made, and how their names end."""


@dataclass(frozen=True)
class Place:
    """A file with dev records.

    Attributes
    ----------
    path : path
    kind : str
        Its format.
    dialect : Dialect
        How it is written, if it is text.
    label : str
        The column of known labels.
    split : str or None
        The column that says which records are dev records; None where all are.
    """

    path: Path
    kind: str
    dialect: Dialect
    label: str
    split: str | None = None


def places_of(project: Project) -> list[Place]:
    """The files with the project's dev records, in their order; none where it has no dev records."""
    data = project.settings.data
    for key, what in (("python", "a loader in Python"), ("dataset", "a public data set")):
        if getattr(data, key) is not None:
            raise ConfigError(
                f"{project.path.name}: data.{key}: records to be labelled must lie in files of the project's own; "
                f"they come from {what}. Write them to files, and name these under data.train and data.dev."
            )
    named = data.dev if data.split is None else data.records
    paths = [path for name in named or () for path in _paths(project, name)]
    return [_place(project, path, data.split) for path in paths]


def new_place(project: Project) -> Place:
    """Where a first dev file is made: in the project's folder, written as the training records are."""
    data = project.settings.data
    train = next((path for name in data.train or () for path in find_files(project.folder, name)), None)
    like = None if train is None else _place(project, train, None)  # none: they lie on another machine
    kind = like.kind if like is not None and like.kind in _MADE else "jsonl"
    if data.format is not None and data.format != kind:
        raise ConfigError(
            f"{project.path.name}: data.format: a dev file cannot be made as {data.format}. Make one with the "
            f"columns of the training records and {data.label!r}, and name it under data.dev."
        )
    names = [f"dev{'' if i == 0 else f'-{i + 1}'}{_MADE[kind]}" for i in range(_MOST_NAMES)]
    for path in (folder / name for folder in (project.folder, project.folder / "labels") for name in names):
        if not path.exists() and not _is_named(project, path):
            return Place(path, kind, like.dialect if like is not None else Dialect(), data.label)
    raise ConfigError(
        f"{project.path.name}: data.dev must name a file for labels; every name such as {names[0]} is taken, or "
        "would be that of other records. Make one, and name it."
    )


def record_of(project: Project, row: int) -> dict[str, Any]:
    """All values of a training record, as they are written."""
    number = row
    for frame in _chunks(project):
        if 0 <= number < frame.height:
            return frame.row(number, named=True)
        number -= frame.height
    raise ConfigError(f"row must be that of a training record, from 0; got {row}, and there are {row - number}.")


def _chunks(project: Project) -> Iterator[pl.DataFrame]:
    data = project.settings.data
    named = data.train if data.split is None else data.records
    paths: list[str | Path] = []
    for name in named or ():
        paths += [name] if is_address(name) else find_files(project.folder, name)
    for shard in open_records(paths, **data.reading).shards(None, 10_000):
        for frame in shard.chunks():
            yield frame if data.split is None else frame.filter(pl.col(data.split) == "train")


def _place(project: Project, path: Path, split: str | None) -> Place:
    data = project.settings.data
    kind = format_of(path, data.format) if path.is_file() else "txt"
    dialect = Dialect(encoding=_encoding(data.encoding))
    if kind in ("csv", "tsv"):
        delimiter = data.delimiter or ("\t" if kind == "tsv" else None)
        dialect = dialect_of(path, delimiter, '"' if data.quote is None else data.quote, dialect.encoding)
    return Place(path, kind, dialect, data.label, split)


def _encoding(name: str | None) -> str | None:
    return None if name is None or name.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig") else name


def _paths(project: Project, name: str) -> list[Path]:
    """The files that a name in the project file stands for, each of which can be written to."""
    if is_address(name):
        raise ConfigError(
            f"{project.path.name}: records to be labelled must lie on this machine; got {name!r}. Copy them here."
        )
    paths = find_files(project.folder, name)
    for path in paths:
        if path.is_dir() or is_packed(path):
            raise ConfigError(
                f"{project.path.name}: records to be labelled must lie in files that are not packed; got {path}. "
                "Name a plain file under data.dev."
            )
    return paths


def _is_named(project: Project, path: Path) -> bool:
    """Whether a file of this name would be taken for one of other records."""
    data, own = project.settings.data, path.resolve()
    named = [str((project.folder / name).resolve()) for name in (*(data.train or ()), *(data.test or ()))]
    return any(
        fnmatch(str(own), name) if "**" in name else own.match(name) or own.is_relative_to(name) for name in named
    )
