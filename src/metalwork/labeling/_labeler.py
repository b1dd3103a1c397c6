"""Labeling one shard of records: what runs where the records are, in this process or in a worker."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork.data import Shard
from metalwork.labeling._alphabets import Numbering
from metalwork.labeling._cache import VotesCache
from metalwork.labeling._chunk import Chunk
from metalwork.labeling._compiled import Compiled
from metalwork.labeling._declared import Reading
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._inputs import Inputs
from metalwork.labeling._returns import Reader, Spaces, reader_for
from metalwork.labeling._text_traps import Look
from metalwork.labeling._votes import Failures, Votes, WrongLabel, vote


@dataclass(frozen=True)
class Part:
    """The votes on one shard: numbered outcomes (n_points, n_columns), and each LF's failures."""

    origin: str
    codes: npt.NDArray[np.int32]
    numbers: list[Numbering]
    failures: list[Failures]
    wrong: tuple[int, WrongLabel] | None
    looks: Mapping[str, Look] = field(default_factory=dict)
    unkept: Mapping[int, str] = field(default_factory=dict)
    """By LF, why votes cast here were not kept for another time."""


def numberings(functions: Iterable[LabelingFunction], space: Spaces) -> list[Numbering]:
    """An empty numbering of outcomes for each column of the label matrix."""
    return [Numbering(len(space.labels(task))) for lf in functions for _, task in lf.columns(space.tasks)]


@dataclass(frozen=True)
class Labeler:
    """Labels one shard, and looks at some columns of its first chunk; it travels to the workers."""

    functions: tuple[LabelingFunction, ...]
    space: Spaces
    plain: tuple[str, ...]
    inputs: Inputs
    cache: VotesCache | None = None
    compiled: dict[tuple[int, ...], Compiled] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, shard: Shard) -> Part:
        readers = [reader_for(lf.task, self.space) for lf in self.functions]
        failures, numbers = [Failures() for _ in self.functions], numberings(self.functions, self.space)
        parts, done = [np.empty((0, len(numbers)), np.int32)], 0
        looks, unkept = dict[str, Look](), dict[int, str]()
        for frame in shard.chunks():
            looks = looks or {name: Look.at(frame[name]) for name in self.plain}
            votes = self.label(Chunk(frame), readers, unkept)
            for j, own in sorted(votes.items()):
                if own.wrong is not None:
                    wrong = WrongLabel(done + own.wrong.row, own.wrong.reason)
                    return Part(shard.origin, parts[0], numbers, failures, (j, wrong))
                failures[j].merge(own.failures, done)
            parts.append(_renumbered([votes[j] for j in range(len(self.functions))], numbers))
            done += len(frame)
        return Part(shard.origin, np.concatenate(parts), numbers, failures, None, looks, unkept)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"compiled": {}}  # rules are compiled again where they arrive

    def label(self, chunk: Chunk, readers: list[Reader], unkept: dict[int, str]) -> dict[int, Votes]:
        """The votes of each LF on a chunk; of fewer where one returned what is no label."""
        found = {} if self.cache is None else self.cache.look_up(chunk)
        new: dict[int, Votes] = {}
        reading = self._reading(chunk, tuple(j for j in self.inputs.order if j not in found))
        self.inputs.offer(chunk, self.cache)
        for j in self.inputs.order:
            lf, reader = self.functions[j], readers[j]
            if j not in found:
                found[j] = new[j] = vote(lf, reading, reader)
                if found[j].wrong is not None:
                    break
            self.inputs.offer_votes(chunk, j, lf.name, found[j], reader)
        if self.cache is not None:
            unkept |= self.cache.keep(chunk, new)
        return found

    def _reading(self, chunk: Chunk, asked: tuple[int, ...]) -> Reading:
        """The chunk as the declarative rules among the LFs ``asked`` read it, compiled together when first met."""
        if asked not in self.compiled:
            self.compiled[asked] = Compiled(self.functions[j] for j in asked)
        return self.compiled[asked].reading(chunk)


def _renumbered(votes: list[Votes], numbers: list[Numbering]) -> npt.NDArray[np.int32]:
    """The codes (n_points, n_columns) of all LFs by ``numbers``, which take up outcomes that are new."""
    codes = np.concatenate([own.codes for own in votes], axis=1)
    for column, (known, own) in enumerate(zip(numbers, (n for v in votes for n in v.numbers), strict=True)):
        if own.others:
            codes[:, column] = known.of(own)[codes[:, column]]
    return codes
