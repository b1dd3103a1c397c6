"""What the steps of a run found, as attributes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from metalwork.analysis import LFSummary, lf_summary
from metalwork.label_models import LabelModel
from metalwork.pipeline._coverage import Coverage, coverage
from metalwork.pipeline._job import Job
from metalwork.pipeline._models import learned_accuracies
from metalwork.pipeline._scores import Results, known_splits, score
from metalwork.pipeline._steps import Applied, Evaluated, Fitted, Reported, Trained
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.end_models import EndModel


class RunResults(ABC):
    """Results by name; asking for one does the steps that it needs."""

    job: Job

    @property
    @abstractmethod
    def steps(self) -> tuple[str, ...]:
        """The steps that are done, in order."""

    @abstractmethod
    def _result(self, step: str) -> Any:
        """What a step found, done first where it is not."""

    @property
    def votes(self) -> Mapping[str, LabelMatrix]:
        """Label matrix by split."""
        applied: Applied = self._result("apply")
        return applied.votes

    @property
    def label_model(self) -> LabelModel:
        """The label model, fitted on the training votes."""
        fitted: Fitted = self._result("fit")
        return fitted.label_model

    @property
    def labels(self) -> Mapping[str, TaskProbabilities]:
        """The label model's probabilities by split."""
        fitted: Fitted = self._result("fit")
        return fitted.labels

    @property
    def notes_on_lfs(self) -> tuple[str, ...]:
        """The label model's sentences on LFs in doubt, and LFs that vote alike."""
        fitted: Fitted = self._result("fit")
        return fitted.notes_on_lfs

    @property
    def end_model(self) -> "EndModel":
        """The end model, trained on the probabilistic labels."""
        trained: Trained = self._result("train")
        return trained.end_model

    @property
    def end(self) -> Mapping[str, TaskProbabilities]:
        """The end model's probabilities by split."""
        evaluated: Evaluated = self._result("evaluate")
        return evaluated.end

    @property
    def metrics(self) -> Results:
        """Metrics by model name, then split name: dev and test, where end labels are known."""
        evaluated: Evaluated = self._result("evaluate")
        return evaluated.metrics

    @property
    def html(self) -> str:
        """The report: one page of HTML."""
        reported: Reported = self._result("report")
        return reported.html

    @property
    def lfs(self) -> LFSummary:
        """How the LFs do on the training records, with the accuracies that the label model learned once it is."""
        return lf_summary(self.votes["train"], accuracies=self._learned())

    @property
    def gold_lfs(self) -> Mapping[str, LFSummary]:
        """How the LFs do on the records of dev whose labels are known; test is for final figures alone."""
        learned = self._learned()
        return {
            s: lf_summary(self.votes[s], y=self.job.known_labels(s), accuracies=learned)
            for s in known_splits(self.job, "dev")
        }

    def coverage(self, split: str) -> Coverage:
        """Which records of a split have votes, and which of these the votes decide."""
        return coverage(self.votes[split], self.labels[split])

    @property
    def dev_metrics(self) -> Results:
        """As :attr:`metrics`, on dev alone, of the models there are so far."""
        labels = self.labels if "fit" in self.steps else {}
        end = self.end if "evaluate" in self.steps else {}
        return score(self.job, self.votes, labels, end, "dev")

    def _learned(self) -> Any:
        return learned_accuracies(self.label_model) if "fit" in self.steps else None
