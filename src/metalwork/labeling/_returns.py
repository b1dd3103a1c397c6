"""What labeling functions may return: a label, a set of labels, all labels but some, probabilities of labels."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import numpy as np

from metalwork._checks import FloatArray, IntArray
from metalwork._names import as_written, plain_name
from metalwork.errors import LabelingError
from metalwork.labeling._alphabets import States
from metalwork.schema import TaskSchema, unknown_name
from metalwork.votes import Space, TaskForest, soft_codes

Spaces = Space | TaskForest
"""What labeling functions vote on: one space, or a tree a root."""

_LONG: Final = 200
_SLACK: Final = 0.02
T = TypeVar("T")


class Not:
    """All labels but some: what a labeling function returns to vote against them.

    Parameters
    ----------
    *labels : str or iterable of str
        Label names, as a labeling function may return them.

    Examples
    --------
    >>> import metalwork as mw
    >>> mw.Not("Sports"), mw.Not(["Sports", "World"])
    (Not('Sports'), Not('Sports', 'World'))
    """

    def __init__(self, *labels: str | Iterable[str]) -> None:
        flat: list[Any] = []
        for given in labels:
            flat += [given] if isinstance(given, str) or not isinstance(given, Iterable) else given
        if not flat or not all(isinstance(name, str) for name in flat):
            raise LabelingError(f"Not must be told label names; got {flat!r}. Write e.g. mw.Not('Sports').")
        self.labels = frozenset(map(plain_name, flat))

    def __repr__(self) -> str:
        return f"Not({', '.join(map(repr, sorted(self.labels)))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Not) and self.labels == other.labels

    def __hash__(self) -> int:
        return hash((Not, self.labels))


class ByTask:
    """Votes on several tasks at once: what a labeling function without a task of its own may return.

    Parameters
    ----------
    votes : dict of task name to vote
        Each is what a labeling function of that task may return.

    Examples
    --------
    >>> from metalwork.labeling import ByTask
    >>> ByTask({"sector": "Markets", "markets": {"Money": 0.8, "Commodity": 0.2}})
    ByTask({'sector': 'Markets', 'markets': {'Money': 0.8, 'Commodity': 0.2}})
    """

    def __init__(self, votes: Mapping[str, Any]) -> None:
        if not isinstance(votes, Mapping) or not all(isinstance(task, str) for task in votes):
            raise LabelingError(f"votes must be a dict from tasks to votes; got {votes!r}.")
        self.votes = dict(votes)

    def __repr__(self) -> str:
        return f"ByTask({self.votes!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByTask) and self.votes == other.votes

    __hash__ = None  # type: ignore[assignment]


class WrongReturn(Exception):
    """A mistake in the LF, not in a record: names of labels that cannot stand there."""


class Reader(ABC):
    """Reads returned values as votes on one or more tasks, each in a column of the label matrix."""

    tasks: tuple[str, ...]
    places: dict[str, tuple[int, int]]
    """Column and label code of every name that a label may have."""

    @abstractmethod
    def label(self, name: str) -> tuple[int, int]:
        """Column and label code of a label's name; ``WrongReturn`` where it is none."""

    @abstractmethod
    def states(self, names: Iterable[str], inside: bool) -> tuple[int, States] | None:
        """Column and states of a set of labels, or of all but these; None where it says nothing."""

    @abstractmethod
    def n_labels(self, column: int) -> int:
        """Number of labels of a column's task."""

    def parts(self, value: Any) -> "list[tuple[int, Reader, Any]]":
        """The votes in what was returned: the first column that each is of, what reads it, and itself."""
        if not isinstance(value, ByTask):
            return [(0, self, value)]
        if wrong := [task for task in value.votes if plain_name(task) not in self.tasks]:
            raise WrongReturn(f"it returned a vote on a wrong task. {unknown_name('task', wrong[0], self.tasks)}")
        found = [(self.tasks.index(plain_name(task)), vote) for task, vote in value.votes.items()]
        return [(column, self.of_task(column), vote) for column, vote in found]

    @abstractmethod
    def of_task(self, column: int) -> "Reader":
        """What reads a vote on the task of a column alone."""

    def soft(self, shares: Mapping[Any, Any]) -> tuple[int, list[float]]:
        """Column and probability of each label, NaN where none was given; all labels must be of one task."""
        found = {self.label(name): share for name, share in shares.items()}
        if not found:
            raise ValueError("no probabilities")
        if len(found) < len(shares):
            raise WrongReturn(f"it returned two probabilities for one label: {dict(shares)!r}. Return one.")
        columns = {column for column, _ in found}
        if len(columns) > 1:
            raise WrongReturn(
                f"it returned probabilities for labels of the tasks "
                f"{' and '.join(repr(self.tasks[column]) for column in sorted(columns))}. "
                "Return those of one task, or write an LF for each."
            )
        column = columns.pop()
        row = [float("nan")] * self.n_labels(column)
        for (_, code), share in found.items():
            row[code] = float(share)
            if math.isnan(row[code]):
                raise ValueError("a probability that is none")
        return column, row


class TaskReader(Reader):
    """Returns of an LF of one task."""

    def __init__(self, task: str, space: Spaces) -> None:
        self.tasks = (task,)
        self._space = space
        self.places = {plain_name(label): (0, code) for code, label in enumerate(space.labels(task))}

    def label(self, name: str) -> tuple[int, int]:
        if (place := _find(self.places.get, name)) is None:
            raise WrongReturn(_foreign(self.tasks[0], name, self._space))
        return place

    def states(self, names: Iterable[str], inside: bool) -> tuple[int, States] | None:
        named = {self.label(name)[1] for name in sorted(names)}
        chosen = tuple(code for code in range(len(self.places)) if (code in named) == inside)
        says = 0 < len(chosen) < len(self.places) or (inside and bool(chosen) and len(self.places) == 1)
        return (0, chosen) if says else None  # the only label of a task says that the task applies

    def n_labels(self, column: int) -> int:
        return len(self.places)

    def of_task(self, column: int) -> Reader:
        return self


class TreeReader(Reader):
    """Returns of an LF without a task: labels of the whole tree, by unique name or by path."""

    def __init__(self, schema: TaskSchema) -> None:
        self.tasks = schema.tasks
        self._schema = schema
        self._members = [schema.members(task) for task in schema.tasks]
        self._names = schema.label_names
        self.places = self._names.places
        self._own: dict[int, TaskReader] = {}

    def label(self, name: str) -> tuple[int, int]:
        if (found := _find(self._names.find, name)) is not None:
            return found
        if (twice := _find(self._names.twice.get, name)) is not None:
            paths = " or ".join(map(repr, twice))
            raise WrongReturn(f"it returned {name!r}, a label of more than one task. Return its path: {paths}.")
        raise WrongReturn(
            f"it returned a wrong label. {unknown_name('label of the tree', _short(name), list(self.places))}"
        )

    def states(self, names: Iterable[str], inside: bool) -> tuple[int, States] | None:
        """The first task, root first, whose labels and 'does not apply' each lie inside of the set or outside."""
        named = sorted(names)
        chosen = np.zeros(self._schema.n_end_labels, dtype=bool)
        for column, code in map(self.label, named):
            chosen |= self._members[column][code]
        chosen = chosen if inside else ~chosen
        if chosen.all() or not chosen.any():
            return None
        for column, members in enumerate(self._members):
            groups = np.concatenate([members, ~members.any(axis=0, keepdims=True)])
            some = (groups & chosen).any(axis=1)
            if not (some & (groups & ~chosen).any(axis=1)).any():
                return column, tuple(np.flatnonzero(some).tolist())
        what = repr(set(named)) if inside else repr(Not(named))
        raise WrongReturn(
            f"it returned {what}, a set of end labels that no single task decides. Let the LF vote on end labels "
            "in the flat view: view = mw.FeasibleLabels.flatten(schema), task=view.schema.root, and mw.apply with "
            "view in place of the schema."
        )

    def n_labels(self, column: int) -> int:
        return len(self._members[column])

    def of_task(self, column: int) -> Reader:
        if column not in self._own:
            self._own[column] = TaskReader(self.tasks[column], self._schema)
        return self._own[column]


def reader_for(task: str | None, space: Spaces) -> Reader:
    """The reader of an LF's returns; an LF without a task needs a tree."""
    return TreeReader(space) if task is None and isinstance(space, TaskSchema) else TaskReader(str(task), space)


def soft_votes(rows: FloatArray, name: str) -> tuple[IntArray, IntArray]:
    """Codes (n_points,) in the fixed alphabet of soft votes, and the rows that are no probabilities.

    ``rows`` (n_points, n_labels) has NaN where nothing was said: these labels share what is missing to 1, and a
    row of nothing else abstains. A sum within 0.02 of 1 is taken for 1.
    """
    given = ~np.isnan(rows)
    total = np.where(given, rows, 0.0).sum(axis=1)
    n_left = (~given).sum(axis=1)
    outside = (given & ~((rows >= 0) & (rows <= 1 + _SLACK))).any(axis=1)
    short = (total < 1 - _SLACK) & (n_left == 0)
    bad = outside | (total > 1 + _SLACK) | short
    rest = np.maximum(1 - total, 0) / np.maximum(n_left, 1)
    whole = np.where(given, rows, rest[:, None])
    whole[bad | ~given.any(axis=1)] = np.nan
    whole /= whole.sum(axis=1, keepdims=True)
    return soft_codes(whole, rows.shape[1], name), np.flatnonzero(bad)


def _find(known: Callable[[str], T | None], name: Any) -> T | None:
    """What is known under a returned name, however it was composed; a number from a column as it is written."""
    found = (known(written) for written in (as_written(name) if isinstance(name, str) else ()))
    return next((place for place in found if place is not None), None)


def _short(name: Any) -> Any:
    """A name that is compared with others in no time, and that a message has room for."""
    return name[:_LONG] + "..." if isinstance(name, str) and len(name) > _LONG else name


def _foreign(task: str, label: str, space: Spaces) -> str:
    plain = plain_name(label) if isinstance(label, str) else label
    homes = [other for other in space.tasks if plain in space.labels(other)]
    if not homes:
        unknown = unknown_name(f"label of task {task!r}", _short(label), space.labels(task))
        return f"it returned a wrong label. {unknown}"
    own = ", ".join(map(repr, space.labels(task)))
    return (
        f"it returned {label!r}, a label of task {homes[0]!r}, but votes on task {task!r}. "
        f"Declare it with task={homes[0]!r}, or return one of {own}."
    )
