"""What the paper compares: label models and end models, each under a key that the tables refer to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

import metalwork as mw
from metalwork.experiments._trials import EndModelJob, Evaluation, Scores, score
from metalwork.label_models import LabelModel
from metalwork.pipeline import Job, Run, build_featurizer

Known = npt.NDArray[np.int64]
"""What is known of each task (n_points, n_tasks), as ``schema.known_codes`` says it."""


@dataclass(frozen=True)
class LabelArm:
    """One way to turn votes into probabilities.

    Attributes
    ----------
    build : callable
        Makes the label model from schema and seed.
    dev : bool
        Whether ``fit`` is given the dev labels.
    seeded : bool
        Whether the seed matters. The other arms are fitted once, and stand for every trial.
    all_levels : bool
        Whether the root task's LFs take part.
    """

    build: Callable[[mw.TaskSchema, int], LabelModel]
    dev: bool = False
    seeded: bool = False
    all_levels: bool = True


def _hierarchical(schema: mw.TaskSchema, seed: int) -> LabelModel:
    return mw.HierarchicalLabelModel(schema, random_state=seed)


def _log_linear(schema: mw.TaskSchema, seed: int) -> LabelModel:
    return mw.LogLinearLabelModel(schema)


def _hard_vote(schema: mw.TaskSchema, seed: int) -> LabelModel:
    return mw.MajorityVote(schema, mode="hard", random_state=seed)


def _soft_vote(schema: mw.TaskSchema, seed: int) -> LabelModel:
    return mw.MajorityVote(schema, mode="soft")


LABEL_ARMS: Final[Mapping[str, LabelArm]] = {
    "hard": LabelArm(_hard_vote, seeded=True),
    "soft": LabelArm(_soft_vote),
    "paper": LabelArm(_log_linear),
    "default": LabelArm(_hierarchical),
    "default, dev": LabelArm(_hierarchical, dev=True),
    "paper, no root": LabelArm(_log_linear, all_levels=False),
    "default, dev, no root": LabelArm(_hierarchical, dev=True, all_levels=False),
}


@dataclass(frozen=True)
class EndArm:
    """One end model: its architecture, and the label arm that supervises it (``gold``: the dev labels)."""

    labels: str
    architecture: str = "hier"


END_ARMS: Final[Mapping[str, EndArm]] = {
    "gold": EndArm("gold"),
    "hier": EndArm("default, dev"),
    "flat": EndArm("default, dev", "flat"),
    "single": EndArm("default, dev", "single"),
    "hier, no dev": EndArm("default"),
    "hier, paper": EndArm("paper"),
    "hier, no root": EndArm("default, dev, no root"),
}


@dataclass(frozen=True)
class Split:
    """Features of one split, the votes of every LF on it, and its gold, None where it is not published."""

    features: Any
    votes: mw.LabelMatrix
    gold: Known | None


@dataclass(frozen=True)
class Prepared:
    """A job ready for trials. The gold of train is for scoring only; no model ever sees it."""

    job: Job
    train: Split
    dev: Split
    test: Split

    @property
    def schema(self) -> mw.TaskSchema:
        """The tree of tasks."""
        return self.job.schema

    @property
    def end_model(self) -> dict[str, Any]:
        """Arguments of the end model that the trials have in common: all but schema, architecture and seed."""
        return {name: value for name, value in self.job.end_model.arguments().items() if name != "architecture"}

    @property
    def lower_lfs(self) -> list[int]:
        """Positions of the LFs below the root task."""
        return [j for j, task in enumerate(self.train.votes.tasks) if task != self.schema.root]

    @property
    def has_levels(self) -> bool:
        """Whether some LFs go, and some stay, when the root task's are taken away."""
        return 0 < len(self.lower_lfs) < self.train.votes.n_lfs

    def votes(self, split: Split, arm: LabelArm) -> mw.LabelMatrix:
        """The votes that take part in ``arm``."""
        return split.votes if arm.all_levels else split.votes.lfs(self.lower_lfs)

    @property
    def label_arms(self) -> tuple[str, ...]:
        """Keys of the label arms that make sense here."""
        return tuple(key for key, arm in LABEL_ARMS.items() if arm.all_levels or self.has_levels)

    @property
    def end_arms(self) -> tuple[str, ...]:
        """Keys of the end arms that make sense here."""
        return tuple(key for key, arm in END_ARMS.items() if arm.labels in ("gold", *self.label_arms))


def prepare(job: Job, done: Callable[[str], None]) -> Prepared:
    """Apply the LFs and make the features of every split; what these learn comes from the training records.

    Words are counted, as in the paper, whatever the job does with them.
    """
    run = Run(job).apply()
    done("applied the labeling functions")
    features = build_featurizer(job.features.model_copy(update={"words": "counts"}))
    features.fit(run.split("train").records)
    gold = {"train": hidden_gold(job), "dev": job.known_labels("dev"), "test": job.known_labels("test")}
    train, dev, test = (
        Split(features.transform(run.split(name).records), run.votes[name], known) for name, known in gold.items()
    )
    done("counted the words")
    return Prepared(job, train, dev, test)


def hidden_gold(job: Job) -> Known | None:
    """The gold of the training records, which a job itself leaves aside; None where it is not published."""
    known, project = job.known_labels("train"), job.project
    if project is not None:
        frame = job.split("train").records
        if project.settings.data.label in frame.columns:
            known = job.schema.known_codes(frame[project.settings.data.label], names=True)
    return known if (known >= 0).any() else None


@dataclass(frozen=True)
class Labeled:
    """What one label arm made of the training records, and its scores."""

    train: mw.TaskProbabilities
    scores: Scores


def fit_label_arm(prepared: Prepared, key: str, seed: int) -> Labeled:
    """Fit one label model on the training votes, then score it on test."""
    arm = LABEL_ARMS[key]
    train, dev, test = (prepared.votes(split, arm) for split in (prepared.train, prepared.dev, prepared.test))
    model = arm.build(prepared.schema, seed)
    model.fit(train, dev=(dev, prepared.dev.gold) if arm.dev else None)
    on_train, on_test = model.predict_proba(train), model.predict_proba(test)
    return Labeled(on_train, score(on_test, prepared.test.gold, on_train, prepared.train.gold))


def end_model_job(prepared: Prepared, key: str, labeled: Mapping[str, Labeled], seed: int) -> EndModelJob:
    """Everything one end model needs to be trained and scored in another process."""
    arm, train, dev, test = END_ARMS[key], prepared.train, prepared.dev, prepared.test
    selection = None
    if arm.labels == "gold":
        features, probs = dev.features, mw.TaskProbabilities.from_labels(dev.gold, prepared.schema)
    else:
        voted = (prepared.votes(train, LABEL_ARMS[arm.labels]).codes != mw.ABSTAIN).any(axis=1)
        features, probs = train.features[voted], labeled[arm.labels].train.rows(voted)
        selection = (dev.features, dev.gold)
    return EndModelJob(
        features=features,
        probs=probs,
        dev=selection,
        evaluation=Evaluation(test.features, test.gold, train.features, train.gold),
        options={**prepared.end_model, "architecture": arm.architecture},
        seed=seed,
    )
