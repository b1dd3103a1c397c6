"""JSON lines: one object a line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import polars as pl

from metalwork.data._columns import column_of, frame_of
from metalwork.data._json import parse_object
from metalwork.data._json_template import Template
from metalwork.data._lines import NotTextError, decode_line, line_number, open_bytes
from metalwork.data._missing import nulls_for_missing
from metalwork.data._sources import RecordSource, Shard
from metalwork.errors import DataError

_SAMPLE: Final = 10_000  # records whose keys tell the columns
_FORM: Final = 50  # records that tell what the lines look like

Objects = Sequence[Mapping[str, Any]]


class JsonLinesFile(RecordSource):
    """One file of JSON lines; the keys of the first 10,000 records are its columns."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        self._path, self._encoding = path, encoding
        shard = JsonLinesShard(str(path), (), True, _SAMPLE, encoding)
        with open_bytes(path, encoding) as stream:
            raw = list(islice(stream, _SAMPLE))
        self.columns, n_records = _Chunk(shard, raw, 0).keys()
        self.n_points = None if len(raw) == _SAMPLE else n_records

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> list[Shard]:
        """The file in parts of about ``chunk_size`` records that can be read on their own."""
        chosen = self.columns if columns is None else tuple(columns)
        shared = (str(self._path), chosen, columns is None, chunk_size, self._encoding)
        if self._path.suffix.lower() == ".gz" or self._encoding is not None:
            return [JsonLinesShard(*shared)]
        return [JsonLinesShard(*shared, *part) for part in pairwise(_bounds(self._path, chunk_size))]


@dataclass(frozen=True)
class JsonLinesShard(Shard):
    """The lines that start in bytes ``start:stop`` of a file."""

    origin: str
    columns: tuple[str, ...]
    all_columns: bool  # also those with keys that are not in ``columns``
    chunk_size: int
    encoding: str | None = None
    start: int = 0
    stop: int | None = None

    def chunks(self) -> Iterator[pl.DataFrame]:
        template, number = None, 0
        with open_bytes(Path(self.origin), self.encoding) as stream:
            lines = _raw_lines(stream, self.start, self.stop)
            while batch := list(islice(lines, self.chunk_size)):
                chunk = _Chunk(self, batch, number)
                template = chunk.template(template)
                frame = chunk.frame(template)
                number += len(batch)
                if frame.height:
                    yield frame

    def parse(self, raw: bytes, index: int) -> dict[str, Any] | None:
        """The object on a line; None for a blank line; ``DataError`` naming it where it is neither."""
        try:
            line = decode_line(raw, self.start == 0 and index == 0)
            return None if not line or line.isspace() else parse_object(line)
        except NotTextError as fault:
            raise DataError(f"{self._line(index)}: {fault}") from None
        except ValueError as fault:
            raise DataError(f"{self._line(index)}: {fault}. Mend or remove the line.") from None

    def place(self, row: int) -> str:
        with open_bytes(Path(self.origin), self.encoding) as stream:
            lines = enumerate(_raw_lines(stream, self.start, self.stop))
            full = (index for index, raw in lines if raw.strip())
            return self._line(next(islice(full, row, None), 0))

    def _line(self, index: int) -> str:
        return f"{self.origin}:{line_number(Path(self.origin), self.start) + index}"


class _Chunk:
    """Some lines of a file: those of one form are read by polars, the others one by one."""

    def __init__(self, shard: JsonLinesShard, raw: Sequence[bytes], number: int) -> None:
        self._shard, self._raw, self._number = shard, raw, number
        self._text = _plain_text(raw, shard.start == 0 and number == 0)
        self._lines = pl.Series((self._text or "").removesuffix("\n").split("\n"), dtype=pl.String)

    def keys(self) -> tuple[tuple[str, ...], int]:
        """The keys of all records, and how many records there are."""
        template = self.template(None)
        rows: Any = range(len(self._raw))
        if template is not None:
            rows = np.flatnonzero(~template.fits(self._lines).to_numpy()).tolist()
        records = [record for record in map(self._parse, rows) if record is not None]
        names = dict.fromkeys(() if template is None else template.schema)
        names |= dict.fromkeys(name for record in records for name in record)
        return tuple(names), len(self._raw) - len(rows) + len(records)

    def template(self, known: Template | None) -> Template | None:
        """The form of most of the lines: the known one, or a new one where it fits less than half of them."""
        if self._text is None or (known is not None and 2 * known.fits(self._lines).sum() >= len(self._raw)):
            return known
        records = [record for record in map(self._parse, range(min(_FORM, len(self._raw)))) if record is not None]
        return Template.of(records) if records else None

    def frame(self, template: Template | None) -> pl.DataFrame:
        """The records, null for a key that a record lacks."""
        if template is None or self._text is None:
            return self._by_hand(range(len(self._raw)))
        fits = template.fits(self._lines)
        if fits.all():
            frame = self._by_polars(template, self._text.encode("utf-8"), len(self._lines))
            return self._by_hand(range(len(self._raw))) if frame is None else frame
        frame = self._by_polars(template, "\n".join(self._lines.filter(fits)).encode("utf-8"), int(fits.sum()))
        if frame is None:
            return self._by_hand(range(len(self._raw)))
        rest = np.flatnonzero(~fits.to_numpy())
        return _interleave(frame, self._by_hand(rest.tolist()), np.flatnonzero(fits.to_numpy()), self._full(rest))

    def _parse(self, index: int) -> dict[str, Any] | None:
        return self._shard.parse(self._raw[index], self._number + index)

    def _by_hand(self, rows: Sequence[int]) -> pl.DataFrame:
        records = [record for record in map(self._parse, rows) if record is not None]
        names = dict.fromkeys(self._shard.columns)
        if self._shard.all_columns:
            names |= dict.fromkeys(name for record in records for name in record)
        return frame_of(records, {name: name for name in names})

    def _by_polars(self, template: Template, text: bytes, n_lines: int) -> pl.DataFrame | None:
        names = dict.fromkeys(self._shard.columns)
        if self._shard.all_columns:
            names |= dict.fromkeys(template.schema)
        frame = template.read(text, list(names))
        if frame is None or frame.height != n_lines:
            return None
        return pl.DataFrame([nulls_for_missing(column) for column in frame])

    def _full(self, rows: Any) -> Any:
        return [row for row in rows.tolist() if self._raw[row].strip()]


def _plain_text(raw: Sequence[bytes], is_first: bool) -> str | None:
    """The lines as one text; None where they must be looked at one by one."""
    body = b"".join(raw)
    try:
        return None if b"\0" in body else body.decode("utf-8-sig" if is_first else "utf-8")
    except UnicodeDecodeError:
        return None


def _interleave(one: pl.DataFrame, two: pl.DataFrame, rows_of_one: Any, rows_of_two: Any) -> pl.DataFrame:
    """The records of two frames in the order of their rows."""
    order = np.argsort(np.concatenate([rows_of_one, np.array(rows_of_two, dtype=np.int64)]), kind="stable")
    columns = []
    for name in dict.fromkeys([*one.columns, *two.columns]):
        parts = [_column(frame, name) for frame in (one, two)]
        if len({part.dtype for part in parts}) == 1 and parts[0].dtype != pl.Object:
            columns.append(pl.concat(parts).gather(order))
        else:
            values = parts[0].to_list() + parts[1].to_list()
            columns.append(column_of(name, [values[row] for row in order]))
    return pl.DataFrame(columns)


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    return frame[name] if name in frame.columns else pl.Series(name, [None] * frame.height, dtype=pl.String)


def _raw_lines(stream: IO[bytes], start: int, stop: int | None) -> Iterator[bytes]:
    position = stream.seek(start) if start else 0
    for raw in stream:
        if stop is not None and position >= stop:
            return
        yield raw
        position += len(raw)


def _bounds(path: Path, chunk_size: int) -> list[int]:
    """Byte positions of line starts, some ``chunk_size`` lines apart by the size of the first lines."""
    with open_bytes(path) as stream:
        size = path.stat().st_size
        sample = [len(line) for line in islice(stream, 1000)]
        step = max(1, chunk_size * sum(sample) // max(1, len(sample)))
        bounds = [0]
        while bounds[-1] + step < size:
            stream.seek(bounds[-1] + step)
            stream.readline()
            bounds.append(stream.tell())
    return bounds if bounds[-1] == size else [*bounds, size]
