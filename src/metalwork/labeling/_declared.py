"""Declarative rules: what they say of whole columns, and how they read them."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork._checks import ABSTAIN, BoolArray
from metalwork._names import is_missing
from metalwork.data import Kind, read_as
from metalwork.labeling._batch import BatchRule
from metalwork.labeling._chunk import Chunk
from metalwork.labeling._explain import Explanation, Match
from metalwork.labeling._function import LabelingFunction, ReadsColumns
from metalwork.labeling._texts import Texts, texts_of

NO: Final = 0
UNKNOWN: Final = 1
YES: Final = 2
"""Whether a rule holds of a record: "and" is the least of these, "or" the greatest, "not" swaps yes and no."""

Truth = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Verdicts:
    """What a rule says of each record: ``truth`` (n_points,), and by row why something could not be read."""

    truth: Truth
    why: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, holds: BoolArray, missing: BoolArray, why: Mapping[int, str]) -> "Verdicts":
        """Of a condition that holds, does not, or has nothing to look at: a missing or an unreadable value."""
        truth = np.where(missing, UNKNOWN, np.where(holds, YES, NO)).astype(np.int8)
        truth[list(why)] = UNKNOWN
        return cls(truth, why)


class Reading:
    """The columns of a chunk as rules read them, each form of a column made once for all."""

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self._texts: dict[str, tuple[Texts, Mapping[int, str]]] = {}

    def texts(self, name: str) -> tuple[Texts, Mapping[int, str]]:
        """A column as texts, and by row why a value is none."""
        if name not in self._texts:
            self._texts[name] = texts_of(self.chunk.column(name))
        return self._texts[name]

    def found(self, rule: "ColumnRule", name: str) -> BoolArray | None:
        """Which texts (n_points,) of a column a rule finds something in, where it was looked up with others."""
        return None


class ColumnRule(ReadsColumns):
    """A rule that labels whole columns at once; what built-in LFs are made of.

    ``rule(*values)`` labels one record as ``rule.verdicts`` does. ``labels`` holds
    the label that it votes; a condition alone, such as "not so", has none.
    """

    @abstractmethod
    def verdicts(self, reading: Reading, fields: Sequence[str]) -> Verdicts:
        """What it says of each record, when it reads the columns ``fields``."""

    def said(self, reading: Reading, fields: Sequence[str]) -> str:
        """What it compared on the first record; empty where its matches say it."""
        return ""

    def found(self, reading: Reading, fields: Sequence[str]) -> tuple[Match, ...]:
        """Where it finds words or patterns in the first record, whether or not it holds."""
        return ()

    def explained(self, name: str, reading: Reading, fields: Sequence[str]) -> Explanation:
        """Why it votes as it does on the first record."""
        verdicts = self.verdicts(reading, fields)
        holds = {YES: True, NO: False, UNKNOWN: None}[int(verdicts.truth[0])]
        said = verdicts.why.get(0) or self.said(reading, fields)
        return Explanation(name, self.labels[0] if holds and self.labels else None, holds, said=said)

    def leaves(self, fields: Sequence[str]) -> Iterator[tuple["ColumnRule", tuple[str, ...]]]:
        """The rules that it is made of, each with the columns it reads."""
        yield self, tuple(fields)

    def __call__(self, *values: Any) -> str | None:
        """The label of one record, or None."""
        return self.label_of(values, [f"column {i + 1}" for i in range(len(values))])

    def label_of(self, values: Sequence[Any], fields: Sequence[str]) -> str | None:
        said = self.verdicts(read_values(values, fields), fields)
        if said.why:
            raise TypeError(said.why[0].removeprefix("TypeError: "))
        return self.labels[0] if self.labels and said.truth[0] == YES else None


def read_values(values: Sequence[Any], fields: Sequence[str]) -> Reading:
    """One record."""
    return Reading(Chunk(pl.DataFrame([_column(name, value) for name, value in zip(fields, values, strict=True)])))


def _column(name: str, value: Any) -> pl.Series:
    try:
        return pl.Series(name, [value], strict=False)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        return pl.Series(name, [value], dtype=pl.Object)


class ReadRecord:
    """One record that labeling functions explain their votes on; what they make of its columns is made once.

    Parameters
    ----------
    values : mapping of column to value
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def explain(self, lf: LabelingFunction) -> Explanation | None:
        """Why ``lf`` votes as it does on the record, read as ``apply`` reads it.

        None where it reads what the record does not have: what preprocessors or other functions make of it.
        """
        if not self._values.keys() >= set(lf.fields):
            return None
        if isinstance(lf.function, ColumnRule) and not any(lf.kinds):
            rule, reading = lf.function, self._reading
            return _or_failed(lf, lambda: rule.explained(lf.name, reading, lf.fields))
        values = (self._values[field] for field in lf.fields)
        return lf.explain(*(_read(value, kind) for value, kind in zip(values, lf.kinds, strict=True)))

    def found(self, lf: LabelingFunction) -> tuple[Match, ...]:
        """Where a rule finds words or patterns in the record; no function, model or service is called."""
        if not isinstance(lf.function, ColumnRule) or not self._values.keys() >= set(lf.fields):
            return ()
        try:
            return lf.function.found(self._reading, lf.fields)
        except Exception:  # whoever asks why it fails is told by explain
            return ()

    def said(self, lf: LabelingFunction) -> str:
        """What a rule compared in the record; empty of all else, which is not called."""
        explained = self.explain(lf) if isinstance(lf.function, ColumnRule) else None
        return "" if explained is None else explained.said

    @cached_property
    def _reading(self) -> Reading:
        return read_values([*self._values.values()], [*self._values])


def _read(value: Any, kind: Kind | None) -> Any:
    """A value as a labeling function gets it; as it is where it cannot be read so."""
    if kind is None or kind is str:
        return value
    read, unreadable = read_as(_column("", value), kind, text_only=True)
    return value if unreadable else read[0]


def explained(lf: LabelingFunction, values: Sequence[Any], named: Mapping[str, Any]) -> Explanation:
    """Why ``lf`` votes as it does on one record; of a function in Python, its vote, or how it failed."""
    return _or_failed(lf, lambda: _explained(lf, [*values, *(named[field] for field in lf.fields[len(values) :])]))


def _explained(lf: LabelingFunction, values: Sequence[Any]) -> Explanation:
    if isinstance(lf.function, ColumnRule):
        return lf.function.explained(lf.name, read_values(values, lf.fields), lf.fields)
    batch = isinstance(lf.function, BatchRule)
    returned = lf.function(*([value] for value in values))[0] if batch else lf(*values)
    return Explanation(lf.name, None if is_missing(returned) or returned == ABSTAIN else returned)


def _or_failed(lf: LabelingFunction, explain: Callable[[], Explanation]) -> Explanation:
    try:
        return explain()
    except Exception as error:
        return Explanation(lf.name, said=f"failed: {type(error).__name__}: {error}".rstrip(": "))
