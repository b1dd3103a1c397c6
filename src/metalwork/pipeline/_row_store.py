"""Records laid down once in temporary files, from which any rows can be read without most of the others."""

import shutil
import weakref
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork.data import concatenate

_ROWS: Final = 2_000
"""Records a file: few, for a file is read whole."""


class RowStore:
    """Frames of records in small files, which go when the store does."""

    def __init__(self, frames: Iterable[pl.DataFrame]) -> None:
        self._folder = Path(mkdtemp(prefix="metalwork-records-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        sizes: list[int] = []
        for frame in frames:
            for part in frame.iter_slices(_ROWS):
                part.write_ipc(self._path(len(sizes)), compression="uncompressed")
                sizes.append(part.height)
        self._starts = np.array([*accumulate(sizes, initial=0)])

    def frames(self) -> Iterator[pl.DataFrame]:
        """All records, frame after frame."""
        return map(self._frame, range(len(self._starts) - 1))

    def rows(self, rows: npt.NDArray[np.int64]) -> pl.DataFrame:
        """The records at positions ``rows`` (n_rows,), in this order."""
        number = np.searchsorted(self._starts, rows, side="right") - 1
        order = np.argsort(number, kind="stable")
        found = [self._frame(own)[rows[number == own] - self._starts[own]] for own in np.unique(number).tolist()]
        return (concatenate(found) if found else self._frame(0).clear())[np.argsort(order, kind="stable")]

    def _frame(self, number: int) -> pl.DataFrame:
        return pl.read_ipc(self._path(number))

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.arrow"
