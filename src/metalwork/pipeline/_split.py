"""The records of one split: held where they are few, else read anew, part by part, whenever they are asked for."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork.data import RecordSource, Shard, as_text, concatenate, open_records
from metalwork.errors import DataError, VotesError
from metalwork.pipeline._row_store import RowStore

Codes = npt.NDArray[np.int64]
Parts = tuple[tuple[str, int], ...]
"""Name of a file and number of its records, in the order of the records."""

MOST_HELD: Final = 16 << 20
"""Bytes of a split's records that are held; larger splits are read part by part."""
READ_ROWS: Final = 50_000


@dataclass(frozen=True)
class Split:
    """Records of one split, in memory.

    Attributes
    ----------
    records : polars DataFrame (n_points)
    gold : int64 array (n_points, n_tasks) or None
        What is known of each task, as ``schema.known_codes`` says it; a :class:`Job` also takes whatever that
        function takes, such as label names. None where nothing is known.
    ids : polars Series (n_points,) or None
        What names each record in the results, as text; the row number where None.
    columns : tuple of str
        All columns of the source, also those that nothing reads; those of ``records`` by default.
    parts : tuple of (str, int)
        The files that the records came from, and how many came from each.
    """

    records: pl.DataFrame
    gold: Any = None
    ids: pl.Series | None = None
    columns: tuple[str, ...] = ()
    parts: Parts = ()

    @property
    def n_points(self) -> int:
        """Number of records."""
        return self.records.height

    @property
    def known(self) -> Codes:
        """Rows (n_known,) of which anything is known."""
        found = np.zeros(0, bool) if self.gold is None else (np.asarray(self.gold) >= 0).any(axis=1)
        return np.flatnonzero(found).astype(np.int64)

    @cached_property
    def n_known(self) -> int:
        """Of how many records anything is known."""
        return int(self.known.size)

    @property
    def has_ids(self) -> bool:
        """Whether the records have ids."""
        return self.ids is not None

    @property
    def source(self) -> RecordSource:
        """The records as labeling functions read them."""
        return _HeldRecords(self.records, self.columns or self.records.columns, self.parts)

    def in_parts(self, sizes: Iterable[int], text: bool = True) -> Iterator["Split"]:
        """The records in parts of these sizes; without ``text``, ids and known labels are enough."""
        start = 0
        for size in sizes:
            gold = None if self.gold is None else self.gold[start : start + size]
            ids = None if self.ids is None else self.ids.slice(start, size)
            yield Split(self.records.slice(start, size), gold, ids)
            start += size

    def frames(self) -> Iterator[pl.DataFrame]:
        """The records, in frames of any size."""
        yield self.records

    def rows(self, rows: Codes) -> "Split":
        """The records at positions ``rows`` (n_rows,), in this order."""
        gold = None if self.gold is None else np.asarray(self.gold)[rows]
        return Split(self.records[rows], gold, None if self.ids is None else self.ids[rows], self.columns)


@dataclass(frozen=True)
class Reading:
    """How a source becomes the records of a split.

    Attributes
    ----------
    source : RecordSource
    wanted : tuple of str
        The columns that anything reads.
    id, label : str or None
        The columns with the ids and the known labels.
    codes : callable, optional
        From the column of labels to what is known of each task; raises ``VotesError``.
    origin : str
        What messages call the records.
    """

    source: RecordSource
    wanted: tuple[str, ...]
    id: str | None
    label: str | None
    codes: Callable[[pl.Series], Codes] | None
    origin: str

    def split(self, frame: pl.DataFrame, parts: Parts = (), start: int = 0) -> Split:
        """The split of these records, the first of which is record ``start`` of the source."""
        ids = None if self.id is None else as_text(frame[self.id])
        return Split(frame, self._gold(frame, start), ids, self.source.columns, parts)

    @property
    def named(self) -> tuple[str, ...]:
        """The columns of ids and known labels."""
        return tuple(name for name in (self.id, self.label) if name is not None)

    def frames(self, text: bool = True) -> Iterator[tuple[str, pl.DataFrame]]:
        """Chunks of the records, with the files they came from."""
        asked = {*(self.wanted if text else ()), *self.named}
        columns = [name for name in self.source.columns if name in asked] or None
        for shard in self.source.shards(columns, READ_ROWS):
            for frame in shard.chunks():
                yield shard.origin, frame

    def _gold(self, frame: pl.DataFrame, start: int) -> Codes | None:
        if self.codes is None or self.label is None:
            return None
        try:
            return self.codes(frame[self.label])
        except VotesError as error:
            text = re.sub(r"^Row (\d+)", lambda found: f"Row {int(found[1]) + start}", str(error))
            raise DataError(
                f"{self.origin}: column {self.label!r}: {text} Correct the record or the schema."
            ) from None


class LargeSplit:
    """Records of one split that are too many to hold; as :class:`Split`, but for what asks for all at once."""

    def __init__(self, reading: Reading, counts: dict[str, int], n_known: int, files: Sequence[Path]) -> None:
        self._reading = reading
        self.columns = reading.source.columns
        self.parts: Parts = tuple(counts.items())
        self.n_points, self.n_known = sum(counts.values()), n_known
        self._files = {path: _stamp(path) for path in files}
        self._stored: RowStore | None = None
        self._lock = Lock()

    @property
    def has_ids(self) -> bool:
        """Whether the records have ids."""
        return self._reading.id is not None

    @property
    def source(self) -> RecordSource:
        """The records as labeling functions read them."""
        self._check_unchanged()
        return self._reading.source

    def in_parts(self, sizes: Iterable[int], text: bool = True) -> Iterator[Split]:
        """The records, read anew, in parts of these sizes; without ``text``, ids and known labels are enough."""
        self._check_unchanged()
        if not text and not self._reading.named:  # nothing to read
            yield from (Split(pl.DataFrame(height=size)) for size in sizes)
            return
        frames, buffer, n_there, start = self._reading.frames(text), list[pl.DataFrame](), 0, 0
        for size in sizes:
            while n_there < size:
                _, frame = next(frames, ("", None))
                if frame is None:
                    raise self._changed()
                buffer.append(frame)
                n_there += frame.height
            whole = buffer[0] if len(buffer) == 1 else concatenate(buffer)
            yield self._reading.split(whole.head(size), start=start)
            buffer, n_there, start = [whole.slice(size)], n_there - size, start + size

    def frames(self) -> Iterator[pl.DataFrame]:
        """The records, in frames of any size."""
        return self._store.frames()

    def rows(self, rows: Codes) -> Split:
        """The records at positions ``rows`` (n_rows,), in this order, without reading the others again."""
        return self._reading.split(self._store.rows(rows))

    @property
    def _store(self) -> RowStore:
        self._check_unchanged()
        with self._lock:
            if self._stored is None:
                self._stored = RowStore(frame for _, frame in self._reading.frames())
        return self._stored

    @property
    def records(self) -> pl.DataFrame:
        """All records in one frame, read anew."""
        return self._whole().records

    @property
    def gold(self) -> Any:
        """What is known of each task (n_points, n_tasks); None where nothing is."""
        return self._whole().gold

    @property
    def ids(self) -> pl.Series | None:
        """The ids of all records."""
        return self._whole().ids

    @property
    def known(self) -> Codes:
        """Rows (n_known,) of which anything is known."""
        return self._whole().known

    def _whole(self) -> Split:
        return next(self.in_parts([self.n_points]))

    def _check_unchanged(self) -> None:
        if any(_stamp(path) != stamp for path, stamp in self._files.items()):
            raise self._changed()

    def _changed(self) -> DataError:
        return DataError(
            f"{self._reading.origin}: the records must stay as they are while the run goes on; they have changed. "
            "Run again."
        )


AnySplit = Split | LargeSplit


def read_split(reading: Reading, files: Sequence[Path] = (), most: int | None = None) -> AnySplit:
    """Read the records of a split once: they are held, or only counted where they lie in ``files`` and are many.

    ``most`` is how many bytes of them are held (``MOST_HELD``).
    """
    most = MOST_HELD if most is None else most
    counts: dict[str, int] = {}
    frames: list[pl.DataFrame] = []
    n_bytes, n_points, n_known = 0, 0, 0
    for origin, frame in reading.frames():
        counts[origin] = counts.get(origin, 0) + frame.height
        n_bytes += int(frame.estimated_size())
        if n_bytes <= most or not files:
            frames.append(frame)
            continue
        for earlier in [*frames, frame]:
            n_known += reading.split(earlier, start=n_points).n_known
            n_points += earlier.height
        frames = []
    if n_points:
        return LargeSplit(reading, counts, n_known, files)
    if not frames:
        raise DataError(
            f"{reading.origin} must hold at least one record; there is none. Add some, or leave it out."
        )
    return reading.split(concatenate(frames), tuple(counts.items()))


def sizes_of(n_points: int) -> list[int]:
    """Sizes of parts in which so many records can be read."""
    full, rest = divmod(n_points, READ_ROWS)
    return [READ_ROWS] * full + [rest] * (rest > 0)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (-1, -1)
    return found.st_size, found.st_mtime_ns


class _HeldRecords(RecordSource):
    """Records that have been read, for labeling functions; messages still name their files."""

    def __init__(self, frame: pl.DataFrame, columns: Sequence[str], parts: Parts) -> None:
        self._frame, self._parts = frame, parts or (("", frame.height),)
        self.columns, self.n_points = tuple(columns), frame.height

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> list[Shard]:
        shards: list[Shard] = []
        start = 0
        for origin, size in self._parts:
            part = open_records(self._frame.slice(start, size))
            shards += [_Placed(shard, origin) for shard in part.shards(columns, chunk_size)]
            start += size
        return shards


@dataclass(frozen=True)
class _Placed(Shard):
    shard: Shard
    origin: str
    is_held = True

    def chunks(self) -> Iterator[pl.DataFrame]:
        return self.shard.chunks()
