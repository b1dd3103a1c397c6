"""The first page: the tree of tasks, and how each label does."""

from typing import Any, Final

import numpy as np
from starlette.responses import Response

from metalwork.schema import TaskSchema
from metalwork.studio._asked import Asked
from metalwork.studio._facts import Facts
from metalwork.studio._pages import page
from metalwork.studio._records_page import wait_for
from metalwork.studio._state import Studio
from metalwork.studio._trial import wilson


def show_tree(studio: Studio, asked: Asked) -> Response:
    """The tree."""
    shown = wait_for(studio)
    project = studio.project
    facts = None if shown is None else shown.facts
    view: dict[str, Any] = {
        "tree": _task(project.schema, project.schema.root, facts) if project.space is project.schema else None,
        "text": str(project.space),
        "shown": shown,
        "facts": facts,
        "fitted": facts is not None and facts.shares is not None,
        "metrics": [] if facts is None else _right_on_dev(facts),
    }
    return page(studio, asked, "tree.html.j2", "Tree", renews=True, **view)


def _right_on_dev(facts: Facts) -> list[tuple[str, float, tuple[float, float] | None]]:
    """The accuracy of each model on dev, and its interval."""
    found = [(model, own["dev"]) for model, own in facts.metrics.items() if "dev" in own]
    return [(model, m.accuracy, wilson(round(m.accuracy * m.n_points), m.n_points)) for model, m in found]


def _task(schema: TaskSchema, task: str, facts: Facts | None) -> dict[str, Any]:
    """A task and all that is below it."""
    rows = {} if facts is None else {row.task: row for row in facts.lfs.tasks}
    dev = {} if facts is None or facts.dev is None else {row.task: row for row in facts.dev.tasks}
    return {
        "name": task,
        "row": rows.get(task),
        "dev": dev.get(task),
        "labels": [_label(schema, task, code, facts) for code in range(len(schema.labels(task)))],
    }


def _label(schema: TaskSchema, task: str, code: int, facts: Facts | None) -> dict[str, Any]:
    name = schema.labels(task)[code]
    child = schema.child(task, name)
    found: dict[str, Any] = {"name": name, "task": task, "n_lfs": None, "share": None}
    found["below"] = None if child is None else _task(schema, child, facts)
    if facts is None:
        return found
    own = [row for row in facts.lfs.rows if row.task == task and name in row.polarity]
    found["n_lfs"] = len(own)
    if facts.shares is not None:
        under = schema.task_codes[:, schema.task_index(task)] == code
        found["share"] = float(np.asarray(facts.shares)[under].sum())
    return found


ROUTES: Final = (("GET", "/", show_tree),)
