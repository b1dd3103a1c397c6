"""Labeling one shard of records: what runs where the records are, in this process or in a worker."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from metalwork.data import Shard
from metalwork.labeling._alphabets import Numbering
from metalwork.labeling._chunk import Chunk
from metalwork.labeling._function import LabelingFunction
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


def numberings(functions: Iterable[LabelingFunction], space: Spaces) -> list[Numbering]:
    """An empty numbering of outcomes for each column of the label matrix."""
    return [Numbering(len(space.labels(task))) for lf in functions for _, task in lf.columns(space.tasks)]


@dataclass(frozen=True)
class Labeler:
    """Labels one shard, and looks at some columns of its first chunk; it travels to the workers."""

    functions: tuple[LabelingFunction, ...]
    space: Spaces
    plain: tuple[str, ...]

    def __call__(self, shard: Shard) -> Part:
        readers = [reader_for(lf.task, self.space) for lf in self.functions]
        failures, numbers = [Failures() for _ in self.functions], numberings(self.functions, self.space)
        parts, done = [np.empty((0, len(numbers)), np.int32)], 0
        looks: dict[str, Look] = {}
        for frame in shard.chunks():
            looks = looks or {name: Look.at(frame[name]) for name in self.plain}
            votes = self.label(Chunk(frame), readers)
            for j, own in enumerate(votes):
                if own.wrong is not None:
                    wrong = WrongLabel(done + own.wrong.row, own.wrong.reason)
                    return Part(shard.origin, parts[0], numbers, failures, (j, wrong))
                failures[j].merge(own.failures, done)
            parts.append(_renumbered(votes, numbers))
            done += len(frame)
        return Part(shard.origin, np.concatenate(parts), numbers, failures, None, looks)

    def label(self, chunk: Chunk, readers: list[Reader]) -> list[Votes]:
        """The votes of each LF on a chunk, up to the first that returned what is no label."""
        found: list[Votes] = []
        for lf, reader in zip(self.functions, readers, strict=True):
            found.append(vote(lf, chunk, reader))
            if found[-1].wrong is not None:
                break
        return found


def _renumbered(votes: list[Votes], numbers: list[Numbering]) -> npt.NDArray[np.int32]:
    """The codes (n_points, n_columns) of all LFs by ``numbers``, which take up outcomes that are new."""
    codes = np.concatenate([own.codes for own in votes], axis=1)
    for column, (known, own) in enumerate(zip(numbers, (n for v in votes for n in v.numbers), strict=True)):
        if own.others:
            codes[:, column] = known.of(own)[codes[:, column]]
    return codes
