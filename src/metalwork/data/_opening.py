"""Files as streams of bytes: packed or not, on this machine or elsewhere, and every way that can fail."""

import importlib
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, Final

from metalwork.data._held import held
from metalwork.data._remote import RemoteFile
from metalwork.errors import DataError, MissingExtraError

File = Path | RemoteFile

Stamp = tuple[Any, ...]
"""What tells that a file has changed, such as its size and when it was written."""


_ZSTD: Final = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
_PACKINGS: Final = {
    ".gz": ("gzip", "gzip"),
    ".bz2": ("bzip2", "bz2"),
    ".xz": ("xz", "lzma"),
    ".zst": ("zstd", _ZSTD),
}
"""What each is called, and the module that unpacks it."""

PACKED: Final = tuple(_PACKINGS)
"""Suffixes of files that are unpacked as they are read."""


def is_packed(file: File) -> bool:
    """Whether the name says that the file is compressed."""
    return file.suffix.lower() in PACKED


@contextmanager
def open_bytes(file: File) -> Iterator[IO[bytes]]:
    """Open a file, unpacking it where its name says so; every failure is a ``DataError`` that names the file."""
    kind, module = _PACKINGS.get(file.suffix.lower(), ("", ""))
    try:
        with _open_raw(file) as raw:
            if not kind:
                yield raw
            else:
                with _unpacker(module).open(raw) as stream:
                    yield stream
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file.{_if_no_path(file)}") from None
    except IsADirectoryError:
        raise _is_folder(file) from None
    except OSError as error:
        if kind and error.errno is None:
            raise _not_unpacked(file, kind, error) from None
        raise DataError(f"{file}: cannot be read ({error.strerror or error}).{_if_no_path(file)}") from None
    except Exception as error:
        if kind and (
            isinstance(error, (EOFError, zlib.error)) or type(error).__name__ in ("LZMAError", "ZstdError")
        ):
            raise _not_unpacked(file, kind, error) from None
        raise


def _open_raw(file: File) -> AbstractContextManager[IO[bytes]]:
    if isinstance(file, RemoteFile):
        return file.open()
    mode = os.stat(file).st_mode
    if stat.S_ISDIR(mode):
        raise _is_folder(file)
    if not stat.S_ISREG(mode):
        raise DataError(
            f"{file}: must be a file; it is a {_kind_of(mode)}, which can be read once only. "
            "Write what it gives to a file first."
        )
    return held(file) or file.open("rb")


def _is_folder(file: File) -> DataError:
    return DataError(f"{file}: must be a file; it is a folder. Pass the folder itself, or a glob.")


def _kind_of(mode: int) -> str:
    return "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"


def _unpacker(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(module, "zstd", "A .zst file") from None


def _not_unpacked(file: File, kind: str, error: Exception) -> DataError:
    return DataError(f"{file}: must be a {kind} file; it is damaged or something else ({error}).")


def _if_no_path(file: File) -> str:
    """What to do where this is no path at all."""
    looks_like_text = " " in str(file) and (not file.suffix or " " in file.suffix)
    return " One text is no file: pass a list, ['...']." if looks_like_text else ""


def stamp_of(file: File) -> Stamp | None:
    """The stamp of a file; None where it has none."""
    if isinstance(file, RemoteFile):
        return file.stamp()
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def check_unchanged(file: File, now: Stamp | None, known: Stamp | None) -> None:
    """``DataError`` where a file is not what it was when ``known`` was taken."""
    if None not in (now, known) and now != known:
        raise changed(file)


def changed(file: File) -> DataError:
    """The error for a file that was written to between two looks at it."""
    return DataError(f"{file}: must not change while it is read; it was written to meanwhile. Start again.")
