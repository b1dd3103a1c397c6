"""Labelling dev records: down the tree, by keys or clicks, each label written at once."""

from typing import Any, Final

from starlette.responses import Response

from metalwork.errors import ChangedError
from metalwork.schema import TaskSchema
from metalwork.studio._asked import Asked
from metalwork.studio._labelling import Place
from metalwork.studio._pages import page, part
from metalwork.studio._records_page import record_view, wait_for
from metalwork.studio._security import RefusedError
from metalwork.studio._state import Shown, Studio

_KEYS: Final = "123456789abcdeghilmnopqrvwyz"
"""Keys of labels; those left out do something else on the page."""


def show_labelling(studio: Studio, asked: Asked) -> Response:
    """A record to label: the one that is asked for, or the next one."""
    shown = wait_for(studio)
    if shown is None:
        return page(studio, asked, "label.html.j2", "Label", shown=None)
    view = _view(studio, shown, asked, _place(asked) if asked.one("row") else None)
    if asked.is_part:
        return part("label_part.html.j2", **view)
    return page(studio, asked, "label.html.j2", "Label", shown=shown, **view)


def give(studio: Studio, asked: Asked) -> Response:
    """Write a label, and show the next record."""
    shown, labelling, place = _shown(studio), studio.labelling(), _place(asked)
    label = asked.one("label") or None
    try:
        labelling.give(place, label, asked.one("before") or None)
    except ChangedError as error:
        return part("label_part.html.j2", 409, **_view(studio, shown, asked, place, problem=str(error)))
    said = f"{_name(shown, place)}: {label}." if label else f"{_name(shown, place)} has no label now."
    return part("label_part.html.j2", **_view(studio, shown, asked, None, said=said))


def skip(studio: Studio, asked: Asked) -> Response:
    """Show the next record, and this one no more."""
    shown, place = _shown(studio), _place(asked)
    studio.labelling().skip(place)
    return part("label_part.html.j2", **_view(studio, shown, asked, None, said=f"{_name(shown, place)} left out."))


def undo(studio: Studio, asked: Asked) -> Response:
    """Take the last label back, and show its record again."""
    shown, place = _shown(studio), studio.labelling().undo()
    said = (
        "There is nothing to take back." if place is None else f"{_name(shown, place)}: its label is taken back."
    )
    return part("label_part.html.j2", **_view(studio, shown, asked, place, said=said))


def _view(
    studio: Studio, shown: Shown, asked: Asked, place: Place | None, said: str = "", problem: str = ""
) -> dict[str, Any]:
    """What the page shows of a record; of the next one where ``place`` is None."""
    labelling, schema = studio.labelling(), shown.inspection.schema
    reason = ""
    if place is None:
        found = labelling.next(shown.inspection)
        if found is not None:
            place, reason = (found.split, found.row), found.reason
    view: dict[str, Any] = {
        "record": None,
        "said": said,
        "problem": problem,
        "n_labelled": labelling.n_labelled,
        "n_given": labelling.n_given,
        "can_undo": labelling.can_undo,
    }
    if place is None:
        return view
    record = shown.inspection.record(*place)
    task = (
        asked.one("at") if asked.one("at") in schema.tasks and asked.one("row") == str(place[1]) else schema.root
    )
    return view | {
        "record": record_view(studio, record, most=4_000),
        "reason": reason,
        "label": labelling.label_of(place, record.known),
        "task": task,
        "above": _above(schema, task),
        "choices": [_choice(schema, task, code) for code in range(len(schema.labels(task)))],
        "all": _paths(schema),
    }


def _choice(schema: TaskSchema, task: str, code: int) -> dict[str, Any]:
    """A label to give, or a task to go down to; what models think of it is not said, lest it sway the answer."""
    name = schema.labels(task)[code]
    return {
        "name": name,
        "label": _called(schema, schema.task_index(task), code),
        "child": schema.child(task, name),
        "key": _KEYS[code] if code < len(_KEYS) else "",
    }


def _above(schema: TaskSchema, task: str) -> dict[str, str] | None:
    """The label that opened a task, and the task that it is of."""
    parent = schema.parent(task)
    if parent is None:
        return None
    above, label = parent
    code = schema.labels(above).index(label)
    return {"task": above, "name": label, "label": _called(schema, schema.task_index(above), code)}


def _called(schema: TaskSchema, task: int, code: int) -> str:
    """What a label is called in a file: its name where that is unique, else its path."""
    return next(name for name, place in schema.label_names.places.items() if place == (task, code))


def _paths(schema: TaskSchema) -> list[tuple[str, str]]:
    """Every label by its path, and what it is called in a file."""
    paths: dict[tuple[int, int], str] = {}
    for name, place in schema.label_names.places.items():
        if len(name) >= len(paths.get(place, "")):
            paths[place] = name
    called = {place: name for name, place in reversed(schema.label_names.places.items())}
    return sorted((path.replace("/", " › "), called[place]) for place, path in paths.items())


def _shown(studio: Studio) -> Shown:
    shown = wait_for(studio)
    if shown is None:
        raise RefusedError(409, "There is nothing to label yet. Run the project first.")
    return shown


def _place(asked: Asked) -> Place:
    if asked.one("split") not in ("train", "dev"):
        raise RefusedError(400, f"split must be train or dev; got {asked.one('split')[:40]!r}.")
    return asked.one("split"), asked.number("row", 0)


def _name(shown: Shown, place: Place) -> str:
    return f"{place[0]} {shown.inspection.record(*place).id}"


ROUTES: Final = (
    ("GET", "/label", show_labelling),
    ("POST", "/label/give", give),
    ("POST", "/label/skip", skip),
    ("POST", "/label/undo", undo),
)
