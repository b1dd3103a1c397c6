"""CSV: quoted as RFC 4180 says, with a header, every row as long as it."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import polars as pl

from metalwork.data._lines import open_bytes, text_lines
from metalwork.data._sources import Shard
from metalwork.errors import DataError

_SAMPLE = 10_000  # rows whose values tell the column types
_LONGEST_FIELD = 2**31 - 1  # the csv module refuses fields over 131,072 characters unless told otherwise
_WHOLE: Final = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")

Row = tuple[int, list[str]]


@dataclass(frozen=True)
class CsvShard(Shard):
    """A whole file: a line break inside quotes keeps it from being split without reading it."""

    origin: str
    columns: tuple[str, ...]
    chunk_size: int
    delimiter: str

    def chunks(self) -> Iterator[pl.DataFrame]:
        rows = read_rows(Path(self.origin), self.delimiter)
        _, header = next(rows)
        places = [header.index(name) for name in self.columns]
        batch = list(islice(rows, max(self.chunk_size, _SAMPLE)))
        kinds = [_kind_of([row[place] for _, row in batch[:_SAMPLE]]) for place in places]
        while batch:
            for start in range(0, len(batch), self.chunk_size):
                part = batch[start : start + self.chunk_size]
                columns = zip(self.columns, places, kinds, strict=True)
                yield pl.DataFrame([self._column(part, *column) for column in columns])
            batch = list(islice(rows, self.chunk_size))

    def _column(self, rows: list[Row], name: str, place: int, kind: Any) -> pl.Series:
        texts = pl.Series(name, [row[place] or None for _, row in rows], dtype=pl.String)
        if kind == pl.String:
            return texts
        values = texts.cast(kind, strict=False)
        if values.null_count() > texts.null_count():
            bad = (values.is_null() & texts.is_not_null()).arg_true()[0]
            raise DataError(
                f"{self.origin}:{rows[bad][0]}: column {name!r} must hold numbers as at the top of the file; "
                f"got {texts[bad]!r}. Mend the value, or store the file as JSON lines."
            )
        return values


def columns_of(path: Path, delimiter: str) -> tuple[str, ...]:
    """The names in the header."""
    _, header = next(read_rows(path, delimiter), (1, []))
    return tuple(header)


def read_rows(path: Path, delimiter: str) -> Iterator[Row]:
    """Line number and fields of each row, the header first.

    Raises
    ------
    DataError
        Naming file and line, for a row that is longer or shorter than the header, or wrongly quoted.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    with open_bytes(path) as stream:
        reader = csv.reader(text_lines(path, stream), delimiter=delimiter, strict=True)
        header, start = None, 1
        try:
            for row in reader:
                if header is None:
                    header = _check_header(path, row)
                if row and len(row) != len(header):
                    raise DataError(
                        f"{path}:{start}: a row must have {len(header)} fields like the header; got {len(row)}. "
                        "Quote fields that hold the delimiter or a line break."
                    )
                if row:
                    yield start, row
                start = reader.line_num + 1
        except csv.Error as error:
            raise DataError(f"{path}:{start}: not valid CSV: {error}. Check the quotes.") from None


def _check_header(path: Path, row: list[str]) -> list[str]:
    twice = sorted({name for name in row if row.count(name) > 1})
    if twice:
        raise DataError(
            f"{path}:1: column names must be distinct; got {', '.join(map(repr, twice))} twice. Rename one."
        )
    if not any(row):
        raise DataError(f"{path}:1: the first line must name the columns; it is blank.")
    return row


def _kind_of(values: Sequence[str]) -> Any:
    given = [value for value in values if value]
    if given and all(map(_WHOLE.fullmatch, given)):
        return pl.Int64
    return pl.Float64 if given and all(map(_NUMBER.fullmatch, given)) else pl.String
