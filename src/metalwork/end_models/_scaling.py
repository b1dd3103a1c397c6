"""Feature scaling that is learned with the network and stored with it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from metalwork.end_models._inputs import DenseInputs, Inputs, RecordInputs, SparseInputs
from metalwork.end_models._tasks import BlockSum
from metalwork.errors import DataError

SCALINGS: Final = ("auto", "counts", "rows", "standard", "none")
LENGTH: Final = 4.0  # of scaled rows, so that the first layer starts out with values of the usual size
_NEARLY: Final = 1e-3  # how much lengths may differ and still be one

Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scaler:
    """How features are scaled: ``kind`` is never ``"auto"``; ``arrays`` are the learned constants."""

    kind: str
    arrays: dict[str, Float32Array] = field(default_factory=dict)

    @property
    def header(self) -> Any:
        """What a file says of it, apart from the arrays."""
        return self.kind

    @property
    def is_of_words(self) -> bool:
        """Whether the features are words."""
        return self.kind in ("counts", "rows")

    @property
    def neutral(self) -> Any:
        """What a feature is where it says nothing (n_features,): its mean where it is scaled by that; None: 0."""
        return self.arrays["mean"] if self.kind == "standard" else None

    def transform(self, inputs: Inputs, what: str = "X") -> Inputs:
        """Scaled copies of matrices; other records as they are. Errors call them ``what``."""
        if self.kind == "none" or isinstance(inputs, RecordInputs):
            return inputs
        if self.kind == "counts":
            _check_counts(inputs, what)
            return _of_one_length(inputs, np.log1p)
        if self.kind == "rows":
            return _of_one_length(inputs, np.asarray)
        if isinstance(inputs, SparseInputs):
            raise DataError(
                f"{what} must be dense for scaling='standard'; got a sparse matrix. Make it dense "
                "by toarray(), or use scaling='none'."
            )
        return DenseInputs((inputs.array - self.arrays["mean"]) / self.arrays["deviation"])


def fit_scaler(blocks: Callable[[], Iterable[Inputs]], scaling: str, has_input_module: bool) -> Scaler:
    """The scaler that ``scaling`` asks for; ``"auto"`` looks at the features, which ``blocks()`` gives anew.

    ``"auto"`` is ``"standard"`` for dense features, but ``"rows"`` where all rows have length 1, as those of
    sentence encoders. Of a sparse matrix it is ``"counts"`` for whole numbers from 0 upwards, and ``"rows"`` where
    all rows have one length, such as TF-IDF. It is ``"none"`` for others, and before an input module.
    """
    kind = _kind_for(blocks(), has_input_module) if scaling == "auto" else scaling
    return Scaler(kind, _moments(blocks) if kind == "standard" else {})


def _kind_for(blocks: Iterable[Inputs], has_input_module: bool) -> str:
    are_dense, are_counts, shortest, longest = False, True, np.inf, 0.0
    for inputs in blocks:
        if has_input_module or isinstance(inputs, RecordInputs):
            return "none"
        if isinstance(inputs, DenseInputs):
            if not _are_directions(inputs.array):
                return "standard"
            are_dense = True
            continue
        are_counts = are_counts and _are_counts(inputs.matrix.data)
        lengths = _lengths(inputs, inputs.matrix.data)
        lengths = lengths[lengths > 0]
        shortest, longest = min(shortest, lengths.min(initial=np.inf)), max(longest, lengths.max(initial=0.0))
    if are_dense:
        return "rows"
    if are_counts:
        return "counts"
    return "rows" if longest <= (1 + _NEARLY) * shortest else "none"


def _are_directions(array: Float32Array) -> bool:
    """Whether rows have length 1, as those of sentence encoders; those of empty texts may be zeros."""
    lengths = np.linalg.norm(array, axis=1)
    return array.shape[1] > 1 and bool(((np.abs(lengths - 1) <= _NEARLY) | (lengths == 0)).all())


def _moments(blocks: Callable[[], Iterable[Inputs]]) -> dict[str, Float32Array]:
    """Mean and deviation a feature, of dense ones; none of others."""
    n_points, total, squares = 0, BlockSum(), BlockSum()
    for inputs in blocks():
        if not isinstance(inputs, DenseInputs):
            return {}
        total.add(inputs.array)
        n_points += len(inputs)
    mean = total.total() / n_points
    for inputs in blocks():
        if isinstance(inputs, DenseInputs):
            squares.add(np.square(inputs.array - mean))
    deviation = np.sqrt(squares.total() / n_points)
    deviation[deviation < 1e-6] = 1.0  # a constant feature becomes 0
    return {"mean": mean.astype(np.float32), "deviation": deviation.astype(np.float32)}


def restore_scaler(kind: str, arrays: dict[str, Float32Array], n_columns: int | None) -> Scaler:
    """A stored scaler; ``ValueError`` when its parts do not fit together."""
    names = {"mean", "deviation"} if kind == "standard" else set()
    if kind not in SCALINGS[1:] or set(arrays) != names:
        raise ValueError(f"the scaling {kind!r} is unknown or not whole")
    if any(array.shape != (n_columns,) for array in arrays.values()):
        raise ValueError("the scaling does not fit the number of features")
    if kind == "standard" and not (arrays["deviation"] > 0).all():
        raise ValueError("a deviation is not above 0")
    return Scaler(kind, arrays)


def _check_counts(inputs: DenseInputs | SparseInputs, what: str) -> None:
    values = inputs.array if isinstance(inputs, DenseInputs) else inputs.matrix.data
    if values.size and values.min() < 0:
        raise DataError(
            f"{what} must not be below 0 for scaling='counts'; got {values.min():g}. "
            "Use scaling='standard' or 'none'."
        )


def _are_counts(values: npt.NDArray[Any]) -> bool:
    return bool((values >= 0).all() and (values == np.floor(values)).all())


def _of_one_length(inputs: DenseInputs | SparseInputs, change: Callable[[Any], Any]) -> Inputs:
    """Rows brought to one length once each value is changed; rows of zeros stay."""
    if isinstance(inputs, DenseInputs):
        changed = change(inputs.array)
        norms = np.linalg.norm(changed, axis=1, keepdims=True)
        return DenseInputs(changed * (LENGTH / np.maximum(norms, 1e-12)))
    matrix, values = inputs.matrix, change(inputs.matrix.data)
    factors = LENGTH / np.maximum(_lengths(inputs, values), 1e-12)
    scaled = (values * np.repeat(factors, np.diff(matrix.indptr))).astype(np.float32)
    return SparseInputs(sp.csr_array((scaled, matrix.indices, matrix.indptr), shape=matrix.shape))


def _lengths(inputs: SparseInputs, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The length of each row (n_points,), with ``values`` in place of its own."""
    n_points = len(inputs)
    rows = np.repeat(np.arange(n_points), np.diff(inputs.matrix.indptr))
    return np.sqrt(np.bincount(rows, values.astype(np.float64) ** 2, minlength=n_points))
