"""Digests of what lies in memory: settings, frames, and Python functions by what they do."""

import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import CodeType, FunctionType, MethodType
from typing import IO, Any, cast

import numpy as np
import polars as pl

from metalwork.labeling import LabelingFunction

_DEEPEST = 12


def settings_digest(value: Any) -> str:
    """Digest of plain values, in which the order of keys does not count."""
    text = json.dumps(_canonical(value), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):  # keys of a mapping in YAML may be of several types
        return {
            "keys": sorted((repr(key), json.dumps(_canonical(item), default=str)) for key, item in value.items())
        }
    return [_canonical(item) for item in value] if isinstance(value, list | tuple) else value


def frame_digest(frame: pl.DataFrame) -> str:
    """Digest of a frame's names, types and values."""
    digest = hashlib.sha256(repr(frame.schema).encode("utf-8", "backslashreplace"))
    objects = [name for name, kind in frame.schema.items() if kind == pl.Object]
    frame.drop(objects).rechunk().write_ipc_stream(cast(IO[bytes], _Sink(digest)))
    for name in objects:
        digest.update(repr(frame[name].to_list()).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def functions_digest(functions: Sequence[LabelingFunction]) -> str:
    """Digest of what labeling functions are made of: their code, constants, and the values they refer to."""
    digest = hashlib.sha256()
    for lf in functions:
        for part in _parts([lf.name, lf.task, list(lf.fields), lf.function], 0, set()):
            digest.update(part.encode("utf-8", "backslashreplace") + b"\0")
    return digest.hexdigest()


def _parts(value: Any, depth: int, seen: set[int]) -> Iterator[str]:
    """Texts that say all that can be said of a value without its address in memory."""
    if value is None or isinstance(value, str | bytes | int | float | complex):
        yield f"{type(value).__name__} {value!r}"
    elif isinstance(value, re.Pattern):
        yield f"pattern {value.pattern!r} {value.flags}"
    elif depth > _DEEPEST or id(value) in seen:
        yield type(value).__qualname__
    else:
        yield from _inner_parts(value, depth + 1, seen | {id(value)})


def _inner_parts(value: Any, depth: int, seen: set[int]) -> Iterator[str]:
    yield type(value).__qualname__
    if isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape} {hashlib.sha256(np.ascontiguousarray(value).data).hexdigest()}"
    elif isinstance(value, AbstractSet):
        yield from sorted("\1".join(_parts(item, depth, seen)) for item in value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _parts(key, depth, seen)
            yield from _parts(item, depth, seen)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _parts(item, depth, seen)
    elif isinstance(value, CodeType):
        yield value.co_code.hex()
        yield from _parts([list(value.co_names), list(value.co_consts)], depth, seen)
    elif isinstance(value, FunctionType):
        used = {name: value.__globals__[name] for name in _names(value.__code__) if name in value.__globals__}
        cells = [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
        own = {name: item for name, item in used.items() if _is_own(item, value.__module__)}
        yield from _parts([value.__code__, value.__defaults__, value.__kwdefaults__, cells, own], depth, seen)
    elif isinstance(value, MethodType):
        yield from _parts([value.__func__, value.__self__], depth, seen)
    elif not isinstance(value, type) and hasattr(value, "__dict__"):
        yield from _parts(vars(value), depth, seen)


def _names(code: CodeType) -> list[str]:
    inner = [name for part in code.co_consts if isinstance(part, CodeType) for name in _names(part)]
    return sorted({*code.co_names, *inner})


def _is_own(value: Any, module: str) -> bool:
    """Whether a global is a plain value, or a function of the same module: what libraries hold is theirs."""
    if isinstance(value, FunctionType):
        return value.__module__ == module
    return value is None or isinstance(
        value, str | bytes | int | float | list | tuple | dict | AbstractSet | re.Pattern
    )


def _is_filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


class _Sink(io.RawIOBase):
    """A file to write to that keeps a digest alone."""

    def __init__(self, digest: Any) -> None:
        self._digest = digest

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return len(data)
