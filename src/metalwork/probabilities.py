"""Probabilistic labels: where the label model ends and the end model begins."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np
import numpy.typing as npt

from metalwork import _html
from metalwork._arrays import load_arrays, reading, save_arrays
from metalwork._checks import FloatArray, check_instance
from metalwork._public import offer
from metalwork.errors import VotesError
from metalwork.schema import TaskSchema

if TYPE_CHECKING:
    import polars as pl

_FORMAT = "metalwork probabilities 1"
_TOLERANCE = 1e-4
_ROUNDING = 1e-9


class TaskProbabilities:
    """A distribution over end labels for each record, read off for any task of the tree.

    Parameters
    ----------
    end : float array (n_points, n_end_labels), or data frame
        Probabilities in [0, 1]; each row sums to 1. Columns of a frame are found by the name of the end label,
        ``"Money"`` or ``"P(Money)"``, in any order; others are not read.
    schema : TaskSchema

    ``probs[task]`` is the float array (n_points, n_labels) of P(task label, and the task applies): its rows
    sum to the probability that the task applies. ``probs[rows]``, by slice or array, are the probabilities of some
    records, ``probs[row]`` the float array (n_end_labels,) of one; ``np.asarray(probs)`` is ``probs.end``.
    """

    end: FloatArray
    schema: TaskSchema

    def __init__(self, end: Any, schema: TaskSchema) -> None:
        check_instance("schema", schema, TaskSchema)
        array = _columns(end, schema) if hasattr(end, "columns") else np.asarray(end)
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
    def from_labels(cls, labels: Any, schema: TaskSchema, names: bool = False) -> Self:
        """Certain probabilities (0 or 1) from known end labels, given as names or codes.

        With ``names``, as for a column of a file, every label is a name, and a number counts by how it is written.
        """
        codes = schema.end_codes(schema.known_codes(labels, names=True) if names else labels)
        return cls(np.eye(schema.n_end_labels)[codes], schema)

    @property
    def n_points(self) -> int:
        """Number of records."""
        return int(self.end.shape[0])

    def __len__(self) -> int:
        return self.n_points

    @overload
    def __getitem__(self, index: str | int | np.integer[Any]) -> FloatArray: ...

    @overload
    def __getitem__(self, index: slice | list[int] | list[bool] | npt.NDArray[Any]) -> "TaskProbabilities": ...

    def __getitem__(self, index: Any) -> "FloatArray | TaskProbabilities":
        if isinstance(index, str):
            return self._of_task(index)
        if isinstance(index, tuple):
            raise VotesError(f"probs takes a task name or rows; got {index!r}. Index the array: probs.end[...].")
        if isinstance(index, int | np.integer):
            row: FloatArray = self.end[index]
            return row
        return self.rows(index)

    def __iter__(self) -> Iterator[FloatArray]:
        return iter(self.end)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array(self.end, dtype=dtype, copy=copy)

    def _of_task(self, task: str) -> FloatArray:
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
        chosen = index if isinstance(index, slice) else np.asarray(index)
        if not isinstance(chosen, slice) and chosen.size == 0:
            chosen = slice(0)  # an empty list has no type of its own
        return TaskProbabilities(self.end[chosen], self.schema)

    def to_frame(self, ids: Any = None) -> "pl.DataFrame":
        """A polars frame with one row a record.

        Its columns are ``id`` where ``ids`` (n_points,) are given, ``end_label`` (the most probable one),
        ``confidence`` (its probability), and the probability of each end label, ``"P(Money)"``.
        """
        import polars as pl

        if ids is not None and len(ids) != self.n_points:
            raise VotesError(f"ids must hold one id a record ({self.n_points}); got {len(ids)}.")
        codes = self.predict()
        names = np.array(self.schema.end_labels, dtype=object)
        columns = {} if ids is None else {"id": pl.Series("id", list(ids), strict=False)}
        columns["end_label"] = pl.Series("end_label", names[codes].tolist(), dtype=pl.String)
        columns["confidence"] = pl.Series("confidence", self.end[np.arange(len(codes)), codes])
        shares = {f"P({name})": pl.Series(self.end[:, code]) for code, name in enumerate(self.schema.end_labels)}
        return pl.DataFrame(columns | shares)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the probabilities to one ``.npz`` file, whole or not at all."""
        save_arrays(path, _FORMAT, {"schema": self.schema.to_dict()}, {"end": self.end})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what :meth:`save` wrote. Nothing in the file is executed."""
        header, arrays = load_arrays(path, _FORMAT, ("end",))
        with reading(path, _FORMAT):
            return cls(arrays["end"], TaskSchema.from_dict(header["schema"]))

    def _repr_html_(self) -> str:
        share = self.end.mean(axis=0) if self.n_points else np.zeros(self.schema.n_end_labels)
        n_best = np.bincount(self.predict(), minlength=self.schema.n_end_labels)
        rows = zip(self.schema.end_labels, share.tolist(), n_best.tolist(), strict=True)
        title = f"Probabilities of {self.n_points:,} records"
        return _html.block(title, _html.table(["end label", "mean", "most probable for"], list(rows)))

    def __repr__(self) -> str:
        return f"TaskProbabilities(n_points={self.n_points}, end_labels={list(self.schema.end_labels)})"


def _columns(frame: Any, schema: TaskSchema) -> npt.NDArray[Any]:
    """The columns of a frame that are named by the end labels, in the order of the schema."""
    given = {str(name): name for name in getattr(frame, "column_names", frame.columns)}
    found = {label: given.get(f"P({label})", given.get(label)) for label in schema.end_labels}
    if missing := [label for label, name in found.items() if name is None]:
        raise VotesError(
            f"Columns of probabilities must be named by the end labels; there is none for {missing[0]!r}. "
            "Rename them, or pass an array with a column an end label, in the order of schema.end_labels."
        )
    return np.stack([np.asarray(frame[name]) for name in found.values()], axis=1)


def first_of_best(scores: FloatArray) -> npt.NDArray[np.int64]:
    """Column of the highest score, at least 0, of each row (n_points,); the first of equals up to rounding."""
    best = scores.max(axis=1, keepdims=True) * (1.0 - _ROUNDING)
    return np.asarray((scores >= best).argmax(axis=1), dtype=np.int64)


offer(__name__, globals())
