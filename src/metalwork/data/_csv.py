"""CSV: quoted as RFC 4180 says, with a header, every row as long as it; every value as it is written."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import IO, Final

import polars as pl

from metalwork.data._csv_layout import Layout, layout_of
from metalwork.data._dialect import Dialect, recognise_delimiter
from metalwork.data._lines import NotTextError, decode_line, open_bytes, text_lines
from metalwork.data._sources import RecordSource, Shard
from metalwork.errors import DataError

_LONGEST_FIELD: Final = 2**31 - 1  # the csv module refuses fields over 131,072 characters unless told otherwise
_BLOCK: Final = 1 << 22
_SAMPLE: Final = 1 << 16

Row = tuple[int, list[str]]


class CsvFile(RecordSource):
    """One CSV file."""

    def __init__(self, path: Path, delimiter: str | None, quote: str, encoding: str | None) -> None:
        self._path = path
        self._dialect = dialect_of(path, delimiter, quote, encoding)
        rows = list(islice(read_rows(path, self._dialect), 2))
        self.columns = tuple(rows[0][1]) if rows else ()
        self.n_points = None if len(rows) == 2 else 0

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> list[Shard]:
        chosen = self.columns if columns is None else tuple(columns)
        return [CsvShard(str(self._path), chosen, chunk_size, self._dialect)]


@dataclass(frozen=True)
class CsvShard(Shard):
    """A whole file: a line break inside quotes keeps it from being split without reading it."""

    origin: str
    columns: tuple[str, ...]
    chunk_size: int
    dialect: Dialect

    def chunks(self) -> Iterator[pl.DataFrame]:
        with open_bytes(Path(self.origin), self.dialect.encoding) as stream:
            for frame in _Reader(Path(self.origin), stream, self.dialect).frames(self.columns):
                yield from frame.iter_slices(self.chunk_size)

    def place(self, row: int) -> str:
        rows = read_rows(Path(self.origin), self.dialect)
        number, _ = next(islice(rows, row + 1, None), (1, []))
        return f"{self.origin}:{number}"


def dialect_of(path: Path, delimiter: str | None, quote: str, encoding: str | None) -> Dialect:
    """How a file is written: as said, the delimiter else as its header tells."""
    if delimiter is None:
        with open_bytes(path, encoding) as stream:
            sample = stream.read(_SAMPLE)
        cut = sample.rfind(b"\n") + 1 if len(sample) == _SAMPLE else len(sample)
        text = sample[: cut or len(sample)].decode("utf-8-sig", "replace").replace("\0", "")
        delimiter = recognise_delimiter(text.splitlines(keepends=True), quote)
    return Dialect(delimiter, quote, encoding)


def read_rows(path: Path, dialect: Dialect) -> Iterator[Row]:
    """Line number and fields of each row, the header first: the slow way, which finds what is wrong.

    Raises
    ------
    DataError
        Naming file and line, for a row that is longer or shorter than the header, or wrongly quoted.
    """
    with open_bytes(path, dialect.encoding) as stream:
        yield from _checked_rows(path, text_lines(path, stream), dialect, None, 1)


def _checked_rows(
    path: Path, lines: Iterator[str], dialect: Dialect, n_fields: int | None, number: int
) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_FIELD)
    reader, start = csv.reader(lines, **dialect.options()), number
    try:
        for row in reader:
            if n_fields is None and row:
                _check_header(path, row, start)
                n_fields = len(row)
            if row and len(row) != n_fields:
                raise DataError(
                    f"{path}:{start}: a row must have {n_fields} fields like the header; got {len(row)}. "
                    "Quote fields that hold the delimiter or a line break."
                )
            if row:
                yield start, row
            start = number + reader.line_num
    except csv.Error as error:
        raise DataError(f"{path}:{start}: not valid CSV: {error}. Check the quotes.") from None


def _check_header(path: Path, row: Sequence[str], line: int) -> None:
    twice = sorted(name for name, count in Counter(row).items() if count > 1)
    if twice:
        raise DataError(
            f"{path}:{line}: column names must be distinct; got {', '.join(map(repr, twice))} twice. Rename one."
        )
    if not any(row):
        raise DataError(f"{path}:{line}: the first line must name the columns; it is blank.")


class _Reader:
    """Reads a file block by block: polars where a block is laid out as it should be, else row by row."""

    def __init__(self, path: Path, stream: IO[bytes], dialect: Dialect) -> None:
        self.path, self.dialect = path, dialect
        self._stream = stream
        self._buffer, self._at, self._line, self._is_first = b"", 0, 1, True
        self._all_read = False

    def frames(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The records, some megabytes at a time."""
        header = next(self._rows(None), None)
        if header is None:
            return
        places = [header[1].index(name) for name in columns]
        n_fields = len(header[1])
        while self._fill(_BLOCK):
            layout = layout_of(self._buffer, self._all_read, self.dialect, n_fields)
            if layout.stop == 0 and layout.is_regular and not self._all_read:
                self._fill(2 * len(self._buffer))  # a row that is longer than the block
                continue
            frame = self._fast(layout, places, n_fields) if layout.is_regular else None
            frame = self._slow(places, n_fields) if frame is None else frame
            if frame.height:
                yield frame.rename(dict(zip(frame.columns, columns, strict=True)))

    def _fast(self, layout: Layout, places: Sequence[int], n_fields: int) -> pl.DataFrame | None:
        """The rows of the block by polars; None where it disagrees about their number."""
        body = self._buffer[: layout.stop]
        try:
            pl.Series([body], dtype=pl.Binary).cast(pl.String)  # fails where it is no UTF-8
            frame = pl.read_csv(
                BytesIO(body),
                has_header=False,
                separator=self.dialect.delimiter,
                quote_char=self.dialect.quote or None,
                schema={str(place): pl.String for place in range(n_fields)},
                columns=sorted(set(places)),
            )
        except pl.exceptions.PolarsError:
            return None
        if frame.height != layout.n_lines:
            return None
        if layout.is_blank is not None:
            frame = frame.filter(~pl.Series(layout.is_blank))
        self._buffer = self._buffer[layout.stop :]
        self._line += body.count(b"\n")
        frame = frame.select(pl.col(str(place)).alias(str(i)) for i, place in enumerate(places))
        return frame.with_columns(pl.when(pl.all() != "").then(pl.all())) if layout.has_quotes else frame

    def _slow(self, places: Sequence[int], n_fields: int) -> pl.DataFrame:
        """At least the rows of the block, one by one; raises where one is wrong."""
        left = len(self._buffer)
        rows = []
        for _, row in self._rows(n_fields):
            rows.append(row)
            if self._at >= left or not self._buffer:
                break
        self._buffer, self._at = self._buffer[self._at :], 0
        values = ([row[place] or None for row in rows] for place in places)
        return pl.DataFrame([pl.Series(str(i), column, dtype=pl.String) for i, column in enumerate(values)])

    def _rows(self, n_fields: int | None) -> Iterator[Row]:
        return _checked_rows(self.path, self._lines(), self.dialect, n_fields, self._line)

    def _lines(self) -> Iterator[str]:
        while True:
            end = self._buffer.find(b"\n", self._at) + 1
            if end:
                raw, self._at = self._buffer[self._at : end], end
            else:
                raw = self._buffer[self._at :] + self._stream.readline()
                self._buffer, self._at = b"", 0
            if not raw:
                return
            try:
                line = decode_line(raw, self._is_first)
            except NotTextError as fault:
                raise DataError(f"{self.path}:{self._line}: {fault}") from None
            self._line, self._is_first = self._line + 1, False
            yield line

    def _fill(self, size: int) -> int:
        """Make the buffer at least this long where the file has as much; its length."""
        self._buffer, self._at = self._buffer[self._at :], 0
        while len(self._buffer) < size and not self._all_read:
            block = self._stream.read(size - len(self._buffer))
            self._all_read = not block
            self._buffer += block
        return len(self._buffer)
