"""From what labeling functions return to label codes; errors are kept apart from abstains."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork._checks import ABSTAIN
from metalwork.errors import LabelingError
from metalwork.labeling._function import ColumnRule, LabelingFunction
from metalwork.schema import TaskSchema, unknown_name

Codes = npt.NDArray[np.int32]


class _Failure:
    """Stands in the place of a value that an LF failed to return."""


_FAILED: Final = _Failure()
_PLAIN: Final = frozenset({str, np.str_, int, type(None), _Failure})


@dataclass(frozen=True)
class WrongLabel:
    """An LF returned a text that is no label of its task: a mistake in the LF, not in a record."""

    row: int
    reason: str


@dataclass
class Failures:
    """On how many records an LF failed, and the first of them."""

    count: int = 0
    row: int = -1
    reason: str = ""

    def add(self, row: int, reason: str) -> None:
        if not self.count or row < self.row:
            self.row, self.reason = row, reason
        self.count += 1

    def merge(self, later: "Failures", offset: int) -> None:
        """Add the failures of a batch whose first record is record ``offset`` here."""
        if later.count and not self.count:
            self.row, self.reason = later.row + offset, later.reason
        self.count += later.count


@dataclass(frozen=True)
class Votes:
    """One LF's label codes on a batch, its failures, and what ended it early if anything did."""

    codes: Codes
    failures: Failures = field(default_factory=Failures)
    wrong: WrongLabel | None = None


def vote(lf: LabelingFunction, frame: pl.DataFrame, schema: TaskSchema) -> Votes:
    """The LF's votes on every record of ``frame``."""
    columns = [frame[name] for name in lf.fields]
    if isinstance(lf.function, ColumnRule) and lf.function.accepts(*columns):
        labels = lf.function.label_columns(*columns)
        codes = {label: schema.label_code(lf.task, label) for label in schema.labels(lf.task)}
        return Votes(labels.replace_strict(codes, default=ABSTAIN, return_dtype=pl.Int32).to_numpy())
    failures = Failures()
    try:
        values = _call_all(lf, [column.to_list() for column in columns], len(frame), failures)
    except _Stopped as stopped:
        return Votes(np.full(len(frame), ABSTAIN, np.int32), failures, stopped.wrong)
    return _encode(lf, values, schema, failures)


class _Stopped(Exception):
    def __init__(self, wrong: WrongLabel) -> None:
        self.wrong = wrong


def _call_all(lf: LabelingFunction, columns: Sequence[list[Any]], n_points: int, failures: Failures) -> list[Any]:
    """What the LF returns on each record; a map iterator goes on after its function raised."""
    values: list[Any] = []
    calls = map(lf.function, *columns)
    while len(values) < n_points:
        try:
            values.extend(calls)
            if len(values) < n_points:
                raise RuntimeError("it raised StopIteration")
        except LabelingError as error:
            raise _Stopped(WrongLabel(len(values), str(error))) from None
        except Exception as error:
            failures.add(len(values), f"{type(error).__name__}: {error}".rstrip(": "))
            values.append(_FAILED)
    return values


def _encode(lf: LabelingFunction, values: list[Any], schema: TaskSchema, failures: Failures) -> Votes:
    codes: dict[Any, int] = {label: code for code, label in enumerate(schema.labels(lf.task))}
    codes |= {None: ABSTAIN, ABSTAIN: ABSTAIN, _FAILED: ABSTAIN}
    if _PLAIN.issuperset(map(type, values)) and codes.keys() >= set(values):
        return Votes(np.fromiter(map(codes.__getitem__, values), dtype=np.int32, count=len(values)), failures)
    array = np.full(len(values), ABSTAIN, np.int32)
    for row, value in enumerate(values):
        if isinstance(value, str):
            if (code := codes.get(str.__str__(value))) is None:
                return Votes(array, failures, WrongLabel(row, _foreign(lf.task, value, schema)))
            array[row] = code
        elif not (value is None or value is _FAILED or _is_abstain(value)):
            failures.add(row, f"it returned {_short(value)}")
    return Votes(array, failures)


def _is_abstain(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value == ABSTAIN


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"an object of type {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."


def _foreign(task: str, label: str, schema: TaskSchema) -> str:
    homes = [other for other in schema.tasks if label in schema.labels(other)]
    if not homes:
        unknown = unknown_name(f"label of task {task!r}", label, schema.labels(task))
        return f"it returned a wrong label. {unknown}"
    own = ", ".join(map(repr, schema.labels(task)))
    return (
        f"it returned {label!r}, a label of task {homes[0]!r}, but votes on task {task!r}. "
        f"Declare it with task={homes[0]!r}, or return one of {own}."
    )
