"""One text for each value, whatever a column holds."""

import base64
import json
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl

from metalwork.data._missing import is_missing


def as_text(column: pl.Series) -> pl.Series:
    """The values of a column as text, for ids and for files: one value has one text, whatever the column's type.

    Text stays as it is. Numbers are written with all their digits (1.0 is "1.0", 10**30 has 31 digits), truth
    values "true" and "false", dates and times in ISO 8601 ("2024-01-31", "P1DT2H"), lists and dicts as JSON with
    sorted keys, bytes in base64, anything else as ``str`` has it. Missing values are null.

    Parameters
    ----------
    column : polars Series (n_points,)

    Returns
    -------
    polars Series (n_points,) of String, with the name of ``column``
    """
    kind = column.dtype
    if kind == pl.String:
        return pl.select(pl.when(column != "").then(column).alias(column.name)).to_series()
    if kind.is_integer() or kind in (pl.Categorical, pl.Enum, pl.Boolean, pl.Date):
        return column.cast(pl.String)
    if kind == pl.Duration or (isinstance(kind, pl.Datetime) and kind.time_unit == "ns"):
        return column.dt.to_string("iso")
    return pl.Series(column.name, [_text_of(value) for value in column.to_list()], dtype=pl.String)


def _text_of(value: Any) -> str | None:
    if is_missing(value):
        return None
    if isinstance(value, (pl.Series, list, tuple, dict, set, frozenset)):
        value = json.dumps(_json_form(value), ensure_ascii=False, sort_keys=True, default=_text_of)
    text = value if isinstance(value, str) else _scalar(value)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # half of a surrogate pair is no text


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, timedelta):
        return str(pl.Series([value]).dt.to_string("iso")[0])
    return value.isoformat() if isinstance(value, (datetime, date, time)) else str(value)


def _json_form(value: Any) -> Any:
    """The value with text for keys and lists for sets, which have no order of their own."""
    if isinstance(value, dict):
        return {_text_of(key) or "": _json_form(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((_json_form(item) for item in value), key=str)
    if isinstance(value, (list, tuple, pl.Series)):
        return [_json_form(item) for item in value]
    return value
