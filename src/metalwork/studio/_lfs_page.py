"""Labeling functions: a table to sort and filter, and one of them."""

from typing import Any, Final

from starlette.responses import Response

from metalwork.analysis import LFRow
from metalwork.studio._asked import Asked
from metalwork.studio._facts import Facts
from metalwork.studio._pages import page
from metalwork.studio._records_page import link_to_records, wait_for
from metalwork.studio._state import Studio
from metalwork.studio._trial import wilson

COLUMNS: Final = {
    "name": "Name",
    "label": "Votes for",
    "coverage": "coverage",
    "overlap": "overlap",
    "conflict": "conflict",
    "dev": "right on dev",
    "learned": "accuracy, learned",
    "off": "off its branch",
    "errors": "errors",
}


def show_lfs(studio: Studio, asked: Asked) -> Response:
    """The table."""
    shown = wait_for(studio)
    rows = [] if shown is None else _rows(shown.facts)
    task, wanted, only = asked.one("task"), asked.one("search").casefold(), asked.flag("flagged")
    kept = [
        row
        for row in rows
        if (not task or row["task"] == task)
        and (not wanted or wanted in f"{row['name']} {row['label']}".casefold())
        and (row["flags"] or not only)
    ]
    by, down = asked.one("sort", "task"), asked.flag("down")
    tasks = list(studio.project.space.tasks)
    kept.sort(key=lambda row: tasks.index(row["task"]) if row["task"] in tasks else len(tasks))
    if by in COLUMNS:
        filled = [row for row in kept if row[by] is not None]
        kept = sorted(filled, key=lambda row: row[by], reverse=down) + [row for row in kept if row[by] is None]
    view: dict[str, Any] = {
        "shown": shown,
        "rows": kept,
        "n_all": len(rows),
        "columns": COLUMNS,
        "sort": by,
        "down": down,
        "tasks": tasks,
        "by_task": by not in COLUMNS,
    }
    return page(studio, asked, "lfs.html.j2", "Labeling functions", renews=True, **view)


def _rows(facts: Facts) -> list[dict[str, Any]]:
    dev = {} if facts.dev is None else {row.name: row for row in facts.dev.rows}
    return [_row(row, dev.get(row.name)) for row in facts.lfs.rows]


def _row(row: LFRow, dev: LFRow | None) -> dict[str, Any]:
    n_scored = 0 if dev is None else dev.n_scored
    precision = dev.precision if dev is not None and n_scored else None
    right = 0 if precision is None else round(precision * n_scored)
    interval = wilson(right, n_scored)
    return {
        "name": row.name,
        "task": row.task,
        "label": ", ".join(row.polarity),
        "coverage": row.coverage,
        "overlap": row.overlap,
        "conflict": row.conflict,
        "dev": precision,
        "n_scored": n_scored,
        "interval": interval,
        "learned": row.learned_accuracy,
        "off": None if dev is None else dev.off_branch,
        "errors": row.n_errors,
        "flags": _flags(row, precision, interval),
        "votes": link_to_records(lf=row.name),
        "wrong": link_to_records(lf=row.name, wrong=True, split="dev"),
        "clashes": link_to_records(lf=row.name, conflict=True),
    }


def _flags(row: LFRow, precision: float | None, interval: tuple[float, float] | None) -> list[str]:
    """What deserves a look."""
    found = []
    if row.n_votes == 0:
        found.append("never votes")
    if row.n_errors:
        found.append("fails")
    if interval is not None and interval[1] < 0.5:
        found.append("mostly wrong on dev")
    elif precision is not None and precision < 0.5:
        found.append("often wrong on dev")
    if row.coverage and row.conflict > row.coverage / 2:
        found.append("contradicted on most")
    return found


ROUTES: Final = (("GET", "/lfs", show_lfs),)
