"""Files as streams of bytes: packed or not, on this machine or elsewhere, and every way that can fail."""

import bz2
import gzip
import lzma
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, Final

from metalwork.data._held import held
from metalwork.data._remote import RemoteFile
from metalwork.errors import DataError, MissingExtraError

File = Path | RemoteFile

Stamp = tuple[Any, ...]
"""What tells that a file has changed, such as its size and when it was written."""


def _open_zstd(stream: Any) -> Any:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        raise MissingExtraError("backports.zstd", "zstd", "A .zst file") from None
    return zstd.open(stream)


_UNPACKERS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    ".gz": ("gzip", gzip.open),
    ".bz2": ("bzip2", bz2.open),
    ".xz": ("xz", lzma.open),
    ".zst": ("zstd", _open_zstd),
}

PACKED: Final = tuple(_UNPACKERS)
"""Suffixes of files that are unpacked as they are read."""


def is_packed(file: File) -> bool:
    """Whether the name says that the file is compressed."""
    return file.suffix.lower() in PACKED


@contextmanager
def open_bytes(file: File) -> Iterator[IO[bytes]]:
    """Open a file, unpacking it where its name says so; every failure is a ``DataError`` that names the file."""
    kind, unpack = _UNPACKERS.get(file.suffix.lower(), ("", None))
    try:
        with _open_raw(file) as raw:
            if unpack is None:
                yield raw
            else:
                with unpack(raw) as stream:
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
        if kind and (isinstance(error, (EOFError, zlib.error, lzma.LZMAError)) or _is_of_zstd(error)):
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


def _is_of_zstd(error: Exception) -> bool:
    return type(error).__name__ == "ZstdError"


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
