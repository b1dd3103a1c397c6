"""Reading X: what is accepted, what is refused, and what scaling makes of it."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from metalwork.end_models._inputs import (
    DenseInputs,
    RecordInputs,
    SparseInputs,
    check_finite,
    columns_of,
    read_inputs,
)
from metalwork.end_models._scaling import fit_scaler
from metalwork.errors import DataError


def _not_finite(place: str) -> str:
    rule = f"X must be finite as 32-bit floats; got {place}."
    return f"{rule} Fill in missing values first, and scale down what is too large."


COUNTS = np.array([[0, 3, 0], [1, 0, 0], [0, 0, 0]])


def test_sparse_matrices_stay_sparse_and_untouched() -> None:
    matrix = sp.coo_array((np.array([1, 2, 4]), (np.array([0, 0, 1]), np.array([2, 2, 0]))), shape=(2, 3)).tocsr()
    twice = sp.csr_array((np.array([1, 2]), np.array([1, 1]), np.array([0, 2])), shape=(1, 3))
    found = read_inputs(twice, "X", False)
    assert isinstance(found, SparseInputs)
    assert found.matrix.toarray().tolist() == [[0, 3, 0]]
    assert twice.nnz == 2
    assert isinstance(read_inputs(matrix, "X", False), SparseInputs)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_array, sp.coo_array], ids=["matrix", "csc", "coo"])
def test_every_sparse_format_is_read(kind: Any) -> None:
    found = read_inputs(kind(COUNTS), "X", False)
    assert isinstance(found, SparseInputs)
    assert found.matrix.toarray().tolist() == COUNTS.tolist()


def test_batches_are_the_rows_asked_for() -> None:
    index = np.array([2, 0])
    for X in (COUNTS, sp.csr_array(COUNTS)):
        batch = read_inputs(X, "X", False).batch(index)
        dense = batch if isinstance(batch, torch.Tensor) else batch.dense()
        assert dense.tolist() == COUNTS[index].tolist()
    assert read_inputs(["a", "b", "c"], "X", True).batch(index) == ["c", "a"]
    assert read_inputs(torch.arange(3), "X", True).batch(index).tolist() == [2, 0]


def test_records_are_kept_for_an_input_module() -> None:
    assert isinstance(read_inputs(["a", "b"], "X", True), RecordInputs)
    assert isinstance(read_inputs(COUNTS, "X", True), DenseInputs)
    assert columns_of(read_inputs(["a", "b"], "X", True)) == (None, None)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones(3), "X must have shape (n_points, n_features); got (3,)."),
        (
            ["a text", "another"],
            "X must be a matrix of real numbers; got list. "
            "Turn records into numbers first, or pass featurizer or input_module.",
        ),
        (
            np.array([[1.0, 2.0], [3.0, np.nan]]),
            _not_finite("nan at row 1, column 1"),
        ),
        (
            sp.csr_array(np.array([[0.0, 2.0], [0.0, 0.0], [np.inf, 0.0]])),
            _not_finite("inf at row 2, column 0"),
        ),
        (np.array([[1j]]), "X must be a matrix of real numbers; got complex ones. Pass their parts."),
        (
            np.array([[1e300]]),
            _not_finite("inf at row 0, column 0"),
        ),
    ],
    ids=["one dimension", "texts", "nan", "sparse inf", "complex", "too large"],
)
def test_what_is_no_finite_matrix_is_refused(X: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        check_finite(read_inputs(X, "X", False), "X")
    assert str(caught.value) == message


def test_a_read_only_matrix_is_read() -> None:
    array = np.ones((2, 3), dtype=np.float32)
    array.setflags(write=False)
    assert read_inputs(array, "X", False).batch(np.array([1])).tolist() == [[1, 1, 1]]


def test_one_text_is_no_sequence_of_records() -> None:
    with pytest.raises(DataError, match=r"^X must be a matrix, a tensor or a sequence of records; got str\.$"):
        read_inputs("one text", "X", True)


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_counts_become_logs_of_one_length(make: Any) -> None:
    inputs = read_inputs(make(np.array([[0, 3, 1], [5, 0, 0], [0, 0, 0]])), "X", False)
    scaled = fit_scaler(lambda: [inputs], "counts", False).transform(inputs)
    found = scaled.matrix.toarray() if isinstance(scaled, SparseInputs) else scaled.array  # type: ignore[union-attr]
    first = np.log1p([0, 3, 1])
    np.testing.assert_allclose(found[0], 4 * first / np.linalg.norm(first), rtol=1e-6)
    np.testing.assert_allclose(found[1:], [[4, 0, 0], [0, 0, 0]], rtol=1e-6)


def test_standard_features_have_mean_0_and_deviation_1() -> None:
    array = np.random.default_rng(0).normal(5, 3, (50, 4))
    array[:, 2] = 7.0
    inputs = read_inputs(array, "X", False)
    scaled = fit_scaler(lambda: [inputs], "auto", False).transform(inputs)
    assert isinstance(scaled, DenseInputs)
    np.testing.assert_allclose(scaled.array.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.array.std(axis=0), [1, 1, 0, 1], atol=1e-5)


@pytest.mark.parametrize(
    ("X", "has_input_module", "kind"),
    [
        (sp.csr_array(COUNTS), False, "counts"),
        (sp.csr_array(COUNTS * 0.5), False, "none"),
        (sp.csr_array(-COUNTS), False, "none"),
        (COUNTS, False, "standard"),
        (COUNTS, True, "none"),
        (["a"], True, "none"),
    ],
)
def test_auto_looks_at_the_features(X: Any, has_input_module: bool, kind: str) -> None:
    assert fit_scaler(lambda: [read_inputs(X, "X", has_input_module)], "auto", has_input_module).kind == kind


@pytest.mark.parametrize(
    ("X", "scaling", "message"),
    [
        (
            sp.csr_array(COUNTS),
            "standard",
            "X must be dense for scaling='standard'; got a sparse matrix. Make it dense by toarray(), or use "
            "scaling='none'.",
        ),
        (
            -COUNTS,
            "counts",
            "X must not be below 0 for scaling='counts'; got -3. Use scaling='standard' or 'none'.",
        ),
    ],
)
def test_a_scaling_that_does_not_suit_is_refused(X: Any, scaling: str, message: str) -> None:
    inputs = read_inputs(X, "X", False)
    with pytest.raises(DataError) as caught:
        fit_scaler(lambda: [inputs], scaling, False).transform(inputs)
    assert str(caught.value) == message
