"""Disk full, read-only, limits on files, the folder taken away, two writers: clear exits, all is well after."""

import random
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from tests.campaigns._commands import Fault, start
from tests.campaigns._projects import copy_of, results_of
from tests.campaigns.kills import Reference

_KINDS = ("full", "read-only", "limit", "remove", "two")
_EXITS = {"full": {74}, "read-only": {74}, "limit": {74}, "remove": {1, 74}, "two": {1}}
"""How a command may end that met the fault; 0 where it came to none."""


def run(trials: int | None, seed: int) -> int:
    """Try each kind of fault ``trials`` times (10), print a table, and return 0 where all is as it should be."""
    trials = 10 if trials is None else trials
    exits: dict[str, Counter[int]] = defaultdict(Counter)
    faults: list[str] = []
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        reference = Reference(Path(folder) / "reference", "csv")
        for kind in _KINDS:
            for trial in range(trials):
                rng = random.Random(f"{seed}-{kind}-{trial}")
                faults += _try(reference, Path(folder) / f"{kind}-{trial}", kind, rng, exits[kind])
    for kind in _KINDS:
        print(f"{kind:<10} exits {dict(sorted(exits[kind].items()))}")
    print(f"{trials * len(_KINDS)} trials in {time.perf_counter() - began:.0f} s, {len(faults)} faults")
    print("\n".join(faults))
    return 1 if faults else 0


def _try(reference: Reference, folder: Path, kind: str, rng: random.Random, exits: Counter[int]) -> list[str]:
    """One trial: a run that meets the fault, then the same command without it; what went wrong."""
    project, runs, logs = copy_of(reference.project, folder), folder / "runs", [folder / "log", folder / "other"]
    command = ["run", str(project), "--run", "r"]
    if kind == "two":
        processes = [start(command, runs, log) for log in logs]
    else:
        at = rng.randint(1, 20_000 if kind == "limit" else reference.operations)
        processes = [start(command, runs, logs[0], Fault(at, kind))]
    faults = []
    for process, log in zip(processes, logs, strict=False):
        process.join()
        exits[process.exitcode] += 1
        if process.exitcode not in _EXITS[kind] | {0}:
            faults.append(f"{folder.name}: exit {process.exitcode}: {log.read_text()[-300:]}")
        if "Traceback" in log.read_text():
            faults.append(f"{folder.name}: a traceback: {log.read_text()[-300:]}")
    last = start(command, runs, logs[0])
    last.join()
    if last.exitcode != 0:
        return [*faults, f"{folder.name}: then exit {last.exitcode}: {logs[0].read_text()[-300:]}"]
    found = results_of(runs / "r")
    differing = [name for name in {**found, **reference.results} if found.get(name) != reference.results.get(name)]
    return faults + [f"{folder.name}: differs: {name}" for name in differing]
