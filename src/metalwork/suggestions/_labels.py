"""The labels of a tree, each with the end labels under it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray
from metalwork._names import plain_name, unknown_name
from metalwork.errors import VotesError
from metalwork.schema import TaskSchema

Shares = FloatArray | npt.NDArray[np.float32]


@dataclass(frozen=True)
class TreeLabel:
    """A label of a task; the end labels ``start:stop`` lie under it."""

    task: str
    label: str
    start: int
    stop: int

    def of(self, end: Shares) -> Shares:
        """Its probabilities (n_points,) by those of the end labels (n_points, n_end_labels)."""
        found: Shares = end[:, self.start : self.stop].sum(axis=1)
        return found


def labels_of(schema: TaskSchema, task: str | None = None, label: str | None = None) -> list[TreeLabel]:
    """The labels of a task, or of all; those of this name or path.

    Raises
    ------
    VotesError
        When there is no such task or label.
    """
    if task is not None:
        schema.task_index(task)
        if label is not None and (place := schema.label_names.find(label)) is not None:
            label = schema.labels(schema.tasks[place[0]])[place[1]]
        if label is not None:
            schema.label_code(task, label)
    place = None if label is None or task is not None else schema.label_names.find(label)
    wanted = None if label is None else plain_name(label)
    found = [
        TreeLabel(own, name, int(start), int(stop))
        for t, own in enumerate(schema.tasks)
        for code, (name, (start, stop)) in enumerate(zip(schema.labels(own), schema.spans(own), strict=True))
        if task in (None, own) and (label is None or place == (t, code) or (place is None and name == wanted))
    ]
    if not found:
        raise VotesError(unknown_name("label", label, tuple(schema.label_names.places)))
    return found


def sums_by_label(by_end: Shares, labels: list[TreeLabel]) -> FloatArray:
    """Sums (n_rows, n_labels) over the end labels under each of ``labels``."""
    total = np.concatenate([np.zeros((len(by_end), 1)), np.cumsum(by_end, axis=1, dtype=np.float64)], axis=1)
    found: FloatArray = total[:, [label.stop for label in labels]] - total[:, [label.start for label in labels]]
    return found
