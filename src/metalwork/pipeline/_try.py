"""Labeling functions of a job tried on a part of its records, or on one: nothing is written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from metalwork import labeling
from metalwork.analysis import LFSummary, lf_summary
from metalwork.data import concatenate
from metalwork.errors import ConfigError
from metalwork.labeling import LabelingFunction
from metalwork.pipeline._guarding import how_to_run
from metalwork.pipeline._job import Job
from metalwork.pipeline._split import Codes, sizes_of
from metalwork.schema import unknown_name
from metalwork.votes import LabelMatrix


@dataclass(frozen=True)
class Tried:
    """Votes of some labeling functions on some records of a split.

    Attributes
    ----------
    rows : int64 array (n_points,)
        Which records of the split.
    votes : LabelMatrix (n_points, n_lfs)
    summary : LFSummary
        How they do here, where labels are known with their accuracy.
    n_known : int
        Of how many of the records anything is known.
    """

    rows: Codes
    votes: LabelMatrix
    summary: LFSummary
    n_known: int


def try_lfs(
    job: Job,
    names: Sequence[str] = (),
    split: str = "train",
    sample: int | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Tried:
    """Run labeling functions on a split, or on a sample of it, the same one each time.

    Parameters
    ----------
    job : Job
    names : sequence of str
        Of labeling functions; none stands for all.
    split : str
    sample : int, optional
        How many records, drawn at random; all by default.
    progress : callable, optional
        As for :func:`metalwork.apply`.

    Raises
    ------
    ConfigError
        For a labeling function or split that is not there.
    """
    chosen = [find_lf(job, name) for name in names] or [*job.labeling_functions]
    rows, records, gold = _sampled(job, split, sample)
    needed = _with_those_they_read(job, chosen)
    columns = {column for lf in chosen for column, _ in lf.columns(job.space.tasks)}
    found: Any = labeling.apply(
        needed,
        records,
        job.space,
        **(how_to_run(job) | {"on_failure": "continue"}),
        preprocessors=job.preprocessors,
        cache=job.cache,
        progress=progress,
    )
    votes: LabelMatrix = found.lfs([j for j, own in enumerate(found.names) if own in columns])
    n_known = 0 if gold is None else int((gold >= 0).any(axis=1).sum())
    summary = lf_summary(votes, y=gold) if n_known else lf_summary(votes)
    return Tried(rows, votes, summary, n_known)


def explain_lf(job: Job, name: str, values: Mapping[str, Any]) -> labeling.Explanation:
    """Why a labeling function votes as it does on one record; ``values`` has those of its columns.

    Of one that reads what other functions make of the record, its vote or how it failed.

    Raises
    ------
    ConfigError
        For a labeling function that is not there.
    LabelingError
        For a column that has no value.
    """
    lf = find_lf(job, name).knowing(job.space).reading([*values])
    if (explained := labeling.ReadRecord(values).explain(lf)) is not None:
        return explained
    record = pl.DataFrame([pl.Series(column, [value], strict=False) for column, value in values.items()])
    needed = _with_those_they_read(job, [lf])
    found: Any = labeling.apply(
        needed, record, job.space, max_error_rate=1.0, preprocessors=job.preprocessors, cache=job.cache
    )
    votes: LabelMatrix = found.lfs([j for j, own in enumerate(found.names) if own == name])
    if votes.incidents:
        return labeling.Explanation(name, said=f"failed: {votes.incidents[0].message}")
    said = [votes.vote_name(0, code) for code in votes.codes[0].tolist() if code >= 0]
    return labeling.Explanation(name, said[0] if said else None)


def find_lf(job: Job, name: str) -> LabelingFunction:
    """The labeling function of this name; ``ConfigError`` where there is none."""
    known = {lf.name: lf for lf in job.labeling_functions}
    if name not in known:
        raise ConfigError(unknown_name("labeling function of this project", name, [*known]))
    return known[name]


def record_of(job: Job, split: str, row: int) -> dict[str, Any]:
    """The values of one record of a split, of the columns that anything reads."""
    part = job.split(split)
    if not 0 <= row < part.n_points:
        raise ConfigError(f"row must be from 0 to {part.n_points - 1} in the {split} records; got {row}.")
    frame = _rows(job, split, np.array([row]))[0]
    return frame.row(0, named=True)


def _with_those_they_read(job: Job, chosen: Iterable[LabelingFunction]) -> list[LabelingFunction]:
    """``chosen``, and the labeling functions whose votes they read."""
    known = {lf.name: lf for lf in job.labeling_functions}
    needed: dict[str, LabelingFunction] = {}
    waiting = [*chosen]
    while waiting:
        lf = waiting.pop(0)
        if lf.name not in needed:
            needed[lf.name] = lf
            waiting += [known[field] for field in lf.fields if field in known]
    return [*needed.values()]


def _sampled(job: Job, split: str, sample: int | None) -> tuple[Codes, pl.DataFrame, Codes | None]:
    """Which records, the records, and what is known of their tasks."""
    n_points = job.split(split).n_points
    rows = np.arange(n_points)
    if sample is not None and sample < n_points:
        rows = np.sort(np.random.default_rng(job.random_state).choice(n_points, sample, replace=False))
    return rows, *_rows(job, split, rows)


def _rows(job: Job, split: str, rows: Codes) -> tuple[pl.DataFrame, Codes | None]:
    """Some records of a split, in ascending order, and what is known of their tasks."""
    part, frames, gold, start = job.split(split), list[pl.DataFrame](), list[Codes](), 0
    for piece in part.in_parts(sizes_of(part.n_points)):
        own = rows[(rows >= start) & (rows < start + piece.n_points)] - start
        frames.append(piece.records[own])
        if piece.gold is not None:
            gold.append(np.asarray(piece.gold)[own])
        start += piece.n_points
    return concatenate(frames), np.concatenate(gold) if gold else None
