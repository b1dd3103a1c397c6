"""The words of many texts at once, as places in one array of bytes: what a lexicon is looked up in.

Texts are normalised ones. Each character is one byte: ASCII as it is, others by whether they belong to words, so
that words of other scripts keep their length but not their identity.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Pieces = npt.NDArray[np.uint64]

PIECE: Final = 8
"""Bytes that are compared at a time."""

_BLOCK: Final = 1 << 19  # bytes that fit into a processor's cache with all that is made of them
_END: Final = 0xFF  # stands behind each text; no character is given it
_OTHER: Final = 0x01  # characters beyond ASCII that belong to no word
_MASKS: Final[Pieces] = np.array([(1 << (8 * n)) - 1 for n in range(PIECE + 1)], dtype=np.uint64)


@dataclass(frozen=True)
class Runs:
    """The runs of word characters in a block of texts, in their order.

    Attributes
    ----------
    first : int
        Which of the column's texts is the first of the block.
    letters : uint8 (n_bytes,)
        The characters of all texts, 0xFF behind each, and room for one piece.
    begins : int64 (n_texts,)
        Where each text begins.
    starts, lengths : int64 (n_runs,)
        Where each run begins, and how long it is.
    """

    first: int
    letters: Bytes
    begins: Places
    starts: Places
    lengths: Places

    def pieces(self, starts: Places, lengths: Places) -> Pieces:
        """The bytes at ``starts``, ``lengths`` of them and eight at most, each as one number."""
        shape = (len(self.letters) - PIECE + 1,)
        windows: Pieces = np.ndarray(shape, dtype="<u8", buffer=self.letters.data, strides=(1,))
        found: Pieces = windows[starts]
        found &= _MASKS[np.minimum(lengths, PIECE)]
        return found

    def texts_at(self, places: Places) -> Places:
        """Which text of the block each place is in."""
        return np.searchsorted(self.begins, places, side="right") - 1


def prefixes(pieces: Pieces, length: int) -> Pieces:
    """The first ``length`` bytes of each piece."""
    found: Pieces = pieces & _MASKS[length]
    return found


def is_word_byte(character: str) -> bool:
    """Whether a character beyond ASCII belongs to words."""
    return bool(_bytes_of_characters()[ord(character)] != _OTHER)


def ascii_runs(texts: pl.Series) -> Iterator[Runs]:
    """The runs in texts (n_points,) of ASCII characters, block by block; none is null."""
    if len(texts):
        joined = texts.str.join("\0").cast(pl.Binary).item()
        yield from _blocks(np.frombuffer(joined, np.uint8), texts.str.len_bytes().to_numpy().astype(np.int64), 0)


def unicode_runs(texts: pl.Series) -> Iterator[Runs]:
    """The runs in any normalised texts (n_points,), block by block; none is null."""
    if len(texts):
        codes = np.frombuffer("\0".join(texts.to_list()).encode("utf-32-le"), np.uint32)
        yield from _blocks(_bytes_of_characters()[codes], texts.str.len_chars().to_numpy().astype(np.int64), 0x80)


def runs_of_all(texts: pl.Series) -> Runs:
    """The runs of all of some normalised texts (n_points,), in one block."""
    if not len(texts):
        nothing = np.zeros(0, np.int64)
        return Runs(0, np.full(PIECE, _END, np.uint8), nothing, nothing, nothing)
    if bool((texts.str.len_bytes() == texts.str.len_chars()).all()):
        letters, beyond = np.frombuffer(texts.str.join("\0").cast(pl.Binary).item(), np.uint8), 0
    else:
        codes = np.frombuffer("\0".join(texts.to_list()).encode("utf-32-le"), np.uint32)
        letters, beyond = _bytes_of_characters()[codes], 0x80
    return next(_blocks(letters, texts.str.len_chars().to_numpy().astype(np.int64), beyond, len(letters) + 1))


def _blocks(letters: Bytes, sizes: Places, beyond: int, size: int = _BLOCK) -> Iterator[Runs]:
    ends = np.cumsum(sizes + 1)
    first, done = 0, 0
    while first < len(ends):
        last = max(int(np.searchsorted(ends, done + size, side="right")), first + 1)
        own = np.full(int(ends[last - 1]) - done + PIECE, _END, np.uint8)
        part = letters[done : int(ends[last - 1])]  # behind the last text stands nothing
        own[: len(part)] = part
        own[ends[first:last] - done - 1] = _END
        starts, lengths = _runs(own[:-PIECE], beyond)
        yield Runs(first, own, ends[first:last] - sizes[first:last] - 1 - done, starts, lengths)
        first, done = last, int(ends[last - 1])


def _runs(letters: Bytes, beyond: int) -> tuple[Places, Places]:
    """Where runs of word characters begin, and how long they are; bytes from ``beyond`` are, where it is not 0."""
    inside = np.zeros(len(letters) + 2, np.bool_)
    word, other = inside[1:-1], np.empty(len(letters), np.bool_)
    np.less((letters | np.uint8(32)) - np.uint8(97), 26, out=word)
    word |= np.less(letters - np.uint8(48), 10, out=other)
    word |= np.equal(letters, 95, out=other)
    if beyond:
        word |= np.less(letters - np.uint8(beyond), _END - beyond, out=other)
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    return edges[0::2], edges[1::2] - edges[0::2]


@cache
def _bytes_of_characters() -> Bytes:
    """The byte of each character; which belong to words is asked of the engine that looks for them."""
    known = np.array([*range(0xD800), *range(0xE000, 0x110000)], dtype=np.uint32)
    text = pl.Series([known.astype("<u4").tobytes().decode("utf-32-le")])
    kept = np.frombuffer(text.str.replace_all(r"\W", "").item().encode("utf-32-le"), np.uint32)
    table = np.full(0x110000, _OTHER, np.uint8)
    table[kept] = 0x80 + kept % (_END - 0x80)
    table[:0x80] = np.arange(0x80)
    return table
