"""How a CSV file separates and quotes its fields."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from metalwork.errors import ConfigError

_KNOWN: Final = (",", ";", "\t", "|")
_SAMPLE_ROWS: Final = 50


@dataclass(frozen=True)
class Dialect:
    """Delimiter, quote ("" for none) and encoding (None for UTF-8) of a file."""

    delimiter: str = ","
    quote: str = '"'
    encoding: str | None = None

    def options(self) -> dict[str, Any]:
        """Arguments for the reader of the csv module."""
        quoting = csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE
        return {"delimiter": self.delimiter, "quotechar": self.quote or None, "quoting": quoting, "strict": True}


def check_delimiter(delimiter: Any) -> str | None:
    """The delimiter, None where it is to be recognised; ``ConfigError`` where it is no single character."""
    if delimiter is None or (_is_ascii_character(delimiter) and delimiter not in '"\r\n\0'):
        return None if delimiter is None else str(delimiter)
    raise ConfigError(f"delimiter must be one ASCII character such as ';' or '\\t'; got {delimiter!r}.")


def check_quote(quote: Any) -> str:
    """The quote, the double quote where it is None; "" says that fields are not quoted."""
    if quote is None:
        return '"'
    if quote == "" or (_is_ascii_character(quote) and quote not in "\r\n\0"):
        return str(quote)
    raise ConfigError(f"quote must be one ASCII character such as \"'\", or '' for none; got {quote!r}.")


def recognise_delimiter(lines: Sequence[str], quote: str) -> str:
    """The delimiter of a file whose first lines are given: comma, semicolon, tab or bar, by what the header holds.

    The comma wins where header and rows fit it; else the one that fits with most columns; a header that holds
    none of them is one column.
    """
    fitting: dict[str, int] = {}
    found: dict[str, int] = {}
    for delimiter in _KNOWN:
        try:
            rows = [
                row for row in csv.reader(lines, **Dialect(delimiter, quote).options() | {"strict": False}) if row
            ]
        except csv.Error:
            continue
        if not rows or len(rows[0]) < 2:
            continue
        found[delimiter] = len(rows[0])
        whole = rows[1:_SAMPLE_ROWS]
        if all(len(row) == len(rows[0]) for row in whole):
            fitting[delimiter] = len(rows[0])
    choices = fitting or found
    return "," if "," in choices or not choices else max(choices, key=choices.__getitem__)


def _is_ascii_character(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 1 and value.isascii()
