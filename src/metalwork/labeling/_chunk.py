"""A chunk of records as labeling functions read it: each column turned into values once."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import polars as pl

from metalwork.data import Kind, as_text, read_as
from metalwork.labeling._content import content_digest
from metalwork.labeling._copies import own_copies

Values = tuple[list[Any], Mapping[int, str]]
"""A column's values, None where there is none, and by row why a value could not be read."""

_NAMES: Final[dict[Any, str]] = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}
_LIKE_NUMBER: Final = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*")
_NONE: Final[Mapping[int, str]] = {}


class Chunk:
    """Some records, column by column; what is made of columns, as by preprocessors, is read like them."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self._makers: dict[str, Callable[[], Values]] = {}
        self._made: dict[str, Values] = {}
        self._digests: dict[str, bytes | None] = {}
        self._values: dict[tuple[str, Kind | None], Values] = {}
        self._numbers: dict[str, tuple[pl.Series, Mapping[int, str]]] = {}

    def __len__(self) -> int:
        return self._frame.height

    def offer(self, name: str, maker: Callable[[], Values]) -> None:
        """Let ``name`` be read like a column; ``maker`` is called once, where anything asks for it."""
        self._makers[name] = maker

    def column(self, name: str) -> pl.Series:
        """A column as it is."""
        return _as_column(name, self._make(name)[0]) if name in self._makers else self._frame[name]

    def digest(self, name: str) -> bytes | None:
        """Digest of a column of the records, computed once; None where its values do not say all of them."""
        if name not in self._digests:
            self._digests[name] = content_digest(self._frame[name])
        return self._digests[name]

    def failed(self, fields: Sequence[str]) -> dict[int, str]:
        """By row why one of these could not be made."""
        made = [self._make(name)[1] for name in reversed(fields) if name in self._makers]
        return {row: reason for reasons in made for row, reason in reasons.items()}

    def _make(self, name: str) -> Values:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def head(self, n_rows: int) -> "Chunk":
        """The first records alone; nothing is made anew."""
        found = Chunk(self._frame.head(n_rows))
        for name in self._makers:
            found.offer(name, partial(self._first_made, name, n_rows))
        return found

    def _first_made(self, name: str, n_rows: int) -> Values:
        values, why = self._make(name)
        return values[:n_rows], {row: reason for row, reason in why.items() if row < n_rows}

    def values(self, name: str, kind: Kind | None) -> Values:
        """The values of a column; text is read as ``kind``, where one is asked for, and numbers are as text.

        What can be changed in place is a copy, so that no LF changes what another reads, nor the user's records.
        """
        values, why = self._shared(name, kind)
        is_plain = name not in self._makers and not _can_change(self._frame.schema[name])
        return values if is_plain else own_copies(values), why

    def _shared(self, name: str, kind: Kind | None) -> Values:
        if name in self._makers:
            return self._make(name)
        if (name, kind) not in self._values:
            column, why = self._frame[name], _NONE
            if kind is str:
                column = _written(column)
            elif kind is not None:
                column, why = self._read(column, kind, text_only=True)
            self._values[name, kind] = column.to_list(), why
        return self._values[name, kind]

    def numbers(self, name: str) -> tuple[pl.Series, Mapping[int, str]]:
        """A column as floats, and by row why a value is none."""
        if name not in self._numbers:
            column, why = self._read(self.column(name), float, text_only=False)
            self._numbers[name] = column.cast(pl.Float64), {**why, **self.failed([name])}
        return self._numbers[name]

    def hint(self, fields: Sequence[str], kinds: Sequence[Kind | None], row: int) -> str:
        """What a function that took text for a number should do; nothing where none did."""
        for name, kind in zip(fields, kinds, strict=True):
            value = self._shared(name, kind)[0][row]
            if isinstance(value, str) and _LIKE_NUMBER.fullmatch(value):
                return f" (column {name!r} holds text; to read it as numbers annotate the argument: {name}: float)"
        return ""

    def _read(self, column: pl.Series, kind: Kind, *, text_only: bool) -> tuple[pl.Series, Mapping[int, str]]:
        values, unreadable = read_as(column, kind, text_only=text_only)
        why = {
            row: f"column {column.name!r} must hold {_NAMES[kind]}; got {_short(column[row])}"
            for row in unreadable
        }
        return values, why


def _written(column: pl.Series) -> pl.Series:
    """Numbers as text, since text is asked for; all other values as they are."""
    if column.dtype.is_numeric():
        return as_text(column)
    if column.dtype != pl.Object:
        return column
    texts = as_text(column).to_list()
    values = [text if type(value) in (int, float) else value for value, text in zip(column, texts, strict=True)]
    return pl.Series(column.name, values, dtype=pl.Object)


def _as_column(name: str, values: list[Any]) -> pl.Series:
    try:
        return pl.Series(name, values)
    except (TypeError, pl.exceptions.PolarsError):  # of several types, or of none that polars knows
        return pl.Series(name, values, dtype=pl.Object)


def _can_change(dtype: pl.DataType) -> bool:
    return dtype == pl.Object or dtype.is_nested()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
