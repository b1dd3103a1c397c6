"""From a run to the inspection of it."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from metalwork.inspection import Inspection, Records, SplitData
from metalwork.label_models import LabelModel, VoteCounts, count_votes
from metalwork.pipeline._features import near_featurizer
from metalwork.pipeline._fitting import fit_label_model
from metalwork.pipeline._job import columns_read
from metalwork.pipeline._reading import read_by_label_model
from metalwork.pipeline._split import Codes, sizes_of
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import votes_in

if TYPE_CHECKING:
    from metalwork.pipeline._found import RunResults

_INSPECTED = ("train", "dev")
"""Test is for final figures alone."""


def inspect_run(run: "RunResults") -> Inspection:
    """The inspection of what a run has found so far: votes, and what models there are."""
    job = run.job
    wanted = columns_read(job.labeling_functions, job.features, job.preprocessors)
    fields = tuple(name for name in wanted if name in job.columns["train"])
    return Inspection(
        job.space,
        job.labeling_functions,
        {split: _split_data(run, split) for split in _INSPECTED if split in job.splits},
        fields,
        run.label_model if "fit" in run.steps else None,
        near_featurizer(job.features),
        partial(_relabel, run) if "fit" in run.steps else None,
    )


def _relabel(run: "RunResults", kept: Codes) -> dict[str, Iterator[TaskProbabilities]]:
    """The labels of each split by a label model like the run's, fitted to the votes of some LFs alone."""
    counts = VoteCounts.merge(count_votes(votes.lfs(kept)) for votes in run.votes_in_parts("train"))
    model = fit_label_model(run, counts, run.label_model_settings, kept.tolist())[0]
    return {split: _labels_by(run, model, kept, split) for split in _INSPECTED if split in run.job.splits}


def _labels_by(run: "RunResults", model: LabelModel, kept: Codes, split: str) -> Iterator[TaskProbabilities]:
    read = read_by_label_model(run, split, run.label_model_settings.features)
    for votes, records in zip(run.votes_in_parts(split), read, strict=True):
        yield model.predict_proba(votes.lfs(kept), features=records)


def _split_data(run: "RunResults", split: str) -> SplitData:
    def probabilities(kind: str, step: str) -> Callable[[int], TaskProbabilities] | None:
        there = step in run.steps and not (kind == "end_probabilities" and run.job.end_model.is_none)
        return partial(run.probabilities_of, kind, split) if there else None

    if not run.job.labeling_functions:
        return _without_votes(run, split)
    return SplitData(
        sizes=run.sizes(split),
        votes=partial(run.applied.part, split),
        rows=partial(_rows, run, split),
        frames=run.job.split(split).frames,
        known=_known(run, split, run.sizes(split)),
        labels=probabilities("probabilities", "fit"),
        end=probabilities("end_probabilities", "evaluate"),
        reads_features="fit" in run.steps and run.label_model_settings.features,
    )


def _without_votes(run: "RunResults", split: str) -> SplitData:
    """A split of a job that has no labeling function yet."""
    sizes = sizes_of(run.job.split(split).n_points)
    empty = votes_in(run.job.space, np.empty((max(sizes), 0), np.int64), [], [])
    return SplitData(
        sizes=tuple(sizes),
        votes=lambda number: empty.rows(np.arange(sizes[number])),
        rows=partial(_rows, run, split),
        frames=run.job.split(split).frames,
        known=_known(run, split, sizes),
    )


def _rows(run: "RunResults", split: str, rows: Codes) -> Records:
    part = run.job.split(split).rows(rows)
    ids: list[Any] = rows.tolist() if part.ids is None else part.ids.to_list()
    return Records(part.records, tuple(str(row if id is None else id) for id, row in zip(ids, rows, strict=True)))


def _known(run: "RunResults", split: str, sizes: Sequence[int]) -> Codes | None:
    if not run.job.split(split).n_known:
        return None
    parts = run.job.split(split).in_parts(sizes, text=False)
    return np.concatenate([run.job.known_labels(part) for part in parts])
