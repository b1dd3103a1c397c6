"""Which files the user's own functions have read, and which of them left this process.

Every function of the user's on the stack of whoever opens a file counts as its reader: an LF whose helper loaded a
look-up long ago, behind a cache of its own, depends on it still.
"""

import hashlib
import os
import sys
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

from metalwork._opened import LEAVES, listen, path_read
from metalwork.labeling._origins import is_foreign_file

_LARGEST: Final = 64 << 20  # bytes: of a larger file size and time stand for its content
_SETTLED: Final = 2.0  # seconds after which a file of the same size and time is the same file


class Functions:
    """Some functions of the user's, by their code; in a worker process, by what has stayed of it there."""

    def __init__(self, codes: Iterable[CodeType]) -> None:
        self._codes = {id(code): code for code in codes}
        self._keys = frozenset(map(_key, self._codes.values()))

    def __getstate__(self) -> frozenset[tuple[str, int, int]]:
        return self._keys

    def __setstate__(self, keys: frozenset[tuple[str, int, int]]) -> None:
        self._codes, self._keys = {}, keys

    def files_read(self) -> list[tuple[str, str]]:
        """Path and digest of every file that they have read so far, as it was then."""
        return sorted({pair for reader in self._readers() for pair in reader.files})

    def left(self) -> str | None:
        """What one of them did that no digest can see; None where none did."""
        return next((reader.left for reader in self._readers() if reader.left), None)

    def _readers(self) -> list["_Reader"]:
        if self._codes:
            return [_readers[code] for code in self._codes if code in _readers]
        return [reader for reader in _readers.values() if _key(reader.code) in self._keys]


@dataclass
class _Reader:
    """A function that opened something."""

    code: CodeType  # kept, so that its address stays its own
    files: dict[tuple[str, str], None] = field(default_factory=dict)
    left: str = ""


_PACKAGE: Final = str(Path(__file__).parents[1]) + os.sep
_NOT_OF_RUNS: Final = tuple(
    _PACKAGE + room for room in ("data", "examples", "_opened.py", f"labeling{os.sep}_reads.py")
)

_readers: dict[int, _Reader] = {}
_known: dict[str, tuple[tuple[int, int, int], str]] = {}
_inside = threading.local()


def _key(code: CodeType) -> tuple[str, int, int]:
    return code.co_qualname, code.co_firstlineno, zlib.crc32(code.co_code)


def file_digest(path: str) -> str:
    """Digest of a file's content, or of a folder's list of names; "" where there is nothing."""
    try:
        found = os.stat(path)
        if os.path.isdir(path):
            return hashlib.sha256("\0".join(sorted(os.listdir(path))).encode("utf-8", "surrogatepass")).hexdigest()
        state = (found.st_mtime_ns, found.st_size, found.st_ino)
        known = _known.get(path)
        if known is not None and known[0] == state:
            return known[1]
        if found.st_size > _LARGEST:
            return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
        with open(path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""
    if time.time() - found.st_mtime > _SETTLED:
        _known[path] = (state, digest)
    return digest


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if getattr(_inside, "yes", False):  # reading a file for its digest opens it again
        return
    path = path_read(event, arguments)
    what = LEAVES.get(event)
    if (path is None and what is None) or not (codes := list(_own_callers())):
        return
    readers = [_readers.setdefault(id(code), _Reader(code)) for code in codes]
    if what is not None:
        for reader in readers:
            reader.left = f"it {what}"
        return
    _inside.yes = True
    try:
        with suppress(OSError, ValueError):
            real = os.path.realpath(str(path))
            if is_foreign_file(real):
                return
            pair = (real, file_digest(real))
            for reader in readers:
                reader.files[pair] = None
    finally:
        _inside.yes = False


def _own_callers() -> Iterator[CodeType]:
    """The user's own functions on the stack; none while a module is imported.

    Who called this package is not one: records are read on the package's own account, but for what a function asks
    the room ``data`` to read.
    """
    frame: FrameType | None = sys._getframe(3)
    found = []
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith("<frozen importlib"):
            return
        if code.co_filename.startswith(_PACKAGE) and not code.co_filename.startswith(_NOT_OF_RUNS):
            break
        if not _is_foreign_code(code.co_filename):
            found.append(code)
        frame = frame.f_back
    yield from found


@lru_cache(4096)
def _is_foreign_code(name: str) -> bool:
    if name.startswith("<frozen"):
        return True
    return not name.startswith("<") and is_foreign_file(os.path.realpath(name))


listen(_hear)  # for good: what is read before an LF first runs counts, too
