"""ONNX files say what the model says, for every architecture and scaling, and any number of records."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import scipy.sparse as sp
import torch

import metalwork as mw
from metalwork.end_models import _onnx
from metalwork.errors import ConfigError
from metalwork.features import NumericColumns
from tests.unit.end_models.samples import TRIAGE, UNEVEN

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(0.7, size=(60, 8)).astype(float)
NUMBERS = RNG.normal(3.0, 2.0, size=(60, 8))


def fitted(X: Any, **arguments: Any) -> mw.EndModel:
    y = np.arange(60) % UNEVEN.n_end_labels
    return mw.EndModel(UNEVEN, hidden_sizes=(8, 8, 8), max_epochs=2, **arguments).fit(X, y)


def run(path: Path, features: Any) -> Any:
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return session.run(None, {"features": np.asarray(features, dtype=np.float32)})[0]


@pytest.mark.parametrize(
    ("architecture", "X"),
    [("hier", sp.csr_array(COUNTS)), ("flat", NUMBERS), ("single", np.abs(NUMBERS))],
    ids=["hier of counts", "flat of numbers", "single"],
)
def test_the_file_says_what_the_model_says(architecture: str, X: Any, tmp_path: Path) -> None:
    model = fitted(X, architecture=architecture)
    found = model.export_onnx(tmp_path / "model.onnx")
    assert found.difference <= 1e-5
    assert (found.agreement, found.n_points) == (1.0, 256)
    assert found.n_bytes == (tmp_path / "model.onnx").stat().st_size
    expected = model.predict_proba(X).end
    for rows in (slice(1), slice(7), slice(60)):
        shares = run(tmp_path / "model.onnx", model.features_of(X[rows]))
        assert np.abs(shares - expected[rows]).max() <= 1e-5


def test_calibration_is_in_the_file(tmp_path: Path) -> None:
    y = np.arange(60) % UNEVEN.n_end_labels
    model = mw.EndModel(UNEVEN, hidden_sizes=(8, 8, 8), max_epochs=2).fit(NUMBERS, y, dev=(NUMBERS, y))
    model.network_.power = 2.5
    assert model.export_onnx(tmp_path / "model.onnx").difference <= 1e-5
    shares = run(tmp_path / "model.onnx", model.features_of(NUMBERS))
    assert np.abs(shares - model.predict_proba(NUMBERS).end).max() <= 1e-5


def test_features_of_several_kinds_are_scaled_each_in_its_way(tmp_path: Path) -> None:
    records = [{"text": f"{'urgent' if i % 2 else 'later'} case {i % 5}", "stars": i % 3} for i in range(60)]
    both = [mw.WordCounts(field="text"), NumericColumns(["stars"])]
    model = mw.EndModel(TRIAGE, featurizer=both, max_epochs=2).fit(records, [i % 2 * 3 for i in range(60)])
    assert model._scaler.kind == "blocks"
    assert model.export_onnx(tmp_path / "a.onnx").difference < 1e-5
    assert model.export_onnx(tmp_path / "b.onnx", records).n_points == 60


def test_a_quantised_file_is_smaller_and_says_what_it_costs(tmp_path: Path) -> None:
    texts = ["good book", "bad film", "dull book", "great film"] * 15
    model = fitted(texts, featurizer=mw.WordCounts(min_df=1))
    wide = fitted(np.tile(NUMBERS, (1, 60)))
    whole = wide.export_onnx(tmp_path / "whole.onnx")
    small = wide.export_onnx(tmp_path / "small.onnx", np.tile(NUMBERS, (1, 60)), quantise=True)
    assert small.n_bytes < 0.8 * whole.n_bytes
    assert (small.n_points, 0.0 < small.difference < 0.2, small.agreement > 0.8) == (60, True, True)
    expected = wide.predict_proba(np.tile(NUMBERS, (1, 60))).end
    shares = run(tmp_path / "small.onnx", np.tile(NUMBERS, (1, 60)))
    assert np.abs(shares - expected).max() == pytest.approx(small.difference, abs=1e-6)
    assert model.export_onnx(tmp_path / "words.onnx", texts).n_points == 60


def test_a_file_that_says_something_else_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted(NUMBERS)
    monkeypatch.setattr(_onnx._Scaling, "forward", lambda self, features: features)
    with pytest.raises(
        ConfigError, match=r"^The ONNX file must give the model's probabilities to 1e-05; they differ"
    ):
        model.export_onnx(tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_module_of_ones_own_is_refused(tmp_path: Path) -> None:
    model = fitted(NUMBERS, input_module=torch.nn.Linear(8, 4))
    with pytest.raises(ConfigError, match=r"^input_module must be None for an ONNX file"):
        model.export_onnx(tmp_path / "model.onnx")
