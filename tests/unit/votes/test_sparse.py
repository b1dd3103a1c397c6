"""Sparse votes: the same as dense ones, block by block."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

import metalwork as mw
from metalwork.errors import ConfigError, VotesError
from metalwork.label_models import SparseVotes
from tests.unit.schemas import SECTORS

SCHEMA = mw.TaskSchema.from_dict(SECTORS)
TASKS = ["sector"] * 20 + ["markets"] * 20


def values() -> np.ndarray[Any, np.dtype[np.int64]]:
    rng = np.random.default_rng(0)
    return np.where(rng.random((300, 40)) < 0.05, rng.integers(1, 3, size=(300, 40)), 0)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.coo_matrix, sparse.csc_array])
@pytest.mark.parametrize("block_rows", [7, None])
def test_blocks_are_the_dense_matrix(kind: Any, block_rows: int | None) -> None:
    votes = SparseVotes(kind(values()), SCHEMA, TASKS, block_rows=block_rows)
    assert (len(votes), votes.n_points, votes.n_lfs) == (300, 300, 40)
    whole = mw.LabelMatrix.concatenate(list(votes))
    assert whole.codes.dtype == np.int8
    assert (whole.codes == values() - 1).all()
    assert (whole.names, whole.tasks) == (votes.names, votes.tasks)
    assert repr(votes) == f"SparseVotes(n_points=300, n_lfs=40, n_votes={(values() > 0).sum()})"


def test_a_fit_to_blocks_is_that_to_the_whole() -> None:
    whole = mw.LabelMatrix(values() - 1, SCHEMA, TASKS)
    expected = mw.HierarchicalLabelModel(SCHEMA).fit(whole).predict_proba(whole).end
    for block_rows in (11, 64):
        votes = SparseVotes(sparse.csr_array(values()), SCHEMA, TASKS, block_rows=block_rows)
        model = mw.HierarchicalLabelModel(SCHEMA).fit_parts(votes)
        assert (np.concatenate([model.predict_proba(part).end for part in votes]) == expected).all()


@pytest.mark.parametrize("wrong", [3, -1, 1.5, np.nan])
def test_values_must_be_labels(wrong: float) -> None:
    matrix = values().astype(type(wrong))
    matrix[123, 17] = wrong
    with pytest.raises(VotesError) as caught:
        SparseVotes(sparse.csr_array(matrix), SCHEMA, TASKS)
    assert str(caught.value) == (
        "LF 'lf_17' votes on task 'sector', so its values must be 1..2, or 0 for an abstain; "
        f"got {wrong} at row 123."
    )


def test_arguments_are_checked() -> None:
    with pytest.raises(VotesError) as caught:
        SparseVotes(values(), SCHEMA, TASKS)
    assert str(caught.value) == (
        "matrix must be a scipy sparse matrix (n_points, n_lfs); got ndarray. Give a dense array to LabelMatrix."
    )
    with pytest.raises(VotesError, match=r"^tasks must name one task an LF \(40\); got 2\.$"):
        SparseVotes(sparse.csr_array(values()), SCHEMA, ["sector", "markets"])
    with pytest.raises(ConfigError, match="block_rows"):
        SparseVotes(sparse.csr_array(values()), SCHEMA, TASKS, block_rows=0)
