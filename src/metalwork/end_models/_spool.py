"""Training records in a temporary file, so that memory does not grow with their number."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Any, Final, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from torch import Tensor

from metalwork.end_models._digest import Digest
from metalwork.end_models._inputs import DenseInputs, Index, Inputs, RecordInputs, SparseInputs
from metalwork.end_models._scaling import Scaler
from metalwork.end_models._tasks import Batch, BlockSum, scaled
from metalwork.end_models.network import SparseRows
from metalwork.errors import ConfigError, DataError

_BLOCK: Final = 8 * 2**20  # bytes that are read or written at a time
_PAIR: Final = np.dtype([("column", "<i4"), ("value", "<f4")])

Table = npt.NDArray[Any]


class _File:
    """A temporary file of items of one type, which has no name and goes with the process."""

    def __init__(self, kind: np.dtype[Any], stream: IO[bytes]) -> None:
        self.kind, self.n_items, self._stream = kind, 0, stream

    def append(self, items: Table) -> None:
        self.write(self.n_items, items)
        self.n_items += len(items)

    def write(self, start: int, items: Table) -> None:
        left = memoryview(items.tobytes())
        self._stream.seek(start * self.kind.itemsize)
        while len(left):
            left = left[self._stream.write(left) :]

    def read(self, starts: list[int], stops: list[int]) -> Table:
        """The items of several ranges, one after another."""
        size, handle = self.kind.itemsize, self._stream.fileno()
        parts = [
            _pread(handle, (stop - start) * size, start * size) for start, stop in zip(starts, stops, strict=True)
        ]
        return np.frombuffer(bytearray().join(parts), dtype=self.kind)


class Spool:
    """Records that come in parts, and are handed out in mini-batches, which takes no longer than from memory.

    Every record has an entry of one size: its weight, where its sparse features stand, its targets, and its dense
    features. Sparse features are pairs in a second file.
    """

    def __init__(self) -> None:
        self._open = ExitStack()
        self._entries: _File | None = None
        self._pairs = self._file(_PAIR)
        self._shape: tuple[int, ...] = ()  # of one record's features
        self._sparse = False
        self._weighted = False
        self._weights = BlockSum()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def __len__(self) -> int:
        return 0 if self._entries is None else self._entries.n_items

    @property
    def is_sparse(self) -> bool:
        """Whether mini-batches hold sparse rows."""
        return self._sparse

    def digest(self) -> str:
        """Of records, targets and weights."""
        found = Digest().add(self._shape, self._weighted)
        for file in self._files():
            size = max(1, _BLOCK // file.kind.itemsize)
            for start in range(0, file.n_items, size):
                found.add(file.read([start], [min(start + size, file.n_items)]))
        return found.hex()

    def append(self, inputs: Inputs, targets: Tensor, weights: npt.NDArray[np.float64] | None) -> None:
        """Add records with their targets (n_rows, sum of n_labels) and weights (None: 1 each).

        Raises
        ------
        DataError
            When their features are of another kind or shape than those before.
        ConfigError
            For records that are no arrays.
        """
        self._check(inputs, targets)
        entries, pairs = self._files()
        self._weighted |= weights is not None
        given = np.ones(len(inputs)) if weights is None else weights
        self._weights.add(given)
        for start in range(0, len(inputs), self._rows_at_a_time()):
            rows = slice(start, start + self._rows_at_a_time())
            table = np.zeros(len(given[rows]), entries.kind)
            table["weight"], table["targets"] = given[rows], targets[rows].numpy()
            if isinstance(inputs, SparseInputs):
                bounds = pairs.n_items + (inputs.matrix.indptr - inputs.matrix.indptr[start]).astype(np.int64)
                table["start"], table["stop"] = bounds[:-1][rows], bounds[1:][rows]
                pairs.append(_as_pairs(inputs.matrix[rows]))
            elif isinstance(inputs, DenseInputs):
                table["dense"] = inputs.array[rows].reshape(len(table), -1)
            entries.append(table)

    def blocks(self) -> Iterator[Inputs]:
        """All records in their order, some at a time."""
        for start in range(0, len(self), self._rows_at_a_time()):
            yield self._inputs(self._range(start))

    def scale(self, scaler: Scaler) -> None:
        """Scale the records where they stand."""
        if scaler.kind == "none":
            return
        entries, pairs = self._files()
        for start in range(0, len(self), self._rows_at_a_time()):
            table = self._range(start)
            inputs = scaler.transform(self._inputs(table))
            if isinstance(inputs, SparseInputs):
                pairs.write(int(table["start"][0]), _as_pairs(inputs.matrix))
            elif isinstance(inputs, DenseInputs):
                table["dense"] = inputs.array.reshape(len(table), -1)
                entries.write(start, table)

    def batch(self, index: Index) -> Batch:
        """The records at these positions."""
        starts = index.tolist()
        table = self._files()[0].read(starts, [start + 1 for start in starts])
        mean = self._weights.total() / len(self)
        weights = scaled(table["weight"], mean) if self._weighted else None
        return Batch(self._rows(table), _as_tensor(table["targets"]), weights)

    def _rows(self, table: Table) -> Any:
        if not self._sparse:
            return _as_tensor(table["dense"]).reshape(len(table), *self._shape)
        pairs = self._pairs.read(table["start"].tolist(), table["stop"].tolist())
        offsets = _offsets(table).astype(np.int32)
        columns, values = _as_tensor(pairs["column"]), _as_tensor(pairs["value"])
        return SparseRows(columns, torch.from_numpy(offsets), values, self._shape[0])

    def _inputs(self, table: Table) -> Inputs:
        """Records that stand beside each other."""
        if not self._sparse:
            return DenseInputs(np.ascontiguousarray(table["dense"]).reshape(len(table), *self._shape))
        bounds = (int(table["start"][0]), int(table["stop"][-1])) if len(table) else (0, 0)
        pairs = self._pairs.read([bounds[0]], [bounds[1]])
        parts = np.ascontiguousarray(pairs["value"]), np.ascontiguousarray(pairs["column"]), _offsets(table)
        return SparseInputs(sp.csr_array(parts, shape=(len(table), self._shape[0])))

    def _range(self, start: int) -> Table:
        return self._files()[0].read([start], [min(start + self._rows_at_a_time(), len(self))])

    def _rows_at_a_time(self) -> int:
        return max(1, min(4096, _BLOCK // self._files()[0].kind.itemsize))

    def _file(self, kind: np.dtype[Any]) -> _File:
        return _File(kind, self._open.enter_context(tempfile.TemporaryFile(buffering=0)))

    def _files(self) -> tuple[_File, _File]:
        assert self._entries is not None
        return self._entries, self._pairs

    def _check(self, inputs: Inputs, targets: Tensor) -> None:
        """The first records say what the entries hold; later ones must be like them."""
        if isinstance(inputs, RecordInputs):
            raise ConfigError(
                "Parts must be matrices, or records for a featurizer, to be kept on disk; got a sequence of "
                "records for input_module. Call fit, or turn them into arrays first."
            )
        sparse = isinstance(inputs, SparseInputs)
        shape = inputs.matrix.shape[1:] if isinstance(inputs, SparseInputs) else inputs.array.shape[1:]
        if self._entries is None:
            self._shape, self._sparse = tuple(shape), sparse
            fields: list[Any] = [("weight", "<f8"), ("start", "<i8"), ("stop", "<i8")]
            fields.append(("targets", "<f4", (targets.shape[1],)))
            fields.append(("dense", "<f4", (0 if sparse else int(np.prod(shape)),)))
            self._entries = self._file(np.dtype(fields))
        if (sparse, tuple(shape)) != (self._sparse, self._shape):
            kinds = {True: "sparse", False: "dense"}
            raise DataError(
                f"X must be {kinds[self._sparse]} rows of shape {self._shape}, as in the parts before; got "
                f"{kinds[sparse]} ones of shape {tuple(shape)}. Make the features of all parts alike."
            )


def _as_pairs(matrix: sp.csr_array) -> Table:
    pairs = np.empty(matrix.nnz, _PAIR)
    pairs["column"], pairs["value"] = matrix.indices, matrix.data
    return pairs


def _offsets(table: Table) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(table["stop"] - table["start"])])


def _as_tensor(values: Table) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))


def _pread(handle: int, size: int, place: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(handle, size, place)
    os.lseek(handle, place, os.SEEK_SET)  # Windows
    return os.read(handle, size)
