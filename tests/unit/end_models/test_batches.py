"""Mini-batches: their bounds, and modules that take statistics of them."""

from typing import Any

import numpy as np
import pytest
from torch import nn

from metalwork import EndModel
from metalwork.end_models._batches import batch_bounds
from metalwork.errors import ConfigError
from tests.unit.end_models.samples import FLAT


def normalised(n_in: int, n_out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU())


def fit(n_points: int, **options: Any) -> EndModel:
    rng = np.random.default_rng(0)
    model = EndModel(FLAT, hidden_sizes=(4,), max_epochs=2, intermediate_module=normalised, **options)
    return model.fit(rng.normal(size=(n_points, 3)), rng.integers(0, 2, n_points))


@pytest.mark.parametrize(
    ("n_points", "batch_size", "bounds"),
    [
        (128, 64, [0, 64, 128]),
        (129, 64, [0, 64, 129]),
        (130, 64, [0, 64, 128, 130]),
        (65, 64, [0, 65]),
        (1, 64, [0, 1]),
        (3, 2, [0, 3]),
        (3, 1, [0, 1, 2, 3]),
    ],
)
def test_a_last_record_joins_the_batch_before(n_points: int, batch_size: int, bounds: list[int]) -> None:
    assert batch_bounds(n_points, batch_size) == bounds


@pytest.mark.parametrize("n_points", [2, 9, 64, 65, 129])
def test_batch_normalisation_trains_on_any_number_of_records(n_points: int) -> None:
    model = fit(n_points)
    assert len(model.history_) == 2
    rows = np.random.default_rng(1).normal(size=(5, 3))
    alone = np.concatenate([model.predict_proba(rows[[i]]).end for i in range(5)])
    np.testing.assert_allclose(alone, model.predict_proba(rows).end, atol=1e-6)


@pytest.mark.parametrize(
    ("n_points", "batch_size", "remedy"),
    [(1, 64, "Train on more, or normalise by layer."), (3, 1, "Raise batch_size.")],
)
def test_batches_of_one_record_cannot_be_normalised(n_points: int, batch_size: int, remedy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        fit(n_points, batch_size=batch_size)
    assert str(caught.value) == (
        f"Modules that normalise over a batch must have at least 2 records in it; got 1. {remedy}"
    )


def test_other_errors_of_own_modules_are_theirs() -> None:
    class Broken(nn.Linear):
        def forward(self, input: Any) -> Any:
            raise ValueError("of my own")

    with pytest.raises(ValueError, match=r"^of my own$"):
        EndModel(FLAT, hidden_sizes=(2,), head_module=Broken).fit(np.ones((3, 2)), [0, 1, 0])
