"""A run folder: one writer at a time, and only what a committed manifest names is visible."""

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from metalwork.errors import ConfigError, DataError
from metalwork.pipeline._journal import NAME as JOURNAL
from metalwork.pipeline._journal import Journal
from metalwork.pipeline._lock import locked
from metalwork.pipeline._manifest import FORMAT, file_digest, read_manifest, write_manifest
from metalwork.pipeline._project import Project

STEPS: Final = ("apply", "fit", "train", "evaluate", "report")
"""The steps of a run, in order; redoing one withdraws what the later ones wrote."""

CHECKPOINT: Final = "training.checkpoint"
"""What training keeps until it is done."""

_MANIFEST = "manifest.json"
_LOCK = ".lock"
_LONGEST_NAME = 200  # bytes
_BY_TIME = re.compile(r"\d{8}-\d{6}(?:-\d+)?")
"""The names of :func:`new_run`."""


class RunFolder:
    """The files of one run.

    Each step writes its files and then commits them: their names, sizes and digests enter ``manifest.json``,
    which is replaced whole. A file that the manifest does not name is not there for any reader; one that is not
    as the manifest says is refused.

    Parameters
    ----------
    path : path
        The folder; made by :meth:`writing`.
    project : str, optional
        The project file as a command names it, for messages.

    Attributes
    ----------
    journal : Journal
        What the step that is being done, or was when its process ended, has kept so far.
    pending : dict
        Size and digest of the files that this process wrote for a step which is not committed yet.
    """

    def __init__(self, path: str | os.PathLike[str], project: str | None = None) -> None:
        self.path = Path(path)
        self.project = project
        self._locked = False
        self._new = False
        self._checked: dict[str, str] = {}
        self._manifest: tuple[Any, dict[str, Any]] | None = None
        self.journal = Journal(self.path / JOURNAL)
        self.pending: dict[str, dict[str, Any]] = {}

    @classmethod
    def latest(cls, output: Path, project: str | None = None) -> Self:
        """The run in ``output`` that was committed last.

        Raises
        ------
        ConfigError
            When there is none.
        """
        for folder in cls.all(output, project):
            if folder.steps:
                return folder
        raise ConfigError(f"There is no run in {output} yet. Start with: metalwork apply, or metalwork run.")

    @classmethod
    def all(cls, output: Path, project: str | None = None) -> Iterator[Self]:
        """The runs in ``output``, the one that was committed last first; also those in which nothing is yet."""
        found = [(cls(path, project), path) for path in output.glob("*") if path.is_dir()]
        dated = [(_changed(path), path.name, folder) for folder, path in found if folder._is_run()]
        return (folder for _, _, folder in sorted(dated, key=lambda each: each[:2], reverse=True))

    def _is_run(self) -> bool:
        names = [entry.name for entry in self.path.iterdir()]
        if not names:  # made by a writer that was killed before it wrote, or somebody's own
            return _BY_TIME.fullmatch(self.path.name) is not None
        return _MANIFEST in names or all(map(_is_leftover, names))

    @property
    def manifest(self) -> dict[str, Any]:
        """The committed manifest; empty steps where nothing has been committed.

        Raises
        ------
        DataError
            When the file is damaged.
        """
        path = self.path / _MANIFEST
        try:
            found = path.stat()
        except FileNotFoundError:
            return {"format": FORMAT, "steps": {}}
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        if self._manifest is None or self._manifest[0] != stamp:
            self._manifest = stamp, read_manifest(path) or {"format": FORMAT, "steps": {}}
        return {**self._manifest[1], "steps": {step: {**f} for step, f in self._manifest[1]["steps"].items()}}

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that are committed, in order."""
        return tuple(step for step in STEPS if step in self.manifest["steps"])

    def command(self, step: str) -> str:
        """The command that does a step in this folder."""
        project = "PROJECT" if self.project is None else shlex.quote(self.project)
        return f"metalwork {step} {project} --run {shlex.quote(self.path.name)}"

    def file(self, name: str) -> Path:
        """The path of a committed file, whose content is compared with what was committed.

        Raises
        ------
        ConfigError
            When no committed step wrote it.
        DataError
            When it is not as it was written.
        """
        found = [(step, facts["files"][name]) for step, facts in self._by_step() if name in facts["files"]]
        found += [(self._working_on(), self.pending[name])] if name in self.pending else []
        if not found:
            raise ConfigError(
                f"{self.path} must hold {name}; no finished step has written it. Redo the step that does."
            )
        (step, entry), path = found[-1], self.path / name
        if self._checked.get(name) != entry["sha256"]:
            if not path.is_file() or file_digest(path) != entry["sha256"]:
                raise DataError(
                    f"{path}: must be as the step {step!r} wrote it; it has changed since. "
                    f"Run again: {self.command(step)}."
                )
            self._checked[name] = entry["sha256"]
        return path

    def _working_on(self) -> str:
        head = self.journal.read()[:1]
        return str(head[0]["step"]) if head else STEPS[0]

    def place(self, name: str) -> Path:
        """Where to write a file; ``DataError`` where the folder has been taken away, which is not made again."""
        path = self.path / name
        if not (self.path / _MANIFEST).is_file():
            raise DataError(f"{self.path} must stay while a run works in it; it has been taken away. Run again.")
        for parent in reversed(path.relative_to(self.path).parents[:-1]):
            if not (self.path / parent).is_dir():
                (self.path / parent).mkdir()
        return path

    def holds(self, name: str, digest: str) -> bool:
        """Whether a committed step wrote this file with content of this SHA-256."""
        return any(facts["files"].get(name, {}).get("sha256") == digest for _, facts in self._by_step())

    def _by_step(self) -> list[tuple[str, dict[str, Any]]]:
        steps = self.manifest["steps"]
        return [(step, steps[step]) for step in STEPS if step in steps]

    def require(self, step: str) -> None:
        """Raise ``ConfigError`` unless ``step`` is committed; the text says which command to run."""
        if step not in self.steps:
            raise ConfigError(
                f"{self.path} must hold the results of the step {step!r}; it does not. "
                f"Run first: {self.command(step)}."
            )

    @contextmanager
    def writing(self) -> Iterator[Self]:
        """Hold the folder for writing; a second writer fails at once, naming the first. May be nested.

        A new folder in which nothing is committed is removed again.

        Raises
        ------
        ConfigError
            When another process, or another run in this one, holds it; when the folder is none of metalwork's.
        """
        if self._locked:
            yield self
            return
        self._claim()
        with locked(self.path / _LOCK):
            if not (self.path / _MANIFEST).exists():
                self._write({"created": _now(), "steps": {}})
            self._sweep()
            self._locked = True
            try:
                yield self
            finally:
                self._locked, self.pending = False, {}
                self._discard_if_unused()

    def _claim(self) -> None:
        """Make the folder, or see that it is one of ours: nobody's own files are written over."""
        try:
            self.path.mkdir(parents=True)
            self._new = True
            return
        except FileExistsError:
            if not self.path.is_dir():
                raise ConfigError(f"{self.path} must be a folder; it is a file. Name another run.") from None
        if read_manifest(self.path / _MANIFEST) is None:
            others = sorted(entry.name for entry in self.path.iterdir() if not _is_leftover(entry.name))
            if others:
                raise ConfigError(
                    f"{self.path} must be a run of metalwork's, or new; it holds other files ({others[0]}). "
                    "Nothing was written. Name another run with --run."
                )

    def _sweep(self) -> None:
        """Remove what writers left that were killed: unfinished files, and shards that nothing names."""
        for path in [*self.path.glob(".*.tmp"), *self.path.glob("*/.*.tmp")]:
            if path.is_symlink() or path.is_file():
                path.unlink(missing_ok=True)
        head, *lines = self.journal.read() or [{}]
        if head.get("step") in self.steps:  # killed once it was committed
            self.journal.remove()
            lines = []
        named = {name for _, facts in self._by_step() for name in facts["files"]}
        named |= {name for line in lines for name in line.get("files", ())}
        shards = (path.relative_to(self.path).as_posix() for path in self.path.glob(f"*/*-{'[0-9]' * 5}.parquet"))
        self._remove(name for name in shards if name not in named)

    def _discard_if_unused(self) -> None:
        with suppress(OSError, DataError):
            names = {entry.name for entry in self.path.iterdir()}
            if self._new and names <= {_LOCK, _MANIFEST} and not self.manifest["steps"]:
                for name in names:
                    (self.path / name).unlink()
                self.path.rmdir()

    def withdraw(self, step: str) -> None:
        """Take the results of ``step`` and of later ones out of the manifest, then out of the folder."""
        if not self._locked:
            raise RuntimeError("a step must be written inside RunFolder.writing().")
        manifest = self.manifest
        later = STEPS[STEPS.index(step) :]
        withdrawn = [manifest["steps"].pop(name) for name in later if name in manifest["steps"]]
        if withdrawn:
            self._write(manifest)
        self._remove(name for facts in withdrawn for name in facts["files"])
        self._remove([CHECKPOINT])
        self.pending = {}

    def commit(self, step: str, facts: dict[str, Any], files: Mapping[str, dict[str, Any]]) -> None:
        """Make files that lie in the folder, with their sizes and digests, visible as the results of ``step``."""
        manifest = self.manifest
        for facts_of_other in manifest["steps"].values():  # a file belongs to the step that wrote it last
            facts_of_other["files"] = {n: e for n, e in facts_of_other["files"].items() if n not in files}
        manifest["steps"][step] = {"finished": _now(), **facts, "files": dict(files)}
        self._write(manifest)
        self.pending = {}
        self.journal.remove()

    def clear(self) -> None:
        """Take away all results, also those of a step that was not finished."""
        self.withdraw(STEPS[0])
        self.discard(self.journal.read()[1:])
        self.journal.remove()

    def discard(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Remove files that no committed step wrote, named by the lines of a journal."""
        committed = {name for _, facts in self._by_step() for name in facts["files"]}
        self._remove(name for entry in entries for name in entry["files"] if name not in committed)

    def _remove(self, names: Iterable[str]) -> None:
        home = self.path.resolve()
        for name in names:
            path = self.path / name
            if path.parent.resolve().is_relative_to(home):  # no link leads out
                path.unlink(missing_ok=True)

    def _write(self, manifest: dict[str, Any]) -> None:
        write_manifest(self.path / _MANIFEST, manifest)
        self._manifest = None


def open_folder(project: Project, name: str | None = None, *, fresh: bool = False) -> RunFolder:
    """The folder of a run of ``project``: by name, else a new one (``fresh``) or that of the newest run.

    Raises
    ------
    ConfigError
        When the name is no plain folder name, or the project's output folder lies outside the project.
    """
    check_output(project)
    if name is not None:
        return RunFolder(project.output / _check_name(name, project.output), str(project.path))
    if fresh:
        return new_run(project.output, str(project.path))
    return RunFolder.latest(project.output, str(project.path))


def check_output(project: Project) -> None:
    """``ConfigError`` where the project's output folder lies outside the project."""
    if not project.output.resolve().is_relative_to(project.folder.resolve()):
        raise ConfigError(
            f"output.folder must lie in the project's folder; got {project.settings.output.folder!r}. "
            "Give a folder below it."
        )


def _check_name(name: str, output: Path) -> str:
    plain = name.strip() and name.isprintable() and not name.startswith(".") and not set(name) & set("/\\:")
    if not plain or Path(name).name != name or len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        raise ConfigError(f"A run's name must be a plain folder name; got {name!r}. It lies below {output}.")
    return name


def new_run(output: Path, project: str | None = None) -> RunFolder:
    """A new folder in ``output``, named by the time (UTC); no two callers get the same."""
    output.mkdir(parents=True, exist_ok=True)
    name, count = datetime.now(UTC).strftime("%Y%m%d-%H%M%S"), 1
    while True:
        path = output / (name if count == 1 else f"{name}-{count}")
        try:
            path.mkdir()
        except FileExistsError:
            count += 1
            continue
        folder = RunFolder(path, project)
        folder._new = True
        return folder


def _changed(path: Path) -> int:
    manifest = path / _MANIFEST
    return (manifest if manifest.exists() else path).stat().st_mtime_ns


def _is_leftover(name: str) -> bool:
    return name == _LOCK or (name.startswith(f".{_MANIFEST}.") and name.endswith(".tmp"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
