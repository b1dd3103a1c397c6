"""The task schema: a tree of classification tasks, and the codes everything else speaks in."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from metalwork import _html
from metalwork._checks import NOT_APPLICABLE, BoolArray, IntArray
from metalwork._documents import load_document
from metalwork._known_labels import KnownLabels, LabelNames
from metalwork._names import is_whole, plain_name
from metalwork._names import unknown_name as unknown_name
from metalwork._schema_parsing import TaskDeclaration, find_faults, read_declarations
from metalwork._schema_tree import MOST_NESTED, drawn, leaf_names, leaf_paths, nested, preorder, table
from metalwork.errors import SchemaError, VotesError

Int64Array = npt.NDArray[np.int64]


class TaskSchema:
    """A tree of classification tasks (paper, section 3).

    Each label of a task is either an *end label* or opens one child task. A record has one end label, which
    fixes the label of every task on its path; the other tasks do not apply to it (``NOT_APPLICABLE``).
    Immutable. Build it with :meth:`from_dict`, :meth:`from_yaml` or :meth:`flat`.

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
        self._child = {(t.parent, t.when): t.name for t in declared if t.parent is not None and t.when is not None}
        root = next(task.name for task in declared if task.parent is None)
        self.tasks = tuple(preorder(root, {t.name: t.labels for t in declared}, self._child))
        self._labels = {name: by_name[name].labels for name in self.tasks}
        self._parent = {name: (by_name[name].parent, by_name[name].when) for name in self.tasks}
        paths = list(leaf_paths(root, self._labels, self._child))
        self.end_labels = leaf_names(paths, by_name[root].at)
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
        """Build a schema from a YAML 1.2 or JSON file; faults carry ``file:line:column``."""
        document = load_document(path)
        return cls._read(document.value, document.locate)

    @classmethod
    def flat(cls, labels: Sequence[str | int], task: str = "label") -> Self:
        """Build a schema of one task: ordinary classification."""
        if isinstance(labels, str) or not hasattr(labels, "__iter__"):
            raise SchemaError([f"labels must be a list of labels; got {labels!r}."])
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
    def schema(self) -> Self:
        """The tree itself: labeling functions may vote on other spaces, whose end labels are those of a tree."""
        return self

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
        names, plain = self.labels(task), plain_name(label) if isinstance(label, str) else label
        if plain not in names:
            raise VotesError(unknown_name(f"label of task {task!r}", label, names))
        return names.index(plain)

    def parent(self, task: str) -> tuple[str, str] | None:
        """The parent task and the label of it under which ``task`` applies; None for the root."""
        parent, label = self._parent[self.tasks[self.task_index(task)]]
        return None if parent is None or label is None else (parent, label)

    def child(self, task: str, label: str) -> str | None:
        """The task that ``label`` opens, or None where it is an end label."""
        return self._child.get((task, self.labels(task)[self.label_code(task, label)]))

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
        depth: dict[str | None, int] = {None: 0}
        for task in self.tasks:
            depth[task] = 1 + depth[self._parent[task][0]]
        return max(depth.values())

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

    def known_codes(self, labels: Any, *, names: bool = False) -> Int64Array:
        """What is known of each task, int64 (n_points, n_tasks): a label code, ``NOT_APPLICABLE``, or -1.

        Parameters
        ----------
        labels : sequence (n_points,), or int array (n_points, n_tasks)
            Labels by name, unique or with its path ("Markets/Money"): an end label, or an inner one of which the
            rest is not known; codes of end labels; None, NaN, NaT, NA, blank text or -1 where nothing is known.
            In two dimensions what this method returns; what follows from it is filled in.
        names : bool
            Every value is a name, as in a file or frame: 1 is the label "1", and 1.0 is "1.0" or else "1".

        Raises
        ------
        VotesError
            Naming the first row whose label is unknown, is that of several tasks, or may be a name or a code.
        """
        return self._known_labels.known(labels, names)

    def end_of(self, known: IntArray) -> Int64Array:
        """End-label codes (n_points,) of what :meth:`known_codes` returned, -1 where it leaves several."""
        return self._known_labels.end_of(known)

    def admits(self, known: IntArray) -> BoolArray:
        """bool array (n_points, n_end_labels): the end labels that what :meth:`known_codes` returned admits."""
        return self._known_labels.admits(known)

    @cached_property
    def label_names(self) -> LabelNames:
        """What the labels of all tasks are called: unique names, and paths."""
        return LabelNames(self.tasks, self._labels, self._child)

    @cached_property
    def _known_labels(self) -> KnownLabels:
        spans = [self.spans(task).tolist() for task in self.tasks]
        return KnownLabels(self.label_names, self.end_labels, self.task_codes, spans)

    def end_codes(self, labels: Any, allow_missing: bool = False) -> Int64Array:
        """Codes (n_points,) of end labels given as names or codes, or as :meth:`known_codes` returns them.

        With ``allow_missing``, None, NaN, NaT, NA, blank text and -1 stand for "not known" and become -1.

        Raises
        ------
        VotesError
            Naming the first row whose label is not an end label, or may be a name or a code.
        """
        return self._known_labels.ends(labels, allow_missing)

    def end_names(self, codes: Iterable[int]) -> list[str]:
        """End-label names of codes (n_points,)."""
        given = codes.tolist() if isinstance(codes, np.ndarray) else list(codes)
        for row, code in enumerate(given):
            if not is_whole(code) or not 0 <= code < self.n_end_labels:
                raise VotesError(f"Row {row}: codes of end labels are 0 to {self.n_end_labels - 1}; got {code!r}.")
        return [self.end_labels[code] for code in given]

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
        """The nested form that :meth:`from_dict` reads; of trees deeper than 100 levels the table form."""
        form = nested if self.n_levels <= MOST_NESTED else table
        return form(self.tasks, self._labels, self._child)

    def __str__(self) -> str:
        return "\n".join(drawn(self.root, self._labels, self._child))

    def _repr_html_(self) -> str:
        return _html.block(f"{self.n_tasks:,} tasks, {self.n_end_labels:,} end labels", _html.lines(str(self)))

    def __repr__(self) -> str:
        return f"TaskSchema.from_dict({self.to_dict()!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TaskSchema) and self._key == other._key

    @property
    def _key(self) -> tuple[Any, ...]:
        return self.tasks, self._labels, self._child

    def __hash__(self) -> int:
        return hash((self.tasks, self.end_labels))
