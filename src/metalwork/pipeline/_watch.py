"""A project worked on: whenever one of its files is saved, what changed runs again."""

import hashlib
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from metalwork._checks import BoolArray
from metalwork.analysis import LFRow, PairedChange, Share
from metalwork.errors import MetalworkError, MetalworkWarning
from metalwork.pipeline._compare import LFChange
from metalwork.pipeline._events import OnEvent
from metalwork.pipeline._job import Job
from metalwork.pipeline._manifest import file_digest
from metalwork.pipeline._project import load_project
from metalwork.pipeline._run import Run
from metalwork.pipeline._split import Codes
from metalwork.votes import LabelMatrix

EVERY: Final = 0.4
"""Seconds between two looks at the files."""


@dataclass(frozen=True)
class Looked:
    """What a change of the project's files comes to; before the first change there is no before.

    Attributes
    ----------
    files : tuple of path
        Those that were saved.
    lfs : tuple of LFChange
    n_votes : dict of LF name to (int or None, int or None)
        Training records on which each votes, before and after.
    coverage : (float or None, float)
        Share of training records with a vote.
    accuracy : (Share or None, Share or None)
        Of the label model, on dev records of which a label is known.
    paired : PairedChange or None
        The change on the same dev records.
    fitted : bool
        Whether the label model was fitted again; it is not where votes and settings are as they were.
    seconds : float
    warnings : tuple of str
        Those that were not there before.
    """

    files: tuple[Path, ...]
    lfs: tuple[LFChange, ...]
    n_votes: dict[str, tuple[int | None, int | None]]
    coverage: tuple[float | None, float]
    accuracy: tuple[Share | None, Share | None]
    paired: PairedChange | None
    fitted: bool
    seconds: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failed:
    """The project as it was saved cannot be run; what was there before is kept to compare with."""

    files: tuple[Path, ...]
    text: str


OnLook = Callable[[Looked | Failed], None]


def watch(
    project: Path,
    on_look: OnLook,
    *,
    on_event: OnEvent | None = None,
    every: float = EVERY,
    go_on: Callable[[], bool] = lambda: True,
) -> None:
    """Apply and fit in memory, and again whenever a file of the project is saved, until ``go_on`` says no.

    Labeling functions that are as they were have their votes from the cache; the label model is fitted where
    votes or settings have changed. Nothing is written but the cache.

    Parameters
    ----------
    project : path
        The project file. Its Python is run, each time it is saved.
    on_look : callable
        Told what each change comes to.
    on_event : callable, optional
        As for :class:`metalwork.Run`.
    every : float
        Seconds between two looks at the files.
    """
    watched = Watched(project, on_event)
    on_look(watched.look(()))
    seen = watched.stamps()
    while go_on():
        time.sleep(every)
        now = watched.stamps()
        if now == seen:
            continue
        while (settled := watched.stamps()) != now:  # it is still being written
            time.sleep(min(every, 0.05))
            now = settled
        if saved := watched.saved():
            on_look(watched.look(saved))
            now = watched.stamps()  # it may name other files now
        seen = now


@dataclass(frozen=True)
class _Seen:
    """What a run of the project came to."""

    votes: LabelMatrix
    rows: dict[str, LFRow]
    dev_rows: dict[str, LFRow]
    key: str
    """Of all that the label model's labels depend on."""
    coverage: float
    known: Codes | None
    right: BoolArray | None
    warnings: tuple[str, ...]


class Watched:
    """A project file, and what it came to when it was looked at last."""

    def __init__(self, project: Path, on_event: OnEvent | None = None) -> None:
        self._path, self._on_event = project, on_event
        self._files: set[Path] = {project.resolve()}
        self._digests: dict[Path, str] = {}
        self._last: _Seen | None = None

    def stamps(self) -> dict[Path, tuple[int, int] | None]:
        """What changes when one of the files is written to."""
        return {path: _stamp(path) for path in sorted(self._files)}

    def saved(self) -> tuple[Path, ...]:
        """The files whose content is another than when it was looked at last."""
        return tuple(path for path in sorted(self._files) if _digest(path) != self._digests.get(path))

    def look(self, files: Sequence[Path]) -> Looked | Failed:
        """Run the project as it is now, and compare it with how it was."""
        start, job = time.perf_counter(), None
        self._digests = {path: _digest(path) for path in self._files}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", MetalworkWarning)  # the run keeps them
                project = load_project(self._path)
                self._files |= {path.resolve() for path in _named(project.folder, project.settings)}
                job = Job.of_project(project)
                job.tune = None  # trying settings takes minutes: that is for runs
                found, fitted = self._seen(Run(job, on_event=self._on_event))
        except MetalworkError as error:
            return Failed(tuple(files), str(error))
        finally:
            if job is not None:
                self._files = _files_of(job, self._files)
            self._digests |= {path: _digest(path) for path in self._files - self._digests.keys()}
        before, self._last = self._last, found
        return _difference(before, found, tuple(files), fitted, time.perf_counter() - start)

    def _seen(self, run: Run) -> tuple[_Seen, bool]:
        votes, dev = run.votes["train"], run.votes["dev"] if "dev" in run.job.splits else None
        known = run.job.known_labels("dev") if dev is not None and run.split("dev").n_known else None
        key = _key(run.job, [part for part in (votes, dev) if part is not None], known)
        rows = {row.name: row for row in run.summary_of(run.applied, "train").rows}
        dev_rows = {}
        if known is not None:
            dev_rows = {row.name: row for row in run.summary_of(run.applied, "dev", known=True).rows}
        covered = float((votes.codes >= 0).any(axis=1).mean())
        found = _Seen(votes, rows, dev_rows, key, covered, known, None, run.warnings)
        if self._last is not None and self._last.key == key:
            return replace(found, right=self._last.right, warnings=self._last.warnings), False
        run.fit()
        if known is None:
            return replace(found, warnings=run.warnings), True
        predicted = run.labels["dev"].predict()
        right = run.job.schema.admits(known)[np.arange(len(known)), predicted]
        return replace(found, right=right, warnings=run.warnings), True


def _difference(before: _Seen | None, now: _Seen, files: tuple[Path, ...], fitted: bool, seconds: float) -> Looked:
    old = {} if before is None else before.rows
    names = [*now.rows, *(name for name in old if name not in now.rows)]
    return Looked(
        files,
        tuple(_lf_change(name, before, now) for name in names),
        {name: (_part(old.get(name), "n_votes"), _part(now.rows.get(name), "n_votes")) for name in names},
        (None if before is None else before.coverage, now.coverage),
        (None if before is None else _accuracy(before), _accuracy(now)),
        _paired(before, now),
        fitted,
        seconds,
        tuple(text for text in now.warnings if before is None or text not in before.warnings),
    )


def _lf_change(name: str, before: _Seen | None, now: _Seen) -> LFChange:
    was, here = None if before is None else before.rows.get(name), now.rows.get(name)
    n_changed = None
    if before is not None and was is not None and here is not None and was.task == here.task:
        n_changed = _n_changed(before.votes, now.votes, name)
    kind: Any = "added" if was is None else "gone" if here is None else "same" if n_changed == 0 else "changed"
    rows = (None if before is None else before.dev_rows.get(name), now.dev_rows.get(name))
    shares = [None if row is None else Share.of(row.precision, row.n_scored) for row in rows]
    return LFChange(
        name,
        (here or was).task,  # type: ignore[union-attr]
        kind,
        (_part(was, "coverage"), _part(here, "coverage")),
        (shares[0], shares[1]),
        n_changed,
    )


def _n_changed(before: LabelMatrix, now: LabelMatrix, name: str) -> int | None:
    """How many votes of a labeling function differ; None where the records are not as many."""
    if before.n_points != now.n_points:
        return None
    i, j = before.names.index(name), now.names.index(name)
    old, new = before.codes[:, i], now.codes[:, j]
    if before.alphabets[i] == now.alphabets[j]:
        return int((old != new).sum())
    said = [
        {-1: ""} | {code: votes.vote_name(lf, code) for code in np.unique(own[own >= 0]).tolist()}
        for votes, lf, own in ((before, i, old), (now, j, new))
    ]
    return int(sum(said[0][a] != said[1][b] for a, b in zip(old.tolist(), new.tolist(), strict=True)))


def _accuracy(seen: _Seen) -> Share | None:
    rows = _known_rows(seen)
    return None if rows is None or seen.right is None else Share.of(float(seen.right[rows].mean()), len(rows))


def _known_rows(seen: _Seen) -> Codes | None:
    return None if seen.known is None else np.flatnonzero((seen.known >= 0).any(axis=1))


def _paired(before: _Seen | None, now: _Seen) -> PairedChange | None:
    """The change on dev records that are known now as they were, in the same places."""
    if before is None or before.right is None or now.right is None or before.known is None or now.known is None:
        return None
    if before.known.shape != now.known.shape:
        return None
    rows = np.flatnonzero((now.known >= 0).any(axis=1) & (now.known == before.known).all(axis=1))
    was, here = before.right[rows], now.right[rows]
    return PairedChange.of(int((here & ~was).sum()), int((~here & was).sum()), len(rows))


def _key(job: Job, votes: Sequence[LabelMatrix], known: Codes | None) -> str:
    found = hashlib.sha256()
    settings = (job.label_model, job.features if job.label_model.features else None, job.random_state)
    found.update(repr((settings, job.schema.to_dict())).encode())
    for part in votes:
        found.update(repr((part.names, part.tasks)).encode())
        for alphabet in part.alphabets:
            found.update(np.ascontiguousarray(alphabet.rows).tobytes())
        found.update(np.ascontiguousarray(part.codes).tobytes())
    found.update(b"" if known is None else np.ascontiguousarray(known).tobytes())
    return found.hexdigest()


def _part(row: LFRow | None, name: str) -> Any:
    return None if row is None else getattr(row, name)


def _named(folder: Path, settings: Any) -> Iterator[Path]:
    """The files that a project names, which matter even where it cannot be run."""
    if isinstance(settings.task_schema, str):
        yield folder / settings.task_schema
    yield from (folder / python for python in (settings.lfs.python, settings.data.python) if python is not None)


def _files_of(job: Job, named: set[Path]) -> set[Path]:
    """All files that a job reads: what it names, its code and what that reads, and its records but for test."""
    found = set(named)
    if job.code is not None:
        found |= set(job.code.digests)
    return found | {path.resolve() for split, paths in job.files.items() if split != "test" for path in paths}


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError:
        return ""
