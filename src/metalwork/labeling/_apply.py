"""Applying labeling functions to records."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN
from metalwork.backends import Backend, get_backend
from metalwork.data import Shard, open_records
from metalwork.errors import ConfigError, DataError, LabelingError
from metalwork.labeling._alphabets import Numbering, recode
from metalwork.labeling._checks import check_columns, check_functions
from metalwork.labeling._chunk import Chunk
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._returns import Spaces, reader_for
from metalwork.labeling._text_traps import Look, plain_columns, warn_of_defaults, warn_of_text
from metalwork.labeling._votes import Failures, WrongLabel, vote
from metalwork.votes import LabelMatrix, Space, TaskForest, votes_in

Progress = Callable[[int, int | None], None]


@overload
def apply(
    lfs: Iterable[LabelingFunction],
    records: Any,
    schema: Space,
    *,
    backend: str | Backend = ...,
    n_jobs: int | None = ...,
    max_error_rate: float = ...,
    chunk_size: int = ...,
    format: str | None = ...,
    progress: Progress | None = ...,
    like: LabelMatrix | None = ...,
) -> LabelMatrix: ...


@overload
def apply(
    lfs: Iterable[LabelingFunction],
    records: Any,
    schema: TaskForest,
    *,
    backend: str | Backend = ...,
    n_jobs: int | None = ...,
    max_error_rate: float = ...,
    chunk_size: int = ...,
    format: str | None = ...,
    progress: Progress | None = ...,
    like: Mapping[str, LabelMatrix] | None = ...,
) -> dict[str, LabelMatrix]: ...


def apply(
    lfs: Iterable[LabelingFunction],
    records: Any,
    schema: Spaces,
    *,
    backend: str | Backend = "serial",
    n_jobs: int | None = None,
    max_error_rate: float = 0.01,
    chunk_size: int = 10_000,
    format: str | None = None,
    progress: Progress | None = None,
    like: LabelMatrix | Mapping[str, LabelMatrix] | None = None,
) -> LabelMatrix | dict[str, LabelMatrix]:
    """Run labeling functions over records and collect their votes.

    Parameters
    ----------
    lfs : sequence of LabelingFunction
    records : data frame, list of dicts or texts, iterator, data set, file, glob or folder
        Whatever :func:`metalwork.data.open_records` takes, or what it returned. Only the columns that the LFs name
        are read. In CSV files they are text: annotate an argument to read numbers.
    schema : TaskSchema, TaskForest or FeasibleLabels
    backend : {"serial", "processes"} or Backend
        All give the same label matrix.
    n_jobs : int, optional
        Number of worker processes; one a core by default.
    max_error_rate : float in [0, 1]
        An LF that fails on a larger part of the records stops the run by name. A failure (an exception, or a
        returned value that no LF may return) is no abstain: it is counted in ``votes.errors``.
    chunk_size : int
        Records that are in memory at a time, a worker.
    format : {"csv", "tsv", "jsonl", "json", "parquet", "txt"}, optional
        Of a file whose name does not tell.
    progress : callable, optional
        Called as ``progress(n_done, n_points)`` now and then; ``n_points`` is None while it is not known.
    like : LabelMatrix, optional
        Votes of the same LFs on other records, those that the label model is fitted on. LFs that vote for sets
        have an alphabet of the sets that came up; with ``like`` they have that of ``like``, as the label model
        needs it. What is not in it abstains, with a warning. (By root, for a forest.)

    Returns
    -------
    LabelMatrix (n_points, n_columns)
        Rows in the order of the records, columns in the order of ``lfs``; an LF without a task has a column for
        each. For a forest, a dict of label matrices by root.

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
    warn_of_defaults(functions, source.columns)
    columns = list(dict.fromkeys(name for lf in functions for name in lf.fields))
    total = _Total(functions, schema)
    labeler = _Labeler(functions, schema, plain_columns(functions))
    for part in runner.map(labeler, source.shards(columns, chunk_size)):
        total.add(part)
        if progress is not None:
            progress(total.n_points, source.n_points)
    votes = total.matrix(max_error_rate)
    warn_of_text(functions, total.looks, total.silent(like))
    if like is None:
        return votes
    if isinstance(votes, dict):
        return {root: recode(matrix, _of_root(like, root)) for root, matrix in votes.items()}
    return recode(votes, _of_root(like, None))


def _of_root(like: Any, root: str | None) -> LabelMatrix:
    matrix = like if root is None else like.get(root) if isinstance(like, Mapping) else None
    if not isinstance(matrix, LabelMatrix):
        what = "a LabelMatrix" if root is None else f"a dict of a LabelMatrix a root, {root!r} among them"
        raise LabelingError(f"like must be {what}; got {type(like).__name__}. Pass what apply gave before.")
    return matrix


@dataclass(frozen=True)
class _Part:
    """The votes on one shard: numbered outcomes (n_points, n_columns), and each LF's failures."""

    origin: str
    codes: npt.NDArray[np.int32]
    numbers: list[Numbering]
    failures: list[Failures]
    wrong: tuple[int, WrongLabel] | None
    looks: Mapping[str, Look] = field(default_factory=dict)


@dataclass(frozen=True)
class _Labeler:
    """Labels one shard, and looks at some columns of its first chunk; it travels to the workers."""

    functions: tuple[LabelingFunction, ...]
    schema: Spaces
    plain: tuple[str, ...]

    def __call__(self, shard: Shard) -> _Part:
        failures = [Failures() for _ in self.functions]
        readers = [reader_for(lf.task, self.schema) for lf in self.functions]
        numbers = _numberings(self.functions, self.schema)
        stops = np.cumsum([len(reader.tasks) for reader in readers])
        parts, done = [np.empty((0, len(numbers)), np.int32)], 0
        looks: dict[str, Look] = {}
        for frame in shard.chunks():
            looks = looks or {name: Look.at(frame[name]) for name in self.plain}
            chunk, codes = Chunk(frame), np.full((len(frame), len(numbers)), ABSTAIN, np.int32)
            for j, (lf, reader, stop) in enumerate(zip(self.functions, readers, stops, strict=True)):
                own = slice(stop - len(reader.tasks), stop)
                votes = vote(lf, chunk, reader, numbers[own])
                if votes.wrong is not None:
                    wrong = WrongLabel(done + votes.wrong.row, votes.wrong.reason)
                    return _Part(shard.origin, codes[:0], numbers, failures, (j, wrong))
                codes[:, own] = votes.codes
                failures[j].merge(votes.failures, done)
            parts.append(codes)
            done += len(frame)
        return _Part(shard.origin, np.concatenate(parts), numbers, failures, None, looks)


def _numberings(functions: Iterable[LabelingFunction], space: Spaces) -> list[Numbering]:
    return [Numbering(len(space.labels(task))) for lf in functions for _, task in lf.columns(space.tasks)]


@dataclass
class _Total:
    """Gathers the parts in their order, and keeps account of where each row stood."""

    functions: tuple[LabelingFunction, ...]
    space: Spaces
    n_points: int = 0
    looks: dict[str, Look] = field(default_factory=dict)
    _numbers: list[Numbering] = field(init=False)
    _codes: list[npt.NDArray[np.int32]] = field(default_factory=list)
    _failures: list[Failures] = field(default_factory=list)
    _places: dict[int, str] = field(default_factory=dict)
    _starts: dict[str, int] = field(default_factory=dict)
    _spoke: set[str] = field(default_factory=set)  # columns in which a vote stands

    def __post_init__(self) -> None:
        self._numbers = _numberings(self.functions, self.space)

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
        for column, (known_numbers, own) in enumerate(zip(self._numbers, part.numbers, strict=True)):
            if own.others:
                part.codes[:, column] = known_numbers.of(own)[part.codes[:, column]]
        for name, look in part.looks.items():
            self.looks[name] = self.looks.get(name, Look()) + look
        self._codes.append(part.codes)
        self.n_points += len(part.codes)

    def matrix(self, max_error_rate: float) -> LabelMatrix | dict[str, LabelMatrix]:
        if self.n_points == 0:
            raise DataError("records must hold at least one record; got none.")
        failing = [j for j, f in enumerate(self._failures) if f.count > max_error_rate * self.n_points]
        if failing:
            raise LabelingError("\n".join(self._complaint(j, max_error_rate) for j in failing))
        columns = [(j, *named) for j, lf in enumerate(self.functions) for named in lf.columns(self.space.tasks)]
        codes, outcomes = np.concatenate(self._codes), {}
        self._spoke = {columns[column][1] for column in np.flatnonzero((codes != ABSTAIN).any(axis=0))}
        for column, ((_, name, _), numbers) in enumerate(zip(columns, self._numbers, strict=True)):
            if numbers.others:
                outcomes[name], code_of = numbers.alphabet()
                codes[:, column] = code_of[codes[:, column]]
        tasks, names = [task for _, _, task in columns], [name for _, name, _ in columns]
        errors = [self._failures[j].count for j, _, _ in columns]
        return votes_in(self.space, codes, tasks, names, errors, outcomes)

    def silent(self, like: Any) -> list[bool]:
        """Whether each LF neither voted nor failed, here and where ``like`` comes from."""
        known = like.values() if isinstance(like, Mapping) else [like]
        spoke = {name for votes in known if isinstance(votes, LabelMatrix) for name in _voting(votes)}
        own = [{name for name, _ in lf.columns(self.space.tasks)} for lf in self.functions]
        spoke |= self._spoke
        return [not names & spoke and not f.count for names, f in zip(own, self._failures, strict=True)]

    def _complaint(self, j: int, max_error_rate: float) -> str:
        failures, lf = self._failures[j], self.functions[j]
        owner = "the tree" if lf.task is None else f"task {lf.task!r}"
        return (
            f"LF {lf.name!r} failed on {failures.count} of {self.n_points} records, more than max_error_rate "
            f"({max_error_rate:g}) allows; first at {self._places[j]}: {failures.reason}. "
            f"It must return a label of {owner}, or mw.ABSTAIN; mend it or raise max_error_rate."
        )


def _voting(votes: LabelMatrix) -> list[str]:
    """The columns in which a vote stands."""
    return [votes.names[column] for column in np.flatnonzero((votes.codes != ABSTAIN).any(axis=0))]


def _place(origin: str, row: int, start: int) -> str:
    return f"row {row - start} of {origin}" if origin else f"row {row}"
