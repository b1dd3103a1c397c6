"""Records as an end model reads them: checked once, then handed out in mini-batches."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from metalwork.end_models._frames import Names, is_frame, read_frame
from metalwork.end_models.network import SparseRows
from metalwork.errors import ConfigError, DataError, MetalworkWarning

Float32Array = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]

_BLOCK = 2**20  # numbers


class DenseInputs:
    """Rows of a float array (n_points, n_features), with the columns' names where it was a frame."""

    def __init__(self, array: Float32Array, names: Names | None = None) -> None:
        self.array = array
        self.names = names

    def __len__(self) -> int:
        return len(self.array)

    def rows(self, index: Index) -> "DenseInputs":
        """The records at positions ``index`` alone."""
        return DenseInputs(self.array[index], self.names)

    def batch(self, index: Index) -> Any:
        """The rows at positions ``index``: a float tensor."""
        return torch.from_numpy(self.array[index])

    def contents(self) -> tuple[Any, ...]:
        """All that it holds, for a digest."""
        return (self.array,)


class SparseInputs:
    """Rows of a SciPy CSR matrix (n_points, n_features)."""

    def __init__(self, matrix: sp.csr_array) -> None:
        self.matrix = matrix

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def rows(self, index: Index) -> "SparseInputs":
        """The records at positions ``index`` alone."""
        return SparseInputs(self.matrix[index])

    def batch(self, index: Index) -> Any:
        """The rows at positions ``index``, still sparse."""
        rows = self.matrix[index]
        return SparseRows(
            torch.from_numpy(rows.indices),
            torch.from_numpy(rows.indptr.astype(rows.indices.dtype, copy=False)),
            torch.from_numpy(rows.data),
            int(rows.shape[1]),
        )

    def contents(self) -> tuple[Any, ...]:
        """All that it holds, for a digest."""
        return self.matrix.shape, self.matrix.indptr, self.matrix.indices, self.matrix.data


class RecordInputs:
    """Records of any kind, for an input module: a tensor, or a sequence handed out as lists."""

    def __init__(self, records: Sequence[Any] | Tensor) -> None:
        self.records = records

    def __len__(self) -> int:
        return len(self.records)

    def rows(self, index: Index) -> "RecordInputs":
        """The records at positions ``index`` alone."""
        return RecordInputs(self.batch(index))

    def batch(self, index: Index) -> Any:
        """The records at positions ``index``."""
        if isinstance(self.records, Tensor):
            return self.records[torch.from_numpy(index)]
        return [self.records[i] for i in index]

    def contents(self) -> tuple[Any, ...]:
        """All that it holds, for a digest."""
        return (self.records,)


Inputs = DenseInputs | SparseInputs | RecordInputs


def in_blocks(inputs: Inputs) -> Iterator[Inputs]:
    """All records in their order; of dense features some at a time, so that sums take little memory."""
    if not isinstance(inputs, DenseInputs):
        yield inputs
        return
    size = max(1, _BLOCK // max(1, int(np.prod(inputs.array.shape[1:]))))
    for start in range(0, len(inputs), size):
        yield DenseInputs(inputs.array[start : start + size], inputs.names)


class Columns(NamedTuple):
    """What ``fit`` saw: how many columns (None where records are no matrix), and their names, if any."""

    number: int | None
    names: Names | None


def read_inputs(X: Any, what: str, has_input_module: bool, expected: Columns | None = None) -> Inputs:
    """Wrap ``X``, and check that it is like the X of ``fit`` where that is given; frames' columns go by name.

    Raises
    ------
    DataError
        When it is no matrix of numbers, or, for an input module, no sequence; when its columns are not those
        ``expected``.
    """
    inputs = _wrap(X, what, has_input_module, None if expected is None else expected.names)
    if expected is not None:
        found = columns_of(inputs)
        if found.number != expected.number:
            raise DataError(
                f"{what} must have {_counted(expected.number)}, as the X of fit; got {_counted(found.number)}. "
                "Make the features the same way."
            )
        if (found.names is None) != (expected.names is None):
            has, had = ("no column names", "some") if found.names is None else ("column names", "none")
            warnings.warn(
                f"{what} has {has}, but the X of fit had {had}: its columns are "
                "taken in their order. Pass frames both times to have them matched by name.",
                MetalworkWarning,
                stacklevel=4,
            )
    return inputs


def columns_of(inputs: Inputs) -> Columns:
    """Number and names of the features."""
    if isinstance(inputs, SparseInputs):
        return Columns(int(inputs.matrix.shape[1]), None)
    if isinstance(inputs, DenseInputs) and inputs.array.ndim == 2:
        return Columns(int(inputs.array.shape[1]), inputs.names)
    return Columns(None, None)


def check_finite(inputs: Inputs, what: str, rows: Index | None = None) -> Inputs:
    """Return ``inputs`` when all its numbers are finite; ``rows`` are where its records stand in ``what``.

    Raises
    ------
    DataError
        Naming the first number that is not.
    """
    if isinstance(inputs, RecordInputs):
        return inputs
    values = inputs.array if isinstance(inputs, DenseInputs) else inputs.matrix.data
    finite = np.isfinite(values)
    if finite.all():
        return inputs
    first = int(np.argmin(finite))  # in row-major order, of the stored values
    if isinstance(inputs, DenseInputs):
        row, *place = (int(i) for i in np.unravel_index(first, values.shape))
        value = values[row, *place]
        column = repr(inputs.names[place[0]]) if inputs.names else ", ".join(map(str, place))
    else:
        row = int(np.searchsorted(inputs.matrix.indptr, first, side="right") - 1)
        value, column = values[first], str(inputs.matrix.indices[first])
    raise DataError(
        f"{what} must be finite as 32-bit floats; got {value} at row {row if rows is None else rows[row]}, "
        f"column {column}. Fill in missing values first, and scale down what is too large."
    )


def _wrap(X: Any, what: str, has_input_module: bool, names: Names | None) -> Inputs:
    if sp.issparse(X):
        return SparseInputs(_canonical(X, what))
    if is_frame(X):
        array, found = read_frame(X, what, names)
        return DenseInputs(_as_float32(array, what), found)
    if has_input_module and (isinstance(X, Tensor) or not (isinstance(X, np.ndarray) and X.dtype.kind in "biuf")):
        if isinstance(X, (str, bytes)) or not (hasattr(X, "__len__") and hasattr(X, "__getitem__")):
            raise DataError(f"{what} must be a matrix, a tensor or a sequence of records; got {type(X).__name__}.")
        return RecordInputs(X if isinstance(X, Tensor) else list(X))
    return DenseInputs(_as_float32(X, what))


def _counted(number: int | None) -> str:
    return "records that are no matrix" if number is None else f"{number} columns"


def move(batch: Any, device: torch.device) -> Any:
    """``batch`` on ``device``; lists of records stay where they are."""
    if device.type == "cpu":
        return batch
    if isinstance(batch, SparseRows):
        return SparseRows(
            batch.indices.to(device), batch.offsets.to(device), batch.values.to(device), batch.n_features
        )
    return batch.to(device) if isinstance(batch, Tensor) else batch


def output_size(module: nn.Module, batch: Any, n_rows: int) -> int:
    """How many values an input module puts out for a record: found by running it on the first two, ``batch``.

    Raises
    ------
    ConfigError
        When it does not return a float tensor (n_rows, D_0).
    """
    module.eval()
    with torch.no_grad():
        out = module(batch.dense() if isinstance(batch, SparseRows) else batch)
    if not isinstance(out, Tensor) or not out.is_floating_point() or out.ndim != 2 or len(out) != n_rows:
        got = f"a {out.dtype} tensor {tuple(out.shape)}" if isinstance(out, Tensor) else type(out).__name__
        raise ConfigError(
            f"input_module must return a float tensor (n_rows, D_0); got {got} for {n_rows} rows. "
            "Reshape its output."
        )
    return int(out.shape[1])


def _canonical(X: Any, what: str) -> sp.csr_array:
    if X.ndim != 2 or X.dtype.kind not in "biuf":
        raise DataError(f"{what} must be a two-dimensional matrix of real numbers; got {X.dtype} {X.shape}.")
    with np.errstate(over="ignore"):
        matrix = sp.csr_array(X, dtype=np.float32)
    if not matrix.has_canonical_format:
        matrix = matrix.copy()  # the caller's matrix keeps its duplicate entries
        matrix.sum_duplicates()
    return matrix


def _as_float32(X: Any, what: str) -> Float32Array:
    try:
        array = np.asarray(X)
        if array.dtype.kind not in "biufc":
            array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"{what} must be a matrix of real numbers; got {type(X).__name__}. "
            "Turn records into numbers first, or pass featurizer or input_module."
        ) from None
    if array.dtype.kind == "c":
        raise DataError(f"{what} must be a matrix of real numbers; got complex ones. Pass their parts.")
    if array.ndim < 2:
        raise DataError(f"{what} must have shape (n_points, n_features); got {array.shape}.")
    with np.errstate(over="ignore"):  # what overflows is not finite, and named as such
        return np.ascontiguousarray(array, dtype=np.float32)
