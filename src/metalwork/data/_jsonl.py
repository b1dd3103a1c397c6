"""JSON lines: one object a line."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import polars as pl

from metalwork.data._columns import frame_of
from metalwork.data._lines import line_number, open_bytes, text_lines
from metalwork.data._sources import Shard
from metalwork.errors import DataError

_SAMPLE = 10_000  # records whose keys tell the columns


@dataclass(frozen=True)
class JsonLinesShard(Shard):
    """The lines that start in bytes ``start:stop`` of a file."""

    origin: str
    columns: tuple[str, ...]
    chunk_size: int
    start: int = 0
    stop: int | None = None

    def chunks(self) -> Iterator[pl.DataFrame]:
        records = read_objects(Path(self.origin), self.start, self.stop)
        while batch := list(islice(records, self.chunk_size)):
            yield frame_of(batch, self.columns)


def columns_of(path: Path) -> tuple[str, ...]:
    """The keys of the first 10,000 records."""
    records = islice(read_objects(path), _SAMPLE)
    return tuple(dict.fromkeys(name for record in records for name in record))


def shards_of(path: Path, columns: Sequence[str], chunk_size: int) -> list[Shard]:
    """The file in parts of about ``chunk_size`` records that can be read on their own."""
    if path.suffix.lower() == ".gz":
        return [JsonLinesShard(str(path), tuple(columns), chunk_size)]
    bounds = _bounds(path, chunk_size)
    return [JsonLinesShard(str(path), tuple(columns), chunk_size, *part) for part in pairwise(bounds)]


def _bounds(path: Path, chunk_size: int) -> list[int]:
    """Byte positions of line starts, some ``chunk_size`` lines apart by the size of the first lines."""
    with open_bytes(path) as stream:
        size = path.stat().st_size
        sample = [len(line) for line in islice(stream, 1000)]
        step = max(1, chunk_size * sum(sample) // max(1, len(sample)))
        bounds = [0]
        while bounds[-1] + step < size:
            stream.seek(bounds[-1] + step)
            stream.readline()
            bounds.append(stream.tell())
    return bounds if bounds[-1] == size else [*bounds, size]


def read_objects(path: Path, start: int = 0, stop: int | None = None) -> Iterator[dict[str, Any]]:
    """The objects on the lines that start in bytes ``start:stop``; blank lines are passed over.

    Raises
    ------
    DataError
        Naming file and line, for a line that is not one JSON object, or has a key twice, NaN or Infinity.
    """
    with open_bytes(path) as stream:
        for index, line in enumerate(text_lines(path, stream, start, stop)):
            if not line.isspace():
                yield _parse(path, start, index, line)


class _Fault(ValueError):
    """What is wrong with a line that is valid for the json module."""


def _parse(path: Path, start: int, index: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line, object_pairs_hook=_object, parse_constant=_no_constant)
        if not isinstance(value, dict):
            raise _Fault(f'must be a JSON object such as {{"text": "..."}}; got {_short(line)}')
        if "\\u" in line:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except UnicodeEncodeError:
        reason = "must be Unicode text; an escape is half of a surrogate pair"
    except json.JSONDecodeError as error:
        reason = f"not valid JSON at column {error.colno}: {error.msg}"
    except (_Fault, ValueError) as error:  # a whole number of too many digits is a plain ValueError
        reason = str(error)
    except RecursionError:
        reason = "nested too deeply to be read"
    raise DataError(f"{path}:{line_number(path, start) + index}: {reason}. Mend or remove the line.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Fault(f"the key {twice!r} stands twice")
    return value


def _no_constant(name: str) -> Any:
    raise _Fault(f"{name} is not JSON; write null")


def _short(line: str) -> str:
    text = line.strip()
    return text if len(text) <= 60 else text[:57] + "..."
