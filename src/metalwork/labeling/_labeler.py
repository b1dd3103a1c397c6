"""Labeling one shard of records: what runs where the records are, in this process or in a worker."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from metalwork.backends import Resumable, Setbacks
from metalwork.data import Shard
from metalwork.labeling._alphabets import Numbering
from metalwork.labeling._cache import VotesCache
from metalwork.labeling._chunk import Chunk
from metalwork.labeling._compiled import Compiled
from metalwork.labeling._declared import Reading
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._guard import Guard, Limits, Printed
from metalwork.labeling._inputs import Inputs
from metalwork.labeling._plan import Plan
from metalwork.labeling._returns import Reader, Spaces, reader_for
from metalwork.labeling._text_traps import Look
from metalwork.labeling._votes import Failures, Votes, WrongLabel, not_called, vote

_LOOK_EVERY: Final = 100_000  # records; a look at each of many small shards would cost as much as a plain function


@dataclass(frozen=True)
class Part:
    """The votes on one shard: numbered outcomes (n_points, n_columns), and each LF's failures."""

    origin: str
    codes: npt.NDArray[np.int32]
    numbers: list[Numbering]
    failures: dict[int, Failures] = field(default_factory=dict)
    wrong: tuple[int, WrongLabel] | None = None
    looks: dict[str, Look] = field(default_factory=dict)
    unkept: dict[int, str] = field(default_factory=dict)
    """By LF, why votes cast here were not kept for another time."""
    differs: dict[int, int] = field(default_factory=dict)
    """By LF, a row on which it answered differently when it was asked again."""
    opened: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Files that LFs opened for reading in a worker process, and the files of the code that did, last first."""
    printed: dict[int, Printed] = field(default_factory=dict)
    """By LF, what it printed in a worker process."""

    def take(self, votes: Mapping[int, Votes], offset: int) -> "Part | None":
        """Take account of votes on the chunk at ``offset``; the part as it ends, where one of them is wrong."""
        for j, own in sorted(votes.items()):
            if own.wrong is not None:
                return replace(self, wrong=(j, WrongLabel(offset + own.wrong.row, own.wrong.reason)))
            self.failures.setdefault(j, Failures()).merge(own.failures, offset)
            if own.differs is not None:
                self.differs.setdefault(j, offset + own.differs)
        return None


def numberings(functions: Iterable[LabelingFunction], space: Spaces) -> list[Numbering]:
    """An empty numbering of outcomes for each column of the label matrix."""
    return [Numbering(len(space.labels(task))) for lf in functions for _, task in lf.columns(space.tasks)]


@dataclass(frozen=True)
class Labeler(Resumable[Shard, Part]):
    """Labels one shard, and looks at some columns of its first chunk; it travels to the workers."""

    functions: tuple[LabelingFunction, ...]
    space: Spaces
    plain: tuple[str, ...]
    inputs: Inputs
    cache: VotesCache | None = None
    limits: Limits = field(default_factory=Limits)
    asked_again: set[int] = field(default_factory=set, compare=False)
    """LFs that this process has asked twice already."""
    compiled: dict[tuple[int, ...], Compiled] = field(default_factory=dict, repr=False, compare=False)

    @property
    def most_losses(self) -> int:
        """Fewer than by default where it is certain before that the run must stop."""
        most = self.limits.most_failures
        return super().most_losses if most is None else min(super().most_losses, max(most, 2) + 1)

    def __call__(self, shard: Shard) -> Part:
        return self.resume(shard, Setbacks())

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"compiled": {}}  # rules are compiled again where they arrive

    def recalled(self, shard: Shard) -> Part | None:
        """What is known of a shard whose records lie in memory; None where an LF must be run on any of them."""
        if self.cache is None or None in self.cache.lfs or not shard.is_held:
            return None
        part = Part(shard.origin, np.empty((0, 0), np.int32), numberings(self.functions, self.space))
        parts, done = [np.empty((0, len(part.numbers)), np.int32)], 0
        for frame in shard.chunks():
            part.looks.update({name: Look.at(frame[name]) for name in self.plain if not done})
            votes = self.cache.look_up(Chunk(frame), part.opened)
            if len(votes) < len(self.functions):
                return None
            part.take(votes, done)
            parts.append(_renumbered([votes[j] for j in range(len(self.functions))], part.numbers))
            done += len(frame)
        return replace(part, codes=np.concatenate(parts))

    def resume(self, shard: Shard, setbacks: Setbacks) -> Part:
        readers = [reader_for(lf.task, self.space) for lf in self.functions]
        part = Part(shard.origin, np.empty((0, 0), np.int32), numberings(self.functions, self.space))
        parts, done = [np.empty((0, len(part.numbers)), np.int32)], 0
        with Guard(self.limits) as guard:
            plan = Plan(guard, setbacks, self.asked_again)
            for unit, step in plan.suspects(len(self.functions)):  # first, in a process that is as it was started
                self._probe(unit, step, shard, readers, plan)
            for step, frame in enumerate(shard.chunks()):
                if step == 0 and not (shard.start or 0) % _LOOK_EVERY:
                    part.looks.update({name: Look.at(frame[name]) for name in self.plain})
                votes = self.label(Chunk(frame), readers, part, step, plan)
                if (wrong := part.take(votes, done)) is not None:
                    return wrong
                parts.append(_renumbered([votes[j] for j in range(len(self.functions))], part.numbers))
                done += len(frame)
            part.opened.update(plan.opened)
            part.printed.update({j: found for j, found in guard.printed.items() if j < len(self.functions)})
        return replace(part, codes=np.concatenate(parts))

    def label(self, chunk: Chunk, readers: list[Reader], part: Part, step: int, plan: Plan) -> dict[int, Votes]:
        """The votes of each LF on a chunk; of fewer where one returned what is no label."""
        known = {} if self.cache is None else self.cache.look_up(chunk, part.opened)
        found = known | plan.kept(step)
        new: dict[int, Votes] = {}
        reading = self._reading(chunk, tuple(j for j in self.inputs.order if j not in found))
        self._offer(chunk, step, plan)
        for j in self.inputs.order:
            if j not in found:
                found[j] = new[j] = self._vote(j, step, reading, readers[j], plan)
                if found[j].wrong is not None:
                    break
            self.inputs.offer_votes(chunk, j, self.functions[j].name, found[j], readers[j])
        if self.cache is not None:
            part.unkept.update(self.cache.keep(chunk, new))
        return found

    def _reading(self, chunk: Chunk, asked: tuple[int, ...]) -> Reading:
        """The chunk as the declarative rules among the LFs ``asked`` read it, compiled together when first met."""
        if asked not in self.compiled:
            self.compiled[asked] = Compiled(self.functions[j] for j in asked)
        return self.compiled[asked].reading(chunk)

    def _offer(self, chunk: Chunk, step: int, plan: Plan) -> None:
        watching = partial(plan.around_made, len(self.functions), step, len(chunk))
        self.inputs.offer(chunk, self.cache, watching)

    def _probe(self, unit: int, step: int, shard: Shard, readers: list[Reader], plan: Plan) -> None:
        """Run an LF that a worker was lost with, before any other; also those whose votes it reads."""
        chunk = Chunk(next(islice(shard.chunks(), step, None)))
        self._offer(chunk, step, plan)
        needed = {unit, *(part for part in self.inputs.behind[unit] if isinstance(part, int))}
        asked = tuple(j for j in self.inputs.order if j in needed)
        reading = self._reading(chunk, asked)
        for j in asked:
            votes = plan.kept(step).get(j) or self._vote(j, step, reading, readers[j], plan)
            self.inputs.offer_votes(chunk, j, self.functions[j].name, votes, readers[j])

    def _vote(self, j: int, step: int, reading: Reading, reader: Reader, plan: Plan) -> Votes:
        if (reason := plan.why_not(j, step)) is not None:
            return not_called(len(reading.chunk), reader, reason, plan.task(j, step).skip)
        votes = vote(self.functions[j], reading, reader, plan.guard, plan.task(j, step))
        plan.keep(j, step, votes)
        return votes


def _renumbered(votes: list[Votes], numbers: list[Numbering]) -> npt.NDArray[np.int32]:
    """The codes (n_points, n_columns) of all LFs by ``numbers``, which take up outcomes that are new."""
    codes = np.concatenate([own.codes for own in votes], axis=1)
    for column, (known, own) in enumerate(zip(numbers, (n for v in votes for n in v.numbers), strict=True)):
        if own.others:
            codes[:, column] = known.of(own)[codes[:, column]]
    return codes
