"""Digests of what lies in memory: settings and frames."""

import hashlib
import io
import json
from collections.abc import Mapping
from typing import IO, Any, cast

import polars as pl


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


class _Sink(io.RawIOBase):
    """A file to write to that keeps a digest alone."""

    def __init__(self, digest: Any) -> None:
        self._digest = digest

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return len(data)
