"""Values of a declared type, out of text and whatever else a column holds."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import polars as pl

from metalwork.data._as_text import as_text
from metalwork.data._columns import column_of
from metalwork.errors import ConfigError

Kind = type[float] | type[int] | type[bool] | type[str]
KINDS: Final[dict[str, Kind]] = {"float": float, "int": int, "bool": bool, "str": str}
WORDS: Final[dict[Kind, str]] = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "a text",
}
_NUMBER: Final = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_INFINITE: Final = r"(?i)^[+-]?inf(?:inity)?$"
_WHOLE: Final = r"^[+-]?[0-9]+(?:\.0*)?$"
_TRUTH: Final = {
    **dict.fromkeys(("true", "yes", "1", "1.0"), True),  # "1.0" as a float column with gaps writes 1
    **dict.fromkeys(("false", "no", "0", "0.0"), False),
}


class Reading(NamedTuple):
    """A column read as a type: null where it holds nothing, and in rows ``unreadable``."""

    values: pl.Series
    unreadable: list[int]


def check_types(types: Any) -> dict[str, Kind]:
    """The declared type of each column; by name too, as project files have it."""
    if types is None:
        return {}
    if not isinstance(types, Mapping):
        raise ConfigError(f"types must be a dict from columns to types; got {types!r}. Write {{'amount': float}}.")
    found: dict[str, Kind] = {}
    for name, kind in types.items():
        known: Any = KINDS.get(kind) if isinstance(kind, str) else kind
        if known not in KINDS.values():
            raise ConfigError(f"types[{name!r}] must be one of float, int, bool, str; got {kind!r}.")
        found[str(name)] = known
    return found


def read_as(column: pl.Series, kind: Kind, *, text_only: bool = False) -> Reading:
    """The values of a column as ``kind``.

    Text is read as numbers are written in Python and JSON, blanks around it aside: "12", "1.5", "-2e3"; a whole
    number may end in ".0"; truth values are true, yes, 1, 1.0 and false, no, 0, 0.0 in any case. Blank text is
    missing, and so is "nan" as a number. Nothing is rounded but by the nature of floats: "1.5" is no whole
    number, and "1e400", too large for a float, is unreadable as one.

    Parameters
    ----------
    column : polars Series (n_points,)
    kind : {float, int, bool, str}
    text_only : bool
        Leave values that are not text as they are.
    """
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    if column.dtype == pl.String:
        return Reading(column, []) if kind is str else _READERS[kind](column)
    if column.dtype == pl.Object:
        return _read_objects(column, kind, text_only)
    if text_only or column.dtype == _EXACT[kind]:
        return Reading(column, [])
    if kind is str:
        return Reading(as_text(column), [])
    if (kind is float and column.dtype.is_numeric()) or column.dtype == pl.Null:
        return Reading(column.cast(_EXACT[kind]), [])
    return _read_objects(column, kind, text_only)


def _read_objects(column: pl.Series, kind: Kind, text_only: bool) -> Reading:
    values = column.to_list()
    texts = [row for row, value in enumerate(values) if isinstance(value, str)]
    read = read_as(pl.Series([values[row] for row in texts], dtype=pl.String), kind)
    for row, value in zip(texts, read.values.to_list(), strict=True):
        values[row] = value
    unreadable = [texts[row] for row in read.unreadable]
    if not text_only:
        known = set(texts)
        for row, value in enumerate(values):
            if value is not None and row not in known:
                values[row] = _converted(value, kind)
                if values[row] is None:
                    unreadable.append(row)
    return Reading(column_of(column.name, values), sorted(unreadable))


def _converted(value: Any, kind: Kind) -> Any:
    """A value that is no text as ``kind``; None where it is none of it."""
    if kind is str:
        return as_text(pl.Series([value], dtype=pl.Object))[0]
    try:
        number = float(value) if kind is float else int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if kind is float:
        return number
    if number != value:
        return None
    return number if kind is int else {0: False, 1: True}.get(int(number))


def _numbers(column: pl.Series) -> Reading:
    text = _stripped(column)
    infinite = text.str.contains(_INFINITE)
    values = text.str.strip_prefix("+").cast(pl.Float64, strict=False).fill_nan(None)
    lawful = (text.str.contains(_NUMBER) & values.is_finite()) | infinite | text.str.contains("(?i)^nan$")
    return _reading(column, values, text, lawful)


def _whole_numbers(column: pl.Series) -> Reading:
    text = _stripped(column)
    lawful = text.str.contains(_WHOLE)
    digits = text.str.strip_prefix("+").str.replace(r"\.0*$", "")
    values = digits.cast(pl.Int64, strict=False)
    large = (lawful.fill_null(False) & values.is_null()).arg_true().to_list()
    if not large:
        return _reading(column, values, text, lawful)
    whole, beyond = values.to_list(), []
    for row in large:
        try:
            whole[row] = int(digits[row])
        except ValueError:  # more digits than Python converts
            beyond.append(row)
    unreadable = (~lawful).fill_null(False).arg_true().to_list()
    for row in unreadable:
        whole[row] = None
    return Reading(column_of(column.name, whole), sorted([*unreadable, *beyond]))


def _truths(column: pl.Series) -> Reading:
    text = _stripped(column)
    values = text.str.to_lowercase().replace_strict(_TRUTH, default=None, return_dtype=pl.Boolean)
    return _reading(column, values, text, values.is_not_null())


def _stripped(column: pl.Series) -> pl.Series:
    text = column.str.strip_chars()
    return pl.select(pl.when(text != "").then(text)).to_series()


def _reading(column: pl.Series, values: pl.Series, text: pl.Series, lawful: pl.Series) -> Reading:
    unreadable = text.is_not_null() & ~lawful.fill_null(False)
    values = pl.select(pl.when(~unreadable).then(values).alias(column.name)).to_series()
    return Reading(values, unreadable.arg_true().to_list())


_READERS: Final = {float: _numbers, int: _whole_numbers, bool: _truths}
_EXACT: Final = {float: pl.Float64, int: pl.Int64, bool: pl.Boolean, str: pl.String}
