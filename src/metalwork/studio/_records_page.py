"""Records: those that answer a question, and all that is known of one."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.responses import Response

from metalwork.errors import ConfigError
from metalwork.inspection import InspectedRecord, Inspection
from metalwork.studio._asked import Asked
from metalwork.studio._pages import page, part, stretched
from metalwork.studio._security import RefusedError
from metalwork.studio._state import Shown, Studio

ON_PAGE: Final = 20
_SHORT: Final = 700  # characters of a text in a list
FACETS: Final = {
    "wrong": "an LF is wrong",
    "conflict": "LFs contradict each other",
    "uncovered": "no LF votes",
    "uncertain": "least certain first",
    "tied": "votes leave it open",
    "differ": "network says another label",
    "network_wrong": "only the network is wrong",
    "suspect": "known label in doubt",
}
"""Questions that are asked with a box, and what they say on the page."""


def show_records(studio: Studio, asked: Asked) -> Response:
    """The records that answer what is asked."""
    shown = wait_for(studio)
    view: dict[str, Any] = {"facets": FACETS, "found": None, "problem": "", "shown": shown}
    if shown is not None:
        view |= _choices(shown)
        try:
            view["found"] = _found(studio, shown.inspection, asked)
        except ConfigError as error:
            view["problem"] = str(error)
    if asked.is_part:
        return part("found.html.j2", asked=asked, **view)
    return page(studio, asked, "records.html.j2", "Records", **view)


def show_record(studio: Studio, asked: Asked) -> Response:
    """One record."""
    shown = wait_for(studio)
    if shown is None:
        raise RefusedError(404, "There are no votes yet. Write a rule, and run it")
    split = asked.path["split"]
    row = asked.path["row"]
    if not row.isascii() or not row.isdigit():
        raise RefusedError(404, "There is no such record")
    record = shown.inspection.record(split, int(row[:18]))
    near = _nearest(shown.inspection, split, record.row)
    view = record_view(studio, record, most=50_000)
    levels = [(task, _bars(record, task)) for task in shown.inspection.schema.tasks if task in record.posterior]
    return page(
        studio,
        asked,
        "record.html.j2",
        f"{split} {record.id}",
        record=view,
        moved=[(one.lf, one.effect) for one in record.moved_by][:30],
        levels=levels,
        near=[record_view(studio, one) for one in near],
        has_network=record.end_posterior is not None,
    )


def wait_for(studio: Studio) -> Shown | None:
    """The run that is shown; it may be being read."""
    studio.wait(20.0)
    return studio.shown


def record_view(studio: Studio, record: InspectedRecord, most: int = _SHORT) -> dict[str, Any]:
    """A record as templates show it."""
    text = studio.project.settings.features.text
    main = text if text in record.fields else next(iter(record.fields), None)
    others = [
        (name, value if len(str(value)) <= 200 or most > _SHORT else f"{str(value)[:200]} …")
        for name, value in record.fields.items()
        if name != main and value is not None
    ]
    return {
        "split": record.split,
        "row": record.row,
        "id": record.id,
        "href": f"/records/{record.split}/{record.row}",
        "text": "" if main is None else stretched(record.segments(main), most),
        "others": [(name, stretched(record.segments(name), most)) for name, _ in others],
        "votes": [(task, vote, lf) for task, own in record.votes.items() for lf, vote in own],
        "reasons": record.reasons,
        "known": record.known,
        "predicted": record.predicted,
        "chance": _chance(record.posterior, record.predicted),
        "end_chance": _chance(record.end_posterior or {}, record.end_predicted),
        "end_predicted": record.end_predicted,
        "n_votes": record.n_votes,
        "tied": record.tied,
    }


def _chance(posterior: Mapping[str, Mapping[str, float]], label: str | None) -> float | None:
    name = "" if label is None else label.rpartition("/")[2]
    found = [own[name] for own in posterior.values() if name in own]
    return min(found) if found else None


def _bars(record: InspectedRecord, task: str, most: int = 8) -> list[tuple[str, float, float | None]]:
    """The labels of a task that are most probable, by the label model and by the network."""
    own = record.posterior[task]
    other = None if record.end_posterior is None else record.end_posterior.get(task)
    ranked = sorted(own, key=lambda label: -max(own[label], 0.0 if other is None else other[label]))[:most]
    return [(label, own[label], None if other is None else other[label]) for label in ranked]


def _nearest(inspection: Inspection, split: str, row: int) -> tuple[InspectedRecord, ...]:
    """The records most like one; none where nothing tells that."""
    try:
        return inspection.records(near=(split, row), limit=5).records
    except ConfigError:
        return ()


def _found(studio: Studio, inspection: Inspection, asked: Asked) -> dict[str, Any]:
    """The page of records that is asked for."""
    query: dict[str, Any] = {name: True for name in FACETS if asked.flag(name)}
    names = ("split", "task", "label", "vote")
    query |= {name: value for name in names if (value := asked.one(name))}
    if lfs := asked.all("lf"):
        query["lf"] = lfs
    if known := asked.one("known"):
        query["known"] = {"any": True, "none": False}.get(known, known)
    if text := asked.one("search"):
        query["search"] = _pattern(studio, text, asked.flag("regex"))
    offset = asked.number("offset", 0)
    answer = inspection.records(**query, offset=offset, limit=ON_PAGE)
    last = offset + len(answer.records)
    return {
        "total": answer.total,
        "first": offset + 1,
        "last": last,
        "records": [record_view(studio, record) for record in answer.records],
        "before": asked.with_query(offset=max(0, offset - ON_PAGE) or None) if offset else None,
        "after": asked.with_query(offset=last) if last < answer.total else None,
        "rule": _as_rule(asked) if asked.one("search") else "",
    }


def _as_rule(asked: Asked) -> str:
    """Where what was searched for can become a rule."""
    kind = (
        {"kind": "regex", "pattern": asked.one("search")}
        if asked.flag("regex")
        else {"words": asked.one("search")}
    )
    return f"/rules/new?{urlencode(kind | ({'task': asked.one('task')} if asked.one('task') else {}))}"


def _pattern(studio: Studio, text: str, is_regex: bool) -> str:
    """The pattern to search for; one that somebody wrote is tried where it can hold up nothing."""
    if not is_regex:
        return re.escape(text[:1_000])
    project = studio.project
    task = project.space.tasks[0]
    rule = {"regex": text[:1_000], "task": task, "label": project.space.labels(task)[0]}
    column = project.settings.features.text
    studio.trier.votes(rule if column in (None, "text") else rule | {"field": column})
    return text[:1_000]


def _choices(shown: Shown) -> dict[str, Any]:
    """What can be chosen from."""
    inspection = shown.inspection
    schema = inspection.schema
    return {
        "lfs": [lf.name for lf in inspection.lfs],
        "tasks": schema.tasks,
        "labels": [*schema.label_names.places],
        "splits": inspection.splits,
        "fitted": "fit" in shown.run.steps,
    }


def link_to_records(**asked: str | bool) -> str:
    """The address of the records that answer a question."""
    fields = [
        f"{name}={quote(str(int(value) if isinstance(value, bool) else value), safe='')}"
        for name, value in asked.items()
    ]
    return "/records?" + "&".join(fields)


ROUTES: Final = (
    ("GET", "/records", show_records),
    ("GET", "/records/{split}/{row}", show_record),
)
