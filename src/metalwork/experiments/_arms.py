"""What the paper compares: label models and end models, each under a key that the tables refer to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from metalwork._checks import ABSTAIN
from metalwork.experiments._dataset import Dataset
from metalwork.experiments._trials import EndModelJob, Evaluation, Scores, score
from metalwork.features import WordCounts
from metalwork.label_models import HierarchicalLabelModel, LabelModel, LogLinearLabelModel, MajorityVote
from metalwork.labeling import apply
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix


@dataclass(frozen=True)
class Settings:
    """What all trials have in common.

    Attributes
    ----------
    min_df : int
        Words in fewer training texts are dropped.
    end_model : mapping
        Arguments of :class:`metalwork.EndModel` besides schema, architecture and seed.
    """

    min_df: int = 2
    end_model: Mapping[str, Any] = field(default_factory=lambda: {"hidden_sizes": (250, 50)})


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

    build: Callable[[TaskSchema, int], LabelModel]
    dev: bool = False
    seeded: bool = False
    all_levels: bool = True


def _hierarchical(schema: TaskSchema, seed: int) -> LabelModel:
    return HierarchicalLabelModel(schema, random_state=seed)


def _log_linear(schema: TaskSchema, seed: int) -> LabelModel:
    return LogLinearLabelModel(schema)


def _hard_vote(schema: TaskSchema, seed: int) -> LabelModel:
    return MajorityVote(schema, mode="hard", random_state=seed)


def _soft_vote(schema: TaskSchema, seed: int) -> LabelModel:
    return MajorityVote(schema, mode="soft")


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
    """Features of one split, and the votes of every LF on it."""

    features: Any
    votes: LabelMatrix


@dataclass(frozen=True)
class Prepared:
    """A data set ready for trials."""

    data: Dataset
    train: Split
    dev: Split
    test: Split

    @property
    def lower_lfs(self) -> list[int]:
        """Positions of the LFs below the root task."""
        return [j for j, task in enumerate(self.train.votes.tasks) if task != self.data.schema.root]

    @property
    def has_levels(self) -> bool:
        """Whether some LFs go, and some stay, when the root task's are taken away."""
        return 0 < len(self.lower_lfs) < self.train.votes.n_lfs

    def votes(self, split: Split, arm: LabelArm) -> LabelMatrix:
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


def prepare(
    data: Dataset, labeling_functions: Sequence[Any], settings: Settings, done: Callable[[str], None]
) -> Prepared:
    """Apply the LFs and count the words of every split; the words come from the training texts."""
    frames = (data.train, data.dev, data.test)
    votes = [apply(labeling_functions, frame, data.schema) for frame in frames]
    done("applied the labeling functions")
    counter = WordCounts(min_df=settings.min_df).fit(data.train[data.words])
    features = [counter.transform(frame[data.words]) for frame in frames]
    done("counted the words")
    train, dev, test = (Split(*parts) for parts in zip(features, votes, strict=True))
    return Prepared(data, train, dev, test)


@dataclass(frozen=True)
class Labeled:
    """What one label arm made of the training records, and its scores."""

    train: TaskProbabilities
    scores: Scores


def fit_label_arm(prepared: Prepared, key: str, seed: int) -> Labeled:
    """Fit one label model on the training votes, then score it on test."""
    arm = LABEL_ARMS[key]
    train, dev, test = (prepared.votes(split, arm) for split in (prepared.train, prepared.dev, prepared.test))
    data = prepared.data
    known = data.schema.task_codes  # by end label: codes of labels named by digits would be taken for names
    model = arm.build(data.schema, seed)
    model.fit(train, dev=(dev, known[data.dev_labels]) if arm.dev else None)
    on_train, on_test = model.predict_proba(train), model.predict_proba(test)
    gold = None if data.train_labels is None else known[data.train_labels]
    return Labeled(on_train, score(on_test, known[data.test_labels], on_train, gold))


def end_model_job(
    prepared: Prepared, key: str, labeled: Mapping[str, Labeled], settings: Settings, seed: int
) -> EndModelJob:
    """Everything one end model needs to be trained and scored in another process."""
    arm, data = END_ARMS[key], prepared.data
    train, dev, test = prepared.train, prepared.dev, prepared.test
    known, selection = data.schema.task_codes, None
    if arm.labels == "gold":
        features, probs = dev.features, TaskProbabilities.from_labels(known[data.dev_labels], data.schema)
    else:
        voted = (prepared.votes(train, LABEL_ARMS[arm.labels]).codes != ABSTAIN).any(axis=1)
        features, probs = train.features[voted], labeled[arm.labels].train.rows(voted)
        selection = (dev.features, known[data.dev_labels])
    gold = None if data.train_labels is None else known[data.train_labels]
    return EndModelJob(
        features=features,
        probs=probs,
        dev=selection,
        evaluation=Evaluation(test.features, known[data.test_labels], train.features, gold),
        options={**settings.end_model, "architecture": arm.architecture},
        seed=seed,
    )
