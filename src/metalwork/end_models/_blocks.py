"""Scaling of features that came from several featurizers: each block of columns in its own way."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from metalwork.end_models._inputs import DenseInputs, Inputs, SparseInputs
from metalwork.end_models._scaling import Scaler, fit_scaler, restore_scaler
from metalwork.features import Block


@dataclass(frozen=True)
class BlockScaler(Scaler):
    """Scales the columns of each block by a scaler of its own.

    In a sparse matrix a block of dense features has an entry a value, also for 0, and keeps them.
    """

    parts: tuple[tuple[int, bool, Scaler], ...] = ()
    """Number of columns, whether they are dense, and how they are scaled."""

    @property
    def header(self) -> Any:
        """What a file says of it, apart from the arrays."""
        return [{"kind": scaler.kind, "n_features": width, "dense": dense} for width, dense, scaler in self.parts]

    @property
    def is_of_words(self) -> bool:
        """Whether some features are words."""
        return any(scaler.is_of_words for _, _, scaler in self.parts)

    @property
    def neutral(self) -> Any:
        """What a feature is where it says nothing (n_features,)."""
        found = [(width, scaler.neutral) for width, _, scaler in self.parts]
        return np.concatenate([np.zeros(width) if own is None else own for width, own in found])

    def transform(self, inputs: Inputs, what: str = "X") -> Inputs:
        """A scaled copy, with entries where there were some before."""
        widths = [(width, dense) for width, dense, _ in self.parts]
        scaled = [
            scaler.transform(block, what)
            for block, (_, _, scaler) in zip(_cut(inputs, widths), self.parts, strict=True)
        ]
        if isinstance(inputs, DenseInputs):
            return DenseInputs(np.hstack([block.array for block in scaled]))  # type: ignore[union-attr]
        blocks = [_as_sparse(block) if isinstance(block, DenseInputs) else block.matrix for block in scaled]  # type: ignore[union-attr]
        return SparseInputs(sp.csr_array(sp.hstack(blocks, format="csr")))


def fit_scaling(
    blocks: Callable[[], Iterable[Inputs]], model: Any, of_featurizer: Sequence[Block] | None
) -> Scaler:
    """The scaler that a model asks for; of sparse features of several featurizers, ``"auto"`` is one a block.

    What a module reads is not scaled, beside it each block in its own way.
    """
    found = of_featurizer or ()
    if len(found) == 1 and found[0].has_module:
        return Scaler("none")
    some_module = any(block.has_module for block in found)
    if not some_module and (len(found) < 2 or model.scaling != "auto"):
        return fit_scaler(blocks, model.scaling, model.input_module is not None)
    is_sparse = isinstance(next(iter(blocks()), None), SparseInputs)
    if not some_module and not is_sparse:
        return fit_scaler(blocks, model.scaling, False)
    widths = [(block.n_features, not is_sparse or block.sparse is False) for block in found]
    parts: list[tuple[int, bool, Scaler]] = []
    for i, (width, dense) in enumerate(widths):
        scaled = found[i].sparse is not None and not found[i].has_module
        kind = model.scaling if scaled else "none"
        parts.append((width, dense, fit_scaler(lambda i=i: _ith(blocks, widths, i), kind, False)))  # type: ignore[misc]
    return _of_parts(parts)


def restore_scaling(header: Any, arrays: dict[str, Any], n_columns: int | None) -> Scaler:
    """A stored scaler; ``ValueError`` when its parts do not fit together."""
    if isinstance(header, str):
        return restore_scaler(header, arrays, n_columns)
    if sum(part.n_features for part in header) != n_columns:
        raise ValueError("the scaling does not fit the number of features")
    parts = []
    for i, part in enumerate(header):
        own = {name.removeprefix(f"{i}/"): array for name, array in arrays.items() if name.startswith(f"{i}/")}
        parts.append((part.n_features, part.dense, restore_scaler(part.kind, own, part.n_features)))
    found = _of_parts(parts)
    if set(found.arrays) != set(arrays):
        raise ValueError("the scaling has arrays left over")
    return found


def _of_parts(parts: list[tuple[int, bool, Scaler]]) -> BlockScaler:
    arrays = {f"{i}/{name}": a for i, (_, _, scaler) in enumerate(parts) for name, a in scaler.arrays.items()}
    return BlockScaler("blocks", arrays, tuple(parts))


def _ith(blocks: Callable[[], Iterable[Inputs]], widths: Sequence[tuple[int, bool]], i: int) -> Iterator[Inputs]:
    for inputs in blocks():
        yield list(_cut(inputs, widths))[i]


def _cut(inputs: Inputs, widths: Sequence[tuple[int, bool]]) -> Iterator[Inputs]:
    """The blocks of columns, those of dense features as dense ones."""
    start = 0
    for width, dense in widths:
        columns = slice(start, start + width)
        if isinstance(inputs, DenseInputs):
            yield DenseInputs(inputs.array[:, columns])
        else:
            assert isinstance(inputs, SparseInputs)
            block = inputs.matrix[:, columns]
            yield DenseInputs(block.toarray()) if dense else SparseInputs(block)
        start += width


def _as_sparse(block: DenseInputs) -> sp.csr_array:
    """A dense block with an entry a value, also for 0."""
    n_rows, width = block.array.shape
    columns = np.tile(np.arange(width, dtype=np.int32), n_rows)
    return sp.csr_array((block.array.ravel(), columns, np.arange(n_rows + 1) * width), shape=block.array.shape)
