"""The process in which rules are tried as they are typed: a pattern that never ends holds up itself alone."""

import signal
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from metalwork.errors import ConfigError, MetalworkError
from metalwork.labeling import HeldRecords, LabelingFunction, ReadRecord, apply
from metalwork.pipeline import Project, Sample, draft_rule, load_project, sample_records

N_BLOCKS: Final = 20
"""Every so-and-so-manieth record makes a block, which is looked at in one go; so the first blocks are a sample."""

SPLITS: Final = ("train", "dev")
_LIVE: Final = 0.18  # seconds that a rule may take before the records that are left are left out
_LEAST: Final = 10_000  # records that are looked at in one go whatever it takes

Codes = npt.NDArray[np.int16]
UNSEEN: Final = -2


@dataclass(frozen=True)
class Held:
    """Which records the process holds: their rows (n_sampled,) and how many there are, by split."""

    version: int
    rows: Mapping[str, npt.NDArray[np.int64]]
    n_points: Mapping[str, int]


@dataclass(frozen=True)
class Votes:
    """What a rule votes on the held records.

    Attributes
    ----------
    name, task : str
    code : int
        Of the label that it votes for; -1 where that depends on the record.
    codes : mapping of split to int16 array (n_sampled,)
        Label codes of the task, -1 where it abstains, -2 where there was no time to ask it.
    seconds : float
    """

    name: str
    task: str
    code: int
    codes: Mapping[str, Codes]
    seconds: float


@dataclass(frozen=True)
class Shown:
    """A record to show: its position among the held ones, its values, and where the rule found what."""

    split: str
    position: int
    fields: Mapping[str, Any]
    spans: tuple[tuple[str, int, int, bool], ...]
    """Field, start, stop, and whether what was found is negated."""


def work(connection: Connection, path: str) -> None:
    """Answer questions until nobody is left to ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the studio, which ends this process
    warnings.simplefilter("ignore")
    bench = _Bench(Path(path))
    kinds: dict[str, Callable[..., Any]] = {"held": bench.held, "try": bench.votes, "show": bench.show}
    while True:
        try:
            kind, arguments = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer: Any = kinds[kind](*arguments)
        except MetalworkError as error:
            answer = ConfigError(str(error))
        except Exception as error:
            answer = ConfigError(f"The rule could not be tried: {type(error).__name__}: {error}")
        connection.send(answer)


class _Bench:
    """The project as it is now, and samples of its records."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._project: tuple[Any, Project] | None = None
        self._stamps: dict[str, Any] = {}
        self._samples: dict[str, Sample] = {}
        self._blocks: dict[str, list[HeldRecords]] = {}
        self._version = 0

    def held(self, known: int) -> Held | None:
        """The records, read anew where they have changed; None where they are those of ``known``."""
        self._read()
        if self._version == known:
            return None
        samples = self._samples
        return Held(
            self._version,
            {split: sample.rows for split, sample in samples.items()},
            {split: sample.n_points for split, sample in samples.items()},
        )

    def votes(self, values: Mapping[str, Any], replacing: str | None) -> Votes:
        """What a rule votes."""
        lf = draft_rule(self._loaded(), values, replacing)
        start, space = time.perf_counter(), self._loaded().space
        task = str(lf.task)
        own = list(getattr(lf.function, "labels", ()))
        code = space.labels(task).index(str(own[0])) if len(own) == 1 else -1
        codes: dict[str, Codes] = {}
        for split in reversed([*self._blocks]):  # dev first: it is small, and of all records known to be right
            codes[split] = self._codes(lf, split, code, start)
        return Votes(lf.name, task, code, codes, time.perf_counter() - start)

    def show(self, values: Mapping[str, Any], replacing: str | None, wanted: list[tuple[str, int]]) -> list[Shown]:
        """Some of the records, and what the rule finds in them."""
        lf = draft_rule(self._loaded(), values, replacing)
        found = []
        for split, position in wanted:
            record = self._samples[split].records.row(position, named=True)
            why = ReadRecord(record).explain(lf)
            matches = () if why is None else why.all_matches
            spans = tuple(
                (match.field, match.start, match.stop, match.negated_by is not None) for match in matches
            )
            found.append(Shown(split, position, record, spans))
        return found

    def _codes(self, lf: LabelingFunction, split: str, code: int, start: float) -> Codes:
        blocks = self._blocks[split]
        found = np.full(sum(map(len, blocks)), UNSEEN, np.int16)
        n_seen = 0
        for number, block in enumerate(blocks):
            if n_seen >= _LEAST and time.perf_counter() - start > _LIVE:
                break
            holds = block.holds(lf)
            own = self._asked(lf, block) if holds is None else np.where(holds, code, -1)
            found[number :: len(blocks)] = own
            n_seen += len(block)
        return found

    def _asked(self, lf: LabelingFunction, block: HeldRecords) -> npt.NDArray[np.int64]:
        """Votes of a rule that is asked record by record."""
        votes: Any = apply([lf], block.records, self._loaded().space, max_error_rate=1.0)
        rows, codes = votes.alphabets[0].rows, np.asarray(votes.codes)[:, 0]
        return np.where(codes >= 0, rows.argmax(axis=1)[codes], -1)

    def _loaded(self) -> Project:
        stamp, known = _stamp(self._path), self._project
        if known is None or known[0] != stamp:
            self._project = known = stamp, load_project(self._path)
        return known[1]

    def _read(self) -> None:
        project = self._loaded()
        for split in SPLITS:
            files = () if split not in self._samples else self._samples[split].files
            stamp = (project.settings.data, *map(_stamp, files))
            if split in self._stamps and self._stamps[split] == stamp:
                continue
            sample = sample_records(project, split)
            self._version += 1
            self._samples.pop(split, None)
            self._blocks.pop(split, None)
            files = () if sample is None else sample.files
            self._stamps[split] = (project.settings.data, *map(_stamp, files))
            if sample is not None and len(sample.rows):
                self._samples[split] = sample
                n_blocks = min(N_BLOCKS, max(1, len(sample.rows) // 1_000))
                self._blocks[split] = [
                    HeldRecords(sample.records.gather_every(n_blocks, number)) for number in range(n_blocks)
                ]


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (-1, -1, -1)
    return found.st_ino, found.st_size, found.st_mtime_ns
