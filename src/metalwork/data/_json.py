"""JSON values as they are written: no key twice, no number rounded, no NaN."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NoReturn

import numpy as np

from metalwork.data._limits import Limits
from metalwork.data._lines import NotTextError, decode_line, open_text
from metalwork.data._opening import File
from metalwork.data._sources import FrameShard, ListSource, RecordSource, Shard
from metalwork.errors import DataError

_HEAD: Final = 1 << 16
_TEXTS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_OPENING: Final = np.frombuffer(b"[{", np.uint8)
_CLOSING: Final = np.frombuffer(b"]}", np.uint8)
_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")  # what may be half of a surrogate pair


class JsonArrayFile(RecordSource):
    """A file that holds one JSON array of objects, or of texts; it is read whole."""

    def __init__(self, file: File, encoding: str | None, limits: Limits) -> None:
        self._file = file
        records = read_array(file, encoding, limits)
        try:
            self._records = ListSource(records)
        except DataError as error:
            raise DataError(f"{file}: {error}") from None
        self.columns, self.n_points = self._records.columns, len(records)

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Shard]:
        frames = (frame for shard in self._records.shards(columns, chunk_size) for frame in shard.chunks())
        return (FrameShard(frame, i * chunk_size, str(self._file)) for i, frame in enumerate(frames))


def is_array(file: File, encoding: str | None) -> bool:
    """Whether a JSON file starts like an array; else it holds JSON lines."""
    with open_text(file, encoding) as stream:
        return stream.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def read_array(file: File, encoding: str | None, limits: Limits) -> list[Any]:
    """The items of the array."""
    with open_text(file, encoding) as stream:
        raw = stream.read(limits.array_bytes + 1)
    if len(raw) > limits.array_bytes:
        raise DataError(
            f"{file}: a file of one JSON array must have at most {limits.array_bytes:,} bytes "
            "(limits.array_bytes), as it is read whole; this one has more. "
            "Write an object a line (.jsonl), or raise the limit."
        )
    try:
        value = _load(decode_line(raw, first=True), lambda error: f"{file}:{error.lineno}: ", limits)
    except NotTextError:
        for number, line in enumerate(raw.split(b"\n"), 1):
            _check_line(file, number, line)
        raise
    except ValueError as fault:
        text = str(fault)
        raise DataError(f"{text if text.startswith(str(file)) else f'{file}: {text}'}. Mend the file.") from None
    if not isinstance(value, list):
        raise DataError(f"{file}: must be an array of objects; got {_short(repr(value))}.")
    return value


def parse_object(line: str, limits: Limits) -> dict[str, Any]:
    """The object that a line of JSON holds; ``ValueError`` says what is wrong with it."""
    value = _load(line, lambda error: "", limits)
    if not isinstance(value, dict):
        raise ValueError(f'must be a JSON object such as {{"text": "..."}}; got {_short(line)}')
    return value


def _load(text: str, place: Any, limits: Limits) -> Any:
    if text.count("[") + text.count("{") > limits.depth and _depth(text) > limits.depth:
        raise ValueError(
            f"lists and objects must be nested at most {limits.depth:,} deep (limits.depth); these go deeper"
        )
    try:
        value = _DECODER.decode(text)
        if _HALF.search(text):
            json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
        return value
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text; an escape is half of a surrogate pair") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{place(error)}not valid JSON at column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise ValueError("nested too deeply to be read") from None


def _depth(text: str) -> int:
    """How deep the brackets that stand outside texts are nested."""
    marks = np.frombuffer(_TEXTS.sub("", text).encode("utf-8", "replace"), np.uint8)
    steps = np.isin(marks, _OPENING).astype(np.int64) - np.isin(marks, _CLOSING)
    return int(steps.cumsum().max(initial=0))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice!r} stands twice")
    return value


def _number(text: str) -> float | Decimal:
    """A float, or a decimal number where that would be infinite."""
    number = float(text)
    return Decimal(text) if math.isinf(number) else number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; write null")


_DECODER: Final = json.JSONDecoder(  # made once: that takes as long as to read a short line
    object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_number
)


def _check_line(file: File, number: int, line: bytes) -> None:
    try:
        decode_line(line, first=number == 1)
    except NotTextError as fault:
        raise DataError(f"{file}:{number}: {fault}") from None


def _short(line: str) -> str:
    text = line.strip()
    return text if len(text) <= 60 else text[:57] + "..."
