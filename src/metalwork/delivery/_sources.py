"""Where a predictor's models come from."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from metalwork._checks import FloatArray, check_choice
from metalwork.delivery._answers import Codes
from metalwork.delivery._engines import Voting, pooled
from metalwork.errors import ConfigError
from metalwork.label_models import LabelModel
from metalwork.labeling import LabelingFunction
from metalwork.pipeline import KeptLFs, KeptRun
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.end_models import EndModel

KINDS = ("end", "label", "both")
_SHARES = {"end": "end_probabilities", "label": "probabilities"}
_STEPS = {"end": "train", "label": "fit", "both": "train"}
_KEPT_BY = {"end": "evaluate", "label": "fit", "both": "evaluate"}


class Source(ABC):
    """What a folder holds for a predictor."""

    name: str

    @abstractmethod
    def pick(self, model: str | None) -> str:
        """Which model predicts, ``"end"``, ``"label"`` or ``"both"``; ``ConfigError`` where it is not there."""

    @abstractmethod
    def end_model(self, device: str) -> "EndModel":
        """The trained network."""

    @property
    @abstractmethod
    def label_model(self) -> LabelModel:
        """The fitted label model."""

    @abstractmethod
    def voting(self, lfs: Sequence[LabelingFunction] | None, run_code: bool, needed: bool) -> Voting | None:
        """What runs the labeling functions; unless ``needed``, None where they are not there or may not be run."""

    @property
    @abstractmethod
    def types(self) -> Mapping[str, str]:
        """Declared types of columns."""

    @abstractmethod
    def dev(self, model: str, schema: TaskSchema) -> tuple[TaskProbabilities, Codes]:
        """What a model predicted on dev, and the end labels known there; ``ConfigError`` where none is."""

    @abstractmethod
    def predictions(self, model: str, schema: TaskSchema, split: str) -> Iterator[TaskProbabilities]:
        """What a model predicted on a split of the run, in parts; ``ConfigError`` where that is not kept."""

    @abstractmethod
    def votes(self, split: str, lfs: KeptLFs) -> Iterator[LabelMatrix]:
        """The votes on a split of the run, in parts."""


class RunSource(Source):
    """A run's folder."""

    def __init__(self, kept: KeptRun) -> None:
        self.kept = kept
        self._lfs: KeptLFs | None = None
        self.name = kept.folder.path.resolve().name if kept.project is None else kept.project.name

    def pick(self, model: str | None) -> str:
        if model is None:
            return "end" if self.kept.has_end_model else "label"
        self.kept.folder.require(_STEPS[check_choice("model", model, KINDS)])
        if model != "label" and not self.kept.has_end_model:
            raise ConfigError(
                f"model must be 'label' here: {self.kept.folder.path} has no end model, as its project says "
                f"(end_model: none); got {model!r}. Ask for the label model, or train a network."
            )
        return model

    def end_model(self, device: str) -> "EndModel":
        return self.kept.end_model(device)

    @property
    def label_model(self) -> LabelModel:
        return self.kept.label_model

    def voting(self, lfs: Sequence[LabelingFunction] | None, run_code: bool, needed: bool) -> Voting | None:
        if lfs is not None:
            own = KeptLFs(list(lfs), self.label_model.schema)
        else:
            try:
                own = self.kept.lfs(run_code)
            except ConfigError:
                if needed or run_code:
                    raise
                return None
        self._lfs = own
        return Voting(own, self.kept.vote_total(own))

    @property
    def types(self) -> Mapping[str, str]:
        return self.kept.types

    def predictions(self, model: str, schema: TaskSchema, split: str) -> Iterator[TaskProbabilities]:
        self.kept.folder.require(_KEPT_BY[model])
        if split not in self.kept.splits:
            known = ", ".join(map(repr, self.kept.splits))
            raise ConfigError(f"against must be a split of the run, one of {known}; got {split!r}.")
        shares = self._both(split) if model == "both" else self.kept.shares(_SHARES[model], split)
        return (TaskProbabilities(end, schema) for end in shares)

    def _both(self, split: str) -> Iterator[FloatArray]:
        assert self._lfs is not None  # without them, both models do not predict
        kept = (self.kept.shares(_SHARES[model], split) for model in ("end", "label"))
        return map(pooled, *kept, self.votes(split, self._lfs))

    def votes(self, split: str, lfs: KeptLFs) -> Iterator[LabelMatrix]:
        return self.kept.votes_in_parts(split, lfs)

    def dev(self, model: str, schema: TaskSchema) -> tuple[TaskProbabilities, Codes]:
        if "dev" not in self.kept.splits:
            raise ConfigError(
                f"{self.kept.folder.path} must have dev records with known labels; it has none. "
                "Pass some: threshold_for(precision, dev=(records, labels))."
            )
        gold = self.kept.known("dev", schema)
        parts = [part.end for part in self.predictions(model, schema, "dev")]
        return TaskProbabilities(np.concatenate(parts), schema), gold
