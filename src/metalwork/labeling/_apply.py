"""Applying labeling functions to records."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Literal, overload

import numpy as np

from metalwork._checks import check_choice, check_positive
from metalwork.backends import Backend, SerialBackend, get_backend
from metalwork.data import Shard, open_records
from metalwork.errors import ConfigError, LabelingError
from metalwork.labeling._alphabets import recode
from metalwork.labeling._cache import votes_cache, warn_of_unkept
from metalwork.labeling._checks import check_inputs
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._guard import Limits, can_time
from metalwork.labeling._labeler import Labeler, Part
from metalwork.labeling._preprocess import Preprocessor
from metalwork.labeling._returns import Spaces
from metalwork.labeling._store import store_at
from metalwork.labeling._text_traps import plain_columns, warn_of_defaults
from metalwork.labeling._total import Codes, VoteTotal
from metalwork.votes import LabelMatrix, Space, TaskForest

OnFailure = Literal["stop", "continue"]
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
    max_seconds: float | None = ...,
    max_memory: int | str | None = ...,
    on_failure: OnFailure = ...,
    chunk_size: int = ...,
    format: str | None = ...,
    preprocessors: Iterable[Preprocessor] | None = ...,
    cache: str | os.PathLike[str] | bool | None = ...,
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
    max_seconds: float | None = ...,
    max_memory: int | str | None = ...,
    on_failure: OnFailure = ...,
    chunk_size: int = ...,
    format: str | None = ...,
    preprocessors: Iterable[Preprocessor] | None = ...,
    cache: str | os.PathLike[str] | bool | None = ...,
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
    max_seconds: float | None = None,
    max_memory: int | str | None = None,
    on_failure: OnFailure = "stop",
    chunk_size: int = 10_000,
    format: str | None = None,
    preprocessors: Iterable[Preprocessor] | None = None,
    cache: str | os.PathLike[str] | bool | None = None,
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
    backend : {"serial", "processes", "ray"} or Backend
        All give the same label matrix.
    n_jobs : int, optional
        Number of worker processes; one a core by default.
    max_error_rate : float in [0, 1]
        An LF that fails on a larger part of the records stops the run by name. A failure (an exception, or a
        returned value that no LF may return) is no abstain: it is counted in ``votes.errors``. The run stops as
        soon as that is certain.
    max_seconds : float, optional
        An LF that takes longer on a record fails on it. An LF that takes many records at once has so much time
        for each of them. With ``backend="serial"`` that holds on POSIX and in the main thread, and for what
        Python can interrupt; with ``"processes"`` for everything.
    max_memory : int or str, optional
        Memory of a worker process, in bytes or as ``"2 GB"``; by default three quarters of the machine's, shared.
        An LF that needs more fails on the record. It holds with ``backend="processes"``, on Linux.
    on_failure : {"stop", "continue"}
        What happens when an LF fails on more than ``max_error_rate`` of the records, or returns what is no label
        of its task: the run stops, or these are failures like any other and it goes on.
    chunk_size : int
        Records that are in memory at a time, a worker.
    format : {"csv", "tsv", "jsonl", "json", "parquet", "txt"}, optional
        Of a file whose name does not tell.
    preprocessors : list of Preprocessor, optional
        Those that the LFs' own modules neither define nor import; they go before others of the same output.
    cache : path or bool, optional
        A file or folder in which votes are kept, or True for the user's cache folder: LFs that are the same, in
        code and in all that it refers to and reads, are not run again on records that are the same. Nothing is
        kept by default.
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
    total = VoteTotal(lfs, schema)
    options: dict[str, Any] = {"backend": backend, "n_jobs": n_jobs, "chunk_size": chunk_size, "format": format}
    options |= {"max_error_rate": max_error_rate, "max_seconds": max_seconds, "max_memory": max_memory}
    options |= {"on_failure": on_failure, "preprocessors": preprocessors, "cache": cache}
    shards = apply_shards(total, records, **options, progress=progress, like=like)
    votes = total.matrix(np.concatenate(list(shards)))
    if like is None:
        found: LabelMatrix | dict[str, LabelMatrix] = votes
        return found
    if isinstance(votes, dict):
        return {root: recode(matrix, _of_root(like, root)) for root, matrix in votes.items()}
    return recode(votes, _of_root(like, None))


def apply_shards(
    total: VoteTotal,
    records: Any,
    *,
    backend: str | Backend = "serial",
    n_jobs: int | None = None,
    max_error_rate: float = 0.01,
    max_seconds: float | None = None,
    max_memory: int | str | None = None,
    on_failure: OnFailure = "stop",
    chunk_size: int = 10_000,
    format: str | None = None,
    preprocessors: Iterable[Preprocessor] | None = None,
    cache: str | os.PathLike[str] | bool | None = None,
    progress: Progress | None = None,
    like: LabelMatrix | Mapping[str, LabelMatrix] | VoteTotal | None = None,
) -> Iterator[Codes]:
    """Run labeling functions over records, and give what each shard gave as it is done, in their order.

    Nothing is kept but ``total``, so that memory is bounded by what is done with the codes.

    Parameters
    ----------
    total : VoteTotal
        The LFs and their schema, and what came before: its first ``n_shards`` shards are passed over. Bit for bit,
        it does not matter where an earlier application ended.
    records, backend, n_jobs, max_error_rate, max_seconds, max_memory, on_failure
        As for :func:`apply`.
    chunk_size, format, preprocessors, cache, progress
        As for :func:`apply`.
    like : LabelMatrix or VoteTotal, optional
        Of the same LFs on other records, so that an LF that voted there does not pass for silent.

    Yields
    ------
    int32 array (n_points, n_columns)
        Of a shard: codes as ``total.matrix`` takes them.

    Raises
    ------
    LabelingError, DataError
        As :func:`apply`; of LFs that fail too often when all shards are done.
    """
    if not 0 <= max_error_rate <= 1:
        raise ConfigError(f"max_error_rate must be a number from 0 to 1; got {max_error_rate!r}.")
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1:
        raise ConfigError(f"chunk_size must be a whole number from 1; got {chunk_size!r}.")
    stops = check_choice("on_failure", on_failure, ("stop", "continue")) == "stop"
    runner = get_backend(backend, n_jobs, max_memory)
    _check_seconds(max_seconds, runner)
    source = open_records(records, format)
    functions = tuple(lf.reading(source.columns) for lf in total.functions)
    inputs = check_inputs(functions, source.columns, preprocessors)
    warn_of_defaults(functions, source.columns)
    plain = tuple(name for name in plain_columns(functions) if name in inputs.all_columns)
    kept, unkept = votes_cache(store_at(cache), functions, inputs, total.space)
    most = int(max_error_rate * source.n_points) if stops and source.n_points is not None else None
    labeler = Labeler(functions, total.space, plain, inputs, kept, Limits(max_seconds, most, not stops))
    shards = islice(source.shards(inputs.all_columns, chunk_size), total.n_shards, None)
    for part in _parts(labeler, shards, runner):
        codes = total.add(part)
        if stops:
            total.check_early(max_error_rate, source.n_points)
        yield codes
        unkept |= {f"LF {functions[j].name!r}": why for j, why in part.unkept.items()}
        if progress is not None:
            progress(total.n_points, source.n_points)
    warn_of_unkept(unkept)
    total.check(max_error_rate if stops else 1.0)
    total.warn_of_text(like)


def _parts(labeler: Labeler, shards: Iterable[Shard], runner: Backend) -> Iterator[Part]:
    """What each shard gives, in their order; worker processes get those alone on which an LF must be run."""
    if isinstance(runner, SerialBackend):
        yield from runner.map(labeler, shards)
        return
    recalled: deque[Part | None] = deque()  # None stands for what a worker will give

    def unknown() -> Iterator[Shard]:
        for shard in shards:
            recalled.append(labeler.recalled(shard))
            if recalled[-1] is None:
                yield shard

    waiting = unknown()
    first = next(waiting, None)
    for result in () if first is None else runner.map(labeler, chain([first], waiting)):
        while (part := recalled.popleft()) is not None:
            yield part
        yield result
    yield from (part for part in recalled if part is not None)


def _check_seconds(max_seconds: Any, runner: Backend) -> None:
    if max_seconds is None:
        return
    check_positive("max_seconds", max_seconds)
    if isinstance(runner, SerialBackend) and not can_time():
        raise ConfigError(
            "max_seconds must be given with backend='processes' here: in this process only the main thread of "
            f"a POSIX system can be interrupted; got {max_seconds!r} with backend='serial'."
        )


def in_alphabets_of(total: VoteTotal, codes: Codes, like: VoteTotal, incidents: bool = False) -> LabelMatrix:
    """``total.matrix(codes)`` in the alphabets of ``like``, of the same LFs; what these do not hold abstains."""
    return recode(total.matrix(codes, incidents), like.matrix(codes[:0]), warn=False)


def warn_of_lost(total: VoteTotal, like: VoteTotal) -> None:
    """Warn of votes that came up in ``total`` and that the alphabets of ``like`` do not hold."""
    recode(total.matrix(total.every_outcome()), like.matrix(total.every_outcome()[:0]))


def _of_root(like: Any, root: str | None) -> LabelMatrix:
    matrix = like if root is None else like.get(root) if isinstance(like, Mapping) else None
    if not isinstance(matrix, LabelMatrix):
        what = "a LabelMatrix" if root is None else f"a dict of a LabelMatrix a root, {root!r} among them"
        raise LabelingError(f"like must be {what}; got {type(like).__name__}. Pass what apply gave before.")
    return matrix
