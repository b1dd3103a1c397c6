"""Task graphs that are no trees: the label vectors that can occur, each an end label of one flat task."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, NOT_APPLICABLE, BoolArray, FloatArray, IntArray
from metalwork._documents import load_document
from metalwork.errors import SchemaError, VotesError
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema, unknown_name
from metalwork.votes._alphabet import Alphabet, read_alphabet
from metalwork.votes._incidents import Incident
from metalwork.votes._matrix import LabelMatrix
from metalwork.votes._vectors import KEYS, Key, key_faults, read_vectors

_NAME: Final = "labels"
_MOST_COMBINATIONS: Final = 1 << 20

Int64Array = npt.NDArray[np.int64]
Vector = Mapping[str, str]
Locate = Callable[[Sequence[Key]], str]


class FeasibleLabels:
    """Tasks in any graph, given by the label vectors that can occur together.

    A *label vector* says which label each task has; a task that it leaves out does not apply. A record has one of
    the vectors. So the vectors are the end labels of one flat task, ``schema``, and a vote on a task is a vote for
    the set of vectors with that label: every label model that takes sets takes them, and inference is exact, by
    enumeration of the vectors.

    Parameters
    ----------
    tasks : mapping of task name to label names
    vectors : sequence of mappings, or mapping of name to mapping, of task name to label
        The feasible label vectors, distinct, at most 4,096. Without names of their own they are called
        ``"a=x, b=y"``.
    name : str
        Name of the flat task.

    Attributes
    ----------
    schema : TaskSchema
        The flat task; its end labels are the vectors.
    tasks : tuple of str
        The tasks given, then the flat one.
    vectors : tuple of dict
        The label vectors, in the order of ``schema.end_labels``.
    states : int64 array (n_vectors, n_tasks given)
        The label code of each task in each vector, or ``NOT_APPLICABLE`` (-2). Read-only.

    Raises
    ------
    SchemaError
        Listing every fault: unknown tasks or labels, vectors that occur twice, too many of them.

    Examples
    --------
    >>> import metalwork as mw
    >>> pets = mw.FeasibleLabels(
    ...     tasks={"animal": ["cat", "dog", "bird"], "legs": ["two", "four"], "pet": ["yes", "no"]},
    ...     vectors=[
    ...         {"animal": "cat", "legs": "four", "pet": "yes"},
    ...         {"animal": "dog", "legs": "four", "pet": "yes"},
    ...         {"animal": "bird", "legs": "two", "pet": "no"},
    ...         {"legs": "two", "pet": "no"},
    ...     ],
    ... )
    >>> pets.schema.end_labels[-1]
    'legs=two, pet=no'
    """

    def __init__(
        self,
        tasks: Mapping[str, Sequence[str]],
        vectors: Sequence[Vector] | Mapping[str, Vector],
        name: str = _NAME,
    ) -> None:
        read, faults = read_vectors(tasks, vectors, name)
        if read is None:
            raise SchemaError([text for _, text in faults])
        self._labels = read.labels
        self.schema = TaskSchema.flat(list(read.by_name), task=read.name)
        self.tasks = (*self._labels, read.name)
        self.vectors = tuple(read.by_name.values())
        self.states = np.array([self._states_of(vector) for vector in self.vectors], dtype=np.int64)
        self.states.setflags(write=False)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Build it from ``{"tasks": ..., "vectors": ...}`` and, if given, ``"name"``: the arguments of the class.

        Raises
        ------
        SchemaError
            Listing every fault.
        """
        return cls._read(value, lambda keys: "")

    @classmethod
    def from_yaml(cls, path: str | os.PathLike[str]) -> Self:
        """Build it from a YAML 1.2 or JSON file; faults carry ``file:line:column``."""
        document = load_document(path)
        return cls._read(document.value, document.locate)

    @classmethod
    def _read(cls, value: Any, locate: Locate) -> Self:
        found, faults = read_feasible(value, locate)
        if found is None:
            raise SchemaError(faults)
        return cls(**found)

    @classmethod
    def where(
        cls,
        tasks: Mapping[str, Sequence[str]],
        allows: Callable[[dict[str, str]], bool],
        may_not_apply: Iterable[str] = (),
        name: str = _NAME,
    ) -> Self:
        """All label vectors that ``allows`` accepts, of every combination of labels.

        Parameters
        ----------
        tasks : mapping of task name to label names
        allows : callable
            Told a label vector (a dict of task to label), returns whether it can occur.
        may_not_apply : iterable of str
            Tasks that vectors may leave out.
        name : str

        Raises
        ------
        SchemaError
            For more than 1,048,576 combinations, which are not tried, and as the class does.
        """
        left_out = set(may_not_apply)
        if unknown := sorted(left_out - set(tasks)):
            raise SchemaError([f"may_not_apply: {unknown_name('task', unknown[0], list(tasks))}"])
        choices = [[*labels, *([None] if task in left_out else [])] for task, labels in tasks.items()]
        if (n := prod(map(len, choices))) > _MOST_COMBINATIONS:
            raise SchemaError(
                [f"combinations of labels must be at most {_MOST_COMBINATIONS:,}; got {n:,}. Give the vectors."]
            )
        combinations = (dict(zip(tasks, labels, strict=True)) for labels in product(*choices))
        found = ({task: label for task, label in some.items() if label is not None} for some in combinations)
        return cls(tasks, [vector for vector in found if vector and allows(vector)], name)

    @classmethod
    def flatten(cls, schema: TaskSchema, name: str = "end label") -> Self:
        """A tree seen as label vectors, named as its end labels: LFs may then vote on any set of end labels."""
        labels = {task: schema.labels(task) for task in schema.tasks}
        vectors = {}
        for end, codes in zip(schema.end_labels, schema.task_codes.tolist(), strict=True):
            vectors[end] = {
                task: labels[task][code] for task, code in zip(labels, codes, strict=True) if code >= 0
            }
        return cls(labels, vectors, name)

    def labels(self, task: str) -> tuple[str, ...]:
        """Label names of ``task``; those of the flat task are the names of the vectors."""
        return self.schema.end_labels if task == self.schema.root else self._labels[self._known(task)]

    def members(self, task: str) -> BoolArray:
        """bool array (n_labels, n_vectors): which vectors have each label of ``task``."""
        return np.asarray(self.alphabet(task).rows[:, :-1] == 1)

    def known_codes(self, labels: Any) -> Int64Array:
        """Of each task the label code, -2 where it does not apply, -1 where not known: (n_points, n_tasks).

        Parameters
        ----------
        labels : sequence (n_points,)
            Names or codes of vectors, or the vectors themselves; None, NaN, "" or -1 where not known.
        """
        if not isinstance(labels, np.ndarray):
            labels = list(labels)
            if any(isinstance(label, Mapping) for label in labels):
                labels = self.end_codes(labels)
        codes = self.schema.end_codes(labels, allow_missing=True)
        every = np.column_stack([self.states, np.arange(len(self))])
        return np.concatenate([every, np.full((1, len(self.tasks)), ABSTAIN)])[codes]

    def alphabet(self, task: str) -> Alphabet:
        """What votes on ``task`` say of the vectors: one outcome a label of it.

        A vector is in (1) where it has the label, out (0) where it has another; the question does not arise (NaN)
        where the task does not apply.
        """
        return self._over_vectors(Alphabet.of_labels(len(self.labels(task))), task)

    def votes(
        self,
        codes: Any,
        tasks: Sequence[str],
        names: Sequence[str] | None = None,
        errors: Any = None,
        outcomes: Mapping[str, Any] | None = None,
        incidents: Iterable[Incident] = (),
    ) -> LabelMatrix:
        """The label matrix over vectors of votes on tasks.

        Parameters
        ----------
        codes : int array (n_points, n_lfs)
            Codes of labels of each LF's task, or ``ABSTAIN``.
        tasks : sequence of str (n_lfs,)
            The task of each LF; the flat task's labels are the vectors.
        names, errors
            As for :class:`LabelMatrix`.
        outcomes : mapping of LF name to Alphabet or float array (n_outcomes, n_labels + 1), optional
            Alphabets over the labels of the LF's own task, as for :class:`LabelMatrix`.
        incidents
            As for :class:`LabelMatrix`.
        """
        named = [f"lf_{j}" for j in range(len(tasks))] if names is None else [*names]
        own = dict(outcomes or {})
        alphabets = {task: self.alphabet(task) for task in dict.fromkeys(tasks)}
        found = {}
        for lf, task in zip(named, tasks, strict=False):
            given = read_alphabet(own[lf], lf, len(self.labels(task))) if lf in own else None
            found[lf] = alphabets[task] if given is None else self._over_vectors(given, task)
        tasks_there = [self.schema.root] * len(tasks)
        return LabelMatrix(codes, self.schema, tasks_there, named, errors, found, incidents=incidents)

    def marginal(self, probs: TaskProbabilities, task: str) -> FloatArray:
        """float array (n_points, n_labels): P(label of ``task``, and the task applies)."""
        if probs.schema != self.schema:
            raise VotesError("probs must be over the label vectors; its schema is another. Fit on votes of these.")
        marginal: FloatArray = probs.end @ self.members(task).T.astype(probs.end.dtype)
        return marginal

    def end_codes(self, vectors: Iterable[Vector]) -> IntArray:
        """Codes (n_points,) of label vectors, such as known ones: what ``score`` and dev labels take.

        Raises
        ------
        VotesError
            Naming the first that is not feasible.
        """
        known = {frozenset(vector.items()): code for code, vector in enumerate(self.vectors)}
        found = []
        for row, vector in enumerate(vectors):
            if (code := known.get(frozenset(vector.items()))) is None:
                raise VotesError(
                    f"Row {row}: {dict(vector)!r} is not among the {len(known)} feasible label vectors."
                )
            found.append(code)
        return np.array(found, dtype=np.int64)

    def _known(self, task: str) -> str:
        if task not in self._labels:
            raise VotesError(unknown_name("task", task, self.tasks))
        return task

    def _over_vectors(self, alphabet: Alphabet, task: str) -> Alphabet:
        """What an alphabet of ``task`` says of the vectors, and last of none of them."""
        if task == self.schema.root:
            return alphabet
        states = self.states[:, list(self._labels).index(self._known(task))]
        does_not_apply = len(self._labels[task])
        columns = np.append(np.where(states == NOT_APPLICABLE, does_not_apply, states), does_not_apply)
        labels = self._labels[task]
        words = [f"{task}={alphabet.name(code, labels)}" for code in range(len(alphabet))]
        return Alphabet(alphabet.rows[:, columns], words)

    def _states_of(self, vector: Vector) -> list[int]:
        return [
            labels.index(vector[task]) if task in vector else NOT_APPLICABLE
            for task, labels in self._labels.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """What :meth:`from_dict` reads."""
        named = zip(self.schema.end_labels, map(dict, self.vectors), strict=True)
        tasks = {task: list(labels) for task, labels in self._labels.items()}
        return {"tasks": tasks, "vectors": dict(named), "name": self.schema.root}

    def __len__(self) -> int:
        return len(self.vectors)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FeasibleLabels) and self._key == other._key

    @property
    def _key(self) -> tuple[Any, ...]:
        return self.schema, list(self._labels.items()), self.states.tolist()

    def __hash__(self) -> int:
        return hash(self.schema)

    def __str__(self) -> str:
        tasks = [f"{task}: {', '.join(labels)}" for task, labels in self._labels.items()]
        lines = []
        for name, vector in zip(self.schema.end_labels, self.vectors, strict=True):
            row = ", ".join(f"{task}={label}" for task, label in vector.items())
            lines.append(f"  {name}" if name == row else f"  {name}: {row}")
        return "\n".join([*tasks, f"{self.schema.root}, {len(self):,} label vectors:", *lines])

    def __repr__(self) -> str:
        return f"FeasibleLabels(tasks={self._labels!r}, {len(self)} vectors)"


def read_feasible(value: Any, locate: Locate) -> tuple[dict[str, Any] | None, list[str]]:
    """The arguments of :class:`FeasibleLabels` that a mapping holds, or every fault of it with its place."""
    if not isinstance(value, Mapping):
        return None, [f"label vectors must be a mapping with the keys 'tasks' and 'vectors'; got {value!r}."]
    arguments = {"name": _NAME, **{key: own for key, own in value.items() if key in KEYS}}
    faults = list(key_faults(value))
    if set(arguments) == set(KEYS):
        faults += read_vectors(**arguments)[1]
    return None if faults else arguments, [_placed(locate(at), text) for at, text in faults]


def _placed(at: str, text: str) -> str:
    return f"{at}: {text}" if at else text
