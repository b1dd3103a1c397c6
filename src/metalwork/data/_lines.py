"""Text files as bytes of UTF-8 and as decoded lines that know their number."""

import codecs
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import numpy as np

from metalwork.data._limits import Limits
from metalwork.data._opening import File, open_bytes
from metalwork.errors import ConfigError, DataError

_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 20
_LF, _BLANK, _ASCII = 10, 32, 127


@contextmanager
def open_text(file: File, encoding: str | None) -> Iterator[IO[bytes]]:
    """Open a text file, unpacked, as UTF-8, whatever ``encoding`` it has; None takes the bytes as they are."""
    with open_bytes(file) as stream:
        yield stream if encoding is None else io.BufferedReader(_Transcoded(file, stream, encoding), _BLOCK)


def check_encoding(encoding: Any) -> str | None:
    """The encoding, None for UTF-8; ``ConfigError`` where Python knows none of this name."""
    if encoding is None:
        return None
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except (LookupError, TypeError):
        raise ConfigError(
            f"encoding must be the name of one; got {encoding!r}. Say e.g. 'utf-8', 'cp1252', 'latin-1', 'utf-16'."
        ) from None
    return None if name in ("utf-8", "utf-8-sig", "ascii") else name


class _Transcoded(io.RawIOBase):
    """The bytes of a file in some encoding, as UTF-8."""

    def __init__(self, file: File, stream: Any, encoding: str) -> None:
        self._blocks = self._decoded(file, stream, encoding)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = block
        taken = self._rest[: len(target)]
        self._rest = self._rest[len(taken) :]
        target[: len(taken)] = taken
        return len(taken)

    @staticmethod
    def _decoded(file: File, stream: Any, encoding: str) -> Iterator[bytes]:
        decoder, line = codecs.getincrementaldecoder(encoding)(), 1
        while True:
            block = stream.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(error.encoding, "ignore")
                raise DataError(
                    f"{file}:{line + before.count(chr(10))}: must be {encoding} text; "
                    f"byte 0x{error.object[error.start]:02x} is not. Say which encoding it has."
                ) from None
            line += text.count("\n")
            yield text.encode("utf-8")
            if not block:
                return


def text_lines(file: File, lines: Iterable[bytes], number: int = 1) -> Iterator[str]:
    """Lines of UTF-8 as text, with their ends, the first of this number; no byte order mark.

    Raises
    ------
    DataError
        Naming file and line, for a line that is not UTF-8 or holds NUL.
    """
    for line, raw in enumerate(lines, number):
        try:
            yield decode_line(raw, first=line == 1)
        except NotTextError as fault:
            raise DataError(f"{file}:{line}: {fault}") from None


def raw_lines(file: File, stream: IO[bytes], limits: Limits) -> Iterator[bytes]:
    """The lines of a stream; ``DataError`` for one that is longer than a record may be."""
    number = 1
    while raw := stream.readline(limits.record_bytes + 1):
        if len(raw) > limits.record_bytes:
            raise too_long(file, number, limits)
        yield raw
        number += 1


def too_long(file: File, number: int, limits: Limits) -> DataError:
    """The error for a record that is larger than records may be."""
    return DataError(
        f"{file}:{number}: a record must have at most {limits.record_bytes:,} bytes (limits.record_bytes); "
        "this one has more. Look for an open quote or a missing line break, or raise the limit."
    )


class Lines(NamedTuple):
    """The whole lines at the start of a block: where they end, how many, how many not blank, and the longest."""

    stop: int
    n_lines: int
    n_full: int
    longest: int
    length: int  # of the longest


def lines_of(block: bytes, is_last: bool, most: int) -> Lines:
    """The first lines of a block that starts with one, ``most`` of them; ``is_last``: the file ends with it."""
    array = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(array == _LF) + 1
    if is_last and block[-1] != _LF:
        ends = np.append(ends, len(block))
    ends = ends[:most]
    if not len(ends):
        return Lines(0, 0, 0, 0, 0)
    starts = np.concatenate([[0], ends[:-1]])
    first = array[starts]
    doubtful = np.flatnonzero((first <= _BLANK) | (first > _ASCII))  # what a blank line may begin with
    blank = sum(is_blank(block[starts[i] : ends[i]]) for i in doubtful)
    lengths = ends - starts
    longest = int(lengths.argmax())
    return Lines(int(ends[-1]), len(ends), len(ends) - blank, longest, int(lengths[longest]))


def is_blank(line: bytes) -> bool:
    """Whether there is nothing on a line but white space, of Unicode's too."""
    return not line.decode("utf-8", "replace").removeprefix("\ufeff").strip()


class NotTextError(Exception):
    """Why a line is not text."""


def decode_line(raw: bytes, first: bool) -> str:
    """A line as text, without the byte order mark of the first; ``NotTextError`` says why it is none."""
    if first and raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise NotTextError("must be UTF-8 text; it is UTF-16. Save the file as UTF-8, or say encoding='utf-16'.")
    if b"\0" in raw:
        raise NotTextError("must be text; it holds a NUL character. Remove it.")
    try:
        return (raw.removeprefix(_BOM) if first else raw).decode("utf-8")
    except UnicodeDecodeError as error:
        byte, place = raw[error.start], error.start + 1
        raise NotTextError(
            f"must be UTF-8 text; byte {place} of the line (0x{byte:02x}) is not. "
            "Save the file as UTF-8, or say its encoding, such as encoding='cp1252'."
        ) from None
