"""Results as data: rows of figures, printed as Markdown and written as JSON."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from metalwork.errors import ConfigError
from metalwork.experiments._paper import PaperFigure
from metalwork.schema import unknown_name

METRICS: Final[Mapping[str, str]] = {
    "test": "Test accuracy",
    "train": "Train accuracy (hidden gold)",
    "ece": "Test ECE",
    "brier": "Test Brier",
}
"""Metric key -> column title, in printing order. Accuracies are in [0, 1]."""

_PERCENT = ("test", "train")
_SAME = "†"


@dataclass(frozen=True)
class Row:
    """One method's figures.

    Attributes
    ----------
    method : str
    values : mapping of metric key to tuple of float
        One value a trial; a single one where ``same`` holds.
    paper : PaperFigure, optional
        What the paper prints for its counterpart, in percent.
    same : bool
        The method has no random step, so every trial gives the same figure and its deviation is 0 by
        construction, not by measurement.
    gain : bool
        The figures are differences between two methods, trial by trial.
    """

    method: str
    values: Mapping[str, tuple[float, ...]]
    paper: PaperFigure | None = None
    same: bool = False
    gain: bool = False

    def mean(self, metric: str) -> float:
        """Mean over the trials."""
        return float(np.mean(self.values[metric]))

    def std(self, metric: str) -> float | None:
        """Sample standard deviation over the trials; 0 where they are the same; None for a single trial."""
        values = self.values[metric]
        if self.same:
            return 0.0
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    def minus(self, other: "Row", method: str) -> "Row":
        """The gain of this row over ``other``: accuracies only, paired by trial."""
        values = {
            metric: tuple((np.asarray(self.values[metric]) - np.asarray(other.values[metric])).tolist())
            for metric in _PERCENT
            if metric in self.values and metric in other.values
        }
        return Row(method, values, same=self.same and other.same, gain=True)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, for JSON."""
        metrics = {
            metric: {"mean": self.mean(metric), "std": self.std(metric), "values": list(values)}
            for metric, values in self.values.items()
        }
        paper = None if self.paper is None else {"mean": self.paper.mean / 100, "std": self.paper.std / 100}
        return {
            "method": self.method,
            "metrics": metrics,
            "paper": paper,
            "same_in_every_trial": self.same,
            "gain": self.gain,
        }

    def text(self, metric: str) -> str:
        """The figure as printed: ``78.4 ± 1.39``, with a dagger where it is the same in every trial."""
        if metric not in self.values:
            return ""
        scale, digits, sign = (100.0, 1, "+" if self.gain else "") if metric in _PERCENT else (1.0, 3, "")
        std = self.std(metric)
        text = f"{self.mean(metric) * scale:{sign}.{digits}f}"
        if std is None:
            return text
        return f"{text} ± {std * scale:.{digits + 1}f}{_SAME if self.same else ''}"


@dataclass(frozen=True)
class Table:
    """Rows under one of the paper's table names; ``header`` and ``cells`` are ready to print."""

    name: str
    title: str
    rows: tuple[Row, ...]
    note: str = ""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that at least one row has."""
        return tuple(metric for metric in METRICS if any(metric in row.values for row in self.rows))

    @property
    def header(self) -> tuple[str, ...]:
        """Column titles."""
        first, *others = (METRICS[metric] for metric in self.metrics)
        paper = ("Paper",) if self._has_paper else ()
        return ("Method", first, *paper, *others)

    @property
    def _has_paper(self) -> bool:
        return any(row.paper is not None for row in self.rows)

    def cells(self) -> list[tuple[str, ...]]:
        """The rows as text, one cell a column of ``header``."""
        return [self._cells_of(row) for row in self.rows]

    def _cells_of(self, row: Row) -> tuple[str, ...]:
        first, *others = (row.text(metric) for metric in self.metrics)
        paper = "" if row.paper is None else f"{row.paper.mean:.1f} ± {row.paper.std:.2f}"
        return (row.method, first, *((paper,) if self._has_paper else ()), *others)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "rows": [row.to_dict() for row in self.rows],
            "note": self.note,
        }

    def to_markdown(self) -> str:
        """A heading, the table, and its note."""
        lines = [f"## {self.name}: {self.title}", "", _line(self.header), _line(["---"] * len(self.header))]
        lines += [_line(cells) for cells in self.cells()]
        return "\n".join([*lines, *(["", self.note] if self.note else [])])


@dataclass(frozen=True)
class Results:
    """Everything :func:`reproduce` found.

    Attributes
    ----------
    name : str
        Data set: ``openi``, ``rcv1`` or ``reuters``.
    trials, seed : int
    tables : tuple of Table
    facts : mapping of str to str
        What the figures were measured on: records, LFs, coverage.
    settings : mapping of str to plain values
        What the trials have in common.
    notes : tuple of str
        What a reader has to know, warnings of the models included.
    seconds : float
        Wall-clock time.
    command : str, optional
        What printed them, without trials and seed; ``metalwork reproduce NAME`` by default.
    figures : str
        What a figure is, of several trials.
    """

    name: str
    trials: int
    seed: int
    tables: tuple[Table, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    command: str | None = None
    figures: str = "mean ± standard deviation"

    def table(self, name: str) -> Table:
        """The table of that name; ``ConfigError`` when there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise ConfigError(unknown_name("table", name, [table.name for table in self.tables]))

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, for JSON. Accuracies are in [0, 1]."""
        return {
            "name": self.name,
            "trials": self.trials,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "facts": dict(self.facts),
            "settings": dict(self.settings),
            "notes": list(self.notes),
            "tables": [table.to_dict() for table in self.tables],
        }

    def to_markdown(self) -> str:
        """The tables beside the paper's figures, with the command that prints them."""
        called = self.command or f"metalwork reproduce {self.name}"
        command = f"{called} --trials {self.trials} --seed {self.seed}"
        trials = "1 trial" if self.trials == 1 else f"{self.figures} of {self.trials} trials"
        facts = [f"- {name}: {value}" for name, value in self.facts.items()]
        notes = [f"- {note}" for note in self.notes]
        parts = [
            f"# {self.name}",
            f"`{command}`: {trials} that differ in seed alone, {self.seconds:.0f} s.",
            "\n".join(facts),
            *(table.to_markdown() for table in self.tables),
            "\n".join(notes),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def write(self, folder: str | os.PathLike[str]) -> tuple[Path, Path]:
        """Write ``NAME.json`` and ``NAME.md`` into ``folder``, each whole or not at all; return both paths."""
        target = Path(folder)
        as_json, as_markdown = target / f"{self.name}.json", target / f"{self.name}.md"
        target.mkdir(parents=True, exist_ok=True)
        _write(as_json, json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n")
        _write(as_markdown, self.to_markdown())
        return as_json, as_markdown


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
