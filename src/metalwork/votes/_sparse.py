"""Votes in a sparse matrix, handed over in dense blocks."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from metalwork._checks import check_count
from metalwork.errors import VotesError
from metalwork.schema import TaskSchema
from metalwork.votes._matrix import LabelMatrix

_BLOCK_CELLS = 1 << 24
_BLOCK_VOTES = 1 << 20


class SparseVotes:
    """A scipy sparse matrix of votes as label matrices, one block of rows after another; as often as asked.

    Nothing is dense but a block. :meth:`HierarchicalLabelModel.fit_parts` takes it as it stands; probabilities
    come block by block, ``[model.predict_proba(part) for part in votes]``.

    Parameters
    ----------
    matrix : scipy sparse matrix or array (n_points, n_lfs)
        Snorkel MeTaL's convention: label c of the LF's task is c + 1, and what is not stored abstains.
    schema : TaskSchema
    tasks : sequence of str (n_lfs,), optional
        The task each column votes on; may be left out where the schema has one task.
    names : sequence of str (n_lfs,), optional
        Distinct LF names; ``lf_0, lf_1, ...`` by default.
    block_rows : int, optional
        Most rows that are dense at a time; by default as many as make 16 million cells.

    Raises
    ------
    VotesError
        For a value that is no label of its LF's task, naming row and LF; for wrong shapes or names.
    """

    def __init__(
        self,
        matrix: Any,
        schema: TaskSchema,
        tasks: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        block_rows: int | None = None,
    ) -> None:
        if not sparse.issparse(matrix) or matrix.ndim != 2:
            raise VotesError(
                f"matrix must be a scipy sparse matrix (n_points, n_lfs); got {type(matrix).__name__}. "
                "Give a dense array to LabelMatrix."
            )
        n_lfs = matrix.shape[1]
        if block_rows is not None:
            check_count("block_rows", block_rows)
        self.block_rows = int(block_rows) if block_rows is not None else max(1, _BLOCK_CELLS // max(1, n_lfs))
        self.schema = schema
        empty = LabelMatrix(np.empty((0, n_lfs), np.int8), schema, tasks, names)
        self.tasks, self.names, self._dtype = empty.tasks, empty.names, empty.codes.dtype
        self.matrix = sparse.csr_array(matrix)
        self._check_values()

    @property
    def n_points(self) -> int:
        """Number of records."""
        return int(self.matrix.shape[0])

    @property
    def n_lfs(self) -> int:
        """Number of labeling functions."""
        return int(self.matrix.shape[1])

    def __len__(self) -> int:
        return self.n_points

    def __repr__(self) -> str:
        return f"SparseVotes(n_points={self.n_points}, n_lfs={self.n_lfs}, n_votes={self.matrix.nnz})"

    def __iter__(self) -> Iterator[LabelMatrix]:
        for start in range(0, self.n_points, self.block_rows):
            block = self.matrix[start : start + self.block_rows]
            codes = np.full(block.shape, -1, self._dtype)
            row = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
            codes[row, block.indices] = block.data.astype(self._dtype) - 1
            yield LabelMatrix(codes, self.schema, self.tasks, self.names)

    def _check_values(self) -> None:
        n_labels = np.array([len(self.schema.labels(task)) for task in self.tasks])
        for start in range(0, self.matrix.nnz, _BLOCK_VOTES):
            values = self.matrix.data[start : start + _BLOCK_VOTES]
            most = n_labels[self.matrix.indices[start : start + _BLOCK_VOTES]]
            wrong = ~((values >= 0) & (values <= most) & (values % 1 == 0))
            if wrong.any():
                i = int(wrong.argmax())
                row = int(np.searchsorted(self.matrix.indptr, start + i, side="right")) - 1
                lf = int(self.matrix.indices[start + i])
                hint = " In MeTaL's task hierarchies that is 'does not apply': see LabelMatrix.from_metal."
                raise VotesError(
                    f"LF {self.names[lf]!r} votes on task {self.tasks[lf]!r}, so its values must be 1..{most[i]}, "
                    f"or 0 for an abstain; got {values[i]} at row {row}."
                    + (hint if values[i] == most[i] + 1 and self.tasks[lf] != self.schema.root else "")
                )
