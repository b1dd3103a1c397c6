"""One run of a job, in memory; a folder, where there is one, keeps what its steps find."""

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal, Self

from metalwork import _html
from metalwork._checks import check_count, check_instance
from metalwork.errors import ConfigError
from metalwork.labeling import LabelingFunction
from metalwork.pipeline._events import (
    Event,
    OnEvent,
    Progress,
    StepFinished,
    StepStarted,
    Warned,
    noting_warnings,
)
from metalwork.pipeline._folder import STEPS, RunFolder, open_folder
from metalwork.pipeline._found import RunResults
from metalwork.pipeline._inputs import Inputs
from metalwork.pipeline._job import Job
from metalwork.pipeline._memory import job_in_memory
from metalwork.pipeline._project import load_project
from metalwork.pipeline._settings import EndModelSettings, FeatureSettings, LabelModelSettings, TuneSettings
from metalwork.pipeline._steps import step_named
from metalwork.pipeline._storage import Storage
from metalwork.pipeline._work import Work
from metalwork.votes import Space


class Run(RunResults):
    """A job and what its steps found: each record file read once, each result computed or loaded once.

    The steps are ``apply``, ``fit``, ``train``, ``evaluate`` and ``report``. Calling one does it (again) and
    withdraws what later steps found; asking for a result does the steps it needs that are not done yet. What
    finished steps left in the folder is loaded when it is first asked for.

    Parameters
    ----------
    job : Job
        Schema, labeling functions, records and settings. :meth:`open` takes a project file instead, and :meth:`of`
        records.
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
        self.job = check_instance("job", job, Job, "Call Run.open(path) for a project file, or Run.of(...).")
        self.folder = folder if isinstance(folder, RunFolder) or folder is None else RunFolder(folder)
        if self.folder is not None and self.folder.project is None and job.project is not None:
            self.folder.project = str(job.project.path)
        self._inputs = Inputs(job)
        self._on_event = on_event
        self.storage = Storage(self.folder)
        self._found: dict[str, Any] = {}
        self._assembled: dict[str, Any] = {}
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
        if not isinstance(project, str | os.PathLike):
            raise ConfigError(
                f"project must be the path of a project file; got {type(project).__name__}. "
                "For records in memory call Run.of(schema, lfs, train=records)."
            )
        read = load_project(project)
        folder = None if run is None else open_folder(read, run)
        return cls(Job.of_project(read), folder, on_event)

    @classmethod
    def of(
        cls,
        schema: Space,
        lfs: Sequence[LabelingFunction],
        *,
        train: Any,
        dev: Any = None,
        test: Any = None,
        label: str = "label",
        id: str | None = None,
        features: Mapping[str, Any] | FeatureSettings | None = None,
        label_model: Mapping[str, Any] | LabelModelSettings | None = None,
        end_model: Mapping[str, Any] | EndModelSettings | None = None,
        tune: bool | Mapping[str, Any] | TuneSettings = False,
        random_state: int = 0,
        backend: Literal["serial", "processes", "ray"] | None = None,
        n_jobs: int | None = None,
        name: str = "records",
        folder: RunFolder | str | os.PathLike[str] | None = None,
        on_event: OnEvent | None = None,
    ) -> Self:
        """A run of records in memory, without a project file.

        Parameters
        ----------
        schema : TaskSchema or FeasibleLabels
        lfs : list of LabelingFunction
        train : records
            As ``apply`` takes them: a data frame, a list of dicts or texts, the path of a file; no labels.
        dev, test : records, or pair (records, labels), optional
            Labels (n_points,) are what ``schema.known_codes`` takes; else the column ``label`` has their names.
        label : str
            The column of dev and test with the labels' names.
        id : str, optional
            The column that names the records in results; the row number by default.
        features : dict or FeatureSettings, optional
            What the end model reads, as in a project file: ``{"text": "body"}``, ``{"columns": ["age"]}`` or both
            in one. By default the words of the column ``text``.
        label_model, end_model : dict or settings, optional
            As in a project file: ``{"name": "soft-vote"}``, ``{"architecture": "flat", "max_epochs": 20}``.
        tune : bool, dict or TuneSettings
            Try settings on the dev records, as in a project file; :attr:`tuned` tells what that found.
        random_state : int
        backend : {"serial", "processes", "ray"}, optional
            As in a project file: where labeling functions run, and where large runs are worked on.
        n_jobs : int, optional
            Processes at a time.
        name : str
            What the report is called.
        folder : RunFolder or path, optional
            Where results are kept; by default nothing is kept on disk.
        on_event : callable, optional

        Raises
        ------
        ConfigError, DataError, LabelingError, VotesError
            When something given does not fit.

        Examples
        --------
        >>> import metalwork as mw
        >>> schema = mw.TaskSchema.flat(["ham", "spam"])
        >>> lfs = [mw.keywords("label", "spam", ["win"]), mw.keywords("label", "ham", ["hello"])]
        >>> mw.Run.of(schema, lfs, train=["win a car", "hello you"]).votes["train"].codes.tolist()
        [[1, -1], [-1, 0]]
        """
        splits = {"train": train, "dev": dev, "test": test}
        job = job_in_memory(
            schema,
            lfs,
            splits,
            label=label,
            id=id,
            features=features,
            label_model=label_model,
            end_model=end_model,
            tune=tune,
            random_state=check_count("random_state", random_state, least=0),
            backend=backend,
            n_jobs=None if n_jobs is None else check_count("n_jobs", n_jobs),
            name=name,
        )
        return cls(job, folder, on_event)

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

    def run(self, fresh: bool = False) -> Self:
        """All steps in order, but for those that are done and whose inputs have not changed.

        Parameters
        ----------
        fresh : bool
            Do these again, too.
        """
        with self._writing():
            if fresh:
                self.clear()
            for step in STEPS:
                if not (step in self._found or self.is_kept(step)):
                    self._do(step)
        return self

    def clear(self) -> Self:
        """Take away all results, also those of a step that an earlier process did not finish."""
        self._forget(STEPS[0])
        if self.folder is not None:
            with self.folder.writing():
                self.folder.clear()
        return self

    def progress(self, step: str, unit: str, done: int, total: int | None, **how: Any) -> None:
        """Tell whoever listens how far a step is, and ``how`` labeling functions or training do."""
        if self._on_event is not None:
            self._tell(Progress(step, unit, done, total, **how))

    def is_kept(self, step: str) -> bool:
        """Whether the folder holds what a step found, and all that it and earlier steps read is as it was."""
        if self.folder is None or step not in self.folder.steps:
            return False
        done = self.folder.manifest["steps"]
        read = (*step_named(step).needs, step)
        return all(s in done and not self._inputs.changed(s, done[s]["inputs"], done) for s in read)

    def goes_on(self, steps: Sequence[str]) -> bool:
        """Whether some of ``steps`` are left to do in the folder, and all that the others read is as it was."""
        if self.folder is None or set(steps) <= set(self.folder.steps):
            return False
        return all(map(self.is_kept, self.folder.steps))

    def _result(self, step: str) -> Any:
        if step not in self._found:
            if self.folder is not None and step in self.folder.steps:
                for read in (*step_named(step).needs, step):  # also what earlier steps read: rows must match
                    self._inputs.check(read, self.folder)
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
            self._forget(step)
            if self.folder is not None and step == "apply":
                self._inputs.read_records()  # a file that changes while it is read is one that changed since
            work = self._work(step)
            self._inputs.add_code(work.code)
            with noting_warnings(lambda text: self._tell(Warned(step, text))) as texts, self._watching_code():
                found = step_named(step).do(self, work)
            if self.folder is not None:
                inputs = self._inputs.of(step, self.folder, step_named(step).needs)
                facts = step_named(step).facts(self, found) | {"warnings": texts, "inputs": inputs}
                work.commit(facts, self._inputs.save_copies(self.folder))
            self._found[step], self._warnings[step] = found, tuple(texts)
            self._tell(StepFinished(step, time.perf_counter() - start))
        return self

    def _work(self, step: str) -> Work:
        folder, needs = self.folder, step_named(step).needs
        if folder is None:
            return Work(None, step)
        return Work(
            folder,
            step,
            lambda: self._inputs.of(step, folder, needs),
            lambda read: not self._inputs.changed(step, read, folder.manifest["steps"]),
        )

    def _forget(self, step: str) -> None:
        """Let go of what a step and later ones found."""
        for later in STEPS[STEPS.index(step) :]:
            self._found.pop(later, None)
            self._warnings.pop(later, None)
            self.storage.forget(step_named(later).shards)
        self._assembled.clear()

    def _writing(self) -> AbstractContextManager[Any]:
        return nullcontext() if self.folder is None else self.folder.writing()

    def _watching_code(self) -> AbstractContextManager[Any]:
        return nullcontext() if self.job.code is None else self.job.code.watching()

    def _tell(self, event: Event) -> None:
        if self._on_event is not None:
            self._on_event(event)

    def _repr_html_(self) -> str:
        rows = [(step, "done" if step in self.steps else "not yet") for step in STEPS]
        parts = [_html.table(["step", ""], rows, n_text=2)]
        if self.warnings:
            parts.append(_html.lines("\n".join(self.warnings)))
        return _html.block(f"Run {self.job.name} {self._where()}", *parts)

    def _where(self) -> str:
        return "in memory" if self.folder is None else f"in {Path(self.folder.path)}"

    def __repr__(self) -> str:
        return f"Run({self.job.name!r}, {self._where()}, steps done: {', '.join(self.steps) or 'none'})"
