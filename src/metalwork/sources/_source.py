"""What all weak sources share: a task whose labels they are told, and records that they are not shown."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from metalwork._checks import FloatArray
from metalwork._names import is_missing
from metalwork.errors import LabelingError
from metalwork.labeling import AsksSchema, BatchRule, Spaces

Votes = FloatArray | list[Any]
Judge = Callable[..., Votes]
"""Takes a list of values a column; gives probabilities (n_points, n_labels), or a vote a record."""


class Source(AsksSchema):
    """A weak source that must know the labels of its task, and is asked for many records at once."""

    takes_missing = False
    """Whether records with a missing value are shown to it."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def judge(self, task: str, labels: Sequence[str]) -> Judge:
        """What judges records, once the labels are known; ``LabelingError`` where they do not fit."""

    def knowing(self, space: Spaces, task: str | None) -> BatchRule:
        """The rule to be called; records with a missing value abstain unless ``takes_missing``."""
        labels = space.labels(str(task))
        return BatchRule(_OnWholeRecords(self.judge(str(task), labels), len(labels), self.takes_missing))

    def __getstate__(self) -> dict[str, Any]:
        return {
            **vars(self),
            "name": "",
        }  # it is for errors before anything runs; votes are kept whatever the name

    def __call__(self, *values: Any) -> Any:
        raise LabelingError(f"LF {self.name!r} must know the labels of its task. Run it with mw.apply.")


class _OnWholeRecords:
    """Asks a judge about the records that have all values."""

    def __init__(self, judge: Judge, n_labels: int, takes_missing: bool) -> None:
        self._judge, self._n_labels, self._takes_missing = judge, n_labels, takes_missing

    def __call__(self, *columns: list[Any]) -> Votes:
        n_points = len(columns[0])
        gone = [not self._takes_missing and any(map(is_missing, values)) for values in zip(*columns, strict=True)]
        rows = [row for row, missing in enumerate(gone) if not missing]
        if not rows:
            return [None] * n_points
        found = self._judge(*([column[row] for row in rows] for column in columns))
        if len(found) != len(rows):
            raise LabelingError(f"it must give a vote a record; got {len(found)} for {len(rows)}.")
        if isinstance(found, np.ndarray):
            shares = np.full((n_points, self._n_labels), np.nan)
            shares[rows] = found
            return shares
        votes: list[Any] = [None] * n_points
        for row, vote in zip(rows, found, strict=True):
            votes[row] = vote
        return votes


def check_fields(fields: Any, name: str) -> tuple[str, ...]:
    """Column names as a tuple; a single name stands for itself."""
    columns = (fields,) if isinstance(fields, str) else fields
    if not isinstance(columns, Sequence) or not columns or not all(isinstance(c, str) and c for c in columns):
        raise LabelingError(f"fields of LF {name!r} must be a column name or a list of them; got {fields!r}.")
    return tuple(columns)


def check_text(what: str, value: Any) -> str:
    """A task, name or column as it was given."""
    if not isinstance(value, str) or not value.strip():
        raise LabelingError(f"{what} must be a text; got {value!r}.")
    return value
