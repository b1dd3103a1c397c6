"""The task schema: a tree of classification tasks, and the codes everything else speaks in."""

import difflib
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, NOT_APPLICABLE, BoolArray, IntArray
from metalwork._documents import load_document
from metalwork._schema_parsing import TaskDeclaration, find_faults, read_declarations
from metalwork.errors import SchemaError, VotesError

Int64Array = npt.NDArray[np.int64]


class TaskSchema:
    """A tree of classification tasks (paper, section 3).

    Each label of a task is either an *end label* or opens one child task. A record has one end label, which
    fixes the label of every task on its path; the other tasks do not apply to it (``NOT_APPLICABLE``).
    Immutable. Build it with :meth:`from_dict`, :meth:`from_yaml`, :meth:`from_json` or :meth:`flat`.

    Attributes
    ----------
    tasks : tuple of str
        Task names, depth first, so parents stand before their children.
    end_labels : tuple of str
        End labels, depth first. Leaves that share a name are named by their path: ``"Corporate/Other"``.
    task_codes : int64 array (n_end_labels, n_tasks)
        The label code of each task under each end label, or ``NOT_APPLICABLE`` (-2) off the path. Read-only.
    """

    tasks: tuple[str, ...]
    end_labels: tuple[str, ...]
    task_codes: Int64Array

    def __init__(self, declarations: Iterable[TaskDeclaration]) -> None:
        declared = list(declarations)
        if faults := find_faults(declared):
            raise SchemaError(faults)
        by_name = {task.name: task for task in declared}
        self._child = {(t.parent, t.when): t.name for t in declared if t.parent is not None}
        root = next(task.name for task in declared if task.parent is None)
        self.tasks = tuple(self._preorder(root, by_name))
        self._labels = {name: by_name[name].labels for name in self.tasks}
        self._parent = {name: (by_name[name].parent, by_name[name].when) for name in self.tasks}
        paths = list(self._leaf_paths(root, ()))
        self.end_labels = _leaf_names(paths, by_name[root].at)
        self.task_codes = self._codes_of(paths)
        self.task_codes.setflags(write=False)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any] | Sequence[Any]) -> Self:
        """Build a schema from nested dicts, or from ``{"tasks": [...]}`` with ``parent`` and ``when`` each.

        Raises
        ------
        SchemaError
            Listing every fault: two roots, a cycle, an unknown parent, a duplicate name, an empty task.
        """
        return cls._read(value, lambda keys: "")

    @classmethod
    def from_yaml(cls, path: str | os.PathLike[str]) -> Self:
        """Build a schema from a YAML 1.2 file; faults carry ``file:line:column``."""
        document = load_document(path)
        return cls._read(document.value, document.locate)

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> Self:
        """Build a schema from a JSON file; faults carry ``file:line:column``."""
        return cls.from_yaml(path)

    @classmethod
    def flat(cls, labels: Sequence[str], task: str = "label") -> Self:
        """Build a schema of one task: ordinary classification."""
        return cls.from_dict({"task": task, "labels": list(labels)})

    @classmethod
    def _read(cls, value: Any, locate: Any) -> Self:
        try:
            declarations, faults = read_declarations(value, locate)
            if faults:
                raise SchemaError(faults)
            return cls(declarations)
        except RecursionError:
            raise SchemaError(["the tasks are nested too deeply to be read."]) from None

    def _preorder(self, name: str, by_name: Mapping[str, TaskDeclaration]) -> Iterable[str]:
        stack = [name]
        while stack:
            name = stack.pop()
            yield name
            children = (self._child.get((name, label)) for label in by_name[name].labels)
            stack.extend(reversed([child for child in children if child is not None]))

    def _leaf_paths(self, task: str, above: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
        for label in self._labels[task]:
            child = self._child.get((task, label))
            if child is None:
                yield (*above, label)
            else:
                yield from self._leaf_paths(child, (*above, label))

    def _codes_of(self, paths: Sequence[tuple[str, ...]]) -> Int64Array:
        codes = np.full((len(paths), len(self.tasks)), NOT_APPLICABLE, dtype=np.int64)
        index = {name: t for t, name in enumerate(self.tasks)}
        for row, path in enumerate(paths):
            task = self.tasks[0]
            for label in path:
                codes[row, index[task]] = self._labels[task].index(label)
                task = self._child.get((task, label), "")
        return codes

    @property
    def root(self) -> str:
        """Name of the root task."""
        return self.tasks[0]

    @property
    def n_tasks(self) -> int:
        """Number of tasks."""
        return len(self.tasks)

    @property
    def n_end_labels(self) -> int:
        """Number of end labels."""
        return len(self.end_labels)

    @cached_property
    def n_labels(self) -> tuple[int, ...]:
        """Number of labels of each task, in the order of ``tasks``."""
        return tuple(len(self._labels[task]) for task in self.tasks)

    @cached_property
    def _task_index(self) -> dict[str, int]:
        return {name: t for t, name in enumerate(self.tasks)}

    @cached_property
    def _end_code(self) -> dict[str, int]:
        return {name: code for code, name in enumerate(self.end_labels)}

    def task_index(self, task: str) -> int:
        """Position of ``task`` in ``tasks``; ``VotesError`` with a suggestion when there is none such."""
        try:
            return self._task_index[task]
        except KeyError:
            raise VotesError(unknown_name("task", task, self.tasks)) from None

    def labels(self, task: str) -> tuple[str, ...]:
        """Label names of ``task``; a label's code is its position."""
        return self._labels[self.tasks[self.task_index(task)]]

    def label_code(self, task: str, label: str) -> int:
        """Code of ``label`` within ``task``."""
        names = self.labels(task)
        if label not in names:
            raise VotesError(unknown_name(f"label of task {task!r}", label, names))
        return names.index(label)

    def parent(self, task: str) -> tuple[str, str] | None:
        """The parent task and the label of it under which ``task`` applies; None for the root."""
        parent, label = self._parent[self.tasks[self.task_index(task)]]
        return None if parent is None or label is None else (parent, label)

    def child(self, task: str, label: str) -> str | None:
        """The task that ``label`` opens, or None where it is an end label."""
        self.label_code(task, label)
        return self._child.get((task, label))

    def children(self, task: str) -> tuple[str, ...]:
        """Child tasks of ``task``, in the order of its labels."""
        found = (self._child.get((task, label)) for label in self.labels(task))
        return tuple(child for child in found if child is not None)

    def depth(self, task: str) -> int:
        """Number of tasks above ``task``: 0 for the root."""
        above, depth = self.parent(task), 0
        while above is not None:
            above, depth = self.parent(above[0]), depth + 1
        return depth

    @cached_property
    def n_levels(self) -> int:
        """Number of depth levels: 1 for a flat schema, 2 for a root with child tasks."""
        return 1 + max(self.depth(task) for task in self.tasks)

    def members(self, task: str) -> BoolArray:
        """bool array (n_labels, n_end_labels): which end labels lie under each label of ``task``."""
        column = self.task_codes[:, self.task_index(task)]
        members: BoolArray = column[None, :] == np.arange(len(self.labels(task)))[:, None]
        return members

    def spans(self, task: str) -> Int64Array:
        """int64 array (n_labels, 2): end labels ``start:stop`` under each label of ``task`` (they adjoin)."""
        members = self.members(task)
        start = members.argmax(axis=1)
        return np.stack([start, start + members.sum(axis=1)], axis=1).astype(np.int64)

    def end_codes(self, labels: Iterable[Any], allow_missing: bool = False) -> Int64Array:
        """Codes (n_points,) of end labels given as names or codes.

        With ``allow_missing``, None, NaN, "" and -1 stand for "not known" and become ``ABSTAIN``.

        Raises
        ------
        VotesError
            Naming the first row whose label is not an end label.
        """
        if isinstance(labels, str):
            raise VotesError(f"labels must be a sequence of end labels; got the single text {labels!r}.")
        values = labels if isinstance(labels, np.ndarray) else np.asarray(list(labels), dtype=object)
        if values.ndim != 1:
            raise VotesError(f"labels must be one-dimensional; got shape {values.shape}.")
        if values.dtype.kind in "iu":
            low = ABSTAIN if allow_missing else 0
            bad = np.flatnonzero((values < low) | (values >= self.n_end_labels))
            if bad.size == 0:
                return values.astype(np.int64)
        return np.array([self._end_code_of(v, i, allow_missing) for i, v in enumerate(values)], dtype=np.int64)

    def _end_code_of(self, value: Any, row: int, allow_missing: bool) -> int:
        if isinstance(value, str) and value in self._end_code:
            return self._end_code[value]
        if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_)):
            if 0 <= value < self.n_end_labels or (allow_missing and value == ABSTAIN):
                return int(value)
        if allow_missing and (value is None or value == "" or value != value):
            return ABSTAIN
        raise VotesError(f"Row {row}: " + unknown_name("end label", value, self.end_labels))

    def end_names(self, codes: Iterable[int]) -> list[str]:
        """End-label names of codes (n_points,)."""
        return [self.end_labels[code] for code in self.end_codes(codes)]

    def to_task_labels(self, labels: Iterable[Any]) -> Int64Array:
        """Task label codes (n_points, n_tasks) of end labels; ``NOT_APPLICABLE`` where a task does not apply."""
        return np.asarray(self.task_codes[self.end_codes(labels)])

    def to_end_labels(self, task_labels: IntArray) -> Int64Array:
        """End-label codes (n_points,) of task label codes (n_points, n_tasks): the inverse of the above.

        Raises
        ------
        VotesError
            Naming the first row that is no end label's path.
        """
        rows = np.asarray(task_labels)
        if rows.ndim != 2 or rows.shape[1] != self.n_tasks:
            raise VotesError(f"task_labels must have shape (n_points, {self.n_tasks}); got {rows.shape}.")
        codes = {tuple(row): code for code, row in enumerate(self.task_codes.tolist())}
        found = np.array([codes.get(tuple(row), -1) for row in rows.tolist()], dtype=np.int64)
        if (found < 0).any():
            row = int(np.argmax(found < 0))
            raise VotesError(f"Row {row}: the task labels {rows[row].tolist()} are no end label's path.")
        return found

    def to_dict(self) -> dict[str, Any]:
        """The nested form that :meth:`from_dict` reads."""
        return self._nested(self.root)

    def _nested(self, task: str) -> dict[str, Any]:
        entries: list[Any] = []
        for label in self._labels[task]:
            child = self._child.get((task, label))
            entries.append(label if child is None else {label: self._nested(child)})
        return {"task": task, "labels": entries}

    def __str__(self) -> str:
        return "\n".join([self.root, *self._branches(self.root, "")])

    def _branches(self, task: str, indent: str) -> Iterable[str]:
        labels = self._labels[task]
        for i, label in enumerate(labels):
            last = i == len(labels) - 1
            child = self._child.get((task, label))
            yield f"{indent}{'└── ' if last else '├── '}{label}" + (f"  [{child}]" if child else "")
            if child is not None:
                yield from self._branches(child, indent + ("    " if last else "│   "))

    def __repr__(self) -> str:
        return f"TaskSchema.from_dict({self.to_dict()!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TaskSchema) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.tasks, self.end_labels))


def _leaf_names(paths: Sequence[tuple[str, ...]], at: str) -> tuple[str, ...]:
    count = Counter(path[-1] for path in paths)
    names = tuple(path[-1] if count[path[-1]] == 1 else "/".join(path) for path in paths)
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        where = f"{at}: " if at else ""
        raise SchemaError([f"{where}two end labels are both called {name!r}. Rename one." for name in twice])
    return names


def unknown_name(what: str, name: object, known: Sequence[str]) -> str:
    """Error text for a name that is not among ``known``, with the nearest one that is."""
    close = difflib.get_close_matches(name, known, n=1) if isinstance(name, str) else []
    hint = f"Did you mean {close[0]!r}?" if close else "Known: " + ", ".join(map(repr, known[:12]))
    more = f" and {len(known) - 12} more" if not close and len(known) > 12 else ""
    return f"{name!r} is no {what}. {hint}{more}" + ("" if close else ".")
