"""How good the models of a run are, where end labels are known."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray
from metalwork.analysis import Metrics
from metalwork.analysis import evaluate as measure
from metalwork.label_models import MajorityVote
from metalwork.pipeline._job import Job
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import LabelMatrix

Codes = npt.NDArray[np.int64]
Results = dict[str, dict[str, Metrics]]
"""Metrics by model name, then by split name."""


@dataclass(frozen=True)
class Scored:
    """Some records of a split: votes, what is known of each task, and what models predict, by their titles."""

    votes: LabelMatrix
    gold: Codes
    probs: Mapping[str, TaskProbabilities]


HARD_VOTE: Final = "Hard majority vote"
END_MODEL: Final = "End model"


def known_splits(job: Job, *among: str) -> list[str]:
    """Those of dev and test (or of the splits named) that have records of which a label is known."""
    return [split for split in among or ("dev", "test") if split in job.splits and job.split(split).n_known]


def score(
    job: Job,
    first: LabelMatrix,
    titles: Sequence[str],
    parts: Callable[[str], Iterable[Scored]],
    *among: str,
) -> Results:
    """Metrics of the hard majority vote and, where there are any, the label model and the end model.

    Scored are dev and test, or the splits named, where labels are known. No more is kept of a part than the
    records that have some.

    Parameters
    ----------
    job : Job
    first : LabelMatrix
        Votes of the same LFs, at least one record.
    titles : sequence of str
        What the label model and the end model are called.
    parts : callable
        From the name of a split to its parts, with the probabilities by title.
    """
    hard = MajorityVote(job.schema, mode="hard", random_state=job.random_state).fit(first)
    found: Results = {title: {} for title in (HARD_VOTE, *titles)}
    for split in known_splits(job, *among):
        gold: list[Codes] = []
        probs: dict[str, list[FloatArray]] = {}
        for part in parts(split):
            rows = np.flatnonzero((part.gold >= 0).any(axis=1))
            gold.append(part.gold[rows])
            for title, own in {HARD_VOTE: hard.predict_proba(part.votes), **part.probs}.items():
                probs.setdefault(title, []).append(own.end[rows])
        known = np.concatenate(gold)
        for title, shares in probs.items():
            predicted = TaskProbabilities(np.concatenate(shares), job.schema)
            found[title][split] = measure(predicted, known, job.space)
    return found
