"""Files of labelled records, in which one value is changed or one record added, and nothing else."""

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import polars as pl

from metalwork.data import Dialect, as_text
from metalwork.errors import DataError

_BOM: Final = "\ufeff"


class LabelTable(ABC):
    """The content of a file of records.

    Attributes
    ----------
    columns : tuple of str
    n_points : int
    """

    columns: tuple[str, ...]
    n_points: int

    @abstractmethod
    def record(self, row: int) -> dict[str, Any]:
        """The values of a record, as they are written."""

    @abstractmethod
    def texts(self) -> pl.DataFrame:
        """All records (n_points), every value as text, null where it is empty."""

    @abstractmethod
    def with_value(self, row: int, column: str, value: str | None) -> bytes:
        """The file with another text in one place; None empties it."""

    @abstractmethod
    def with_record(self, values: Mapping[str, Any]) -> bytes:
        """The file with a record after the others; of ``values`` those that the file has columns for."""

    @abstractmethod
    def without_last(self) -> bytes:
        """The file without its last record."""


@dataclass(frozen=True)
class Encoded:
    """Text as a file holds it: its encoding (None for UTF-8), and whether a mark of UTF-8 stands before it."""

    path: Path
    encoding: str | None = None
    has_mark: bool = False

    @classmethod
    def of(cls, path: Path, content: bytes, encoding: str | None) -> tuple["Encoded", str]:
        """How a file is encoded, and its text; ``DataError`` where it would not be the same when written again."""
        try:
            text = content.decode(encoding or "utf-8")
        except UnicodeDecodeError:
            raise DataError(f"{path}: must be {encoding or 'UTF-8'} text; it is not. Say data.encoding.") from None
        found = cls(path, encoding, text.startswith(_BOM))
        text = text.removeprefix(_BOM)
        if found.bytes(text) != content:
            raise DataError(
                f"{path}: must be text that stays the same when it is written again. Save it as UTF-8."
            )
        return found, text

    def bytes(self, text: str) -> bytes:
        """The file that holds ``text``."""
        try:
            return (_BOM * self.has_mark + text).encode(self.encoding or "utf-8")
        except UnicodeEncodeError as error:
            what = error.object[error.start : error.end]
            raise DataError(
                f"{self.path}: must be {self.encoding or 'UTF-8'} text, which has no {what!r}. Save it as UTF-8."
            ) from None


class CsvTable(LabelTable):
    """A CSV file; only the cell or row that changes is written anew."""

    def __init__(self, path: Path, content: bytes, dialect: Dialect) -> None:
        self._path, self._dialect = path, dialect
        self._form, self._text = Encoded.of(path, content, dialect.encoding)
        lines = _lines(self._text)
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line))
        reader, before = csv.reader(lines, **dialect.options()), 0
        self._rows: list[tuple[int, int, list[str]]] = []
        try:
            for fields in reader:
                if fields:
                    self._rows.append((starts[before], starts[reader.line_num], fields))
                before = reader.line_num
        except csv.Error as error:
            raise DataError(f"{path}:{before + 1}: not valid CSV: {error}. Check the quotes.") from None
        header = self._rows.pop(0) if self._rows else (0, 0, [])
        self.columns, self.n_points = tuple(header[2]), len(self._rows)
        self._newline = "\r\n" if self._text[: header[1]].endswith("\r\n") else "\n"

    def record(self, row: int) -> dict[str, Any]:
        return dict(zip(self.columns, (value or None for value in self._rows[row][2]), strict=True))

    def texts(self) -> pl.DataFrame:
        rows = ([value or None for value in fields] for _, _, fields in self._rows)
        return pl.DataFrame([*rows], schema=dict.fromkeys(self.columns, pl.String), orient="row")

    def with_value(self, row: int, column: str, value: str | None) -> bytes:
        start, stop, _ = self._rows[row]
        first, last = self._cells(self._text[start:stop])[self.columns.index(column)]
        old = self._text[start + first : start + last]
        is_quoted = bool(self._dialect.quote) and old.startswith(self._dialect.quote)
        new = self._cell(value or "", is_quoted)
        return self._form.bytes(self._text[: start + first] + new + self._text[start + last :])

    def with_record(self, values: Mapping[str, Any]) -> bytes:
        between = "" if self._text.endswith("\n") else self._newline
        line = self.line([_text(values.get(name)) for name in self.columns])
        return self._form.bytes(self._text + between + line + self._newline)

    def line(self, values: Sequence[str | None]) -> str:
        """A row, without its line break."""
        return self._dialect.delimiter.join(self._cell(value or "", False) for value in values)

    def without_last(self) -> bytes:
        start, stop, _ = self._rows[-1]
        return self._form.bytes(self._text[:start] + self._text[stop:])

    def _cell(self, value: str, is_quoted: bool) -> str:
        quote = self._dialect.quote
        needs = any(sign in value for sign in (self._dialect.delimiter, "\r", "\n")) or (quote and quote in value)
        if needs and not quote:
            raise DataError(
                f"{self._path}: values must not hold {self._dialect.delimiter!r} or a line break, as the file has "
                f"no quotes; got {value[:80]!r}. Leave out data.quote."
            )
        return quote + value.replace(quote, 2 * quote) + quote if needs or is_quoted else value

    def _cells(self, line: str) -> list[tuple[int, int]]:
        """Where each cell of a row stands, with its quotes."""
        quote, delimiter = self._dialect.quote, self._dialect.delimiter
        end = len(line.removesuffix("\n").removesuffix("\r"))
        cells, place = [], 0
        while True:
            start = place
            if quote and line.startswith(quote, place):
                place = line.index(quote, place + 1)
                while line.startswith(2 * quote, place):
                    place = line.index(quote, place + 2)
                place += 1
            else:
                found = line.find(delimiter, place, end)
                place = end if found < 0 else found
            cells.append((start, place))
            if place >= end:
                return cells
            place += 1


class JsonTable(LabelTable):
    """JSON lines, or one array of objects; only the value or object that changes is written anew."""

    def __init__(self, path: Path, content: bytes, encoding: str | None) -> None:
        self._form, self._text = Encoded.of(path, content, encoding)
        self._is_array = self._text.lstrip().startswith("[")
        self._objects: list[tuple[int, int, dict[str, Any]]] = []
        place, decoder = self._text.find("[") + 1 if self._is_array else 0, json.JSONDecoder()
        try:
            while (place := _next(self._text, place)) < len(self._text) and self._text[place] != "]":
                value, stop = decoder.raw_decode(self._text, place)
                if not isinstance(value, dict):
                    raise DataError(
                        f"{self._place(path, place)}: each record must be an object; got {value!r:.80}."
                    )
                self._objects.append((place, stop, value))
                place = stop
        except json.JSONDecodeError as error:
            raise DataError(f"{self._place(path, place)}: not valid JSON: {error}.") from None
        self.columns = tuple(dict.fromkeys(name for _, _, value in self._objects for name in value))
        self.n_points = len(self._objects)

    def _place(self, path: Path, place: int) -> str:
        return f"{path}:{self._text.count(chr(10), 0, place) + 1}"

    def record(self, row: int) -> dict[str, Any]:
        return dict(self._objects[row][2])

    def texts(self) -> pl.DataFrame:
        columns = ([value.get(name) for _, _, value in self._objects] for name in self.columns)
        pairs = zip(self.columns, columns, strict=True)
        return pl.DataFrame([as_text(pl.Series(name, own, dtype=pl.Object)) for name, own in pairs])

    def with_value(self, row: int, column: str, value: str | None) -> bytes:
        start, stop, _ = self._objects[row]
        spans, new = _members(self._text[start:stop]), json.dumps(value, ensure_ascii=False)
        if column in spans:
            first, last = spans[column]
            return self._form.bytes(self._text[: start + first] + new + self._text[start + last :])
        end = start + len(self._text[start : stop - 1].rstrip())
        new = (", " if spans else "") + json.dumps(column, ensure_ascii=False) + ": " + new
        return self._form.bytes(self._text[:end] + new + self._text[end:])

    def with_record(self, values: Mapping[str, Any]) -> bytes:
        written = {name: _plain(value) for name, value in values.items() if value is not None}
        line, text = json.dumps(written, ensure_ascii=False), self._text
        newline = "\r\n" if "\r\n" in text else "\n"
        if not self._is_array:
            between = "" if not text or text.endswith("\n") else newline
            return self._form.bytes(text + between + line + newline)
        if not self._objects:
            place = text.index("[") + 1
            return self._form.bytes(text[:place] + line + text[place:])
        stop = self._objects[-1][1]
        between = next((text[a[1] : b[0]] for a, b in pairwise(self._objects[-2:])), ", ")
        return self._form.bytes(text[:stop] + between + line + text[stop:])

    def without_last(self) -> bytes:
        start, stop, _ = self._objects[-1]
        if self.n_points > 1 and self._is_array:
            start = self._objects[-2][1]
        elif not self._is_array:
            stop = self._text.find("\n", stop) + 1 or len(self._text)
        return self._form.bytes(self._text[:start] + self._text[stop:])


class FrameTable(LabelTable):
    """A Parquet or Arrow file; the other columns keep their values and types."""

    def __init__(self, path: Path, content: bytes, kind: str) -> None:
        self._path, self._kind = path, kind
        stream = io.BytesIO(content)
        try:
            if kind == "parquet":
                own = pl.read_parquet_metadata(stream)
                self._metadata = {name: value for name, value in own.items() if name != "ARROW:schema"}
                self._frame = pl.read_parquet(io.BytesIO(content))
            else:
                self._frame = pl.read_ipc(stream)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(f"{path}: must be a table; it cannot be read ({error}).") from None
        self.columns, self.n_points = tuple(self._frame.columns), self._frame.height

    def record(self, row: int) -> dict[str, Any]:
        return self._frame.row(row, named=True)

    def texts(self) -> pl.DataFrame:
        return self._frame.select(as_text(column) for column in self._frame)

    def with_value(self, row: int, column: str, value: str | None) -> bytes:
        values = self._frame[column].to_list()
        values[row] = value
        new = _labels(column, values, self._frame.schema[column])
        return self._written(self._frame.with_columns(new))

    def with_record(self, values: Mapping[str, Any]) -> bytes:
        columns = []
        for name, kind in self._frame.schema.items():
            try:
                columns.append(pl.Series(name, [values.get(name)], dtype=kind))
            except (TypeError, pl.exceptions.PolarsError):
                cast = pl.Series(name, [values[name]], strict=False).cast(kind, strict=False)
                if cast[0] is None:
                    raise DataError(
                        f"{self._path}: column {name!r} must hold {kind}; got {str(values[name])[:80]!r}. "
                        "Give the training records columns of the same types."
                    ) from None
                columns.append(cast)
        return self._written(pl.concat([self._frame, pl.DataFrame(columns)]))

    def without_last(self) -> bytes:
        return self._written(self._frame.head(self.n_points - 1))

    def _written(self, frame: pl.DataFrame) -> bytes:
        stream = io.BytesIO()
        if self._kind == "parquet":
            frame.write_parquet(stream, metadata=self._metadata or None)
        else:
            frame.write_ipc(stream)
        return stream.getvalue()


def _labels(name: str, values: list[Any], kind: pl.DataType) -> pl.Series:
    """Labels in their column's own type, or as text where it has no room for one."""
    try:
        if kind.is_integer():
            return pl.Series(name, [None if value is None else int(value) for value in values], dtype=kind)
        return pl.Series(name, values, dtype=kind, strict=True)
    except (ValueError, TypeError, OverflowError, pl.exceptions.PolarsError):
        return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)


def _lines(text: str) -> list[str]:
    """Lines with their ends, which are line feeds alone, as when records are read."""
    *whole, last = text.split("\n")
    return [line + "\n" for line in whole] + ([last] if last else [])


def _next(text: str, place: int) -> int:
    """Where something stands that is neither white space nor a comma."""
    while place < len(text) and text[place] in " \t\r\n,":
        place += 1
    return place


def _members(text: str) -> dict[str, tuple[int, int]]:
    """Where the value of each key of an object stands."""
    found, decoder, place = dict[str, tuple[int, int]](), json.JSONDecoder(), 1
    while text[place := _next(text, place)] != "}":
        name, place = decoder.raw_decode(text, place)
        place = _next(text, text.index(":", place) + 1)
        start = place
        _, place = decoder.raw_decode(text, place)
        found[name] = (start, place)
    return found


def _plain(value: Any) -> Any:
    """A value that JSON has; of others their text."""
    if isinstance(value, dict):
        return {str(key): _plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(own) for own in value]
    known = value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and value == value)
    return value if known else _text(value)


def _text(value: Any) -> str | None:
    return as_text(pl.Series([value], dtype=pl.Object))[0]  # type: ignore[no-any-return]


def new_file(columns: Sequence[str], values: Mapping[str, Any], kind: str, dialect: Dialect, path: Path) -> bytes:
    """The content of a file with one record."""
    if kind in ("csv", "tsv"):
        head = CsvTable(path, "".encode(dialect.encoding or "utf-8"), dialect).line(columns) + "\n"
        return CsvTable(path, head.encode(dialect.encoding or "utf-8"), dialect).with_record(values)
    if kind in ("jsonl", "json"):
        return JsonTable(path, b"" if kind == "jsonl" else b"[\n]\n", dialect.encoding).with_record(values)
    stream = io.BytesIO()
    frame = pl.DataFrame([pl.Series(name, [values.get(name)]) for name in columns])
    if kind == "parquet":
        frame.write_parquet(stream)
    else:
        frame.write_ipc(stream)
    return stream.getvalue()


def read_table(path: Path, content: bytes, kind: str, dialect: Dialect) -> LabelTable:
    """The content of a file of this kind."""
    if kind in ("csv", "tsv"):
        return CsvTable(path, content, dialect)
    if kind in ("jsonl", "json"):
        return JsonTable(path, content, dialect.encoding)
    if kind in ("parquet", "arrow"):
        return FrameTable(path, content, kind)
    raise DataError(f"{path}: must be CSV, JSON lines, Parquet or Arrow to be labelled; it is {kind}.")
