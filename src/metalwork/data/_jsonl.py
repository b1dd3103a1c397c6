"""JSON lines: one object a line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any, Final

import numpy as np
import polars as pl

from metalwork.data._columns import column_of, frame_of
from metalwork.data._json import parse_object
from metalwork.data._json_template import Template
from metalwork.data._limits import Limits
from metalwork.data._lines import NotTextError, decode_line, is_blank, lines_of, open_text, raw_lines, too_long
from metalwork.data._missing import nulls_for_missing
from metalwork.data._opening import File, is_packed, stamp_of
from metalwork.data._pieces import BLOCK, MOST_RECORDS, Buffer, Piece
from metalwork.data._sources import FaultShard, RecordSource, Shard
from metalwork.errors import DataError

_SAMPLE: Final = 10_000  # records whose keys tell the columns
_BATCH: Final = 1_000  # lines that are held while their keys are looked for
_FORM: Final = 50  # records that tell what the lines look like

Objects = Sequence[Mapping[str, Any]]


class JsonLinesFile(RecordSource):
    """One file of JSON lines; the keys of the first 10,000 records are its columns."""

    def __init__(self, file: File, encoding: str | None, limits: Limits) -> None:
        self._file, self._encoding, self._limits = file, encoding, limits
        form, names, n_lines, n_records = _Form(file, (), True, _SAMPLE, limits), dict[str, None](), 0, 0
        with open_text(file, encoding) as stream:
            lines = islice(raw_lines(file, stream, limits), _SAMPLE)
            while batch := list(islice(lines, _BATCH)):
                keys, n_full = _Chunk(form, batch, n_lines + 1).keys()
                names |= dict.fromkeys(keys)
                n_lines, n_records = n_lines + len(batch), n_records + n_full
                if len(names) > limits.columns:
                    raise DataError(
                        f"{file}: records must have at most {limits.columns:,} keys together (limits.columns); "
                        f"got {len(names):,} in {n_lines:,} lines. Raise the limit."
                    )
        self.columns, self.n_points = tuple(names), None if n_lines == _SAMPLE else n_records

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Shard]:
        """The file in pieces of some megabytes, cut between lines."""
        chosen = self.columns if columns is None else tuple(columns)
        form = _Form(self._file, chosen, columns is None, chunk_size, self._limits)
        carries, line, row = is_packed(self._file) or self._encoding is not None, 1, 0
        with open_text(self._file, self._encoding) as stream:
            buffer, stamp = Buffer(stream), stamp_of(self._file)
            while buffer.fill(BLOCK):
                lines = lines_of(buffer.data, buffer.is_last, MOST_RECORDS)
                if max(lines.length, 0 if lines.stop else len(buffer.data)) > self._limits.record_bytes:
                    yield FaultShard(form.origin, str(too_long(self._file, line + lines.longest, self._limits)))
                    return
                if lines.stop == 0:
                    buffer.fill(2 * len(buffer.data))  # a line that is longer than the block
                    continue
                start, body = buffer.position, buffer.take(lines.stop)
                piece = Piece(self._file, start, start + len(body), stamp, body if carries else None)
                yield JsonLinesShard(form, piece, line, row, lines.n_full)
                line, row = line + lines.n_lines, row + lines.n_full


@dataclass(frozen=True)
class _Form:
    """What the pieces of a file share."""

    file: File
    columns: tuple[str, ...]
    all_columns: bool  # also those with keys that are not in ``columns``
    chunk_size: int
    limits: Limits

    @property
    def origin(self) -> str:
        return str(self.file)


@dataclass(frozen=True)
class JsonLinesShard(Shard):
    """Whole lines of a file; the first is line ``line``."""

    form: _Form
    piece: Piece
    line: int
    start: int = 0
    n_points: int = 0

    @property
    def origin(self) -> str:  # type: ignore[override]
        return self.form.origin

    def chunks(self) -> Iterator[pl.DataFrame]:
        template, number, lines = None, self.line, BytesIO(self.piece.read())
        while batch := list(islice(lines, self.form.chunk_size)):
            chunk = _Chunk(self.form, batch, number)
            template = chunk.template(template)
            frame = chunk.frame(template)
            number += len(batch)
            if frame.height:
                yield frame

    def place(self, row: int) -> str:
        full = (number for number, raw in enumerate(BytesIO(self.piece.read()), self.line) if not is_blank(raw))
        return f"{self.origin}:{next(islice(full, row, None), self.line)}"


def parse_line(file: File, raw: bytes, number: int, limits: Limits) -> dict[str, Any] | None:
    """The object on a line; None for a blank line; ``DataError`` naming it where it is neither."""
    try:
        line = decode_line(raw, first=number == 1)
        return None if not line or line.isspace() else parse_object(line, limits)
    except NotTextError as fault:
        raise DataError(f"{file}:{number}: {fault}") from None
    except ValueError as fault:
        raise DataError(f"{file}:{number}: {fault}. Mend or remove the line.") from None


class _Chunk:
    """Some lines of a file: those of one form are read by polars, the others one by one."""

    def __init__(self, form: _Form, raw: Sequence[bytes], number: int) -> None:
        self._form, self._raw, self._number = form, raw, number
        self._text = _plain_text(raw, number == 1)
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
        return parse_line(self._form.file, self._raw[index], self._number + index, self._form.limits)

    def _by_hand(self, rows: Sequence[int]) -> pl.DataFrame:
        records = [record for record in map(self._parse, rows) if record is not None]
        names = dict.fromkeys(self._form.columns)
        if self._form.all_columns:
            names |= dict.fromkeys(name for record in records for name in record)
        return frame_of(records, {name: name for name in names})

    def _by_polars(self, template: Template, text: bytes, n_lines: int) -> pl.DataFrame | None:
        names = dict.fromkeys(self._form.columns)
        if self._form.all_columns:
            names |= dict.fromkeys(template.schema)
        frame = template.read(text, list(names))
        if frame is None or frame.height != n_lines:
            return None
        return pl.DataFrame([nulls_for_missing(column) for column in frame])

    def _full(self, rows: Any) -> Any:
        return [row for row in rows.tolist() if not is_blank(self._raw[row])]


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
