"""SIGKILL at random moments of a run: the same command goes on, writes nothing again, and ends the same."""

import os
import random
import signal
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metalwork.pipeline import STEPS, RunFolder
from tests.campaigns._commands import Fault, operations_in, start
from tests.campaigns._projects import copy_of, results_of, write_project

_KILLED = -signal.SIGKILL
State = dict[str, tuple[int, int]]


@dataclass
class Tally:
    """What the trials came to."""

    trials: int = 0
    kills: int = 0
    by_step: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    redone: int = 0
    different: int = 0
    leftovers: int = 0
    exits: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every trial ended as it should."""
        return not (self.redone or self.different or self.leftovers or set(self.exits) - {0})


def run(trials: int | None, seed: int) -> int:
    """Kill ``trials`` runs (100), print what became of them, and return 0 where all is as it should be."""
    trials = 100 if trials is None else trials
    tally = Tally()
    start_time = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        references = {fmt: Reference(Path(folder) / fmt, fmt) for fmt in ("csv", "parquet")}
        for trial in range(trials):
            reference = references["csv" if trial % 2 else "parquet"]
            _try(reference, Path(folder) / f"trial-{trial}", random.Random(f"{seed}-{trial}"), tally)
    print(f"trials {tally.trials}, kills {tally.kills}, in {time.perf_counter() - start_time:.0f} s")
    print("kills by step under way: " + ", ".join(f"{k} {n}" for k, n in sorted(tally.by_step.items())))
    print(f"files kept when killed {tally.kept}, written again {tally.redone}")
    print(f"results that differ {tally.different}, leftovers {tally.leftovers}, last exits {dict(tally.exits)}")
    print("\n".join(tally.faults))
    return 0 if tally.is_clean and tally.trials else 1


class Reference:
    """An undisturbed run: its results, its operations and its seconds."""

    def __init__(self, folder: Path, format: str) -> None:
        self.project = write_project(folder, format=format)
        log, runs, began = folder / "log", folder / "runs", time.perf_counter()
        process = start(["run", str(self.project)], runs, log)
        process.join()
        if process.exitcode != 0:
            raise RuntimeError(log.read_text())
        self.seconds = time.perf_counter() - began
        self.operations = operations_in(log)
        self.results = results_of(next(runs.iterdir()))


def _try(reference: Reference, folder: Path, rng: random.Random, tally: Tally) -> None:
    """One trial: up to three kills, then the command comes to its end."""
    project, log = copy_of(reference.project, folder), folder / "log"
    command, runs = ["run", str(project)], folder / "runs"
    tally.trials += 1
    before: State = {}
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        process = _killed(command, runs, log, reference, rng)
        if process.exitcode != _KILLED:  # done before the kill
            tally.exits[process.exitcode] += 1
            break
        tally.kills += 1
        if _is_finished(runs):
            break
        tally.redone += _count_redone(runs, before, tally)
        before = _kept(runs)
        tally.by_step[_step_of(runs)] += 1
        tally.kept += len(before)
    if not _is_finished(runs):  # else it would be a new run
        process = start(command, runs, log)
        process.join()
        tally.exits[process.exitcode] += 1
        if process.exitcode != 0:
            tally.faults.append(f"{folder.name}: exit {process.exitcode}: {log.read_text()[-500:]}")
            return
    tally.redone += _count_redone(runs, before, tally)
    _compare(reference, runs, tally, folder.name)


def _killed(command: list[str], runs: Path, log: Path, reference: Reference, rng: random.Random) -> Any:
    """The process of a run that is killed at a random file operation, or after a random time."""
    if rng.random() < 0.7:
        process = start(command, runs, log, Fault(rng.randint(1, reference.operations)))
    else:
        process = start(command, runs, log)
        process.join(rng.uniform(0.0, reference.seconds))
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process


def _kept(runs: Path) -> State:
    """The files that a manifest or a journal names, with what tells whether they are written again."""
    found: State = {}
    for path in runs.glob("*/manifest.json"):
        folder = RunFolder(path.parent)
        named = [name for facts in folder.manifest["steps"].values() for name in facts["files"]]
        named += [name for line in folder.journal.read()[1:] for name in line["files"]]
        for name in named:
            status = (path.parent / name).stat()
            found[f"{path.parent.name}/{name}"] = status.st_ino, status.st_mtime_ns
    return found


def _count_redone(runs: Path, before: State, tally: Tally) -> int:
    """How many files are not those that were kept; copies of the project may be replaced by newer ones."""
    now = {name: (runs / name).stat() for name in before if (runs / name).exists()}
    redone = [n for n, s in before.items() if n not in now or (now[n].st_ino, now[n].st_mtime_ns) != s]
    tally.faults += [f"{runs.parent.name}: written again: {name}" for name in redone]
    return len(redone)


def _is_finished(runs: Path) -> bool:
    return any(RunFolder(path.parent).steps == STEPS for path in runs.glob("*/manifest.json"))


def _step_of(runs: Path) -> str:
    for path in runs.glob("*/manifest.json"):
        return f"after {(RunFolder(path.parent).steps or ('nothing',))[-1]}"
    return "before any"


def _compare(reference: Reference, runs: Path, tally: Tally, name: str) -> None:
    """Count results that differ, and files that do not belong there."""
    folders = sorted((path for path in runs.iterdir() if path.is_dir()), key=lambda path: -len(results_of(path)))
    found = results_of(folders[0])
    wrong = [key for key in reference.results if found.get(key) != reference.results[key]]
    left = [key for key in found if key not in reference.results]
    left += [f"{path.name} {sorted(map(str, path.rglob('*')))}" for path in runs.iterdir() if path != folders[0]]
    tally.different += len(wrong)
    tally.leftovers += len(left)
    tally.faults += [f"{name}: differs: {key}" for key in wrong] + [f"{name}: left over: {key}" for key in left]
