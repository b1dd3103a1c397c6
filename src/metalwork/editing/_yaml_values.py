"""Values as YAML: short and plain where they may be, else in brackets and quotes that JSON has, too."""

import json
import math
import re
from collections.abc import Sequence
from typing import Any, Final

from metalwork.errors import ConfigError

_PLAIN: Final = re.compile(r"[^\W\d_][\w]*(?:[ '/.-][\w]+)*\*?")
_NOT_TEXT: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
"""What some reader of YAML takes for something else than text."""
_UNSAFE: Final = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")
"""What JSON leaves as it is in quotes, and YAML does not."""
_WIDTH: Final = 100


class Writer:
    """Writes values into a text.

    Parameters
    ----------
    newline : str
        How lines end there.
    is_json : bool
        Whether the file is JSON, where all is quoted.
    """

    def __init__(self, newline: str = "\n", is_json: bool = False) -> None:
        self.newline, self.is_json = newline, is_json

    def scalar(self, value: Any) -> str:
        """A text, number, truth or null."""
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"a number in a project file must be finite; got {value!r}. Leave it out.")
        if value is None or isinstance(value, bool | int | float):
            return json.dumps(value)
        if not isinstance(value, str):
            raise ConfigError(
                "a value of a project file must be text, a number, true, false, null, a list or a mapping; "
                f"got {value!r}."
            )
        if self.is_json:
            return self._quoted(value)
        if _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT:
            return value
        if value.isprintable() and not _UNSAFE.search(value):
            return "'" + value.replace("'", "''") + "'"
        return self._quoted(value)

    def flow(self, value: Any, column: int = 0, used: int = 0) -> str:
        """Any value in one piece; a long list goes on below, from ``column``, where ``used`` are taken already."""
        if isinstance(value, dict):
            pairs = (f"{self.scalar(_key(key))}: {self.flow(own)}" for key, own in value.items())
            return "{" + ", ".join(pairs) + "}"
        if not isinstance(value, list | tuple):
            return self.scalar(value)
        parts = [self.flow(own) for own in value]
        lines, length = [""], used
        for i, part in enumerate(parts):
            piece = part + ("," if i < len(parts) - 1 else "")
            if lines[-1] and length + len(piece) > _WIDTH:
                lines.append("")
                length = column
            lines[-1] += (" " if lines[-1] else "") + piece
            length += len(piece) + 1
        return "[" + (self.newline + " " * column).join(lines) + "]"

    def entry(self, key: Any, value: Any, column: int) -> str:
        """A key and its value as lines of a mapping in ``column``, but for what comes before the key."""
        name = self.scalar(_key(key))
        if isinstance(value, dict) and value:
            return f"{name}:{self._below(self.mapping(value, column + 2), column + 2)}"
        if isinstance(value, list | tuple) and any(isinstance(own, dict) for own in value):
            return f"{name}:{self._below(self.sequence(value, column + 2), column + 2)}"
        return f"{name}: {self.flow(value, column + 2, column + len(name) + 2)}"

    def mapping(self, value: dict[Any, Any], column: int) -> str:
        """A mapping, an entry a line, from ``column`` on."""
        return self._below("", column).join(self.entry(key, own, column) for key, own in value.items())

    def sequence(self, value: Sequence[Any], column: int) -> str:
        """A list, an item a line, from ``column`` on."""
        return self._below("", column).join(self.item(own, column) for own in value)

    def item(self, value: Any, column: int) -> str:
        """An item of a list whose dashes stand in ``column``."""
        if isinstance(value, dict) and value:
            return "- " + self.mapping(value, column + 2)
        return "- " + self.flow(value, column + 2, column + 2)

    def _below(self, lines: str, column: int) -> str:
        return self.newline + " " * column + lines

    def _quoted(self, value: str) -> str:
        return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise ConfigError(f"a key of a project file must be text; got {key!r}.")
    return key
