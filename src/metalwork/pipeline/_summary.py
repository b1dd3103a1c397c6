"""What a run found, gathered for people: the LF tables and the scores of every model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from metalwork.analysis import LFSummary, Metrics, lf_summary
from metalwork.analysis import evaluate as measure
from metalwork.label_models import LabelModel, MajorityVote, load_label_model
from metalwork.pipeline._folder import RunFolder
from metalwork.pipeline._job import Job
from metalwork.pipeline._models import LABEL_MODEL_TITLES, learned_accuracies
from metalwork.pipeline._results import LABEL_MODEL, read_probabilities, read_votes
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import LabelMatrix

Results = dict[str, dict[str, Metrics]]
"""Metrics by model name, then by split name."""

HARD_VOTE: Final = "Hard majority vote"
END_MODEL: Final = "End model"


@dataclass(frozen=True)
class RunSummary:
    """The results of a run, as far as its steps are done.

    Attributes
    ----------
    votes : mapping of split name to LabelMatrix
    labels : mapping of split name to TaskProbabilities
        From the label model; empty before the step ``fit``.
    end : mapping of split name to TaskProbabilities
        From the end model; empty before the step ``evaluate``.
    label_model : LabelModel or None
    lfs : LFSummary
        Of the training votes, with the accuracies that the label model learned.
    gold_lfs : mapping of split name to LFSummary
        On dev and test, where end labels are known.
    notes_on_lfs : tuple of str
        The label model's: LFs in doubt, and LFs that vote alike.
    results : mapping of model name to mapping of split name to Metrics
        On dev and test, where end labels are known.
    """

    votes: Mapping[str, LabelMatrix]
    labels: Mapping[str, TaskProbabilities]
    end: Mapping[str, TaskProbabilities]
    label_model: LabelModel | None
    lfs: LFSummary
    gold_lfs: Mapping[str, LFSummary]
    notes_on_lfs: tuple[str, ...]
    results: Results


def summarise(job: Job, folder: RunFolder) -> RunSummary:
    """Read back what the finished steps of a run wrote.

    Raises
    ------
    ConfigError
        When not even the step ``apply`` is done, or the project has changed since.
    """
    votes, done = read_votes(job, folder), folder.steps
    labels = read_probabilities(job, folder) if "fit" in done else {}
    end = read_probabilities(job, folder, "end_probabilities") if "evaluate" in done else {}
    model = load_label_model(folder.file(LABEL_MODEL)) if "fit" in done else None
    learned = None if model is None else learned_accuracies(model)
    known = known_splits(job)
    return RunSummary(
        votes=votes,
        labels=labels,
        end=end,
        label_model=model,
        lfs=lf_summary(votes["train"], accuracies=learned),
        gold_lfs={s: lf_summary(votes[s], y=job.split(s).gold, accuracies=learned) for s in known},
        notes_on_lfs=tuple(folder.manifest["steps"].get("fit", {}).get("notes_on_lfs", ())),
        results=score(job, votes, labels, end),
    )


def known_splits(job: Job) -> list[str]:
    """Those of dev and test that have records whose end label is known."""
    return [split for split in ("dev", "test") if split in job.splits and job.split(split).known.size]


def score(
    job: Job,
    votes: Mapping[str, LabelMatrix],
    labels: Mapping[str, TaskProbabilities],
    end: Mapping[str, TaskProbabilities],
) -> Results:
    """Metrics of the hard majority vote and, where there are any, the label model and the end model."""
    hard = MajorityVote(job.schema, mode="hard", random_state=job.random_state).fit(votes["train"])
    predictors: dict[str, Callable[[str], TaskProbabilities]] = {
        HARD_VOTE: lambda split: hard.predict_proba(votes[split])
    }
    if labels:
        predictors[LABEL_MODEL_TITLES[job.label_model.name]] = lambda split: labels[split]
    if end:
        predictors[END_MODEL] = lambda split: end[split]
    return {
        name: {split: measure(predict(split), job.split(split).gold) for split in known_splits(job)}
        for name, predict in predictors.items()
    }
