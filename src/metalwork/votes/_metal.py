"""Snorkel MeTaL's matrices: one a task, labels 1..k, 0 for an abstain, in a hierarchy k+1 for "does not apply"."""

from collections.abc import Sequence

import numpy as np

from metalwork._checks import IntArray
from metalwork.errors import VotesError
from metalwork.schema import TaskSchema
from metalwork.votes._alphabet import Alphabet


def check_metal(matrices: Sequence[IntArray], schema: TaskSchema) -> None:
    """Refuse the value for "does not apply", which only a reader that is told of it takes for that."""
    for t, (task, matrix) in enumerate(zip(schema.tasks, matrices, strict=True)):
        k = len(schema.labels(task))
        if task != schema.root and (matrix == k + 1).any():
            row, lf = np.argwhere(matrix == k + 1)[0]
            raise VotesError(
                f"matrices[{t}] must hold 0 or the labels 1..{k} of {task!r}; got {k + 1} at row {row}, LF {lf}. "
                "Where the last value means 'does not apply', as in MeTaL's task hierarchies, pass "
                "last_is_not_applicable=True."
            )


def metal_alphabets(schema: TaskSchema, tasks: Sequence[str], names: Sequence[str]) -> dict[str, Alphabet]:
    """By LF name the labels of its task, and after them that this does not apply; no LF of the root says that."""
    alphabets = {}
    for task in set(tasks) - {schema.root}:
        k = len(schema.labels(task))
        alphabets[task] = Alphabet.of_labels(k).union(Alphabet.of_states(k, [[k]]))
    return {name: alphabets[task] for name, task in zip(names, tasks, strict=True) if task in alphabets}
