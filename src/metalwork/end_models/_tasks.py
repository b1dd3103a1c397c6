"""What an end model is trained on: records with their targets and weights, in memory or in a temporary file."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from metalwork._checks import FloatArray
from metalwork.end_models._digest import Digest
from metalwork.end_models._inputs import Index, Inputs, SparseInputs
from metalwork.end_models.network import SparseRows

_BLOCK = 2**20  # numbers that are summed at once


class Batch(NamedTuple):
    """A mini-batch: what the network reads, targets (n_rows, sum of n_labels), weights (None: 1 each)."""

    rows: Any
    targets: Tensor
    weights: Tensor | None

    def part(self, rows: slice) -> "Batch":
        """Some of its rows."""
        weights = None if self.weights is None else self.weights[rows]
        return Batch(_part(self.rows, rows), self.targets[rows], weights)


class Task(Protocol):
    """Training records, of which some are asked for at a time."""

    def __len__(self) -> int: ...

    @property
    def is_sparse(self) -> bool:
        """Whether mini-batches hold sparse rows."""

    def digest(self) -> str:
        """Of records, targets and weights: equal for equal ones."""

    def batch(self, index: Index) -> Batch:
        """The records at these positions."""


@dataclass(frozen=True)
class InMemory:
    """Records, targets (n_points, sum of n_labels), and weights that are 1 on average (None: 1 each)."""

    inputs: Inputs
    targets: Tensor
    weights: Tensor | None

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def is_sparse(self) -> bool:
        """Whether mini-batches hold sparse rows."""
        return isinstance(self.inputs, SparseInputs)

    def digest(self) -> str:
        """Of records, targets and weights."""
        return Digest().add(*self.inputs.contents(), self.targets, self.weights).hex()

    def batch(self, index: Index) -> Batch:
        """The records at these positions."""
        rows = torch.from_numpy(index)
        weights = None if self.weights is None else self.weights[rows]
        return Batch(self.inputs.batch(index), self.targets[rows], weights)


class BlockSum:
    """A float64 sum over rows that does not depend on the parts in which they come: blocks are cut alike."""

    def __init__(self) -> None:
        self._total: Any = 0.0
        self._held: FloatArray | None = None

    def add(self, values: npt.NDArray[Any]) -> None:
        """Add rows (n_rows, ...)."""
        if self._held is not None:
            values = np.concatenate([self._held, values])
        size = max(1, _BLOCK // max(1, int(np.prod(values.shape[1:]))))
        whole = len(values) - len(values) % size
        for start in range(0, whole, size):
            self._total = self._total + values[start : start + size].sum(axis=0, dtype=np.float64)
        self._held = values[whole:].copy()

    def total(self) -> Any:
        """The sum of all rows: float64 (...)."""
        return self._total if self._held is None else self._total + self._held.sum(axis=0, dtype=np.float64)


def mean_one(weights: npt.NDArray[np.float64] | None) -> Tensor | None:
    """Weights scaled to a mean of 1, as :class:`Task` hands them out."""
    if weights is None:
        return None
    total = BlockSum()
    total.add(weights)
    return scaled(weights, total.total() / len(weights))


def scaled(weights: npt.NDArray[np.float64], mean: float) -> Tensor:
    """Weights over their mean: float32 tensor (n_rows,)."""
    return torch.from_numpy(weights / mean).float()


def _part(rows: Any, which: slice) -> Any:
    """Some rows of a mini-batch."""
    if not isinstance(rows, SparseRows):
        return rows[which]
    offsets = rows.offsets[which.start : which.stop + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    return SparseRows(rows.indices[first:last], offsets - first, rows.values[first:last], rows.n_features)
