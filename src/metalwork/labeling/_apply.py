"""Applying labeling functions to records."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN
from metalwork.backends import Backend, get_backend
from metalwork.data import Shard, open_records
from metalwork.errors import ConfigError, DataError, LabelingError
from metalwork.labeling._checks import check_columns, check_functions
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._votes import Failures, WrongLabel, vote
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix

Progress = Callable[[int, int | None], None]


def apply(
    lfs: Iterable[LabelingFunction],
    records: Any,
    schema: TaskSchema,
    *,
    backend: str | Backend = "serial",
    n_jobs: int | None = None,
    max_error_rate: float = 0.01,
    chunk_size: int = 10_000,
    format: str | None = None,
    progress: Progress | None = None,
) -> LabelMatrix:
    """Run labeling functions over records and collect their votes.

    Parameters
    ----------
    lfs : sequence of LabelingFunction
    records : data frame, list of dicts, or path or glob of CSV, JSON lines or Parquet files
        Only the columns that the LFs name are read.
    schema : TaskSchema
    backend : {"serial", "processes"} or Backend
        All give the same label matrix.
    n_jobs : int, optional
        Number of worker processes; one a core by default.
    max_error_rate : float in [0, 1]
        An LF that fails on a larger part of the records stops the run by name. A failure (an exception, or a
        returned value that is neither text nor an abstain) is no abstain: it is counted in ``votes.errors``.
    chunk_size : int
        Records that are in memory at a time, a worker.
    format : {"csv", "tsv", "jsonl", "parquet"}, optional
        Of a file whose name does not tell.
    progress : callable, optional
        Called as ``progress(n_done, n_points)`` now and then; ``n_points`` is None while it is not known.

    Returns
    -------
    LabelMatrix (n_points, n_lfs)
        Rows in the order of the records, columns in the order of ``lfs``.

    Raises
    ------
    LabelingError
        Before anything runs: for LFs that do not fit the schema or the columns, all listed at once. Then for an LF
        that returns a label which is none of its task's, or that fails too often, naming LF, row and reason.
    DataError
        For records that cannot be read.
    """
    if not 0 <= max_error_rate <= 1:
        raise ConfigError(f"max_error_rate must be a number from 0 to 1; got {max_error_rate!r}.")
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1:
        raise ConfigError(f"chunk_size must be a whole number from 1; got {chunk_size!r}.")
    functions = check_functions(lfs, schema)
    runner = get_backend(backend, n_jobs)
    source = open_records(records, format)
    check_columns(functions, source.columns)
    columns = list(dict.fromkeys(name for lf in functions for name in lf.fields))
    total = _Total(functions)
    for part in runner.map(_Labeler(functions, schema), source.shards(columns, chunk_size)):
        total.add(part)
        if progress is not None:
            progress(total.n_points, source.n_points)
    return total.matrix(schema, max_error_rate)


@dataclass(frozen=True)
class _Part:
    """The votes on one shard: codes (n_points, n_lfs) and each LF's failures."""

    origin: str
    codes: npt.NDArray[np.int32]
    failures: list[Failures]
    wrong: tuple[int, WrongLabel] | None


@dataclass(frozen=True)
class _Labeler:
    """Labels one shard; it travels to the workers."""

    functions: tuple[LabelingFunction, ...]
    schema: TaskSchema

    def __call__(self, shard: Shard) -> _Part:
        failures = [Failures() for _ in self.functions]
        parts, done = [], 0
        for frame in shard.chunks():
            codes = np.full((len(frame), len(self.functions)), ABSTAIN, np.int32)
            for j, lf in enumerate(self.functions):
                votes = vote(lf, frame, self.schema)
                if votes.wrong is not None:
                    wrong = WrongLabel(done + votes.wrong.row, votes.wrong.reason)
                    return _Part(shard.origin, codes[:0], failures, (j, wrong))
                codes[:, j] = votes.codes
                failures[j].merge(votes.failures, done)
            parts.append(codes)
            done += len(frame)
        empty = np.empty((0, len(self.functions)), np.int32)
        return _Part(shard.origin, np.concatenate([empty, *parts]), failures, None)


@dataclass
class _Total:
    """Gathers the parts in their order, and keeps account of where each row stood."""

    functions: tuple[LabelingFunction, ...]
    n_points: int = 0
    _codes: list[npt.NDArray[np.int32]] = field(default_factory=list)
    _failures: list[Failures] = field(default_factory=list)
    _places: dict[int, str] = field(default_factory=dict)
    _starts: dict[str, int] = field(default_factory=dict)

    def add(self, part: _Part) -> None:
        start = self._starts.setdefault(part.origin, self.n_points)
        if part.wrong is not None:
            j, wrong = part.wrong
            place = _place(part.origin, self.n_points + wrong.row, start)
            raise LabelingError(f"LF {self.functions[j].name!r} failed at {place}: {wrong.reason}")
        self._failures = self._failures or [Failures() for _ in self.functions]
        for j, (known, new) in enumerate(zip(self._failures, part.failures, strict=True)):
            if known.count == 0 and new.count > 0:
                self._places[j] = _place(part.origin, self.n_points + new.row, start)
            known.merge(new, self.n_points)
        self._codes.append(part.codes)
        self.n_points += len(part.codes)

    def matrix(self, schema: TaskSchema, max_error_rate: float) -> LabelMatrix:
        if self.n_points == 0:
            raise DataError("records must hold at least one record; got none.")
        failing = [j for j, f in enumerate(self._failures) if f.count > max_error_rate * self.n_points]
        if failing:
            raise LabelingError("\n".join(self._complaint(j, max_error_rate) for j in failing))
        return LabelMatrix(
            np.concatenate(self._codes),
            schema,
            [lf.task for lf in self.functions],
            [lf.name for lf in self.functions],
            [failures.count for failures in self._failures],
        )

    def _complaint(self, j: int, max_error_rate: float) -> str:
        failures, lf = self._failures[j], self.functions[j]
        return (
            f"LF {lf.name!r} failed on {failures.count} of {self.n_points} records, more than max_error_rate "
            f"({max_error_rate:g}) allows; first at {self._places[j]}: {failures.reason}. "
            f"It must return a label of task {lf.task!r}, or mw.ABSTAIN; mend it or raise max_error_rate."
        )


def _place(origin: str, row: int, start: int) -> str:
    return f"row {row - start} of {origin}" if origin else f"row {row}"
