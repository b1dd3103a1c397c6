"""Several independent trees of tasks over the same records: several labels a record."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray, check_instance
from metalwork.errors import SchemaError, VotesError
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema, unknown_name
from metalwork.votes._incidents import Incident, incidents_of
from metalwork.votes._matrix import LabelMatrix


class TaskForest:
    """Independent task trees: each record has one end label in every tree (multi-label classification).

    Nothing is shared between the trees but the records. A tree whose question may not arise needs an end label
    that says so ("none").

    Parameters
    ----------
    schemas : sequence of TaskSchema
        At least one. Task names must be distinct over all trees.

    Attributes
    ----------
    schemas : dict of str to TaskSchema
        The trees by the name of their root task, in the order given.
    tasks : tuple of str
        The tasks of all trees.

    Raises
    ------
    SchemaError
        For no tree, and for task names that two trees share.

    Examples
    --------
    >>> import metalwork as mw
    >>> forest = mw.TaskForest([
    ...     mw.TaskSchema.flat(["sports", "politics"], task="topic"),
    ...     mw.TaskSchema.flat(["good", "bad"], task="tone"),
    ... ])
    >>> forest.roots, forest.labels("tone")
    (('topic', 'tone'), ('good', 'bad'))
    """

    def __init__(self, schemas: Iterable[TaskSchema]) -> None:
        given = tuple(check_instance("schemas", schemas, Iterable, "Pass a list of task schemas."))
        if faults := _faults(given):
            raise SchemaError(faults)
        self.schemas = {schema.root: schema for schema in given}
        self.tasks = tuple(task for schema in given for task in schema.tasks)

    @property
    def roots(self) -> tuple[str, ...]:
        """Names of the root tasks."""
        return tuple(self.schemas)

    def schema_of(self, task: str) -> TaskSchema:
        """The tree that holds ``task``; ``VotesError`` with a suggestion when none does."""
        for schema in self.schemas.values():
            if task in schema.tasks:
                return schema
        raise VotesError(unknown_name("task", task, self.tasks))

    def labels(self, task: str) -> tuple[str, ...]:
        """Label names of ``task``."""
        return self.schema_of(task).labels(task)

    def votes(
        self,
        codes: Any,
        tasks: Sequence[str],
        names: Sequence[str] | None = None,
        errors: Any = None,
        outcomes: Mapping[str, Any] | None = None,
        incidents: Iterable[Incident] = (),
    ) -> dict[str, LabelMatrix]:
        """Label matrices by root, of one matrix that holds the LFs of all trees.

        The arguments are those of :class:`LabelMatrix`, with ``tasks`` of any tree.
        """
        array = np.asarray(codes)
        if array.ndim != 2 or array.shape[1] != len(tasks):
            raise VotesError(
                f"codes must have shape (n_points, {len(tasks)}), a column a task; got {array.shape}."
            )
        homes = [self.schema_of(task).root for task in tasks]
        named = [f"lf_{j}" for j in range(len(tasks))] if names is None else list(names)
        known = tuple(incidents)
        found = {}
        for root, schema in self.schemas.items():
            own = [j for j, home in enumerate(homes) if home == root]
            own_names = [named[j] for j in own]
            found[root] = LabelMatrix(
                array[:, own],
                schema,
                [tasks[j] for j in own],
                own_names,
                None if errors is None else np.asarray(errors)[own],
                {name: rows for name, rows in (outcomes or {}).items() if name in own_names},
                incidents=incidents_of(known, own_names),
            )
        return found

    def __repr__(self) -> str:
        return f"TaskForest({list(self.schemas.values())!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TaskForest) and list(self.schemas.items()) == list(other.schemas.items())

    def __hash__(self) -> int:
        return hash(tuple(self.schemas.values()))


class ForestProbabilities:
    """Probabilistic labels of a forest, by root and by task.

    Parameters
    ----------
    roots : dict of str to TaskProbabilities (n_points)
        By the name of each tree's root task.

    ``probs[task]``, for a task of any tree, is the float array (n_points, n_labels) of P(task label, and the task
    applies); ``probs.roots[root]`` is all of one tree, what an end model is trained on.
    """

    def __init__(self, roots: Mapping[str, TaskProbabilities]) -> None:
        self.roots = dict(roots)
        self._forest = TaskForest(probs.schema for probs in self.roots.values())

    @property
    def n_points(self) -> int:
        """Number of records."""
        return next(iter(self.roots.values())).n_points

    def __len__(self) -> int:
        return self.n_points

    def __getitem__(self, task: str) -> FloatArray:
        return self.roots[self._forest.schema_of(task).root][task]

    def predict(self) -> dict[str, npt.NDArray[np.int64]]:
        """Most probable end-label codes (n_points,) by root."""
        return {root: probs.predict() for root, probs in self.roots.items()}

    def __repr__(self) -> str:
        return f"ForestProbabilities(n_points={self.n_points}, roots={list(self.roots)})"


def _faults(schemas: Sequence[Any]) -> list[str]:
    if not schemas:
        return ["a forest must hold at least one task tree; got none."]
    wrong = [schema for schema in schemas if not isinstance(schema, TaskSchema)]
    if wrong:
        return [f"a forest is made of TaskSchema objects; got {wrong[0]!r}. Build it with TaskSchema.from_dict."]
    homes = Counter(task for schema in schemas for task in schema.tasks)
    return [f"task {task!r} stands in {n} trees. Rename it in all but one." for task, n in homes.items() if n > 1]
