"""Steps of a run in the background: one errand at a time, with its progress, and a way to end it."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from metalwork.errors import ConfigError
from metalwork.pipeline import Event, Progress, StepFinished, StepStarted, Warned
from metalwork.studio._errand import work

_GRACE: Final = 5.0  # seconds from the wish to end to its end
_MOST_WARNINGS: Final = 50


@dataclass
class Errand:
    """What is being done, or was.

    Attributes
    ----------
    folder : str
        The name of the run's folder.
    steps : sequence of str
    step : str
        The one that is being done.
    done : list of (str, float)
        Steps that are done, with their seconds.
    progress : Progress or None
        How far the step is.
    warnings : list of str
    error : str or None
        Why it ended before its time; empty where somebody ended it.
    is_over, is_begun, is_cancelled : bool
    """

    folder: str
    steps: Sequence[str]
    step: str = ""
    done: list[tuple[str, float]] = field(default_factory=list)
    progress: Progress | None = None
    warnings: list[str] = field(default_factory=list)
    error: str | None = None
    is_over: bool = False
    is_begun: bool = False
    is_cancelled: bool = False
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def hear(self, event: Event) -> None:
        """Take in one event of the run."""
        if isinstance(event, StepStarted):
            self.step, self.progress = event.step, None
        elif isinstance(event, Progress):
            self.progress = event
        elif isinstance(event, Warned) and len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(event.text)
        elif isinstance(event, StepFinished):
            self.done.append((event.step, event.seconds))

    def end(self, error: str | None) -> None:
        """It is over."""
        self.error = "" if self.is_cancelled and error is not None else error
        self.seconds = time.monotonic() - self.started
        self.is_over = True


class Runner:
    """Does errands in a process of their own, one at a time.

    Parameters
    ----------
    path : path
        The project file.
    on_end : callable
        Told of each errand that is over.
    """

    def __init__(self, path: Path, on_end: Callable[[Errand], object]) -> None:
        self._path, self._on_end = path, on_end
        self._lock = threading.Lock()
        self._process: Any = None
        self.errand: Errand | None = None

    @property
    def is_busy(self) -> bool:
        """Whether an errand is on its way."""
        return self.errand is not None and not self.errand.is_over

    def start(self, folder: str, steps: Sequence[str]) -> Errand:
        """Do steps in the run folder of this name, new or from before.

        Raises
        ------
        ConfigError
            When another errand is on its way.
        """
        with self._lock:
            if self.is_busy:
                raise ConfigError("A run is on its way already. Wait for it, or end it first.")
            spawn = multiprocessing.get_context("spawn")
            ours, theirs = spawn.Pipe()
            self._process = spawn.Process(target=work, args=(theirs, str(self._path), folder, tuple(steps)))
            self._process.start()
            theirs.close()
            self.errand = errand = Errand(folder, tuple(steps))
            threading.Thread(target=self._listen, args=(ours, errand, self._process), daemon=True).start()
            return errand

    def cancel(self) -> None:
        """End the errand: what its finished steps wrote is kept."""
        with self._lock:
            process = self._process
            if process is None or not self.is_busy:
                return
            assert self.errand is not None
            self.errand.is_cancelled = True
            if self.errand.is_begun:
                os.kill(process.pid, signal.SIGINT)
            else:
                process.terminate()
        threading.Thread(target=_make_sure, args=(process,), daemon=True).start()

    def stop(self) -> None:
        """End the errand, and wait for that."""
        self.cancel()
        if self._process is not None:
            _make_sure(self._process)

    def _listen(self, connection: Connection, errand: Errand, process: Any) -> None:
        error: str | None = "The process that did it has ended. Is there enough memory?"
        try:
            errand.is_begun = connection.recv()
            while isinstance(event := connection.recv(), StepStarted | Progress | Warned | StepFinished):
                errand.hear(event)
            error = event
        except (EOFError, OSError):
            pass
        connection.close()
        _make_sure(process)
        errand.end(error)
        self._on_end(errand)


def _make_sure(process: Any) -> None:
    """Wait for a process to end, which it may do in its own time for a while."""
    process.join(_GRACE)
    if process.is_alive():
        process.terminate()
        process.join(1)
    if process.is_alive():
        process.kill()
