"""The table of labeling functions: by task, with learned accuracy and precision."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from metalwork.analysis import LFRow, LFSummary, TaskRow
from metalwork.inspection import LFCard
from metalwork.report._text import shorten
from metalwork.schema import TaskSchema

MOST_LFS: Final = 160
"""Of more LFs, those of highest coverage are shown."""

_FEW: Final = 10
_NAMED: Final = 3


@dataclass(frozen=True)
class GoldCell:
    """How LFs did on one split of known end labels; ``few`` says that the figure rests on few votes."""

    precision: float | None
    n_scored: int
    off_branch: float | None
    few: bool


@dataclass(frozen=True)
class Mark:
    """A point on the strip from 0 to 1."""

    at: float
    series: int


@dataclass(frozen=True)
class LFLine:
    """One LF: its row, the labels it votes, a gold cell a split, and its figures as points.

    ``first`` is the precision that is believed, or the learned accuracy, ``span`` its interval; ``alone`` is the
    share of records on which no other LF votes; ``anchor`` is where its examples stand.
    """

    row: LFRow
    polarity: str
    gold: tuple[GoldCell, ...]
    first: float | None
    span: tuple[float, float] | None
    alone: float | None
    marks: tuple[Mark, ...]
    anchor: str


@dataclass(frozen=True)
class TaskGroup:
    """The LFs of one task; ``under`` is the label under which it applies, ``""`` for the root."""

    row: TaskRow
    under: str
    gold: tuple[GoldCell, ...]
    lines: tuple[LFLine, ...]
    n_hidden: int


def group_lfs(
    schema: TaskSchema,
    lfs: LFSummary,
    gold: Mapping[str, LFSummary],
    cards: Sequence[LFCard] = (),
    anchors: Mapping[str, str] | None = None,
) -> list[TaskGroup]:
    """The rows of the table, a group a task that has LFs."""
    by_name = {card.name: card for card in cards}
    known = {split: {row.name: row for row in summary.rows} for split, summary in gold.items()}
    share = min(1.0, MOST_LFS / max(len(lfs.rows), 1))
    groups = []
    for task in lfs.tasks:
        rows = [row for row in lfs.rows if row.task == task.task]
        if not rows:
            continue
        shown = _widest(rows, math.ceil(share * len(rows)))
        parent = schema.parent(task.task)
        groups.append(
            TaskGroup(
                row=task,
                under="" if parent is None else parent[1],
                gold=tuple(_gold_cell(_find(summary.tasks, task.task)) for summary in gold.values()),
                lines=tuple(
                    _line(
                        row,
                        schema.labels(task.task),
                        {split: rows.get(row.name) for split, rows in known.items()},
                        by_name.get(row.name),
                        (anchors or {}).get(row.name, ""),
                    )
                    for row in shown
                ),
                n_hidden=len(rows) - len(shown),
            )
        )
    return groups


def _widest(rows: Sequence[LFRow], most: int) -> list[LFRow]:
    kept = sorted(range(len(rows)), key=lambda j: (-rows[j].coverage, j))[:most]
    return [rows[j] for j in sorted(kept)]


def _find(tasks: Sequence[TaskRow], name: str) -> TaskRow | None:
    return next((row for row in tasks if row.task == name), None)


def _gold_cell(row: LFRow | TaskRow | None) -> GoldCell:
    if row is None:
        return GoldCell(None, 0, None, few=True)
    return GoldCell(row.precision, row.n_scored, row.off_branch, few=row.n_scored < _FEW)


def _line(
    row: LFRow, known: Sequence[str], gold: Mapping[str, LFRow | None], card: LFCard | None, anchor: str
) -> LFLine:
    believed = None if card is None else card.precision
    first = row.learned_accuracy if believed is None else believed.value
    shares = [first, *(None if other is None else other.precision for other in gold.values())]
    marks = [Mark(value, series) for series, value in enumerate(shares) if value is not None]
    return LFLine(
        row,
        _polarity(row.polarity, known),
        tuple(_gold_cell(other) for other in gold.values()),
        first,
        None if believed is None else (believed.low, believed.high),
        None if card is None else card.marginal_coverage,
        tuple(reversed(marks)),
        anchor,
    )


def _polarity(labels: Sequence[str], known: Sequence[str]) -> str:
    if len(known) > _NAMED and tuple(labels) == tuple(known):
        return f"all {len(known)} labels"
    more = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
    return (", ".join(shorten(label, 40) for label in labels[:_NAMED]) or "never votes") + more
