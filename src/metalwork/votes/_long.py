"""Crowd tables: one row an answer, with the record, the worker and the label that was given."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any, NamedTuple

import numpy as np

from metalwork._checks import ABSTAIN, IntArray, check_instance
from metalwork._names import as_written, is_missing, plain_name, unknown_name
from metalwork.errors import VotesError
from metalwork.schema import TaskSchema

RecordId = str | int
_Place = tuple[int, int]


class LongVotes(NamedTuple):
    """A table of answers as a label matrix has them: codes (n_points, n_columns), and what the columns are."""

    codes: IntArray
    tasks: list[str]
    names: list[str]
    record_ids: list[RecordId]


def read_long(records: Any, workers: Any, labels: Any, schema: TaskSchema, task: str | None) -> LongVotes:
    """Columns of a table (n_answers,) as votes; ``VotesError`` where they are none."""
    check_instance("schema", schema, TaskSchema, "For a forest, call it with each of forest.schemas.")
    columns = {"records": _values(records), "workers": _values(workers), "labels": _values(labels)}
    if len({len(values) for values in columns.values()}) > 1:
        lengths = ", ".join(f"{len(values)} {name}" for name, values in columns.items())
        raise VotesError(f"records, workers and labels must have one element an answer each; got {lengths}.")
    ids = list(_identify(columns["records"], "record"))
    people = [str(name) for name in _identify(columns["workers"], "worker")]
    if task is None and schema.n_tasks == 1:
        task = schema.root
    places = _read_labels(columns["labels"], _TaskNames(schema, task) if task else _TreeNames(schema))
    row_of, column_of = _number(ids), _number(people)
    rows = np.array([row_of[key] for key in ids], dtype=np.int64)
    owners = np.array([column_of[name] for name in people], dtype=np.int64)
    if task is not None:
        tasks, names = [task] * len(column_of), list(column_of)
        place = owners
    else:
        pairs = owners * schema.n_tasks + places[:, 0]
        used = np.unique(pairs[places[:, 1] >= 0])
        tasks = [schema.tasks[t] for t in (used % schema.n_tasks).tolist()]
        everyone = list(column_of)
        names = [f"{everyone[w]}[{t}]" for w, t in zip((used // schema.n_tasks).tolist(), tasks, strict=True)]
        place = np.searchsorted(used, pairs)
    given = np.flatnonzero(places[:, 1] >= 0)
    _check_twice(given, rows, place, places, lambda i: (people[i], ids[i], columns["labels"][i]))
    dtype = np.min_scalar_type(-max(schema.n_labels) - 1)
    codes = np.full((len(row_of), len(names)), ABSTAIN, dtype=dtype)
    codes[rows[given], place[given]] = places[given, 1]
    return LongVotes(codes, tasks, names, list(row_of))


def _number(keys: Iterable[Any]) -> dict[Any, int]:
    """Each key once, in the order in which they come up, with its position."""
    return {key: i for i, key in enumerate(dict.fromkeys(keys))}


def _values(column: Any) -> list[Any]:
    """The values of a list, an array or a column of a frame."""
    if len(getattr(column, "shape", (0,))) != 1 or isinstance(column, Mapping | Set):
        raise VotesError(
            "records, workers and labels must each be a sequence, such as a column of a frame; got "
            f"{type(column).__name__}. Pass one column, e.g. frame['worker']."
        )
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method):
            column = getattr(column, method)()
            break
    if isinstance(column, str) or not isinstance(column, Iterable):
        raise VotesError(
            f"records, workers and labels must each be a sequence, such as a column of a frame; got {column!r}."
        )
    return list(column)


def _identify(values: list[Any], what: str) -> Iterator[RecordId]:
    """Texts and whole numbers as they are; whole floats, which columns with gaps hold, as whole numbers."""
    for row, value in enumerate(values):
        if type(value) is str or type(value) is int:
            if value != "":
                yield value
                continue
        if is_missing(value):
            raise VotesError(f"Row {row}: the {what} must be named; got {value!r}. Leave such answers out.")
        yield int(value) if isinstance(value, float) and value.is_integer() else str(value)


class _TaskNames:
    """Labels of one task, by name or by path."""

    def __init__(self, schema: TaskSchema, task: str) -> None:
        self._t, self._task = schema.task_index(task), task
        self._labels, self._find = schema.labels(task), schema.label_names.find
        self._own = {plain_name(label): (self._t, code) for code, label in enumerate(self._labels)}

    def find(self, name: str) -> _Place | None:
        if (place := self._own.get(plain_name(name))) is not None:
            return place
        found = self._find(name)
        return found if found is not None and found[0] == self._t else None

    def refuse(self, value: Any) -> str:
        return unknown_name(f"label of task {self._task!r}", value, self._labels)


class _TreeNames:
    """Labels of all tasks: end labels by their name, others by unique name or path."""

    def __init__(self, schema: TaskSchema) -> None:
        self._names = schema.label_names
        deepest = schema.n_tasks - 1 - (schema.task_codes[:, ::-1] >= 0).argmax(axis=1)
        codes = schema.task_codes[np.arange(schema.n_end_labels), deepest]
        places = zip(deepest.tolist(), codes.tolist(), strict=True)
        self._ends = {plain_name(name): place for name, place in zip(schema.end_labels, places, strict=True)}

    def find(self, name: str) -> _Place | None:
        return self._ends.get(plain_name(name)) or self._names.find(name)

    def refuse(self, value: Any) -> str:
        if paths := self._names.twice.get(plain_name(str(value))):
            return f"{value!r} is a label of more than one task. Give its path, {' or '.join(map(repr, paths))}."
        return unknown_name("label of the tree", value, list(dict.fromkeys([*self._ends, *self._names.places])))


def _read_labels(values: list[Any], names: _TaskNames | _TreeNames) -> IntArray:
    """int64 array (n_answers, 2): task index and label code of each answer; -1 where none was given."""
    seen: dict[Any, _Place] = {}
    found = []
    for row, value in enumerate(values):
        key = None if is_missing(value) else (type(value), value)
        if key not in seen:
            seen[key] = (0, ABSTAIN) if key is None else _read_label(value, row, names)
        found.append(seen[key])
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _read_label(value: Any, row: int, names: _TaskNames | _TreeNames) -> _Place:
    written = as_written(value)
    for name in written:
        if (place := names.find(name)) is not None:
            return place
    if str(ABSTAIN) in written:
        return 0, ABSTAIN
    raise VotesError(f"Row {row}: {names.refuse(value)}")


def _check_twice(
    given: IntArray, rows: IntArray, columns: IntArray, places: IntArray, told: Callable[[int], tuple[Any, ...]]
) -> None:
    """A worker who answers twice on a record must say the same."""
    order = given[np.lexsort((given, columns[given], rows[given]))]
    first, second = order[:-1], order[1:]
    again = (rows[first] == rows[second]) & (columns[first] == columns[second])
    wrong = np.flatnonzero(again & (places[first, 1] != places[second, 1]))
    if wrong.size:
        one, other = int(first[wrong[0]]), int(second[wrong[0]])
        worker, record, label = told(one)
        raise VotesError(
            f"Worker {worker!r} must give record {record!r} one label; got {label!r} at row {one} and "
            f"{told(other)[2]!r} at row {other}. Keep one of them."
        )
