"""CSV: quoted as RFC 4180 says, with a header, every row as long as it; every value as it is written."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import IO, Final

import polars as pl

from metalwork.data._csv_layout import layout_of, rows_of
from metalwork.data._dialect import Dialect, recognise_delimiter
from metalwork.data._limits import Limits
from metalwork.data._lines import NotTextError, decode_line, open_text, raw_lines, text_lines, too_long
from metalwork.data._opening import File, is_packed, stamp_of
from metalwork.data._pieces import BLOCK, MOST_RECORDS, Buffer, Piece
from metalwork.data._sources import FaultShard, RecordSource, Shard
from metalwork.errors import DataError

_LONGEST_FIELD: Final = 2**31 - 1  # the csv module refuses fields over 131,072 characters unless told otherwise
_SAMPLE: Final = 1 << 16

Row = tuple[int, list[str]]


class CsvFile(RecordSource):
    """One CSV file."""

    def __init__(
        self, file: File, delimiter: str | None, quote: str, encoding: str | None, limits: Limits
    ) -> None:
        self._file, self._limits = file, limits
        self._dialect = dialect_of(file, delimiter, quote, encoding)
        rows = list(islice(read_rows(file, self._dialect, limits), 2))
        self.columns = tuple(rows[0][1]) if rows else ()
        self.n_points = None if len(rows) == 2 else 0

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Shard]:
        """The file in pieces of some megabytes, cut between rows by one look at quotes and line breaks.

        A fault stands in the place of the piece that has it: it is met where it is, whoever reads the pieces.
        """
        chosen = self.columns if columns is None else tuple(columns)
        place_of = {name: place for place, name in enumerate(self.columns)}
        places = tuple(place_of[name] for name in chosen)
        form = _Form(self._file, chosen, places, len(self.columns), chunk_size, self._dialect, self._limits)
        with open_text(self._file, self._dialect.encoding) as stream:
            shards = _Cutter(form, stream).shards()
            while True:
                try:
                    shard = next(shards, None)
                except DataError as error:
                    yield FaultShard(form.origin, str(error))
                    return
                if shard is None:
                    return
                yield shard


@dataclass(frozen=True)
class _Form:
    """What the pieces of a file share."""

    file: File
    columns: tuple[str, ...]
    places: tuple[int, ...]
    n_fields: int
    chunk_size: int
    dialect: Dialect
    limits: Limits

    @property
    def origin(self) -> str:
        return str(self.file)

    def checked_rows(self, lines: Iterator[str], number: int) -> Iterator[Row]:
        """The rows on some lines, the first of this number."""
        return _checked_rows(self.file, lines, self.dialect, self.limits, self.n_fields, number)

    def frame(self, rows: Sequence[Sequence[str]]) -> pl.DataFrame:
        """The columns of some rows."""
        values = ([row[place] or None for row in rows] for place in self.places)
        pairs = zip(self.columns, values, strict=True)
        return pl.DataFrame([pl.Series(name, column, dtype=pl.String) for name, column in pairs])


@dataclass(frozen=True)
class RowsShard(Shard):
    """Rows that were read one by one, with the line on which each starts."""

    form: _Form
    rows: tuple[Row, ...]
    start: int = 0

    @property
    def origin(self) -> str:  # type: ignore[override]
        return self.form.origin

    @property
    def n_points(self) -> int:  # type: ignore[override]
        return len(self.rows)

    def chunks(self) -> Iterator[pl.DataFrame]:
        yield from self.form.frame([row for _, row in self.rows]).iter_slices(self.form.chunk_size)

    def place(self, row: int) -> str:
        return f"{self.origin}:{self.rows[row][0]}"


@dataclass(frozen=True)
class CsvShard(Shard):
    """Whole rows of a file; the first stands on line ``line``."""

    form: _Form
    piece: Piece
    line: int
    start: int = 0
    n_points: int = 0

    @property
    def origin(self) -> str:  # type: ignore[override]
        return self.form.origin

    def chunks(self) -> Iterator[pl.DataFrame]:
        body = self.piece.read()
        frame = self._by_polars(body)
        if frame is None:
            frame = self.form.frame([row for _, row in self._rows(body)])
        if frame.height:
            yield from frame.iter_slices(self.form.chunk_size)

    def place(self, row: int) -> str:
        number, _ = next(islice(self._rows(self.piece.read()), row, None), (self.line, []))
        return f"{self.origin}:{number}"

    def _by_polars(self, body: bytes) -> pl.DataFrame | None:
        """The rows by polars; None where it disagrees about their number, and for what is no UTF-8."""
        form = self.form
        layout = layout_of(body, form.dialect, form.n_fields)
        if layout is None:
            return None
        try:
            pl.Series([body], dtype=pl.Binary).cast(pl.String)  # fails where it is no UTF-8
            frame = pl.read_csv(
                BytesIO(body),
                has_header=False,
                separator=form.dialect.delimiter,
                quote_char=form.dialect.quote or None,
                schema={str(place): pl.String for place in range(form.n_fields)},
                columns=sorted(set(form.places)),
            )
        except pl.exceptions.PolarsError:
            return None
        if frame.height != layout.n_lines:
            return None
        if layout.is_blank is not None:
            frame = frame.filter(~pl.Series(layout.is_blank))
        pairs = zip(form.columns, form.places, strict=True)
        frame = frame.select(pl.col(str(place)).alias(name) for name, place in pairs)
        return frame.with_columns(pl.when(pl.all() != "").then(pl.all())) if layout.has_quotes else frame

    def _rows(self, body: bytes) -> Iterator[Row]:
        lines = text_lines(self.form.file, BytesIO(body), number=self.line)
        return self.form.checked_rows(lines, self.line)


def dialect_of(file: File, delimiter: str | None, quote: str, encoding: str | None) -> Dialect:
    """How a file is written: as said, the delimiter else as its header tells."""
    if delimiter is None:
        with open_text(file, encoding) as stream:
            sample = stream.read(_SAMPLE)
        cut = sample.rfind(b"\n") + 1 if len(sample) == _SAMPLE else len(sample)
        text = sample[: cut or len(sample)].decode("utf-8-sig", "replace").replace("\0", "")
        delimiter = recognise_delimiter(text.splitlines(keepends=True), quote)
    return Dialect(delimiter, quote, encoding)


def read_rows(file: File, dialect: Dialect, limits: Limits) -> Iterator[Row]:
    """Line number and fields of each row, the header first: the slow way, which finds what is wrong.

    Raises
    ------
    DataError
        Naming file and line, for a row that is longer or shorter than the header, wrongly quoted or too large.
    """
    with open_text(file, dialect.encoding) as stream:
        lines = text_lines(file, raw_lines(file, stream, limits))
        yield from _checked_rows(file, lines, dialect, limits, None, 1)


def _checked_rows(
    file: File, lines: Iterator[str], dialect: Dialect, limits: Limits, n_fields: int | None, number: int
) -> Iterator[Row]:
    csv.field_size_limit(min(limits.record_bytes, _LONGEST_FIELD))
    reader, start = csv.reader(lines, **dialect.options()), number
    try:
        for row in reader:
            if n_fields is None and row:
                _check_header(file, row, start, limits)
                n_fields = len(row)
            if row and len(row) != n_fields:
                raise DataError(
                    f"{file}:{start}: a row must have {n_fields} fields like the header; got {len(row)}. "
                    f"Quote fields that hold {dialect.delimiter!r} or a line break, or say another delimiter."
                )
            if row:
                yield start, row
            start = number + reader.line_num
    except csv.Error as error:
        if "field limit" in str(error):
            raise too_long(file, start, limits) from None
        raise DataError(f"{file}:{start}: not valid CSV: {error}. Check the quotes.") from None


def _check_header(file: File, row: Sequence[str], line: int, limits: Limits) -> None:
    if len(row) > limits.columns:
        raise DataError(
            f"{file}:{line}: a table must have at most {limits.columns:,} columns (limits.columns); "
            f"got {len(row):,}. Say another delimiter, or raise the limit."
        )
    twice = sorted(name for name, count in Counter(row).items() if count > 1)
    if twice:
        raise DataError(
            f"{file}:{line}: column names must be distinct; got {', '.join(map(repr, twice))} twice. Rename one."
        )
    if not any(row):
        raise DataError(f"{file}:{line}: the first line must name the columns; it is blank.")


class _Cutter:
    """Cuts a file into whole rows; where quotes do not tell where rows end, the rows are read."""

    def __init__(self, form: _Form, stream: IO[bytes]) -> None:
        self._form, self._file = form, form.file
        self._buffer, self._stamp = Buffer(stream), stamp_of(form.file)
        self._carries = is_packed(form.file) or form.dialect.encoding is not None
        self._line, self._row = 1, 0

    def shards(self) -> Iterator[Shard]:
        """The records, some megabytes at a time."""
        buffer, dialect = self._buffer, self._form.dialect
        next(self._rows(None), None)  # the header
        while buffer.fill(BLOCK):
            rows = rows_of(buffer.data, buffer.is_last, dialect, MOST_RECORDS)
            if not rows.is_regular:
                yield self._by_rows()
            elif max(rows.length, 0 if rows.stop else len(buffer.data)) > self._form.limits.record_bytes:
                line = self._line + buffer.data.count(b"\n", 0, rows.longest)
                raise too_long(self._file, line, self._form.limits)
            elif rows.stop == 0:
                buffer.fill(2 * len(buffer.data))  # a row that is longer than the block
            else:
                line, row = self._line, self._row
                self._line, self._row = line + rows.n_lines, row + rows.n_rows
                yield CsvShard(self._form, self._piece(rows.stop), line, row, rows.n_rows)

    def _piece(self, size: int) -> Piece:
        start = self._buffer.position
        body = self._buffer.take(size)
        return Piece(self._file, start, start + size, self._stamp, body if self._carries else None)

    def _by_rows(self) -> RowsShard:
        """At least the rows of the block, one by one; raises where one is wrong."""
        stop, start = self._buffer.position + len(self._buffer.data), self._row
        rows = []
        for row in self._rows(self._form.n_fields):
            rows.append(row)
            if self._buffer.position >= stop or len(rows) == MOST_RECORDS:
                break
        self._row += len(rows)
        return RowsShard(self._form, tuple(rows), start)

    def _rows(self, n_fields: int | None) -> Iterator[Row]:
        form = self._form
        return _checked_rows(self._file, self._lines(), form.dialect, form.limits, n_fields, self._line)

    def _lines(self) -> Iterator[str]:
        most = self._form.limits.record_bytes
        while raw := self._buffer.line(most):
            if len(raw) > most:
                raise too_long(self._file, self._line, self._form.limits)
            try:
                line = decode_line(raw, first=self._line == 1)
            except NotTextError as fault:
                raise DataError(f"{self._file}:{self._line}: {fault}") from None
            self._line += 1
            yield line
