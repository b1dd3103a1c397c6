"""What questions ask of a split, worked out once: a few numbers a record, whatever the number of labels."""

import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork._checks import BoolArray, FloatArray
from metalwork.errors import ConfigError
from metalwork.inspection._split import Rows, SplitData
from metalwork.inspection._votes import VoteIndex
from metalwork.labeling import texts_matching
from metalwork.probabilities import TaskProbabilities, first_of_best
from metalwork.schema import TaskSchema

_ROUNDING = 1e-9
_PATTERNS = 16
_SHARDS = 4
"""Shards of votes, and of probabilities, that are kept for the next page."""


class Leading(NamedTuple):
    """By record: the most probable label's code, its probability, and how much more it has than the next one."""

    codes: npt.NDArray[np.int32]
    shares: npt.NDArray[np.float32]
    margins: npt.NDArray[np.float32]


class SplitFacts:
    """One split, as questions see it.

    Parameters
    ----------
    name : str
    data : SplitData
    schema : TaskSchema
    fields : tuple of str
        The columns that are shown and searched.
    """

    def __init__(self, name: str, data: SplitData, schema: TaskSchema, fields: tuple[str, ...]) -> None:
        self.name, self.data, self.schema, self._fields = name, data, schema, fields
        self.n_points = data.n_points
        self.starts: Rows = np.array([*accumulate(data.sizes, initial=0)])
        self.labels_of_task = lru_cache(_PATTERNS)(self._labels_of_task)
        self.found = lru_cache(_PATTERNS)(self._found)
        self.votes_on = lru_cache(_SHARDS)(data.votes)
        self._part = lru_cache(_SHARDS)(lambda model, number: self.model(model)(number))

    @cached_property
    def votes(self) -> VoteIndex:
        """The votes by LF."""
        return VoteIndex(self.data)

    @cached_property
    def labels(self) -> Leading:
        """The label model's end labels."""
        return self._leading(self.model("labels"), lambda part: part.end)

    @cached_property
    def end(self) -> Leading:
        """The end model's end labels."""
        return self._leading(self.model("end"), lambda part: part.end)

    def _labels_of_task(self, task: str) -> Leading:
        """The label model's labels of a task, given that it applies."""
        return self._leading(self.model("labels"), lambda part: part.conditional(task))

    @cached_property
    def covered(self) -> BoolArray:
        """Of which records (n_points,) the label model has more to say than its class prior."""
        return np.ones(self.n_points, bool) if self.data.reads_features else self.votes.n_votes > 0

    def tied(self) -> BoolArray:
        """Where there are votes, and they leave several end labels equally probable (n_points,)."""
        leading = self.labels
        return (self.votes.n_votes > 0) & (leading.margins <= leading.shares * _ROUNDING)

    def probabilities(self, model: str, rows: Rows) -> TaskProbabilities:
        """What ``"labels"`` or ``"end"`` holds of the records at ``rows``, in this order."""
        number = np.searchsorted(self.starts, rows, side="right") - 1
        end = np.empty((len(rows), self.schema.n_end_labels), np.float32)
        for own in np.unique(number).tolist():
            here = number == own
            end[here] = self._part(model, own).end[rows[here] - self.starts[own]]
        return TaskProbabilities(end, self.schema)

    def _found(self, pattern: re.Pattern[str]) -> BoolArray:
        """In which records (n_points,) a pattern is found."""
        found = [self._in_frame(pattern, frame) for frame in self.data.frames()]
        return np.concatenate(found)

    def _in_frame(self, pattern: re.Pattern[str], frame: pl.DataFrame) -> BoolArray:
        found = np.zeros(frame.height, bool)
        for column in text_columns(frame, self._fields):
            found |= texts_matching(pattern, frame[column])
        return found

    def model(self, model: str) -> Callable[[int], TaskProbabilities]:
        """What gives the probabilities of ``"labels"`` or ``"end"`` by shard; ``ConfigError`` before its step."""
        read = self.data.labels if model == "labels" else self.data.end
        if read is None:
            raise needs_step("fit" if model == "labels" else "train", "this")
        return read

    def _leading(self, read: Callable[[int], TaskProbabilities], of: Callable[..., FloatArray]) -> Leading:
        parts = [_leading_of(of(read(number))) for number in range(len(self.data.sizes))]
        return Leading(*map(np.concatenate, zip(*parts, strict=True)))


def needs_step(step: str, what: str) -> ConfigError:
    """The error of a question that comes too early."""
    how = "run.fit()" if step == "fit" else "run.train() and run.evaluate()"
    return ConfigError(
        f"{what} must be asked once the step {step} is done; got a run without it. Call {how} first."
    )


def text_columns(frame: pl.DataFrame, fields: tuple[str, ...]) -> list[str]:
    """Those of ``fields`` that hold text."""
    return [name for name in fields if name in frame.columns and frame[name].dtype == pl.String]


def _leading_of(shares: FloatArray) -> Leading:
    codes, n_points = first_of_best(shares), len(shares)
    if shares.shape[1] < 2:
        return Leading(codes.astype(np.int32), np.ones(n_points, np.float32), np.ones(n_points, np.float32))
    top = np.partition(shares, -2, axis=1)[:, -2:]
    margins = (top[:, 1] - top[:, 0]).astype(np.float32)
    return Leading(codes.astype(np.int32), top[:, 1].astype(np.float32), margins)
