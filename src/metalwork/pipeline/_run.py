"""One run of a job, in memory; a folder, where there is one, keeps what its steps find."""

import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from metalwork.analysis import LFSummary, lf_summary
from metalwork.errors import MetalworkWarning
from metalwork.label_models import LabelModel
from metalwork.pipeline._coverage import Coverage, coverage
from metalwork.pipeline._events import Event, OnEvent, Progress, StepFinished, StepStarted, Warned
from metalwork.pipeline._folder import STEPS, RunFolder, open_folder
from metalwork.pipeline._inputs import Inputs
from metalwork.pipeline._job import Job, Split
from metalwork.pipeline._models import learned_accuracies
from metalwork.pipeline._project import load_project
from metalwork.pipeline._scores import Results, known_splits, score
from metalwork.pipeline._steps import Applied, Evaluated, Fitted, Reported, Trained, step_named
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.end_models import EndModel


class Run:
    """A job and what its steps found: each record file read once, each result computed or loaded once.

    The steps are ``apply``, ``fit``, ``train``, ``evaluate`` and ``report``. Calling one does it (again) and
    withdraws what later steps found; asking for a result does the steps it needs that are not done yet. What
    finished steps left in the folder is loaded when it is first asked for.

    Parameters
    ----------
    job : Job
        Schema, labeling functions, records and settings. :meth:`open` takes a project file instead.
    folder : RunFolder or path, optional
        Where every step's results are kept; by default they are in memory alone.
    on_event : callable, optional
        Called with a ``StepStarted``, ``Progress``, ``Warned`` or ``StepFinished`` as the run goes on.

    Examples
    --------
    >>> import metalwork as mw
    >>> run = mw.Run.open("project.yaml").fit()  # doctest: +SKIP
    >>> run.labels["train"].end  # doctest: +SKIP
    """

    def __init__(
        self, job: Job, folder: RunFolder | str | os.PathLike[str] | None = None, on_event: OnEvent | None = None
    ) -> None:
        self.job = job
        self.folder = folder if isinstance(folder, RunFolder) or folder is None else RunFolder(folder)
        if self.folder is not None and self.folder.project is None and job.project is not None:
            self.folder.project = str(job.project.path)
        self._inputs = Inputs(job)
        self._on_event = on_event
        self._found: dict[str, Any] = {}
        self._warnings: dict[str, tuple[str, ...]] = {}

    @classmethod
    def open(
        cls, project: str | os.PathLike[str], run: str | None = None, on_event: OnEvent | None = None
    ) -> Self:
        """A run of a project file.

        Parameters
        ----------
        project : path
            Its Python file is run, where it names one.
        run : str, optional
            Name of the run's folder, below the project's output folder, new or from before; by default nothing
            is kept on disk.
        on_event : callable, optional

        Raises
        ------
        ConfigError
            When the project file has faults, or ``run`` is no plain folder name.
        """
        read = load_project(project)
        folder = None if run is None else open_folder(read, run)
        return cls(Job.of_project(read), folder, on_event)

    def split(self, name: str) -> Split:
        """The records of ``"train"``, ``"dev"`` or ``"test"``."""
        return self.job.split(name)

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

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that are done, in order."""
        kept = self.folder.steps if self.folder is not None else ()
        return tuple(step for step in STEPS if step in self._found or step in kept)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the steps that are done warned of."""
        kept = self.folder.manifest["steps"] if self.folder is not None else {}
        by_step = {step: tuple(facts.get("warnings", ())) for step, facts in kept.items()} | self._warnings
        return tuple(text for step in STEPS for text in by_step.get(step, ()))

    def apply(self) -> Self:
        """Run the labeling functions on every split."""
        return self._do("apply")

    def fit(self) -> Self:
        """Fit the label model on the training votes, and label every split."""
        return self._do("fit")

    def train(self) -> Self:
        """Train the end model on the training records that at least one labeling function voted on."""
        return self._do("train")

    def evaluate(self) -> Self:
        """Predict every split, and score all models where end labels are known."""
        return self._do("evaluate")

    def report(self) -> Self:
        """Draw up everything about the run as one HTML page."""
        return self._do("report")

    def run(self) -> Self:
        """All steps in order."""
        with self._writing():
            for step in STEPS:
                self._do(step)
        return self

    def progress(self, step: str, unit: str, done: int, total: int | None) -> None:
        """Tell whoever listens how far a step is."""
        self._tell(Progress(step, unit, done, total))

    def _learned(self) -> Any:
        return learned_accuracies(self.label_model) if "fit" in self.steps else None

    def _result(self, step: str) -> Any:
        if step not in self._found:
            if self.folder is not None and step in self.folder.steps:
                self._inputs.check(step, self.folder)
                self._found[step] = step_named(step).load(self, self.folder)
            else:
                self._do(step)
        return self._found[step]

    def _do(self, step: str) -> Self:
        with self._writing():
            for needed in step_named(step).needs:
                self._result(needed)
            self._tell(StepStarted(step))
            start = time.perf_counter()
            if self.folder is not None and step == "apply":
                self._inputs.read_records()  # a file that changes while it is read is one that changed since
            with self._noting_warnings(step) as texts, self._watching_code():
                found = step_named(step).compute(self)
            for later in STEPS[STEPS.index(step) :]:
                self._found.pop(later, None)
                self._warnings.pop(later, None)
            if self.folder is not None:
                inputs = self._inputs.of(step, self.folder, step_named(step).needs)
                facts = step_named(step).facts(self, found) | {"warnings": texts, "inputs": inputs}
                with self.folder.step(step, facts) as written:
                    written += self._inputs.save_copies(self.folder)
                    step_named(step).save(self, found, self.folder, written)
            self._found[step], self._warnings[step] = found, tuple(texts)
            self._tell(StepFinished(step, time.perf_counter() - start))
        return self

    def _writing(self) -> AbstractContextManager[Any]:
        return nullcontext() if self.folder is None else self.folder.writing()

    def _watching_code(self) -> AbstractContextManager[Any]:
        return nullcontext() if self.job.code is None else self.job.code.watching()

    def _tell(self, event: Event) -> None:
        if self._on_event is not None:
            self._on_event(event)

    @contextmanager
    def _noting_warnings(self, step: str) -> Iterator[list[str]]:
        """Collect the texts of metalwork's own warnings, and pass all warnings on."""
        texts: list[str] = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", MetalworkWarning)
            yield texts
        for warning in caught:
            if issubclass(warning.category, MetalworkWarning):
                if str(warning.message) in texts:  # of another split
                    continue
                texts.append(str(warning.message))
                self._tell(Warned(step, texts[-1]))
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)

    def __repr__(self) -> str:
        where = "in memory" if self.folder is None else f"in {Path(self.folder.path)}"
        return f"Run({self.job.name!r}, {where}, steps done: {', '.join(self.steps) or 'none'})"
