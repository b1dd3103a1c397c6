"""Pieces of files: ranges of bytes that a worker reads by itself, or bytes that travel to it."""

import io
from dataclasses import dataclass
from typing import IO, Final

from metalwork.data._opening import File, Stamp, changed, check_unchanged, open_bytes, stamp_of

BLOCK: Final = 1 << 22
"""Bytes of a text file that make a shard, some more where a record ends beyond."""

MOST_RECORDS: Final = 100_000
"""How many records a shard holds at most."""


@dataclass(frozen=True)
class Piece:
    """Bytes ``start:stop`` of a file, after unpacking and decoding; in ``body`` where none can seek there."""

    file: File
    start: int
    stop: int
    stamp: Stamp | None = None
    body: bytes | None = None

    def read(self) -> bytes:
        """The bytes; ``DataError`` where the file is no longer what it was when it was cut."""
        if self.body is not None:
            return self.body
        with open_bytes(self.file) as stream:
            stream.seek(self.start)
            body = stream.read(self.stop - self.start)
        check_unchanged(self.file, stamp_of(self.file), self.stamp)
        if len(body) < self.stop - self.start:
            raise changed(self.file)
        return body


class Buffer:
    """The bytes of a stream from ``position`` on, of which as many are held as were asked for."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._at = stream, 0
        self.data, self.position, self.is_last = b"", 0, False

    def fill(self, size: int) -> int:
        """Hold at least this many bytes in ``data``, where the stream has as many; returns how many are held."""
        blocks, length = [self.data[self._at :]], len(self.data) - self._at
        while length < size and not self.is_last:
            blocks.append(self._stream.read(size - length))
            self.is_last = not blocks[-1]
            length += len(blocks[-1])
        self.data, self._at = blocks[0] if len(blocks) == 1 else b"".join(blocks), 0
        return length

    def take(self, size: int) -> bytes:
        """Remove the first bytes of ``data``, and give them."""
        taken, self.data = self.data[:size], self.data[size:]
        self.position += len(taken)
        return taken

    def line(self, most: int) -> bytes:
        """Remove the next line with its end, and give it, cut where it is longer than ``most``; b"" at the end."""
        end = self.data.find(b"\n", self._at) + 1
        while not end and not self.is_last and (searched := len(self.data) - self._at) <= most:
            self.fill(2 * searched + io.DEFAULT_BUFFER_SIZE)
            end = self.data.find(b"\n", searched) + 1
        end = end or len(self.data)
        line, self._at = self.data[self._at : end], end
        self.position += len(line)
        return line
