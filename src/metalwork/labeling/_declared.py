"""Declarative rules: what they say of whole columns, and how they read them."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork._checks import BoolArray
from metalwork.labeling._chunk import Chunk
from metalwork.labeling._function import DeclaredLabels
from metalwork.labeling._texts import Texts, texts_of

NO: Final = 0
UNKNOWN: Final = 1
YES: Final = 2
"""Whether a rule holds of a record: "and" is the least of these, "or" the greatest, "not" swaps yes and no."""

Truth = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Verdicts:
    """What a rule says of each record (n_points,).

    ``truth`` is NO, UNKNOWN or YES; ``which`` is the number of the label among the rule's own, where it
    holds (None: the first everywhere); ``why`` says by row what could not be read.
    """

    truth: Truth
    which: npt.NDArray[np.int64] | None = None
    why: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, holds: BoolArray, missing: BoolArray, why: Mapping[int, str]) -> "Verdicts":
        """Of a condition that holds, does not, or has nothing to look at: a missing or an unreadable value."""
        truth = np.where(missing, UNKNOWN, np.where(holds, YES, NO)).astype(np.int8)
        truth[list(why)] = UNKNOWN
        return cls(truth, None, why)

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The number of the label (n_points,) of each record of which the rule holds, -1 of others."""
        which = np.zeros(len(self.truth), np.int64) if self.which is None else self.which
        return np.where(self.truth == YES, which, -1)


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


class ColumnRule(DeclaredLabels):
    """A rule that labels whole columns at once; what built-in LFs are made of.

    ``rule(*values)`` labels one record as ``rule.verdicts`` does.
    """

    @abstractmethod
    def verdicts(self, reading: Reading, fields: Sequence[str]) -> Verdicts:
        """What it says of each record, when it reads the columns ``fields``."""

    def leaves(self, fields: Sequence[str]) -> Iterator[tuple["ColumnRule", tuple[str, ...]]]:
        """The rules that it is made of, each with the columns it reads."""
        yield self, tuple(fields)

    def __call__(self, *values: Any) -> str | None:
        """The label of one record, or None."""
        reading, fields = read_values(values)
        said = self.verdicts(reading, fields)
        if said.why:
            raise TypeError(said.why[0].removeprefix("TypeError: "))
        number = int(said.labels[0])
        return None if number < 0 else self.labels[number]


def read_values(values: Sequence[Any], names: Sequence[str] | None = None) -> tuple[Reading, tuple[str, ...]]:
    """One record, and its columns."""
    fields = tuple(names or (f"column {i + 1}" for i in range(len(values))))
    columns = [_column(name, value) for name, value in zip(fields, values, strict=True)]
    return Reading(Chunk(pl.DataFrame(columns))), fields


def _column(name: str, value: Any) -> pl.Series:
    try:
        return pl.Series(name, [value], strict=False)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        return pl.Series(name, [value], dtype=pl.Object)
