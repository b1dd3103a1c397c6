"""Text files that are a record each."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from metalwork.data._columns import column_of
from metalwork.data._lines import open_bytes, text_lines
from metalwork.data._sources import RecordSource, Shard


class TextFiles(RecordSource):
    """Columns ``text``, what a file holds, and ``name``, the file's below the folder that all files share."""

    def __init__(self, paths: Sequence[Path], encoding: str | None) -> None:
        self._paths, self._encoding = tuple(map(str, paths)), encoding
        self._folder = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths])
        self.columns, self.n_points = ("text", "name"), len(paths)

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> list[Shard]:
        chosen = self.columns if columns is None else tuple(columns)
        parts = (self._paths[i : i + chunk_size] for i in range(0, len(self._paths), chunk_size))
        return [TextShard(self._folder, part, chosen, self._encoding) for part in parts]


@dataclass(frozen=True)
class TextShard(Shard):
    """Some of the files."""

    origin: str
    paths: tuple[str, ...]
    columns: tuple[str, ...]
    encoding: str | None

    def chunks(self) -> Iterator[pl.DataFrame]:
        read = {"text": self._text, "name": self._name}
        yield pl.DataFrame([column_of(name, list(map(read[name], self.paths))) for name in self.columns])

    def place(self, row: int) -> str:
        return self.paths[row]

    def _text(self, path: str) -> str:
        with open_bytes(Path(path), self.encoding) as stream:
            return "".join(text_lines(Path(path), stream))

    def _name(self, path: str) -> str:
        return Path(os.path.relpath(path, self.origin)).as_posix()
