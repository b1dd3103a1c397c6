"""Text files as decoded lines that know their number."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from metalwork.errors import DataError

_BOM = b"\xef\xbb\xbf"


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, unpacking ``.gz``; every way that can fail is one ``DataError`` that names the file."""
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            yield stream  # type: ignore[misc]
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise DataError(f"{path}: must be a file; it is a folder. Give a glob such as '{path}/*.jsonl'.") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: must be a gzip file; it is damaged or something else ({error}).") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from None


def text_lines(path: Path, stream: IO[bytes], start: int = 0, stop: int | None = None) -> Iterator[str]:
    """The lines, with their ends, that start in bytes ``start:stop`` of UTF-8 text; no byte order mark.

    Raises
    ------
    DataError
        Naming file and line, for a line that is not UTF-8 or holds NUL.
    """
    position = stream.seek(start)
    for index, raw in enumerate(stream):
        if stop is not None and position >= stop:
            return
        try:
            yield _decode(raw, first=position == 0)
        except _NotText as fault:
            raise DataError(f"{path}:{line_number(path, start) + index}: {fault}") from None
        position += len(raw)


def line_number(path: Path, start: int) -> int:
    """Number (from 1) of the line that starts at byte ``start``."""
    number, left = 1, start
    with open_bytes(path) as stream:
        while left > 0 and (block := stream.read(min(left, 1 << 20))):
            number += block.count(b"\n")
            left -= len(block)
    return number


class _NotText(Exception):
    """Why a line is not text."""


def _decode(raw: bytes, first: bool) -> str:
    if first and raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _NotText("must be UTF-8 text; it is UTF-16. Save the file as UTF-8.")
    if b"\0" in raw:
        raise _NotText("must be text; it holds a NUL character. Remove it.")
    try:
        return (raw.removeprefix(_BOM) if first else raw).decode("utf-8")
    except UnicodeDecodeError as error:
        byte, place = raw[error.start], error.start + 1
        raise _NotText(
            f"must be UTF-8 text; byte {place} of the line (0x{byte:02x}) is not. Save the file as UTF-8."
        ) from None
