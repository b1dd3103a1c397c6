"""Lines of JSON that all hold the same keys and simple values, told by a pattern and read by polars."""

import json
import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Final, NamedTuple, Self

import polars as pl

_UNICODE: Final = r"u(?:[0-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2})"
_PAIR: Final = r"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_TEXT: Final = rf'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|{_UNICODE}|{_PAIR}))*"'
_WHOLE: Final = r"-?(?:0|[1-9][0-9]{0,17})"
_FRACTION: Final = r"\.[0-9]{1,18}"
_EXPONENT: Final = r"[eE][+-]?[0-9]{1,2}"

# What a value may look like so that polars reads it exactly as Python does.
_VALUES: Final[dict[type, tuple[str, Any]]] = {
    str: (_TEXT, pl.String),
    int: (_WHOLE, pl.Int64),
    bool: ("true|false", pl.Boolean),
    float: (rf"{_WHOLE}(?:{_FRACTION}(?:{_EXPONENT})?|{_EXPONENT})", pl.Float64),
}
_LONGEST, _ROOM = 20_000, 100  # of a pattern, and what a key takes of it beside its name
_BLANK: Final = r"[ \t\r]*"


class Template(NamedTuple):
    """What lines of one form look like: a pattern that excludes all else, and the types of their columns."""

    pattern: str
    schema: dict[str, Any]

    @classmethod
    def of(cls, records: Sequence[Mapping[str, Any]]) -> Self | None:
        """The form of the first of some records, if they are flat and each column has one simple type."""
        keys = list(records[0])
        if sum(map(len, keys)) + _ROOM * len(keys) > _LONGEST:  # such a pattern does not compile
            return None
        parts, schema = [], {}
        for key in keys:
            kinds = {type(record.get(key)) for record in records} - {type(None)}
            if len(kinds) > 1 or not kinds <= _VALUES.keys():
                return None
            value, schema[key] = _VALUES[kinds.pop()] if kinds else ("null", pl.String)
            name = re.escape(json.dumps(key, ensure_ascii=False))
            parts.append(f"{name}{_BLANK}:{_BLANK}(?:{value}|null)")
        body = f"{_BLANK},{_BLANK}".join(parts)
        return cls(rf"^{_BLANK}\{{{_BLANK}{body}{_BLANK}\}}{_BLANK}$", schema)

    def fits(self, lines: pl.Series) -> pl.Series:
        """Which lines (n_lines,) have this form."""
        return lines.str.contains(self.pattern)

    def read(self, text: bytes, columns: Sequence[str]) -> pl.DataFrame | None:
        """The columns of lines that all have this form; None where polars does not read them."""
        schema = {name: self.schema.get(name, pl.String) for name in columns}
        try:
            return pl.read_ndjson(BytesIO(text), schema=schema)
        except pl.exceptions.PolarsError:
            return None
