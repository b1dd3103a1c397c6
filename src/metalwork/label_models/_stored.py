"""What a stored label model may hold: the fitted attributes that its class declares, in their shapes."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from metalwork.errors import VotesError
from metalwork.schema import TaskSchema

Fitted = Mapping[str, Any]
"""Fitted attribute -> its type, or for an array the names of its dimensions (a number where it is fixed)."""

PER_TASK: Final = "a list of arrays, one a task"


def declared(model: type[Any]) -> dict[str, Any]:
    """The fitted attributes that a class and those it derives from declare in ``_fitted``."""
    return {name: rule for part in reversed(model.__mro__) for name, rule in vars(part).get("_fitted", {}).items()}


def check_stored(model: type[Any], schema: TaskSchema, found: Mapping[str, Any]) -> None:
    """Raise ``VotesError`` unless ``found`` are the fitted attributes of such a model."""
    rules = declared(model)
    for name in sorted(set(found) ^ set(rules)):
        what = "has no fitted attribute" if name in found else "must have the fitted attribute"
        raise VotesError(f"{model.__name__} {what} {name!r}")
    for fault in (*_lf_faults(schema, found), *_faults(rules, schema, found)):
        raise VotesError(fault)


def _lf_faults(schema: TaskSchema, found: Mapping[str, Any]) -> Iterator[str]:
    names, tasks, outcomes = found["lf_names_"], found["lf_tasks_"], found["lf_outcomes_"]
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        yield f"lf_names_ must be names; got {names!r}"
    elif not isinstance(tasks, tuple) or len(tasks) != len(names) or not set(tasks) <= set(schema.tasks):
        yield f"lf_tasks_ must be a task of the schema for each of {len(names)} LFs; got {tasks!r}"
    elif not isinstance(outcomes, dict) or not set(outcomes) <= set(names):
        yield "lf_outcomes_ must be of the LFs; they are of others"
    else:
        for name, rows in outcomes.items():
            n_labels = len(schema.labels(tasks[names.index(name)]))
            if np.ndim(rows) != 2 or rows.shape[1] != n_labels + 1 or rows.dtype.kind != "f":
                yield f"lf_outcomes_ of {name!r} must have {n_labels + 1} numbers a row"


def _faults(rules: Mapping[str, Any], schema: TaskSchema, found: Mapping[str, Any]) -> Iterator[str]:
    sizes = {"n_lfs": len(found["lf_names_"]), "n_end_labels": schema.n_end_labels}
    sizes["2 n_lfs"] = 2 * sizes["n_lfs"]
    for name, rule in rules.items():
        value = found[name]
        if rule == PER_TASK:
            if not isinstance(value, list) or len(value) != schema.n_tasks or not all(map(_is_numbers, value)):
                yield f"{name} must be an array for each of {schema.n_tasks} tasks"
        elif isinstance(rule, type) or (isinstance(rule, tuple) and isinstance(rule[0], type)):
            if not isinstance(value, rule):
                yield f"{name} must be of another type; got {value!r}"
        else:
            shape = tuple(sizes.get(size, size) for size in rule)
            if not _is_numbers(value) or value.shape != shape:
                yield f"{name} must be numbers of shape {shape}; got {np.shape(value)}"


def _is_numbers(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiub"
