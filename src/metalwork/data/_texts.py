"""Text files that are a record each."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import polars as pl

from metalwork.data._columns import column_of
from metalwork.data._limits import Limits
from metalwork.data._lines import open_text, text_lines, too_long
from metalwork.data._opening import File
from metalwork.data._sources import RecordSource, Shard


class TextFiles(RecordSource):
    """Columns ``text``, what a file holds, and ``name``, the file's below the folder that all files share."""

    def __init__(self, files: Sequence[File], encoding: str | None, limits: Limits) -> None:
        self._files, self._encoding, self._limits = tuple(files), encoding, limits
        self._folder = os.path.commonpath([os.path.dirname(os.path.abspath(str(file))) for file in files])
        self.columns, self.n_points = ("text", "name"), len(files)

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> list[Shard]:
        chosen = self.columns if columns is None else tuple(columns)
        starts = range(0, len(self._files), chunk_size)
        form = (self._folder, chosen, self._encoding, self._limits)
        return [TextShard(*form, self._files[start : start + chunk_size], start) for start in starts]


@dataclass(frozen=True)
class TextShard(Shard):
    """Some of the files."""

    origin: str
    columns: tuple[str, ...]
    encoding: str | None
    limits: Limits
    files: tuple[File, ...] = ()
    start: int = 0

    @property
    def n_points(self) -> int:  # type: ignore[override]
        return len(self.files)

    def chunks(self) -> Iterator[pl.DataFrame]:
        read = {"text": self._text, "name": self._name}
        yield pl.DataFrame([column_of(name, list(map(read[name], self.files))) for name in self.columns])

    def place(self, row: int) -> str:
        return str(self.files[row])

    def _text(self, file: File) -> str:
        with open_text(file, self.encoding) as stream:
            content = stream.read(self.limits.record_bytes + 1)
        if len(content) > self.limits.record_bytes:
            raise too_long(file, 1, self.limits)
        return "".join(text_lines(file, BytesIO(content)))

    def _name(self, file: File) -> str:
        return Path(os.path.relpath(str(file), self.origin)).as_posix()
