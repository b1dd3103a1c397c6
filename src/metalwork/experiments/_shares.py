"""Tables of one figure at several shares of coarse labels, with intervals over seeds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import t as student_t

from metalwork.experiments._tables import Row, Table

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class SharesTable(Table):
    """Accuracies in [0, 1] or differences of them: a network a row, a setting a column.

    Attributes
    ----------
    parameters : mapping of method to int
        Weights and biases of each network.
    """

    parameters: Mapping[str, int] = field(default_factory=dict)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The settings."""
        return tuple(self.rows[0].values)

    @property
    def header(self) -> tuple[str, ...]:
        """Column titles."""
        return ("Network", "Parameters", *self.metrics)

    def cells(self) -> list[tuple[str, ...]]:
        """The rows as text, one cell a column of ``header``."""
        return [
            (row.method, f"{self.parameters[row.method]:,}", *(_text(row, setting) for setting in self.metrics))
            for row in self.rows
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, for JSON."""
        found = super().to_dict()
        for row, stored in zip(self.rows, found["rows"], strict=True):
            stored["parameters"] = self.parameters[row.method]
            for setting, metric in stored["metrics"].items():
                metric["interval"] = interval(row, setting)
        return found

    def minus(self, method: str, name: str, title: str, note: str = "") -> "SharesTable":
        """The differences from one of the rows, trial by trial; that row is left out."""
        base = next(row for row in self.rows if row.method == method)
        rows = tuple(_difference(row, base) for row in self.rows if row is not base)
        return SharesTable(name, title, rows, note, self.parameters)


def interval(row: Row, setting: str) -> float | None:
    """Half the width of the 95 % interval of the mean, by Student's t; None for a single trial."""
    values = np.asarray(row.values[setting])
    if len(values) < 2:
        return None
    quantile = float(student_t.ppf(0.5 + _CONFIDENCE / 2, len(values) - 1))
    return quantile * float(np.std(values, ddof=1) / np.sqrt(len(values)))


def _difference(row: Row, base: Row) -> Row:
    values = {
        setting: tuple(float(a - b) for a, b in zip(found, base.values[setting], strict=True))
        for setting, found in row.values.items()
    }
    return Row(row.method, values, gain=True)


def _text(row: Row, setting: str) -> str:
    half = interval(row, setting)
    text = f"{100 * row.mean(setting):{'+' if row.gain else ''}.1f}"
    return text if half is None else f"{text} ± {100 * half:.1f}"
