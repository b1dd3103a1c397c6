"""What a stored label model may hold: the fitted attributes that its class declares, each with its rule."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork.errors import VotesError
from metalwork.inference import N_RELATIVE, is_relative, shares_of
from metalwork.schema import TaskSchema

_ROUNDING = 1e-6


class Sizes(NamedTuple):
    """The sizes that a model's schema and LFs give its arrays; by task where they are tuples."""

    n_lfs: int
    n_end_labels: int
    n_lfs_of: tuple[int, ...]
    n_labels_of: tuple[int, ...]
    n_states_of: tuple[int, ...]
    n_outcomes_of: tuple[int, ...]


Rule = Callable[[Any, Sizes], str | None]
"""From the value of a fitted attribute to what it must be, where it is not."""

Fitted = Mapping[str, Rule]


def numbers(
    size: str, times: int = 1, least: float = -math.inf, most: float = math.inf, total: Any = None
) -> Rule:
    """A finite array of so many numbers from ``least`` to ``most``, which sum to ``total``."""

    def rule(value: Any, sizes: Sizes) -> str | None:
        shape = (getattr(sizes, size) * times,)
        if (fault := _not_finite(value, shape)) is not None:
            return fault
        if value.size and not (value.min() >= least - _ROUNDING and value.max() <= most + _ROUNDING):
            return f"numbers from {least:g} to {most:g}"
        return None if total is None or abs(value.sum() - total) <= _ROUNDING else f"numbers that sum to {total}"

    return rule


def tables(value: Any, sizes: Sizes) -> str | None:
    """A finite table for each LF of each task."""
    of_task = zip(sizes.n_lfs_of, sizes.n_states_of, sizes.n_outcomes_of, strict=True)
    return _by_task(value, [(n_lfs, n_states, n_outcomes + 1) for n_lfs, n_states, n_outcomes in of_task])


def log_shares(value: Any, sizes: Sizes) -> str | None:
    """A finite number for each label of each task."""
    return _by_task(value, [(k,) for k in sizes.n_labels_of])


def number(least: float = -math.inf, may_be_nan: bool = False) -> Rule:
    """A finite number of at least ``least``."""

    def rule(value: Any, sizes: Sizes) -> str | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and ((may_be_nan and math.isnan(value)) or (math.isfinite(value) and value >= least)):
            return None
        return f"a number{'' if least == -math.inf else f' of at least {least:g}'}"

    return rule


def whole(value: Any, sizes: Sizes) -> str | None:
    """A whole number of at least 0."""
    return None if type(value) is int and value >= 0 else "a whole number of at least 0"


def flag(value: Any, sizes: Sizes) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else "true or false"


def one_of(*choices: str) -> Rule:
    """One of some texts."""
    return lambda value, sizes: None if value in choices else f"one of {', '.join(map(repr, choices))}"


def each(rule: Rule) -> Rule:
    """A list of what the rule says."""

    def of_all(value: Any, sizes: Sizes) -> str | None:
        if not isinstance(value, tuple):
            return "a list"
        return next((f"a list, each {fault}" for part in value if (fault := rule(part, sizes))), None)

    return of_all


def pair_of_lfs(value: Any, sizes: Sizes) -> str | None:
    """Names of two LFs, and a number."""
    kinds = (str, str, float | int)
    if isinstance(value, list | tuple) and len(value) == 3 and all(map(isinstance, value, kinds)):
        return number()(value[2], sizes)
    return "two names and a number"


def declared(model: type[Any]) -> dict[str, Rule]:
    """The fitted attributes that a class and those it derives from declare in ``_fitted``, beside the LFs."""
    return {name: rule for part in reversed(model.__mro__) for name, rule in vars(part).get("_fitted", {}).items()}


LFS: Final = ("lf_names_", "lf_tasks_", "lf_outcomes_")
"""The fitted attributes of every model."""


def packed(fitted: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Fitted attributes as plain JSON and arrays by name; dicts and lists of arrays count as several arrays."""
    arrays = {name: value for name, value in fitted.items() if isinstance(value, np.ndarray)}
    dicts = {name: list(value) for name, value in fitted.items() if isinstance(value, dict)}
    lists = {
        name: list(value.values()) if name in dicts else value
        for name, value in fitted.items()
        if name in dicts or _is_array_list(value)
    }
    arrays |= {f"{name}.{i}": part for name, parts in lists.items() for i, part in enumerate(parts)}
    header = {
        "values": {name: value for name, value in fitted.items() if name not in arrays and name not in lists},
        "lists": {name: len(parts) for name, parts in lists.items()},
        "dicts": dicts,
        "arrays": sorted(arrays),
    }
    return header, arrays


def unpacked(header: Mapping[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """Fitted attributes from what :func:`packed` gave."""
    found: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in header["values"].items()
    }
    for name, count in header["lists"].items():
        found[name] = [arrays.pop(f"{name}.{i}") for i in range(count)]
    for name, keys in header["dicts"].items():
        found[name] = dict(zip(keys, found[name], strict=True))
    return found | arrays


def _is_array_list(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(part, np.ndarray) for part in value)


def check_stored(model: type[Any], schema: TaskSchema, found: Mapping[str, Any]) -> None:
    """Raise ``VotesError`` unless ``found`` are the fitted attributes of such a model."""
    rules = declared(model)
    for name in sorted(set(found) ^ {*rules, *LFS}):
        what = "has no fitted attribute" if name in found else "must have the fitted attribute"
        raise VotesError(f"{model.__name__} {what} {name!r}")
    for of_lfs in _lf_faults(schema, found):
        raise VotesError(of_lfs)
    sizes = _sizes(schema, found)
    for name, rule in rules.items():
        if (fault := rule(found[name], sizes)) is not None:
            raise VotesError(f"{name} must be {fault}")


def _lf_faults(schema: TaskSchema, found: Mapping[str, Any]) -> Iterator[str]:
    names, tasks, outcomes = (found[name] for name in LFS)
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        yield f"lf_names_ must be names; got {names!r}"
    elif len(set(names)) < len(names):
        yield "lf_names_ must be distinct"
    elif not isinstance(tasks, tuple) or len(tasks) != len(names) or not set(tasks) <= set(schema.tasks):
        yield f"lf_tasks_ must be a task of the schema for each of {len(names)} LFs; got {tasks!r}"
    elif not isinstance(outcomes, dict) or not set(outcomes) <= set(names):
        yield "lf_outcomes_ must be of the LFs; they are of others"
    else:
        for name, rows in outcomes.items():
            n_labels = len(schema.labels(tasks[names.index(name)]))
            if np.ndim(rows) != 2 or rows.shape[1] != n_labels + 1 or rows.dtype.kind != "f" or not len(rows):
                yield f"lf_outcomes_ of {name!r} must have {n_labels + 1} numbers a row"
            elif not (((rows >= 0) & (rows <= 1)) | np.isnan(rows)).all():
                yield f"lf_outcomes_ of {name!r} must be between 0 and 1, or NaN"


def _sizes(schema: TaskSchema, found: Mapping[str, Any]) -> Sizes:
    names, tasks, outcomes = (found[name] for name in LFS)
    lfs: list[list[int]] = [[] for _ in schema.tasks]
    for lf, task in enumerate(tasks):
        lfs[schema.task_index(task)].append(lf)
    alphabets = {lf: np.asarray(outcomes[name]) for lf, name in enumerate(names) if name in outcomes}
    n_states, widths = [], []
    for own, k in zip(lfs, schema.n_labels, strict=True):
        n_states.append(N_RELATIVE if is_relative(own, k, alphabets) else k + 1)
        sets = [len(alphabets[lf]) for lf in own if lf in alphabets and shares_of(alphabets[lf]) is None]
        plain = len(sets) < len(own) or not own  # votes for labels, or soft ones
        widths.append(max([*sets, k] if plain else sets))
    n_lfs = tuple(len(own) for own in lfs)
    return Sizes(len(names), schema.n_end_labels, n_lfs, tuple(schema.n_labels), tuple(n_states), tuple(widths))


def _by_task(value: Any, shapes: list[tuple[int, ...]]) -> str | None:
    if not isinstance(value, list) or len(value) != len(shapes):
        return f"an array for each of {len(shapes)} tasks"
    faults = (_not_finite(part, shape) for part, shape in zip(value, shapes, strict=True))
    return next((fault for fault in faults if fault), None)


def _not_finite(value: Any, shape: tuple[int, ...]) -> str | None:
    if not isinstance(value, np.ndarray) or value.dtype != np.float64 or value.shape != shape:
        return f"numbers of shape {shape}; got {np.shape(value)}"
    return None if np.isfinite(value).all() else "finite numbers"
