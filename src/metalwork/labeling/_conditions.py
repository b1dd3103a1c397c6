"""Labeling functions that compare the values of a column: with bounds, or with some values."""

import math
from collections.abc import Collection, Mapping, Sequence
from numbers import Real
from typing import Any, Final

import numpy as np
import polars as pl

from metalwork._checks import BoolArray
from metalwork._names import as_written, is_missing
from metalwork.errors import LabelingError
from metalwork.labeling._declared import ColumnRule, Reading, Verdicts
from metalwork.labeling._function import LabelingFunction

_SIGNS: Final = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}


class ThresholdRule(ColumnRule):
    """Holds of numbers within bounds."""

    def __init__(self, label: str, bounds: Mapping[str, float]) -> None:
        self.labels, self.bounds = (label,), dict(bounds)

    def verdicts(self, reading: Reading, fields: Sequence[str]) -> Verdicts:
        column, why = reading.chunk.numbers(fields[0])
        numbers = column.fill_null(math.nan).to_numpy()
        holds = np.ones(len(numbers), np.bool_)
        for name, bound in self.bounds.items():
            holds &= _COMPARE[name](numbers, bound)
        return Verdicts.of(holds, np.isnan(numbers), why)

    def said(self, reading: Reading, fields: Sequence[str]) -> str:
        value = reading.chunk.column(fields[0])[0]
        return f"{fields[0]} is {value!r}, asked for {self.asked}"

    @property
    def asked(self) -> str:
        """Its bounds."""
        return " and ".join(f"{_SIGNS[name]} {bound:g}" for name, bound in self.bounds.items())


_COMPARE: Final = {"above": np.greater, "at_least": np.greater_equal, "below": np.less, "at_most": np.less_equal}


class EqualsRule(ColumnRule):
    """Holds of some values, by how they are written."""

    def __init__(self, label: str, values: Sequence[Any]) -> None:
        self.labels, self.values = (label,), tuple(values)
        self._names = frozenset(name for value in self.values for name in as_written(value))

    def verdicts(self, reading: Reading, fields: Sequence[str]) -> Verdicts:
        column = reading.chunk.column(fields[0])
        if column.dtype == pl.Object or column.dtype.is_nested():
            values = column.to_list()
            holds = np.fromiter(map(self._holds, values), np.bool_, len(values))
            missing = np.fromiter(map(is_missing, values), np.bool_, len(values))
            return Verdicts.of(holds, missing, reading.chunk.failed(fields))
        values = column.unique().to_list()
        holds = _is_in(column, [value for value in values if self._holds(value)])
        missing = _is_in(column, [value for value in values if is_missing(value)])
        return Verdicts.of(holds, missing, reading.chunk.failed(fields))

    def _holds(self, value: Any) -> bool:
        return not is_missing(value) and not self._names.isdisjoint(as_written(value))

    def said(self, reading: Reading, fields: Sequence[str]) -> str:
        value = reading.chunk.column(fields[0])[0]
        asked = repr(self.values[0]) if len(self.values) == 1 else f"one of {len(self.values)} values"
        return f"{fields[0]} is {value!r}, asked for {asked}"


def _is_in(column: pl.Series, values: list[Any]) -> BoolArray:
    if not values:
        return np.zeros(len(column), np.bool_)
    return np.array(column.is_in(pl.Series([values]), nulls_equal=True).to_numpy(), dtype=bool)


def threshold(
    task: str,
    label: str,
    field: str,
    name: str | None = None,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> LabelingFunction:
    """A labeling function that votes ``label`` where a number lies within bounds.

    Parameters
    ----------
    task, label : str
    field : str
        The column. Text in it is read as numbers; null, NaN and blank text abstain, other text is a failure.
    name : str, optional
        ``"<label>: <field> > 1000"`` by default.
    above, at_least, below, at_most : float, optional
        One or two of them; ``above`` and ``below`` exclude the bound itself.

    Examples
    --------
    >>> import metalwork as mw
    >>> large = mw.threshold("size", "Large", "amount", above=1000)
    >>> large(1500), large("1500"), large(1000), large(None)
    ('Large', 'Large', None, None)
    """
    given: dict[str, Any] = {"above": above, "at_least": at_least, "below": below, "at_most": at_most}
    bounds = {key: value for key, value in given.items() if value is not None}
    of = f"LF {name!r}" if name is not None else f"the threshold LF for {label!r}"
    for key, value in bounds.items():
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not math.isfinite(value):
            raise LabelingError(f"{key} of {of} must be a finite number; got {value!r}.")
    lower = [value for key, value in bounds.items() if key in ("above", "at_least")]
    upper = [value for key, value in bounds.items() if key in ("below", "at_most")]
    strict = "above" in bounds or "below" in bounds
    empty = lower and upper and (lower[0] > upper[0] or (lower[0] == upper[0] and strict))
    if not bounds or len(lower) > 1 or len(upper) > 1 or empty:
        raise LabelingError(
            f"bounds of {of} must be one lower (above, at_least), one upper (below, at_most), or both with "
            f"numbers between them; got {bounds or 'none'}. Write e.g. above=1000."
        )
    rule = ThresholdRule(label, {key: float(value) for key, value in bounds.items()})
    return _function(task, label, field, name, f"{label}: {field} {rule.asked}", rule)


def equals(task: str, label: str, values: Any, field: str, name: str | None = None) -> LabelingFunction:
    """A labeling function that votes ``label`` where a column holds a value, or one of several.

    Parameters
    ----------
    task, label : str
    values : str, number, bool, or a list or set of them
        Compared as they are written, blanks around them aside: 1, 1.0 and "1" are the same, and so are True and
        "true". For a table from values to several labels see :func:`metalwork.from_table`.
    field : str
        The column. Null, NaN and blank text abstain.
    name : str, optional
        ``"<label>: <field> = <value>"`` by default.

    Examples
    --------
    >>> import metalwork as mw
    >>> west = mw.equals("coast", "West", ["CA", "OR", "WA"], "state")
    >>> west("OR"), west("NY")
    ('West', None)
    """
    several = isinstance(values, Collection) and not isinstance(values, (str, bytes, Mapping))
    listed = list(values) if several else [values]
    if isinstance(values, (set, frozenset)):
        listed = sorted(listed, key=str)
    of = f"LF {name!r}" if name is not None else f"the LF for {label!r}"
    if not listed or not all(isinstance(value, (str, Real)) and not is_missing(value) for value in listed):
        raise LabelingError(f"values of {of} must be a text, a number, or a list of them; got {values!r}.")
    more = f" or {len(listed) - 1} more" if len(listed) > 1 else ""
    return _function(task, label, field, name, f"{label}: {field} = {listed[0]}{more}", EqualsRule(label, listed))


def _function(
    task: Any, label: Any, field: Any, name: str | None, default: str, rule: ColumnRule
) -> LabelingFunction:
    lf_name = default if name is None else name
    for what, value in (("task", task), ("label", label), ("field", field)):
        if not isinstance(value, str) or not value:
            raise LabelingError(f"{what} of LF {lf_name!r} must be a text; got {value!r}.")
    return LabelingFunction(task, lf_name, (field,), rule)
