"""Whether every task is told something by the labels that an end model is trained on."""

from typing import Final

import numpy as np

from metalwork._checks import BoolArray, FloatArray
from metalwork.end_models._labels import Labels
from metalwork.errors import VotesError
from metalwork.schema import TaskSchema

_LEAST: Final = 1e-6
"""Records to which a task may apply, by their probabilities, and need not be told apart."""


class Supervision:
    """Finds, over the parts of the training records, which tasks apply and which are told apart."""

    def __init__(self, schema: TaskSchema) -> None:
        self._schema = schema
        self._told: BoolArray = np.zeros(schema.n_tasks, dtype=bool)
        self._applies: FloatArray = np.zeros(schema.n_tasks)

    def add(self, labels: Labels) -> None:
        """Take in some records."""
        self._told |= labels.tell()
        self._applies += labels.mass()[:, 0].sum(axis=0)

    def check(self) -> None:
        """Raise ``VotesError`` for a task that applies to records, but of which nothing tells its labels apart.

        A task that applies to none is left to the one above, which says so.
        """
        for task, told, applies in zip(self._schema.tasks, self._told, self._applies, strict=True):
            if not told and applies > _LEAST:
                raise VotesError(
                    f"probs must say something of every task; they say nothing of {task!r}, whose "
                    f"{len(self._schema.labels(task))} labels no training record tells apart. Write a labeling "
                    "function that votes on it, give known labels of it, or take the task out of the schema."
                )
