"""The journal of a step that is being done: what it has written so far, so that it goes on after a kill."""

import json
import os
from pathlib import Path
from typing import Any, Final

from metalwork._files import atomic_write
from metalwork.pipeline._manifest import FORMAT, are_files

NAME: Final = "progress.jsonl"


class Journal:
    """A line a group of files that are whole and on disk, after a first line that says of which step they are.

    A line that a kill or a full disk cut short is not there for any reader.

    Parameters
    ----------
    path : path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._length = 0

    def read(self) -> list[dict[str, Any]]:
        """The lines, the first of them the head; none where there is no journal, or one of another format."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return []
        lines: list[dict[str, Any]] = []
        self._length = 0
        for raw in content.splitlines(keepends=True):
            entry = _parsed(raw)
            if entry is None:
                break
            lines.append(entry)
            self._length += len(raw)
        return lines if lines and lines[0].get("format") == FORMAT else []

    def start(self, head: dict[str, Any]) -> None:
        """Begin a new journal, in the place of an old one."""
        line = _line(head | {"format": FORMAT})
        with atomic_write(self._path) as stream:
            stream.write(line)
        self._length = len(line)

    def append(self, entry: dict[str, Any]) -> None:
        """Add a line; it is on disk when this returns."""
        line = _line(entry)
        with self._path.open("r+b") as stream:
            stream.truncate(self._length)  # what an earlier attempt left of a line
            stream.seek(self._length)
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        self._length += len(line)

    def remove(self) -> None:
        """Take it away: its step is committed, or none of it is of use."""
        self._path.unlink(missing_ok=True)


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=True).encode("ascii") + b"\n"


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(raw) if raw.endswith(b"\n") else None
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and are_files(entry.get("files", {})) else None
