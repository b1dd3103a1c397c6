"""Probabilistic labels: where the label model ends and the end model begins."""

import os
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from metalwork._arrays import load_arrays, reading, save_arrays
from metalwork._checks import FloatArray
from metalwork._public import offer
from metalwork.errors import VotesError
from metalwork.schema import TaskSchema

_FORMAT = "metalwork probabilities 1"
_TOLERANCE = 1e-4
_ROUNDING = 1e-9


class TaskProbabilities:
    """A distribution over end labels for each record, read off for any task of the tree.

    Parameters
    ----------
    end : float array (n_points, n_end_labels)
        Probabilities in [0, 1]; each row sums to 1.
    schema : TaskSchema

    ``probs[task]`` is the float array (n_points, n_labels) of P(task label, and the task applies): its rows
    sum to the probability that the task applies.
    """

    end: FloatArray
    schema: TaskSchema

    def __init__(self, end: Any, schema: TaskSchema) -> None:
        array = np.asarray(end)
        if array.dtype.kind not in "fiub":
            raise VotesError(f"end must hold numbers; got dtype {array.dtype}.")
        if array.dtype.kind != "f":
            array = array.astype(np.float64)
        if array.ndim != 2 or array.shape[1] != schema.n_end_labels:
            raise VotesError(f"end must have shape (n_points, {schema.n_end_labels}); got {array.shape}.")
        total = np.einsum("ij->i", array)  # sum(axis=1) is slow where rows are short
        off = np.maximum(total.max(initial=1.0) - 1.0, 1.0 - total.min(initial=1.0))
        if not (off <= _TOLERANCE and array.min(initial=0.0) >= 0.0):
            row = int(np.argmax(~(np.abs(total - 1.0) <= _TOLERANCE) | ~(array >= 0.0).all(axis=1)))
            raise VotesError(f"Row {row}: probabilities must be >= 0 and sum to 1; got sum {total[row]:.6g}.")
        self.end = array
        self.schema = schema

    @classmethod
    def from_labels(cls, labels: Any, schema: TaskSchema) -> Self:
        """Certain probabilities (0 or 1) from known end labels, given as names or codes."""
        codes = schema.end_codes(labels)
        return cls(np.eye(schema.n_end_labels)[codes], schema)

    @property
    def n_points(self) -> int:
        """Number of records."""
        return int(self.end.shape[0])

    def __len__(self) -> int:
        return self.n_points

    def __getitem__(self, task: str) -> FloatArray:
        spans = self.schema.spans(task)
        starts = spans[:, 0]
        sums: FloatArray = np.add.reduceat(self.end[:, : spans[-1, 1]], starts, axis=1)
        return sums

    def conditional(self, task: str) -> FloatArray:
        """float array (n_points, n_labels): P(task label given that the task applies); uniform where it cannot."""
        joint = self[task]
        total = joint.sum(axis=1, keepdims=True)
        conditional: FloatArray = np.full_like(joint, 1.0 / joint.shape[1])
        np.divide(joint, total, out=conditional, where=total > 0)
        return conditional

    def predict(self) -> npt.NDArray[np.int64]:
        """Most probable end-label codes (n_points,); the first of equals, which rounding does not part."""
        return first_of_best(self.end)

    def rows(self, index: Any) -> "TaskProbabilities":
        """The records that ``index`` (slice, int or bool array) picks."""
        return TaskProbabilities(self.end[index], self.schema)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the probabilities to one ``.npz`` file, whole or not at all."""
        save_arrays(path, _FORMAT, {"schema": self.schema.to_dict()}, {"end": self.end})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what :meth:`save` wrote. Nothing in the file is executed."""
        header, arrays = load_arrays(path, _FORMAT, ("end",))
        with reading(path, _FORMAT):
            return cls(arrays["end"], TaskSchema.from_dict(header["schema"]))

    def __repr__(self) -> str:
        return f"TaskProbabilities(n_points={self.n_points}, end_labels={list(self.schema.end_labels)})"


def first_of_best(scores: FloatArray) -> npt.NDArray[np.int64]:
    """Column of the highest score, at least 0, of each row (n_points,); the first of equals up to rounding."""
    best = scores.max(axis=1, keepdims=True) * (1.0 - _ROUNDING)
    return np.asarray((scores >= best).argmax(axis=1), dtype=np.int64)


offer(__name__, globals())
