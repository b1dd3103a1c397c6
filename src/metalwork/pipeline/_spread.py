"""Shards of results that worker processes or other machines make, and write into the run's folder themselves."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from metalwork.backends import Backend, SerialBackend
from metalwork.label_models import LabelModel, VoteCounts, count_votes
from metalwork.pipeline._storage import as_parquet, file_of
from metalwork.pipeline._work import write_file
from metalwork.probabilities import TaskProbabilities

if TYPE_CHECKING:
    from metalwork.end_models import EndModel
    from metalwork.pipeline._run import Run
    from metalwork.pipeline._steps import Applied
    from metalwork.pipeline._work import Work

_FEWEST: Final = 3
"""Shards that are worth a worker process."""


@dataclass(frozen=True)
class CountVotes:
    """How often each row of votes occurs in a shard of a split: all that a label model needs to know of it."""

    applied: "Applied"
    split: str

    def __call__(self, number: int) -> VoteCounts:
        return count_votes(self.applied.part(self.split, number))


@dataclass(frozen=True)
class LabelVotes:
    """The label model's probabilities of the records in a shard of a split; it gets them where it reads them."""

    applied: "Applied"
    model: LabelModel
    split: str

    def __call__(self, item: tuple[int, pl.DataFrame | None]) -> pl.DataFrame:
        number, records = item
        return table_of(self.model.predict_proba(self.applied.part(self.split, number), features=records))


@dataclass(frozen=True)
class PredictRecords:
    """The end model's probabilities of some records."""

    model: "EndModel"

    def __call__(self, records: pl.DataFrame) -> pl.DataFrame:
        return table_of(self.model.predict_proba(records))


@dataclass(frozen=True)
class _Writing:
    """Makes a table and writes it into the run's folder; gives the size and digest of the file."""

    make: Callable[[Any], pl.DataFrame]
    folder: Path

    def __call__(self, item: tuple[str, Any]) -> dict[str, Any]:
        name, given = item
        return write_file(self.folder / file_of(name), as_parquet(self.make(given)))


def count_shards(run: "Run", applied: "Applied", split: str) -> VoteCounts:
    """The counts of the votes on a split; counts alone come from where shards are counted."""
    numbers = range(len(applied.sizes[split]))
    backend = _backend(run, len(numbers))
    counts = map if backend is None else backend.map
    return VoteCounts.merge(counts(CountVotes(applied, split), numbers))


def keep_tables(
    run: "Run", work: "Work", names: list[str], make: Callable[[Any], pl.DataFrame], items: Iterable[Any]
) -> Iterator[int]:
    """Keep the tables of these names that are not kept yet, each made of its item; gives how many are kept."""
    left = [name for name in names if not work.has(file_of(name))]
    asked, n_kept = set(left), len(names) - len(left)
    todo = ((name, item) for name, item in zip(names, items, strict=True) if name in asked)
    backend = _backend(run, len(left))
    if backend is None or run.folder is None:
        for count, (name, item) in enumerate(todo, n_kept + 1):
            run.storage.put(work, {name: make(item)}, name)
            yield count
        return
    work.begin()
    for count, (name, entry) in enumerate(
        zip(left, backend.map(_Writing(make, run.folder.path), todo), strict=True), n_kept + 1
    ):
        work.note({file_of(name): entry}, name)
        yield count


def table_of(probs: TaskProbabilities) -> pl.DataFrame:
    """Probabilities (n_points, n_end_labels) as a table with a column an end label."""
    return pl.from_numpy(probs.end, schema=list(probs.schema.end_labels))


def _backend(run: "Run", n_shards: int) -> Backend | None:
    """Where the shards of a run are worked on; None for this process, as few shards are, or results in memory."""
    workers = run.job.workers
    return None if run.folder is None or n_shards < _FEWEST or isinstance(workers, SerialBackend) else workers
