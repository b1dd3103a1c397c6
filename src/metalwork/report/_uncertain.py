"""Picking the records to show."""

from collections.abc import Sequence

import numpy as np

from metalwork.analysis import least_certain
from metalwork.errors import VotesError
from metalwork.probabilities import TaskProbabilities
from metalwork.report._data import UncertainRecord
from metalwork.votes import LabelMatrix


def uncertain_records(
    probs: TaskProbabilities,
    texts: Sequence[object],
    k: int = 10,
    keys: Sequence[object] | None = None,
    votes: LabelMatrix | None = None,
    n_labels: int = 3,
) -> tuple[UncertainRecord, ...]:
    """The ``k`` records that ``probs`` is least sure of (smallest margin first), ready for a report.

    Parameters
    ----------
    probs : TaskProbabilities (n_points)
    texts : sequence (n_points,)
        What to show of each record; ``str`` is applied.
    k : int
        How many records.
    keys : sequence (n_points,), optional
        Ids of the records; row numbers from 0 by default.
    votes : LabelMatrix (n_points, n_lfs), optional
        Adds what the LFs said.
    n_labels : int
        How many of the most probable end labels to list.

    Raises
    ------
    VotesError
        When lengths differ.
    """
    lengths = {"texts": len(texts), "keys": None if keys is None else len(keys)}
    lengths["votes"] = None if votes is None else len(votes)
    for name, length in lengths.items():
        if length is not None and length != len(probs):
            raise VotesError(f"{name} must hold one element a record ({len(probs)}); got {length}.")
    return tuple(
        UncertainRecord(
            key=str(row if keys is None else keys[row]),
            text=str(texts[row]),
            probabilities=_top(probs, row, n_labels),
            votes={} if votes is None else _votes_on(votes, row),
        )
        for row in least_certain(probs, k).tolist()
    )


def _top(probs: TaskProbabilities, row: int, n_labels: int) -> dict[str, float]:
    order = np.argsort(-probs.end[row], kind="stable")[:n_labels]
    return {probs.schema.end_labels[code]: float(probs.end[row, code]) for code in order}


def _votes_on(votes: LabelMatrix, row: int) -> dict[str, str]:
    voted = np.flatnonzero(votes.codes[row] >= 0)
    return {votes.names[j]: votes.vote_name(j, int(votes.codes[row, j])) for j in voted.tolist()}
