"""Dev labels set right how sure a network is, and change nothing else."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax

import metalwork as mw
from metalwork.end_models._calibration import fit_power
from tests.unit.schemas import SECTORS

SCHEMA = mw.TaskSchema.from_dict(SECTORS)
N_END = SCHEMA.n_end_labels


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_many_records_find_the_power(power: float) -> None:
    rng = np.random.default_rng(0)
    scores = log_softmax(2.0 * rng.normal(size=(20_000, 4)), axis=1)
    labels = (power * scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    assert fit_power(scores, np.eye(4, dtype=bool)[labels]) == pytest.approx(power, rel=0.05)


def test_few_records_say_little_and_coarse_ones_less() -> None:
    scores = log_softmax(np.tile([3.0, 0.0, 0.0, 0.0], (5, 1)), axis=1)
    right, coarse = np.tile(np.arange(4) == 0, (5, 1)), np.ones((5, 4), dtype=bool)
    assert 1.0 < fit_power(scores, right) < 1.5
    assert fit_power(scores, ~right) < 0.7
    assert fit_power(scores, coarse) == pytest.approx(1.0, abs=1e-3)


def test_calibrated_by_dev_and_stored(tmp_path: Path) -> None:
    """Labels that say 0.4 for what is always right make a timid network."""
    rng = np.random.default_rng(1)
    y = rng.integers(N_END, size=600)
    X = rng.normal(size=(600, N_END)) + 4.0 * np.eye(N_END)[y]
    timid = np.full((600, N_END), 0.6 / (N_END - 1))
    timid[np.arange(600), y] = 0.4
    probs = mw.TaskProbabilities(timid[:400], SCHEMA)
    plain = mw.EndModel(SCHEMA, hidden_sizes=(20,)).fit(X[:400], probs)
    model = mw.EndModel(SCHEMA, hidden_sizes=(20,)).fit(X[:400], probs, dev=(X[400:500], y[400:500]))
    assert plain.temperature_ == 1.0
    assert model.temperature_ < 0.8
    X, right = X[500:], (np.arange(100), y[500:])
    after = model.predict_proba(X).end
    assert np.log(after[right]).mean() > np.log(plain.predict_proba(X).end[right]).mean() + 0.3
    model.save(tmp_path / "model.safetensors")
    loaded = mw.EndModel.load(tmp_path / "model.safetensors")
    assert loaded.temperature_ == model.temperature_
    assert (loaded.predict_proba(X).end == after).all()
    model.network_.power = 1.0
    before = model.predict_proba(X).end
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    powered = before ** (1.0 / model.temperature_)
    np.testing.assert_allclose(after, powered / powered.sum(axis=1, keepdims=True), rtol=1e-5)
