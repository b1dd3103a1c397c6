"""How good the models of a run are, where end labels are known."""

from collections.abc import Callable, Mapping
from typing import Final

from metalwork.analysis import Metrics
from metalwork.analysis import evaluate as measure
from metalwork.label_models import MajorityVote
from metalwork.pipeline._job import Job
from metalwork.pipeline._models import LABEL_MODEL_TITLES
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import LabelMatrix

Results = dict[str, dict[str, Metrics]]
"""Metrics by model name, then by split name."""

HARD_VOTE: Final = "Hard majority vote"
END_MODEL: Final = "End model"


def known_splits(job: Job, *among: str) -> list[str]:
    """Those of dev and test (or of the splits named) that have records of which a label is known."""
    return [split for split in among or ("dev", "test") if split in job.splits and job.split(split).known.size]


def score(
    job: Job,
    votes: Mapping[str, LabelMatrix],
    labels: Mapping[str, TaskProbabilities],
    end: Mapping[str, TaskProbabilities],
    *among: str,
) -> Results:
    """Metrics of the hard majority vote and, where there are any, the label model and the end model.

    Scored are dev and test, or the splits named, where labels are known.
    """
    hard = MajorityVote(job.schema, mode="hard", random_state=job.random_state).fit(votes["train"])
    predictors: dict[str, Callable[[str], TaskProbabilities]] = {
        HARD_VOTE: lambda split: hard.predict_proba(votes[split])
    }
    if labels:
        predictors[LABEL_MODEL_TITLES[job.label_model.name]] = lambda split: labels[split]
    if end:
        predictors[END_MODEL] = lambda split: end[split]
    return {
        name: {
            split: measure(predict(split), job.known_labels(split), job.space)
            for split in known_splits(job, *among)
        }
        for name, predict in predictors.items()
    }
