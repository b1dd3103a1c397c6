"""A run folder: one writer at a time, and only what a committed manifest names is visible."""

import hashlib
import json
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

from metalwork import __version__
from metalwork._files import write_text
from metalwork.errors import ConfigError, DataError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

STEPS = ("apply", "fit", "train", "evaluate", "report")
"""The steps of a run, in order; redoing one withdraws what the later ones wrote."""

_FORMAT = "metalwork run 1"
_MANIFEST = "manifest.json"
_LOCK = ".lock"
_LONGEST_NAME = 200  # bytes


class RunFolder:
    """The files of one run.

    Each step writes its files and then commits them: their names, sizes and digests enter ``manifest.json``,
    which is replaced whole. A file that the manifest does not name is not there for any reader.

    Parameters
    ----------
    path : path
        The folder; made by :meth:`writing`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._locked = False

    @classmethod
    def latest(cls, output: Path) -> Self:
        """The run in ``output`` that was committed last.

        Raises
        ------
        ConfigError
            When there is none.
        """
        found = [path.parent for path in output.glob(f"*/{_MANIFEST}")]
        if not found:
            raise ConfigError(f"There is no run in {output} yet. Start with: metalwork apply, or metalwork run.")
        return cls(max(found, key=lambda path: ((path / _MANIFEST).stat().st_mtime_ns, path.name)))

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
            manifest = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"format": _FORMAT, "steps": {}}
        except ValueError as error:
            raise DataError(f"{path}: must be a run's manifest; it is damaged ({error}).") from None
        if not _is_manifest(manifest):
            raise DataError(f"{path}: must be a {_FORMAT!r} file; it is something else.")
        return dict(manifest)

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that are committed, in order."""
        return tuple(step for step in STEPS if step in self.manifest["steps"])

    def file(self, name: str) -> Path:
        """The path of a committed file.

        Raises
        ------
        ConfigError
            When no committed step wrote it.
        DataError
            When its size is not what was committed.
        """
        entry = self._entries().get(name)
        if entry is None:
            raise ConfigError(
                f"{self.path} must hold {name}; no finished step has written it. Redo the step that does."
            )
        path = self.path / name
        if not path.is_file() or path.stat().st_size != entry["bytes"]:
            raise DataError(f"{path}: must be the file that the manifest names; it has changed. Redo its step.")
        return path

    def has(self, name: str) -> bool:
        """Whether a committed step wrote this file, or files in a folder of this name."""
        return any(entry == name or entry.startswith(f"{name}/") for entry in self._entries())

    def _entries(self) -> dict[str, dict[str, Any]]:
        steps = self.manifest["steps"].values()
        return {name: entry for step in steps for name, entry in step["files"].items()}

    def require(self, step: str) -> None:
        """Raise ``ConfigError`` unless ``step`` is committed; the text says which command to run."""
        if step not in self.steps:
            raise ConfigError(
                f"{self.path} must hold the results of the step {step!r}; it does not. "
                f"Run first: metalwork {step} PROJECT --run {self.path.name}."
            )

    @contextmanager
    def writing(self) -> Iterator[Self]:
        """Hold the folder for writing; a second writer fails at once, naming the first. May be nested.

        Raises
        ------
        ConfigError
            When another process, or another run in this one, holds it.
        """
        if self._locked:
            yield self
            return
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / _LOCK, "a+", encoding="utf-8") as stream:
            if not _try_lock(stream):
                raise ConfigError(
                    f"{self.path} must have one writer at a time; {_owner(stream)} is writing to it. "
                    "Wait for it to end, or name another run with --run."
                )
            stream.truncate(0)
            json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": _now()}, stream)
            stream.flush()
            self._locked = True
            try:
                yield self
            finally:
                self._locked = False
                stream.truncate(0)

    @contextmanager
    def step(self, name: str, facts: dict[str, Any] | None = None) -> Iterator[list[str]]:
        """Write one step: append file (or folder) names to the list; they are committed on leaving.

        The step's former results, and those of later steps, are withdrawn first.
        """
        if not self._locked:
            raise RuntimeError("a step must be written inside RunFolder.writing().")
        manifest = self.manifest
        manifest.setdefault("created", _now())
        later = STEPS[STEPS.index(name) :]
        if any(step in manifest["steps"] for step in later):
            manifest["steps"] = {s: v for s, v in manifest["steps"].items() if s not in later}
            self._commit(manifest)
        written: list[str] = []
        yield written
        files = {entry: _describe(self.path / entry) for entry in self._expand(written)}
        manifest["steps"][name] = {"finished": _now(), **(facts or {}), "files": files}
        self._commit(manifest)

    def _expand(self, names: Sequence[str]) -> Iterator[str]:
        for name in names:
            path = self.path / name
            if path.is_dir():
                inside = (entry for entry in sorted(path.rglob("*")) if entry.is_file())
                yield from (entry.relative_to(self.path).as_posix() for entry in inside)
            else:
                yield name

    def _commit(self, manifest: dict[str, Any]) -> None:
        manifest["metalwork"] = __version__
        write_text(self.path / _MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def check_run_name(name: str, output: Path) -> str:
    """``name`` itself, where it is a plain folder name; it lies below ``output``.

    Raises
    ------
    ConfigError
        For an empty name, a path, or one that begins with a dot.
    """
    plain = name.strip() and name.isprintable() and not name.startswith(".") and not set(name) & set("/\\:")
    if not plain or Path(name).name != name or len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        raise ConfigError(f"A run's name must be a plain folder name; got {name!r}. It lies below {output}.")
    return name


def new_run(output: Path) -> RunFolder:
    """A run folder in ``output`` that does not exist yet, named by the time (UTC)."""
    name = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    taken = (output / name, *(output / f"{name}-{count}" for count in range(2, 1000)))
    return RunFolder(next(path for path in taken if not path.exists()))


def _is_manifest(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("format") != _FORMAT or not isinstance(value.get("steps"), dict):
        return False
    files = [step.get("files") if isinstance(step, dict) else None for step in value["steps"].values()]
    return all(
        isinstance(named, dict)
        and all(isinstance(e, dict) and isinstance(e.get("bytes"), int) for e in named.values())
        for named in files
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _describe(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def _owner(stream: IO[str]) -> str:
    stream.seek(0)
    try:
        owner = json.loads(stream.read())
        return f"process {owner['pid']} on {owner['host']} (since {owner['since']})"
    except (ValueError, KeyError, TypeError):
        return "another process"


def _try_lock(stream: IO[str]) -> bool:
    """Lock an open file without waiting; the lock ends with the process, however that ends."""
    try:
        if sys.platform == "win32":
            stream.seek(1 << 20)  # a byte beyond the text, so that others can still read who holds it
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
