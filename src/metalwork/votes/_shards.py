"""Votes in Parquet files, read in chunks."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from metalwork._checks import ABSTAIN, IntArray, check_count
from metalwork.errors import DataError
from metalwork.schema import TaskSchema
from metalwork.votes._matrix import LabelMatrix

if TYPE_CHECKING:
    import polars as pl

_CHUNK_ROWS = 1 << 19


class VoteShards:
    """Parquet files of votes as label matrices, one chunk of rows after another; as often as asked.

    Parameters
    ----------
    paths : sequence of paths
        Files with one integer column an LF, in the same order in all: label codes, -1 or null for an abstain.
    schema : TaskSchema
    tasks : sequence of str (n_lfs,), optional
        The task each column votes on; may be left out where the schema has one task.
    chunk_rows : int
        Most rows in memory at a time.

    Raises
    ------
    DataError
        While iterating, for a file that cannot be read, or whose columns are not the first file's.
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str]],
        schema: TaskSchema,
        tasks: Sequence[str] | None = None,
        chunk_rows: int = _CHUNK_ROWS,
    ) -> None:
        check_count("chunk_rows", chunk_rows)
        self.paths = [Path(path) for path in paths]
        self.schema = schema
        self.tasks = tasks
        self.chunk_rows = int(chunk_rows)

    def __iter__(self) -> Iterator[LabelMatrix]:
        names: list[str] | None = None
        for path in self.paths:
            for part in self.of(path):
                names = names or list(part.names)
                if list(part.names) != names:
                    raise DataError(
                        f"{path}: columns must be those of {self.paths[0]}, in their order; they differ."
                    )
                yield part

    def of(self, path: str | os.PathLike[str]) -> Iterator[LabelMatrix]:
        """The label matrices of one file."""
        import polars as pl

        try:
            scan = pl.scan_parquet(Path(path), glob=False)
            n_points: int = scan.select(pl.len()).collect().item()
            for start in range(0, n_points, self.chunk_rows):
                frame = scan.slice(start, self.chunk_rows).collect()
                yield LabelMatrix(_codes(frame, path), self.schema, self.tasks, frame.columns)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise DataError(f"{path}: must be a Parquet file of votes; it is damaged ({reason}).") from None


def _codes(frame: "pl.DataFrame", path: str | os.PathLike[str]) -> IntArray:
    wrong = [name for name, dtype in frame.schema.items() if not dtype.is_integer()]
    if wrong:
        raise DataError(f"{path}: columns must hold whole numbers; column {wrong[0]!r} does not.")
    codes: IntArray = frame.fill_null(ABSTAIN).to_numpy()
    return codes
