"""Whether every task is told something by the labels that an end model is trained on."""

import warnings
from typing import Final

import numpy as np

from metalwork._checks import BoolArray, FloatArray
from metalwork.end_models._labels import Labels
from metalwork.errors import MetalworkWarning, VotesError
from metalwork.schema import TaskSchema

_LEAST: Final = 1e-6
"""Records to which a task may apply, by their probabilities, and need not be told apart."""
_SHOWN: Final = 5


class Supervision:
    """Finds, over the parts of the training records, which tasks apply and which are told apart."""

    def __init__(self, schema: TaskSchema) -> None:
        self._schema, self._n_points = schema, 0
        self._told: BoolArray = np.zeros(schema.n_tasks, dtype=bool)
        self._applies: FloatArray = np.zeros(schema.n_tasks)

    def add(self, labels: Labels) -> None:
        """Take in some records."""
        mass = labels.mass()
        self._n_points += len(mass)
        self._told |= labels.tell()
        self._applies += mass[:, 0].sum(axis=0)

    def check(self, what_then: str) -> None:
        """``"error"``: raise ``VotesError`` for a task that applies to records, but whose labels none tells apart.

        ``"warn"``: warn of all such tasks at once. One that applies to no record is left to the task above, which
        says so. A single record cannot be expected to tell of every task.
        """
        if self._n_points == 1:
            return
        pairs = zip(self._schema.tasks, ~self._told & (self._applies > _LEAST), strict=True)
        silent = [task for task, is_silent in pairs if is_silent]
        if not silent:
            return
        if what_then == "error":
            raise VotesError(
                f"probs must say something of every task; they say nothing of {silent[0]!r}, whose "
                f"{len(self._schema.labels(silent[0]))} labels no training record tells apart. Write a labeling "
                "function that votes on it, give known labels of it, or take the task out of the schema."
            )
        shown = ", ".join(map(repr, silent[:_SHOWN])) + f" and {len(silent) - _SHOWN} more" * (
            len(silent) > _SHOWN
        )
        warnings.warn(
            f"Nothing tells apart the labels of {shown}: no labeling function votes there; the end model guesses.",
            MetalworkWarning,
            stacklevel=5,
        )
