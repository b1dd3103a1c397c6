"""What the steps of a run found, as attributes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from metalwork._checks import FloatArray
from metalwork.analysis import LFSummary, lf_summary
from metalwork.errors import ConfigError
from metalwork.inspection import Inspection, RecordPage
from metalwork.label_models import LabelModel
from metalwork.pipeline._coverage import Coverage, LabelShares, coverage
from metalwork.pipeline._inspecting import inspect_run
from metalwork.pipeline._job import Job
from metalwork.pipeline._models import label_model_title, learned_accuracies
from metalwork.pipeline._scores import END_MODEL, Results, Scored, known_splits, score
from metalwork.pipeline._settings import EndModelSettings, LabelModelSettings
from metalwork.pipeline._split import AnySplit, Split
from metalwork.pipeline._steps import Applied, Evaluated, Fitted, Reported, Trained
from metalwork.pipeline._storage import Storage, shard
from metalwork.pipeline._tuned import Tuned
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import Incident, LabelMatrix

if TYPE_CHECKING:
    from metalwork.end_models import EndModel


T = TypeVar("T")


class RunResults(ABC):
    """Results by name; asking for one does the steps that it needs."""

    job: Job
    storage: Storage
    _assembled: dict[str, Any]

    @property
    @abstractmethod
    def steps(self) -> tuple[str, ...]:
        """The steps that are done, in order."""

    @abstractmethod
    def _result(self, step: str) -> Any:
        """What a step found, done first where it is not."""

    @property
    def applied(self) -> Applied:
        """The votes as they are kept: shard by shard."""
        applied: Applied = self._result("apply")
        return applied

    @property
    def votes(self) -> Mapping[str, LabelMatrix]:
        """Label matrix by split."""
        return self._whole("votes", self.applied.whole)

    @property
    def incidents(self) -> list[Incident]:
        """What went wrong where labeling functions failed: the first few of each, in each split."""
        applied: Applied = self._result("apply")
        return [incident for total in applied.totals.values() for incident in total.incidents]

    @property
    def complaints(self) -> list[str]:
        """Of labeling functions that failed on a larger part of a split than they may, a line each."""
        applied: Applied = self._result("apply")
        return [text for total in applied.totals.values() for text in total.complaints(self.job.max_error_rate)]

    @property
    def label_model(self) -> LabelModel:
        """The label model, fitted on the training votes."""
        fitted: Fitted = self._result("fit")
        return fitted.label_model

    @property
    def tuned(self) -> Tuned | None:
        """What trying settings on dev found; None where the job does not ask for it."""
        fitted: Fitted = self._result("fit")
        return fitted.tuned

    @property
    def label_model_settings(self) -> LabelModelSettings:
        """The label model's settings: the job's, or those chosen on dev."""
        tuned = None if self.job.tune is None else self.tuned
        return self.job.label_model if tuned is None else tuned.label_model

    @property
    def end_model_settings(self) -> EndModelSettings:
        """The end model's settings: the job's, or those chosen on dev."""
        tuned = None if self.job.tune is None else self.tuned
        return self.job.end_model if tuned is None else tuned.end_model

    @property
    def labels(self) -> Mapping[str, TaskProbabilities]:
        """The label model's probabilities by split."""
        self._result("fit")
        return self._whole("labels", lambda split: self._joined(self.labels_in_parts(split)))

    @property
    def label_shares(self) -> Mapping[str, LabelShares]:
        """How the label model shares the records of each split among the end labels."""
        fitted: Fitted = self._result("fit")
        return fitted.shares

    @property
    def notes_on_lfs(self) -> tuple[str, ...]:
        """The label model's sentences on LFs in doubt, and LFs that vote alike."""
        fitted: Fitted = self._result("fit")
        return fitted.notes_on_lfs

    @property
    def end_model(self) -> "EndModel":
        """The end model, trained on the probabilistic labels."""
        trained: Trained = self._result("train")
        if trained.end_model is None:
            raise _no_end_model()
        return trained.end_model

    @property
    def end(self) -> Mapping[str, TaskProbabilities]:
        """The end model's probabilities by split."""
        self._result("evaluate")
        return self._whole("end", lambda split: self._joined(self.end_in_parts(split)))

    @property
    def end_shares(self) -> Mapping[str, FloatArray]:
        """The end model's mean probability of each end label (n_end_labels,), by split."""
        evaluated: Evaluated = self._result("evaluate")
        return evaluated.shares

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
        return self._summary("train", False)

    @property
    def gold_lfs(self) -> Mapping[str, LFSummary]:
        """How the LFs do on the records of dev whose labels are known; test is for final figures alone."""
        return {split: self._summary(split, True) for split in known_splits(self.job, "dev")}

    def coverage(self, split: str) -> Coverage:
        """Which records of a split have votes, and which of these the votes decide."""
        return coverage(self.votes[split], self.labels[split])

    @property
    def dev_metrics(self) -> Results:
        """As :attr:`metrics`, on dev alone, of the models there are so far."""
        return self.scores("dev", end="evaluate" in self.steps)

    @property
    def inspection(self) -> Inspection:
        """Questions about the records of train and dev, over what the steps that are done have found.

        A job without labeling functions has no votes yet; its records can be asked for.
        """
        applied = self.applied if self.job.labeling_functions else None
        if self._assembled.get("inspected") != (applied, self.steps):
            self._assembled |= {"inspected": (applied, self.steps), "inspection": inspect_run(self)}
        found: Inspection = self._assembled["inspection"]
        return found

    def records(self, **asked: Any) -> RecordPage:
        """The records of which all that is asked holds; see :meth:`metalwork.inspection.Inspection.records`.

        Examples
        --------
        >>> import metalwork as mw
        >>> schema = mw.TaskSchema.flat(["ham", "spam"])
        >>> lfs = [mw.keywords("label", "spam", ["win"]), mw.keywords("label", "ham", ["hello"])]
        >>> run = mw.Run.of(schema, lfs, train=["win a car", "hello you"])
        >>> page = run.records(lf="ham: hello", vote="ham")
        >>> page.total, page.records[0].fields["text"]
        (1, 'hello you')
        """
        return self.inspection.records(**asked)

    def split(self, name: str) -> AnySplit:
        """The records of ``"train"``, ``"dev"`` or ``"test"``."""
        return self.job.split(name)

    def sizes(self, split: str) -> tuple[int, ...]:
        """How many records of a split each shard of its results has."""
        return self.applied.sizes[split]

    def records_in_parts(self, split: str, text: bool = True) -> Iterator[Split]:
        """The records of a split shard by shard; without ``text``, ids and known labels are enough."""
        return self.job.split(split).in_parts(self.sizes(split), text)

    def votes_in_parts(self, split: str) -> Iterator[LabelMatrix]:
        """The votes on a split, shard by shard."""
        applied = self.applied
        return (applied.part(split, number) for number in range(len(applied.sizes[split])))

    def labels_in_parts(self, split: str) -> Iterator[TaskProbabilities]:
        """The label model's probabilities, shard by shard."""
        return self._probabilities("probabilities", split)

    def end_in_parts(self, split: str) -> Iterator[TaskProbabilities]:
        """The end model's probabilities, shard by shard."""
        if self.job.end_model.is_none:
            raise _no_end_model()
        return self._probabilities("end_probabilities", split)

    def scores(self, *among: str, end: bool) -> Results:
        """Metrics of the hard vote and the models there are so far; of an end model, too, where ``end``."""
        fitted = end or "fit" in self.steps
        end = end and not self.job.end_model.is_none
        titles = [label_model_title(self.label_model_settings)] if fitted else []
        titles += [END_MODEL] * end

        def parts(split: str) -> Iterator[Scored]:
            models = [self.labels_in_parts] * fitted + [self.end_in_parts] * end
            columns = (model(split) for model in models)
            for part, votes, *probs in zip(
                self.records_in_parts(split, text=False), self.votes_in_parts(split), *columns, strict=True
            ):
                yield Scored(votes, self.job.known_labels(part), dict(zip(titles, probs, strict=True)))

        return score(self.job, next(self.votes_in_parts("train")), titles, parts, *among)

    def _summary(self, split: str, known: bool) -> LFSummary:
        learned = learned_accuracies(self.label_model) if "fit" in self.steps else None
        return self.summary_of(self._result("apply"), split, known, learned)

    def summary_of(self, applied: Applied, split: str, known: bool = False, learned: Any = None) -> LFSummary:
        """How the LFs do on a split; where ``known``, by what is known of its records' labels."""
        parts = (applied.part(split, number) for number in range(len(applied.sizes[split])))
        if not known:
            return lf_summary(parts, accuracies=learned)
        gold = self.job.split(split).in_parts(applied.sizes[split], text=False)
        return lf_summary(parts, map(self.job.known_labels, gold), learned)

    def probabilities_of(self, kind: str, split: str, number: int) -> TaskProbabilities:
        """One shard of a kind of probabilities."""
        return TaskProbabilities(self.storage.array(shard(kind, split, number)), self.job.schema)

    def _probabilities(self, kind: str, split: str) -> Iterator[TaskProbabilities]:
        return (self.probabilities_of(kind, split, number) for number in range(len(self.sizes(split))))

    def _joined(self, parts: Iterator[TaskProbabilities]) -> TaskProbabilities:
        return TaskProbabilities(np.concatenate([part.end for part in parts]), self.job.schema)

    def _whole(self, name: str, make: Callable[[str], T]) -> Mapping[str, T]:
        if name not in self._assembled:
            self._assembled[name] = Whole(self.job.splits, make)
        found: Mapping[str, T] = self._assembled[name]
        return found


def _no_end_model() -> ConfigError:
    return ConfigError(
        "The end model must be trained to be asked for; the settings say end_model: none. Use the label model's "
        "labels, or name an architecture."
    )


class Whole(Mapping[str, T]):
    """A result of each split in one piece, put together when it is first asked for."""

    def __init__(self, splits: Iterable[str], make: Callable[[str], T]) -> None:
        self._splits, self._make = tuple(splits), make
        self._made: dict[str, T] = {}

    def __getitem__(self, split: str) -> T:
        if split not in self._made and split in self._splits:
            self._made[split] = self._make(split)
        return self._made[split]

    def __iter__(self) -> Iterator[str]:
        return iter(self._splits)

    def __len__(self) -> int:
        return len(self._splits)
