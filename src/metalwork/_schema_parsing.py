"""From the two written forms of a task schema to a list of task declarations, with every fault collected.

The nested form hangs each child task on its parent's label; the table form (``tasks:``) names the parent
and the label (``when``) beside each task. Both may be mixed.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from metalwork._names import is_whole, plain_name

Key = str | int
Locate = Callable[[Sequence[Key]], str]
_MOST_LEVELS: Final = 1000  # codes by task of as many end labels take 8 MB
_SEVERAL_ROOTS: Final = (
    "Hang the others under labels; or, where they share nothing but the records, write a project a tree over the "
    "same data, or use TaskForest in Python."
)
_TASK_KEYS = ("task", "labels", "parent", "when")


@dataclass(frozen=True)
class TaskDeclaration:
    """One task as written: its labels in order, and the parent's label under which it applies."""

    name: str
    labels: tuple[str, ...]
    parent: str | None = None
    when: str | None = None
    at: str = ""


class _Nested(NamedTuple):
    """A task as written, where it stands, and the parent's label that it stands under."""

    value: Any
    keys: tuple[Key, ...]
    parent: str | None = None
    when: str | None = None
    depth: int = 0


@dataclass
class _Reader:
    locate: Locate
    faults: list[str] = field(default_factory=list)

    def fault(self, keys: Sequence[Key], text: str) -> None:
        at = self.locate(keys)
        self.faults.append(f"{at}: {text}" if at else text)

    def name(self, value: Any, keys: Sequence[Key], what: str) -> str | None:
        if is_whole(value) and what == "a label name":  # such as a number of stars
            value = str(value)
        if not isinstance(value, str):
            self.fault(keys, f"{what} must be text; got {value!r}. Put it in quotes.")
            return None
        name = plain_name(value)
        if not name:
            self.fault(keys, f"{what} must not be empty.")
            return None
        return name

    def read(self, value: Any) -> Iterator[TaskDeclaration]:
        entries, base = value, tuple[Key, ...]()
        if isinstance(value, dict) and "tasks" in value:
            for key in (key for key in value if key != "tasks"):
                self.fault((key,), f"unknown key {key!r} beside 'tasks'.")
            entries, base = value["tasks"], ("tasks",)
        if isinstance(entries, list):
            for i, entry in enumerate(entries):
                yield from self.tasks(entry, (*base, i))
        else:
            yield from self.tasks(entries, base)

    def tasks(self, value: Any, keys: tuple[Key, ...]) -> Iterator[TaskDeclaration]:
        """A task and all below it, depth first."""
        waiting = [_Nested(value, keys)]
        above: list[int] = []
        while waiting:
            found = waiting.pop()
            del above[found.depth :]
            if id(found.value) in above:
                self.fault(found.keys, "a task contains itself (a cycle).")
                continue
            above.append(id(found.value))
            children: list[_Nested] = []
            yield from self.task(found, children)
            waiting.extend(reversed(children))

    def task(self, found: "_Nested", children: list["_Nested"]) -> Iterator[TaskDeclaration]:
        """One task; ``children`` takes up those nested under its labels."""
        value, keys, parent, when, depth = found
        if not isinstance(value, dict):
            self.fault(keys, f"a task must be a mapping with the keys 'task' and 'labels'; got {value!r}.")
            return
        for key in (key for key in value if key not in _TASK_KEYS):
            self.fault((*keys, key), f"unknown key {key!r}; a task has 'task', 'labels', 'parent' and 'when'.")
        if "task" not in value:
            self.fault(keys, "a task must have a name under the key 'task'.")
            return
        name = self.name(value["task"], (*keys, "task"), "a task name")
        if name is None:
            return
        if parent is None:
            parent, when = self._hook(value, keys, name)
        elif "parent" in value or "when" in value:
            self.fault(keys, f"task {name!r} stands under its parent's label: leave out 'parent' and 'when'.")
        entries = value.get("labels")
        if not isinstance(entries, list):
            self.fault((*keys, "labels"), f"task {name!r}: 'labels' must be a list; got {entries!r}.")
            entries = []
        labels: list[str] = []
        below: list[tuple[Any, tuple[Key, ...], str]] = []
        for i, entry in enumerate(entries):
            self._label(entry, (*keys, "labels", i), labels, below)
        yield TaskDeclaration(name, tuple(labels), parent, when, self.locate((*keys, "task")))
        children += [_Nested(child, child_keys, name, label, depth + 1) for child, child_keys, label in below]

    def _hook(self, value: dict[Any, Any], keys: tuple[Key, ...], name: str) -> tuple[str | None, str | None]:
        """The parent and its label that a task of the table form hangs on; None twice for a root."""
        if value.get("parent") is None:
            if value.get("when") is not None:
                self.fault(keys, f"task {name!r} has 'when' but no 'parent'. Name both or neither.")
            return None, None
        parent = self.name(value["parent"], (*keys, "parent"), "a parent's name")
        if value.get("when") is None:
            self.fault(keys, f"task {name!r} names a parent, so 'when' must name the parent's label.")
            return parent, None
        return parent, self.name(value["when"], (*keys, "when"), "a label name")

    def _label(
        self,
        entry: Any,
        keys: tuple[Key, ...],
        labels: list[str],
        children: list[tuple[Any, tuple[Key, ...], str]],
    ) -> None:
        if isinstance(entry, dict):
            if len(entry) != 1:
                self.fault(keys, f"a label with a child task must be written {{label: task}}; got {entry!r}.")
                return
            ((entry, child),) = entry.items()
            label = self.name(entry, keys, "a label name")
            if label is not None and child is not None:
                children.append((child, (*keys, entry), label))
        else:
            label = self.name(entry, keys, "a label name")
        if label is not None:
            labels.append(label)


def read_declarations(value: Any, locate: Locate) -> tuple[list[TaskDeclaration], list[str]]:
    """Return the declared tasks (as far as they can be read) and every fault found on the way."""
    reader = _Reader(locate)
    declarations = list(reader.read(value))
    return declarations, reader.faults + find_faults(declarations)


def find_faults(declarations: Sequence[TaskDeclaration]) -> list[str]:
    """Every reason why the declared tasks are not one tree."""
    faults = list(_name_faults(declarations))
    roots = [declaration for declaration in declarations if declaration.parent is None]
    if len(roots) > 1:
        named = ", ".join(repr(root.name) for root in roots)
        found = f"a schema must have one root task; got {len(roots)}: {named}."
        faults.append(_at(roots[1], f"{found} {_SEVERAL_ROOTS}"))
    if not declarations:
        faults.append("a schema must have at least one task.")
    elif all(len(declaration.labels) == 1 for declaration in declarations):
        only = f"got one, {declarations[-1].labels[0]!r}: nothing to tell"
        faults.append(_at(declarations[0], f"a schema must have at least two end labels; {only}."))
    if len({task.name for task in declarations}) == len(declarations):  # else these would only echo
        faults.extend(_parent_faults(declarations))
        cycles = list(_cycle_faults(declarations))
        faults += cycles or _depth_faults(declarations)
    return faults


def _at(declaration: TaskDeclaration, text: str) -> str:
    return f"{declaration.at}: {text}" if declaration.at else text


def _name_faults(declarations: Sequence[TaskDeclaration]) -> Iterator[str]:
    seen: set[str] = set()
    for task in declarations:
        if task.name in seen:
            yield _at(task, f"the task name {task.name!r} stands twice. Rename one.")
        seen.add(task.name)
        if not task.labels:
            yield _at(task, f"task {task.name!r} has no label; a task must have at least one.")
        for label, count_ in Counter(task.labels).items():
            if count_ > 1:
                yield _at(task, f"task {task.name!r} has the label {label!r} {count_} times. Rename one.")


def _parent_faults(declarations: Sequence[TaskDeclaration]) -> Iterator[str]:
    by_name = {task.name: task for task in declarations}
    taken: dict[tuple[str, str], str] = {}
    for task in declarations:
        if task.parent is None:
            continue
        parent = by_name.get(task.parent)
        if parent is None:
            yield _at(task, f"task {task.name!r} names the parent {task.parent!r}, which is no task here.")
        elif task.when is not None and task.when not in parent.labels:
            has = ", ".join(parent.labels)
            yield _at(task, f"task {task.name!r} hangs on {task.when!r}, no label of {parent.name!r} ({has}).")
        if task.when is not None:
            other = taken.setdefault((task.parent, task.when), task.name)
            if other != task.name:
                text = f"tasks {other!r} and {task.name!r} hang on the same label {task.when!r}; one may."
                yield _at(task, text)


def _cycle_faults(declarations: Sequence[TaskDeclaration]) -> Iterator[str]:
    parent_of = {task.name: task.parent for task in declarations}
    done: set[str | None] = set()
    for task in declarations:
        path: dict[str, None] = {}
        name: str | None = task.name
        while name in parent_of and name not in done and name not in path:
            path[name] = None
            name = parent_of[name]
        if name in path:
            names = list(path)
            cycle = [*names[names.index(name) :], name]
            yield _at(task, "the tasks form a cycle: " + " -> ".join(reversed(cycle)) + ".")
        done.update(path)


def _depth_faults(declarations: Sequence[TaskDeclaration]) -> list[str]:
    parent_of = {task.name: task.parent for task in declarations}
    depth: dict[str | None, int] = {None: 0}
    for task in declarations:
        path: list[str] = []
        name: str | None = task.name
        while name not in depth and name in parent_of:
            path.append(name)
            name = parent_of[name]
        for step in reversed(path):
            depth[step] = 1 + depth.get(parent_of[step], 0)
    deepest = max(depth.values())
    if deepest <= _MOST_LEVELS:
        return []
    return [f"the tasks must be nested at most {_MOST_LEVELS:,} levels deep; got {deepest:,}."]
