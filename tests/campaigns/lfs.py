"""Hostile labeling functions beside good ones: what they do to the others, to this process, and to the run."""

import faulthandler
import os
import re
import signal
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

import metalwork as mw
from metalwork.errors import MetalworkWarning
from metalwork.labeling._state import Snapshot
from tests.campaigns._hostile import KINDS, N_RECORDS, POISON, Kind

BACKENDS: Final = ("serial", "processes")
SCHEMA: Final = mw.TaskSchema.flat(["a", "b"], task="kind")
_MARK: Final = "METALWORK_CAMPAIGN"
_TOO_LONG: Final = 120  # seconds after which a trial counts as hanging, and ends the campaign


def records() -> list[dict[str, Any]]:
    """Records with cells that can be changed in place."""
    return [{"row": i, "text": f"t{i}", "cell": {"k": i % 3, "more": [i]}} for i in range(N_RECORDS)]


def good_lfs() -> list[mw.LabelingFunction]:
    """LFs that do nothing wrong."""

    def by_cell(cell: dict[str, Any]) -> str:
        return "b" if cell["k"] or cell["more"] == ["x"] else "a"

    def by_row(row: int) -> str | None:
        return "a" if row % 2 else None

    return [mw.from_callable(by_cell, "kind"), mw.regex("kind", "b", "7"), mw.from_callable(by_row, "kind")]


def trial(kind: Kind, backend: str) -> list[str]:
    """What went wrong with one kind; nothing, if all is well."""
    rows, untouched, good = records(), records(), good_lfs()
    expected = mw.apply(good, untouched, SCHEMA).codes
    options: dict[str, Any] = {"n_jobs": 1, "max_memory": "700 MB"} if backend == "processes" else {}
    state = Snapshot()
    before = state.keys()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        votes = mw.apply(
            [good[0], kind.lf(), *good[1:]],
            rows,
            SCHEMA,
            backend=backend,
            chunk_size=100,
            max_error_rate=1,
            max_seconds=1,
            on_failure="continue",
            **options,
        )
    changed = [i for i, (key, now) in enumerate(zip(before, state.keys(), strict=True)) if key != now]
    state.restore()
    told = [str(w.message) for w in caught if issubclass(w.category, MetalworkWarning)]
    return [
        *(["other LFs' columns changed"] if (votes.codes[:, [0, 2, 3]] != expected).any() else []),
        *(["other LFs failed"] if votes.errors[[0, 2, 3]].any() else []),
        *(["the caller's records changed"] if rows != untouched else []),
        *([f"shared state changed: {changed}"] if changed else []),
        *_wrong_failures(kind, votes),
        *([f"no warning: {told}"] if kind.warns and not any(_warns(kind, text) for text in told) else []),
    ]


def _warns(kind: Kind, text: str) -> bool:
    return repr(kind.name) in text and re.search(kind.warns, text) is not None


def _wrong_failures(kind: Kind, votes: mw.LabelMatrix) -> Iterator[str]:
    due = {"one": [POISON], "all": list(range(N_RECORDS)), "none": []}[kind.fails]
    failed = votes.failed[:, 0].tolist()
    if failed != due:
        yield f"failures at {failed[:5]} ({len(failed)})"
    if kind.fails == "none":
        return
    for incident in votes.incidents:
        if incident.lf != kind.name or not re.search(kind.says, incident.message):
            yield f"wrong incident: {str(incident)[:200]}"
    if due and (not votes.incidents or votes.incidents[0].row != due[0]):
        yield "the first incident names another row"


def run(trials: int | None, seed: int) -> int:
    """Run the kinds (``trials`` of them) in both backends; print a table."""
    os.environ[_MARK] = mark = uuid.uuid4().hex
    kinds = list(KINDS)
    if trials is not None:
        kinds = [kinds[i] for i in sorted(np.random.default_rng(seed).permutation(len(kinds))[:trials])]
    n_bad = n_done = 0
    longest = 0.0
    print(f"{'kind':<28}{'serial':<32}processes")
    for kind in kinds:
        cells = []
        for backend in BACKENDS:
            if backend == "serial" and not kind.serial:
                cells.append("ends the process")
                continue
            with _deadline():
                start = time.perf_counter()
                try:
                    faults = trial(kind, backend)
                except BaseException as error:
                    faults = [f"raised {type(error).__name__}: {error}"[:300]]
                seconds = time.perf_counter() - start
            faults += [f"left {len(found)} processes"] if (found := left_over(mark)) else []
            n_done, n_bad, longest = n_done + 1, n_bad + bool(faults), max(longest, seconds)
            cells.append("; ".join(faults) if faults else f"survived, {seconds:.1f} s")
        print(f"{kind.name:<28}{cells[0]:<32}{cells[1]}", flush=True)
    print(f"{len(kinds)} kinds, {n_done} trials, {n_bad} with a fault, longest {longest:.1f} s")
    return 1 if n_bad else 0


@contextmanager
def _deadline() -> Iterator[None]:
    faulthandler.dump_traceback_later(_TOO_LONG, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def left_over(mark: str, end: bool = True) -> list[int]:
    """Processes that a trial started and that are still there; they are ended, if asked."""
    found = list(_marked(mark))
    if found:
        time.sleep(0.5)  # those that are just ending
        found = list(_marked(mark))
    for process in found if end else ():
        with suppress(OSError):
            os.kill(process, signal.SIGKILL)
    return found


def _marked(mark: str) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_ours = f"{_MARK}={mark}".encode() in (folder / "environ").read_bytes()
            if (
                is_ours
                and int(folder.name) != os.getpid()
                and "\nState:\tZ" not in (folder / "status").read_text()
            ):
                yield int(folder.name)
