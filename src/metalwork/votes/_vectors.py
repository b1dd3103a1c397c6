"""Label vectors as they are written, in Python or a file, read into plain names; every fault is told."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from metalwork._names import is_whole, plain_name, unknown_name

Key = str | int
Fault = tuple[tuple[Key, ...], str]
"""Where something is wrong, in ``{tasks: ..., vectors: ..., name: ...}``, and what."""

MOST_VECTORS: Final = 4_096
"""Of more label vectors exact inference would not be quick: a record's posterior has one number for each."""
KEYS: Final = ("tasks", "vectors", "name")


@dataclass(frozen=True)
class Vectors:
    """Label vectors by their names, over tasks with these labels, and the name of the flat task."""

    labels: dict[str, tuple[str, ...]]
    by_name: dict[str, dict[str, str]]
    name: str


def is_vectors(value: Any) -> bool:
    """Whether a schema as written is one of label vectors, be it right or wrong."""
    if not isinstance(value, Mapping):
        return False
    tasks = value.get("tasks")
    return "vectors" in value or (isinstance(tasks, Mapping) and "task" not in tasks)


def key_faults(value: Mapping[Any, Any]) -> Iterator[Fault]:
    """Keys that a mapping of label vectors must have and does not, or has and must not."""
    for key in value:
        if key not in KEYS:
            yield (key,), unknown_name("key of a schema of label vectors", key, KEYS)
    for key in ("tasks", "vectors"):
        if key not in value:
            yield (), f"a schema of label vectors must have the key {key!r}. Add it."


def read_vectors(tasks: Any, vectors: Any, name: Any) -> tuple[Vectors | None, list[Fault]]:
    """The label vectors, or all that is wrong with them."""
    if isinstance(vectors, Iterable) and not isinstance(vectors, Mapping | str):
        vectors = list(vectors)
    faults = list(_size_faults(vectors)) or [*_task_faults(tasks), *_name_faults(tasks, name)]
    if not vectors and not faults:
        faults.append((("vectors",), "at least one label vector must be feasible; got none."))
    if not isinstance(tasks, Mapping) or any(at[0] == "tasks" for at, _ in faults) or _is_many(vectors):
        return None, faults  # what the vectors say cannot be read
    labels = {_plain(task): tuple(map(_plain, own)) for task, own in tasks.items()}
    written = list(vectors.items()) if isinstance(vectors, Mapping) else list(enumerate(vectors))
    wrong = [fault for key, vector in written for fault in _vector_faults(key, vector, labels)]
    if faults := [*faults, *wrong]:
        return None, faults
    plain = [{_plain(task): _plain(label) for task, label in vector.items()} for _, vector in written]
    named = [key for key, _ in written] if isinstance(vectors, Mapping) else [_called(labels, v) for v in plain]
    faults = list(_twice(written, plain)) or list(_vector_name_faults(written, named))
    if faults:
        return None, faults
    ordered = [{task: vector[task] for task in labels if task in vector} for vector in plain]
    return Vectors(labels, dict(zip(map(_plain, named), ordered, strict=True)), plain_name(name)), []


def _plain(name: Any) -> Any:
    """A name as it is compared; a whole number, such as a number of stars, by how it is written."""
    return str(name) if is_whole(name) else plain_name(name) if isinstance(name, str) else name


def _is_many(vectors: Any) -> bool:
    return not isinstance(vectors, Mapping | Sequence) or isinstance(vectors, str) or len(vectors) > MOST_VECTORS


def _size_faults(vectors: Any) -> Iterator[Fault]:
    if not isinstance(vectors, Mapping | Sequence) or isinstance(vectors, str):
        yield (
            ("vectors",),
            f"vectors must be a list of label vectors, or a mapping from their names; got {vectors!r}.",
        )
    elif len(vectors) > MOST_VECTORS:
        yield (
            ("vectors",),
            f"vectors must be at most {MOST_VECTORS:,}, for inference enumerates them; got {len(vectors):,}. "
            "Drop tasks that no LF votes on, make independent tasks trees of their own (TaskForest), "
            "or write the tasks as one tree (TaskSchema).",
        )


def _task_faults(tasks: Any) -> Iterator[Fault]:
    if not isinstance(tasks, Mapping) or not tasks:
        yield ("tasks",), f"tasks must be a mapping of task names to lists of labels; got {tasks!r}."
        return
    seen: set[Any] = set()
    for task, labels in tasks.items():
        at, name = ("tasks", task), _plain(task)
        if not isinstance(name, str) or not name:
            yield at, f"a task name must be text; got {task!r}. Put it in quotes."
        if name in seen:
            yield at, f"the task name {name!r} stands twice. Rename one."
        seen.add(name)
        listed = isinstance(labels, Collection) and not isinstance(labels, str)
        plain = [_plain(label) for label in labels] if listed else []
        if not plain or not all(isinstance(label, str) and label for label in plain):
            yield at, f"task {task!r} must have a list of label names; got {labels!r}."
        elif len(set(plain)) < len(plain):
            yield at, f"task {task!r} has a label twice. Rename one."


def _name_faults(tasks: Any, name: Any) -> Iterator[Fault]:
    if not isinstance(name, str) or not plain_name(name):
        yield ("name",), f"the flat task must have a name; got {name!r}."
    elif isinstance(tasks, Mapping) and plain_name(name) in map(_plain, tasks):
        yield ("name",), f"the flat task must have a name of its own; got {name!r}, a task. Pass name='...'."


def _vector_faults(key: Any, vector: Any, labels: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    called = f"vector {key!r}"
    if not isinstance(vector, Mapping):
        yield ("vectors", key), f"{called} must be a dict of task to label; got {vector!r}."
        return
    if not vector:
        text = f"{called} names no task. Leave it out, or add a task with a label for such records."
        yield ("vectors", key), text
    for task, label in vector.items():
        if (known := labels.get(_plain(task))) is None:
            text = f"{called} holds a wrong task. {unknown_name('task', task, list(labels))}"
            yield ("vectors", key, task), text
        elif _plain(label) not in known:
            text = f"{called} holds a wrong label. {unknown_name(f'label of task {task!r}', label, known)}"
            yield ("vectors", key, task), text


def _called(tasks: Iterable[str], vector: Mapping[str, str]) -> str:
    """The name of a vector that was given none."""
    return ", ".join(f"{task}={vector[task]}" for task in tasks if task in vector)


def _twice(written: Sequence[tuple[Any, Any]], plain: Sequence[Mapping[str, str]]) -> Iterator[Fault]:
    seen: dict[frozenset[tuple[str, str]], Any] = {}
    for (key, _), vector in zip(written, plain, strict=True):
        first = seen.setdefault(frozenset(vector.items()), key)
        if first != key:
            yield ("vectors", key), f"vector {key!r} is vector {first!r} again. Leave one out."


def _vector_name_faults(written: Sequence[tuple[Any, Any]], named: Sequence[Any]) -> Iterator[Fault]:
    seen: set[Any] = set()
    for (key, _), given in zip(written, named, strict=True):
        name = _plain(given)
        if not isinstance(name, str) or not name:
            yield ("vectors", key), f"the name of a vector must be text; got {given!r}. Put it in quotes."
        elif name in seen:
            yield ("vectors", key), f"two vectors are called {name!r}. Rename one."
        seen.add(name)
    if len(named) == 1:
        yield ("vectors",), f"at least two label vectors must be feasible; got one, {named[0]!r}: nothing to tell."
