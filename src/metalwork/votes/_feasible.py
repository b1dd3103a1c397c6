"""Task graphs that are no trees: the label vectors that can occur, each an end label of one flat task."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, NOT_APPLICABLE, BoolArray, FloatArray, IntArray
from metalwork.errors import SchemaError, VotesError
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema, unknown_name
from metalwork.votes._alphabet import Alphabet, read_alphabet
from metalwork.votes._matrix import LabelMatrix

MOST_VECTORS: Final = 4_096
"""Of more label vectors exact inference would not be quick: a record's posterior has one number for each."""
_MOST_COMBINATIONS: Final = 1 << 20

Int64Array = npt.NDArray[np.int64]
Vector = Mapping[str, str]


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
        name: str = "labels",
    ) -> None:
        given = list(vectors.values()) if isinstance(vectors, Mapping) else list(vectors)
        if faults := _faults(tasks, given, name):
            raise SchemaError(faults)
        self._labels = {task: tuple(labels) for task, labels in tasks.items()}
        names = list(vectors) if isinstance(vectors, Mapping) else [_vector_name(self._labels, v) for v in given]
        self.schema = TaskSchema.flat(names, task=name)
        self.tasks = (*self._labels, name)
        self.vectors = tuple({task: vector[task] for task in self._labels if task in vector} for vector in given)
        self.states = np.array([self._states_of(vector) for vector in self.vectors], dtype=np.int64)
        self.states.setflags(write=False)

    @classmethod
    def where(
        cls,
        tasks: Mapping[str, Sequence[str]],
        allows: Callable[[dict[str, str]], bool],
        may_not_apply: Iterable[str] = (),
        name: str = "labels",
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
        """
        named = [f"lf_{j}" for j in range(len(tasks))] if names is None else [*names]
        own = dict(outcomes or {})
        alphabets = {task: self.alphabet(task) for task in dict.fromkeys(tasks)}
        found = {}
        for lf, task in zip(named, tasks, strict=False):
            given = read_alphabet(own[lf], lf, len(self.labels(task))) if lf in own else None
            found[lf] = alphabets[task] if given is None else self._over_vectors(given, task)
        return LabelMatrix(codes, self.schema, [self.schema.root] * len(tasks), named, errors, found)

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
        return Alphabet(alphabet.rows[:, columns])

    def _states_of(self, vector: Vector) -> list[int]:
        return [
            labels.index(vector[task]) if task in vector else NOT_APPLICABLE
            for task, labels in self._labels.items()
        ]

    def __len__(self) -> int:
        return len(self.vectors)

    def __repr__(self) -> str:
        return f"FeasibleLabels(tasks={self._labels!r}, {len(self)} vectors)"


def _vector_name(tasks: Iterable[str], vector: Vector) -> str:
    return ", ".join(f"{task}={vector[task]}" for task in tasks if task in vector)


def _faults(tasks: Mapping[str, Any], vectors: Sequence[Any], name: str) -> list[str]:
    if len(vectors) > MOST_VECTORS:
        return [
            f"vectors must be at most {MOST_VECTORS:,}, for inference enumerates them; got {len(vectors):,}. "
            "Drop tasks that no LF votes on, make independent tasks trees of their own (TaskForest), "
            "or write the tasks as one tree (TaskSchema)."
        ]
    faults = [fault for task, labels in tasks.items() if (fault := _task_fault(task, labels))]
    if name in tasks:
        faults.append(f"the flat task must have a name of its own; got {name!r}, a task. Pass name='...'.")
    if not vectors:
        faults.append("at least one label vector must be feasible; got none.")
    if faults := faults + [
        f"vector {i} {fault}" for i, v in enumerate(vectors) if (fault := _vector_fault(tasks, v))
    ]:
        return faults
    seen: dict[frozenset[tuple[str, str]], int] = {}
    firsts = [seen.setdefault(frozenset(vector.items()), i) for i, vector in enumerate(vectors)]
    return [f"vector {i} is vector {first} again. Leave one out." for i, first in enumerate(firsts) if first != i]


def _task_fault(task: str, labels: Any) -> str | None:
    if isinstance(labels, str) or not labels or not all(isinstance(label, str) for label in labels):
        return f"task {task!r} must have a list of label names; got {labels!r}."
    return f"task {task!r} has a label twice. Rename one." if len(set(labels)) < len(labels) else None


def _vector_fault(tasks: Mapping[str, Any], vector: Any) -> str | None:
    if not isinstance(vector, Mapping):
        return f"must be a dict of task to label; got {vector!r}."
    if not vector:
        return "names no task. Leave it out, or add a task with a label for such records."
    for task, label in vector.items():
        if task not in tasks:
            return "holds a wrong task. " + unknown_name("task", task, list(tasks))
        if label not in tasks[task]:
            return "holds a wrong label. " + unknown_name(f"label of task {task!r}", label, tasks[task])
    return None
