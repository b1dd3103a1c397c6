"""What the studio knows: the project as it is now, and the newest run that it has read."""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from metalwork.errors import MetalworkError
from metalwork.pipeline import Job, Project, Run, RunFolder, load_project
from metalwork.studio._facts import Facts
from metalwork.studio._labelling import Labelling
from metalwork.studio._runner import Errand, Runner
from metalwork.studio._trier import Trier

if TYPE_CHECKING:
    from metalwork.inspection import Inspection

LABEL: Final = ("apply", "fit")
ALL: Final = ("apply", "fit", "train", "evaluate", "report")

_OWN: Final = "studio-"
_KEPT: Final = 5

Codes = npt.NDArray[np.int64]
Stamps = dict[Path, tuple[int, int, int]]


@dataclass(frozen=True)
class Open:
    """The project as it was read last: ``fault`` says why nothing newer could be."""

    project: Project
    job: Job | None
    fault: str = ""


@dataclass(frozen=True)
class Shown:
    """The run that pages are about."""

    run: Run
    inspection: "Inspection"
    name: str
    number: int
    """Counts the runs that were shown."""
    facts: Facts


class Studio:
    """One project, its newest run, what is being done, and where rules are tried.

    Parameters
    ----------
    path : path
        The project file.

    Raises
    ------
    ConfigError
        When it has faults as the studio starts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._stamps: Stamps = {}
        self._open = Open(load_project(path), None)
        self._note_stamps()
        self._shown: Shown | None = None
        self._code_changed = False
        self._run_stamps: Stamps = {}
        self._number = 0
        self._is_read = threading.Event()
        self._labelling: Labelling | None = None
        self.kept: dict[Any, Any] = {}
        self.patience = 0.3
        """Seconds that the first page waits for figures before it shows without them; they come after it."""
        self.dismissed: set[tuple[str, str, tuple[str, ...]]] = set()
        self.trier = Trier(path)
        self.runner = Runner(path, self._over)

    def start(self) -> None:
        """Begin to read the newest run and the records, without waiting for them."""
        threading.Thread(target=self._first, daemon=True).start()
        self.trier.start()

    def stop(self) -> None:
        """End all that was started."""
        self.runner.stop()
        self.trier.stop()

    def wait(self, seconds: float) -> bool:
        """Wait until the newest run has been read; False where that takes longer."""
        return self._is_read.wait(seconds)

    def open(self) -> Open:
        """The project as it is now; what it was, and why, where it cannot be read as it is."""
        with self._lock:
            if self._stamps != (now := _stamps_of(self._stamps)):
                code = {path for path in now if path.suffix == ".py"}
                self._code_changed |= any(self._stamps[path] != now[path] for path in code)
                self._reopen()
            return self._open

    def job(self) -> Job:
        """The project's job; its Python files have been run.

        Raises
        ------
        MetalworkError
            When there is none, as the project has faults.
        """
        with self._lock:
            found = self.open()
            if found.job is None:
                job = Job.of_project(found.project)
                self._open = found = Open(found.project, job, found.fault)
                self._note_stamps()
            assert found.job is not None
            return found.job

    @property
    def project(self) -> Project:
        """The project, as it could be read last."""
        return self.open().project

    def columns(self) -> list[str]:
        """The columns of the training records but the known labels; none while the project cannot be run."""
        try:
            job = self.job()
        except MetalworkError:
            return []
        label = self.project.settings.data.label
        return [name for name in job.columns["train"] if name != label]

    def known_labels(self) -> Codes:
        """What is known of each task on dev (n_points, n_tasks), as ``schema.known_codes`` says it."""
        job = self.job()
        if "dev" not in job.splits:
            return np.full((0, job.schema.n_tasks), -1)
        return job.known_labels("dev")

    def labelling(self) -> Labelling:
        """Labels that are given by hand.

        Raises
        ------
        ConfigError
            When dev records do not lie in files of the project's own.
        """
        with self._lock:
            if self._labelling is None:
                self._labelling = Labelling(self.project)
            return self._labelling

    @property
    def shown(self) -> Shown | None:
        """The run that pages are about."""
        return self._shown

    def is_behind(self) -> bool:
        """Whether the project or its records have changed since the run that is shown."""
        self.open()
        return self._shown is not None and self._run_stamps != _stamps_of(self._run_stamps)

    def update(self, steps: Iterable[str] = LABEL) -> Errand:
        """Do these steps in a new folder, or in the one that is shown where it is of the project as it is."""
        steps, shown = tuple(steps), self._shown
        goes_on = shown is not None and bool(shown.name) and not self.is_behind() and steps != LABEL
        name = shown.name if goes_on and shown is not None else self._new_name()
        return self.runner.start(name, steps)

    def follow(self) -> None:
        """Find votes and labels again where the project's Python has changed and can be run.

        Where rules ask a language model, which may cost money, that is left to a click.
        """
        found = self.open()
        if not self._code_changed or found.fault or self.runner.is_busy:
            return
        self._code_changed = False
        if not any(rule.llm is not None for rule in found.project.settings.lfs.rules):
            self.update()

    def reload(self) -> None:
        """Read the project, its records and its newest run again."""
        with self._lock:
            self._reopen()
            job = self.job()
            for folder in RunFolder.all(job.project.output if job.project is not None else Path(), str(self.path)):
                run = Run(job, folder)
                if job.labeling_functions and run.is_kept("apply"):
                    self._show(run, folder)
                    return
            if not job.labeling_functions:  # its records can be looked at
                self._show(Run(job), None)

    def folders(self) -> list[RunFolder]:
        """The runs there are, the newest first."""
        return list(RunFolder.all(self.project.output, str(self.path)))

    def _show(self, run: Run, folder: RunFolder | None) -> None:
        self._number += 1
        inspection = run.inspection
        facts = Facts(run, inspection)
        name = "" if folder is None else folder.path.name
        self._shown = Shown(run, inspection, name, self._number, facts)
        threading.Thread(target=_warm, args=(facts,), daemon=True).start()
        self._run_stamps = _stamps_of([*self._stamps, *_record_files(run.job)])

    def _first(self) -> None:
        try:
            self.reload()
        except (MetalworkError, OSError) as error:
            self._open = Open(self._open.project, self._open.job, str(error))
        finally:
            self._is_read.set()

    def _over(self, errand: Errand) -> None:
        """An errand is over: show what it found."""
        try:
            self.reload()
        except (MetalworkError, OSError) as error:
            self._open = Open(self._open.project, self._open.job, str(error))
        with suppress(MetalworkError, OSError):  # a run that somebody else writes to, or put files in, stays
            self._prune()

    def _reopen(self) -> None:
        try:
            project = load_project(self.path)
            self._open = Open(project, None)
            self._note_stamps()
            self._open = Open(project, Job.of_project(project))
        except (MetalworkError, OSError) as error:
            self._open = Open(self._open.project, self._open.job, str(error))
        self._note_stamps()

    def _note_stamps(self) -> None:
        project, job = self._open.project, self._open.job
        files = [self.path, *project.code]
        schema = project.settings.task_schema
        if isinstance(schema, str):
            files.append(project.folder / schema)
        if job is not None and job.code is not None:
            files += job.code.digests
        self._stamps = _stamps_of(files)

    def _new_name(self) -> str:
        name, number = _OWN + time.strftime("%Y%m%d-%H%M%S", time.gmtime()), 1
        while (self.project.output / (name if number == 1 else f"{name}-{number}")).exists():
            number += 1
        return name if number == 1 else f"{name}-{number}"

    def _prune(self) -> None:
        """Of the runs that were made here and never trained, keep the newest few."""
        own = [
            folder
            for folder in self.folders()
            if folder.path.name.startswith(_OWN) and set(folder.steps) <= set(LABEL)
        ]
        for folder in own[_KEPT:]:
            if self._shown is None or folder.path.name != self._shown.name:
                _remove(folder)


def _warm(facts: Facts) -> None:
    """Have figures ready before a page asks for them."""
    with suppress(MetalworkError, OSError):  # the page says what is wrong
        facts.warm()


def _remove(folder: RunFolder) -> None:
    with folder.writing():
        folder.clear()
    for path in sorted(folder.path.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        elif path.name in (".lock", "manifest.json"):
            path.unlink()
    folder.path.rmdir()


def _record_files(job: Job) -> list[Path]:
    return [path for split, files in job.files.items() if split != "test" for path in files]


def _stamps_of(files: Iterable[Path]) -> Stamps:
    return {path: _stamp(path) for path in files}


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (-1, -1, -1)
    return found.st_ino, found.st_size, found.st_mtime_ns
