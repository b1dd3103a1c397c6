"""Labeling functions: a table to sort and filter, and one of them."""

import inspect
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from metalwork.errors import ConfigError
from metalwork.inspection import Inspection, LFCard
from metalwork.labeling import runs_python
from metalwork.studio._asked import Asked
from metalwork.studio._pages import page, part
from metalwork.studio._records_page import link_to_records, record_view, wait_for
from metalwork.studio._state import Studio

COLUMNS: Final = {
    "name": "Name",
    "label": "Votes for",
    "coverage": "coverage",
    "precision": "precision, estimated",
    "dev": "right on dev",
    "conflict": "conflict",
    "alone": "it alone",
    "overlap": "overlap",
    "off": "off its branch",
    "errors": "errors",
}
_SHOWN: Final = 4
_PAIRS: Final = 10


def show_lfs(studio: Studio, asked: Asked) -> Response:
    """The table."""
    shown = wait_for(studio)
    rows = [] if shown is None else [_row(card) for card in shown.facts.lf_cards]
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


def show_lf(studio: Studio, asked: Asked) -> Response:
    """One of them: figures, the others that it meets, records on which it is right, wrong and contradicted."""
    shown, name = wait_for(studio), asked.one("name")
    card = None if shown is None else next((own for own in shown.facts.lf_cards if own.name == name), None)
    if shown is None or card is None:
        return RedirectResponse("/lfs", 303)
    inspection = shown.inspection
    examples = []
    asked_of: dict[str, dict[str, Any]] = {
        "Wrong on dev": {"wrong": True},
        "Contradicted": {"conflict": True},
        "Right on dev": {"right": True},
        "Votes": {"split": "train"},
    }
    for title, query in asked_of.items():
        found = inspection.records(lf=name, limit=_SHOWN, **query)
        link = link_to_records(lf=name, **query)
        examples.append((title, found.total, link, [record_view(studio, record) for record in found.records]))
    names = studio.project.rule_names
    view: dict[str, Any] = {
        "row": _row(card),
        "reads": card.reads,
        "pairs": _pairs(inspection, card),
        "examples": examples,
    }
    source = _source(inspection, name)
    return page(studio, asked, "lf.html.j2", name, renews=True, is_rule=name in names, source=source, **view)


def show_without(studio: Studio, asked: Asked) -> Response:
    """What dropping it would change."""
    shown = wait_for(studio)
    if shown is None:
        return RedirectResponse("/lfs", 303)
    try:
        found = shown.inspection.without(asked.one("name"))
    except ConfigError as error:
        return part("without.html.j2", found=None, problem=str(error), records=[])
    records = [record_view(studio, shown.inspection.record(*place)) for place in found.rows[:_SHOWN]]
    return part("without.html.j2", found=found, problem="", records=records)


def _row(card: LFCard) -> dict[str, Any]:
    dev = card.dev_precision
    return {
        "name": card.name,
        "task": card.task,
        "label": ", ".join(card.polarity),
        "n_votes": card.n_votes,
        "coverage": card.coverage,
        "alone": card.marginal_coverage,
        "overlap": card.overlap,
        "conflict": card.conflict,
        "precision": None if card.precision is None else card.precision.value,
        "believed": card.precision,
        "dev": None if dev is None else dev.value,
        "on_dev": dev,
        "off": card.off_branch if card.dev_off_branch is None else card.dev_off_branch,
        "errors": card.n_errors,
        "flags": card.flags,
        "wrong": link_to_records(lf=card.name, wrong=True),
        "clashes": link_to_records(lf=card.name, conflict=True),
    }


def _pairs(inspection: Inspection, card: LFCard) -> list[tuple[str, int, int, float]]:
    """The others that it meets most: on how many records, in conflict on how many, and how far they repeat."""
    pairs = inspection.lf_pairs(card.task)
    j = pairs.names.index(card.name)
    order = sorted(range(len(pairs.names)), key=lambda k: (-int(pairs.conflict[j, k]), -int(pairs.overlap[j, k])))
    met = [k for k in order if k != j and pairs.overlap[j, k]][:_PAIRS]
    return [
        (pairs.names[k], int(pairs.overlap[j, k]), int(pairs.conflict[j, k]), float(pairs.dependence[j, k]))
        for k in met
    ]


def _source(inspection: Inspection, name: str) -> str:
    """The source of a function in Python, as it stands in its file."""
    lf: Any = next((own for own in inspection.lfs if own.name == name), None)
    if lf is None or not runs_python(lf):
        return ""
    try:
        return inspect.getsource(getattr(lf.function, "function", lf.function))
    except (OSError, TypeError):
        return ""


ROUTES: Final = (
    ("GET", "/lfs", show_lfs),
    ("GET", "/lfs/one", show_lf),
    ("GET", "/lfs/without", show_without),
)
