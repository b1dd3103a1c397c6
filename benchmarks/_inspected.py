"""Inspections of texts with votes, for benchmarks of suggestions; no run is needed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

import metalwork as mw
from metalwork.inspection import Inspection, Records, SplitData

Codes = npt.NDArray[np.int64]


class Part(NamedTuple):
    """Texts and votes of one split, and what is known of its labels (n_points, n_tasks), if anything is."""

    texts: Sequence[str]
    votes: mw.LabelMatrix | None
    known: Codes | None = None


def inspect_texts(
    schema: mw.TaskSchema,
    lfs: Sequence[mw.LabelingFunction],
    train: Part,
    dev: Part | None = None,
    model: Any = None,
) -> Inspection:
    """An inspection of ``train`` and ``dev``; ``model`` is the label model, fitted."""
    splits = {"train": _data(train)} | ({} if dev is None else {"dev": _data(dev)})
    return Inspection(schema, lfs, splits, ("text",), model)


def silent_lfs(votes: mw.LabelMatrix) -> list[mw.LabelingFunction]:
    """A stand-in for each labeling function of a label matrix: of published votes the functions are not to be
    had."""
    pairs = zip(votes.tasks, votes.names, strict=True)
    return [mw.LabelingFunction(task, name, ("text",), _abstains) for task, name in pairs]


def _abstains(text: str) -> int:
    return mw.ABSTAIN


def _data(part: Part) -> SplitData:
    frame, votes = pl.DataFrame({"text": list(part.texts)}), part.votes

    def rows(chosen: Codes) -> Records:
        return Records(frame[chosen.tolist()], tuple(map(str, chosen.tolist())))

    def of_shard(number: int) -> mw.LabelMatrix:
        assert votes is not None  # of no labeling functions nobody asks for votes
        return votes

    return SplitData((frame.height,), of_shard, rows, lambda: [frame], part.known)
