"""The shards of results: tables by name, in Parquet files of the run's folder, in memory while there is room."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork.errors import DataError
from metalwork.pipeline._folder import RunFolder
from metalwork.pipeline._work import Work

_ROOM: Final = 16 << 20
"""Bytes of tables that stay in memory where a folder keeps them; without one, all do."""


class Storage:
    """Tables of numbers by name, such as ``votes/train-00000``.

    Parameters
    ----------
    folder : RunFolder, optional
        Where they are kept.
    """

    def __init__(self, folder: RunFolder | None) -> None:
        self._folder = folder
        self._held: dict[str, pl.DataFrame] = {}
        self._free = _ROOM

    def __reduce__(self) -> tuple[Any, ...]:
        return Storage, (self._folder,)  # what is held stays here

    def put(self, work: Work, tables: Mapping[str, pl.DataFrame], group: str, **facts: Any) -> None:
        """Keep tables as part of a step, with the facts that go on from them."""
        work.keep({file_of(name): as_parquet(table) for name, table in tables.items()}, group, **facts)
        for name, table in tables.items():
            self._hold(name, table)

    def array(self, name: str) -> npt.NDArray[Any]:
        """The array (n_points, n_columns) of a table.

        Raises
        ------
        DataError
            When its file has changed since it was written.
        """
        if name not in self._held and self._folder is not None:
            path = self._folder.file(file_of(name))
            try:
                self._hold(name, table := pl.read_parquet(path, glob=False))
            except (pl.exceptions.PolarsError, OSError) as error:
                raise DataError(f"{path}: must be a Parquet file; it cannot be read ({error}).") from None
            return _as_array(table)
        return _as_array(self._held[name])

    def forget(self, kinds: tuple[str, ...]) -> None:
        """Let the tables of some kinds go, such as ``votes``: their step is done anew."""
        for name in [name for name in self._held if name.split("/")[0] in kinds]:
            self._free += int(self._held.pop(name).estimated_size())

    def _hold(self, name: str, table: pl.DataFrame) -> None:
        size = int(table.estimated_size())
        if self._folder is None or size <= self._free:
            self._held[name] = table
            self._free -= size


def shard(kind: str, split: str, number: int) -> str:
    """The name of a shard of a result."""
    return f"{kind}/{split}-{number:05d}"


def file_of(name: str) -> str:
    """The file of a table in the run's folder."""
    return f"{name}.parquet"


def as_parquet(table: pl.DataFrame) -> bytes:
    """The content of a Parquet file with this table."""
    stream = BytesIO()
    table.write_parquet(stream)
    return stream.getvalue()


def _as_array(table: pl.DataFrame) -> npt.NDArray[Any]:
    return np.ascontiguousarray(table.to_numpy())
