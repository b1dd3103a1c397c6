"""Stored label models: a file sets only what its class declares, in the shapes that fit its schema and LFs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork._arrays import load_arrays, save_arrays
from metalwork.errors import DataError

FORMAT = "metalwork label model 1"
SCHEMA = mw.TaskSchema.from_dict(
    {"task": "kind", "labels": [{"Mammal": {"task": "mammal", "labels": ["Cat", "Dog", "Ape"]}}, "Bird"]}
)


def _votes() -> mw.LabelMatrix:
    rng = np.random.default_rng(0)
    codes = np.column_stack([rng.integers(-1, n, 60) for n in (2, 2, 3, 3, 3)])
    return mw.LabelMatrix(codes, SCHEMA, tasks=["kind", "kind", "mammal", "mammal", "mammal"])


@pytest.fixture(params=["default", "paper", "vote"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    models = {
        "default": mw.HierarchicalLabelModel(SCHEMA),
        "paper": mw.LogLinearLabelModel(SCHEMA),
        "vote": mw.MajorityVote(SCHEMA),
    }
    models[request.param].fit(_votes()).save(tmp_path / "model.npz")
    return tmp_path / "model.npz"


Change = Callable[[dict[str, Any], dict[str, Any]], None]


def _rewrite(path: Path, change: Change) -> None:
    header, arrays = load_arrays(path, FORMAT)
    header.pop("format")
    change(header, arrays)
    header["arrays"] = sorted(arrays)
    save_arrays(path, FORMAT, header, arrays)


def _reason(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        mw.load_label_model(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: must be a 'metalwork label model 1' file; it is damaged or something else (")
    return text.partition("(")[2].rstrip(").")


def test_what_was_stored_is_read(stored: Path) -> None:
    _rewrite(stored, lambda header, arrays: None)
    assert mw.load_label_model(stored).predict_proba(_votes()).end.shape == (60, 4)


@pytest.mark.parametrize("name", ["predict", "save", "schema", "fit_", "__class__", "_posterior"])
def test_no_other_attribute_is_set(stored: Path, name: str) -> None:
    def change(header: dict[str, Any], arrays: dict[str, Any]) -> None:
        header["values"][name] = "mine"

    _rewrite(stored, change)
    assert f"has no fitted attribute {name!r}" in _reason(stored)


def test_an_array_is_no_way_round(stored: Path) -> None:
    _rewrite(stored, lambda header, arrays: arrays.update(predict=np.zeros(3)))
    assert "has no fitted attribute 'predict'" in _reason(stored)


def test_lfs_must_fit_the_schema(stored: Path) -> None:
    def change(header: dict[str, Any], arrays: dict[str, Any]) -> None:
        header["values"]["lf_tasks_"][0] = "plant"

    _rewrite(stored, change)
    assert _reason(stored).startswith("lf_tasks_ must be a task of the schema for each of 5 LFs; got ('plant'")


def test_every_array_has_its_shape(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    for name, reason in (
        ("class_prior_", "class_prior_ must be numbers of shape (4,); got (3,"),
        ("accuracies_", "accuracies_ must be numbers of shape (5,); got (3,"),
        ("vote_weights_", "vote_weights_ must be numbers of shape (5,); got (3,"),
    ):
        mw.HierarchicalLabelModel(SCHEMA).fit(_votes()).save(path)
        _rewrite(path, lambda header, arrays, name=name: arrays.update({name: np.zeros(3)}))  # type: ignore[misc]
        assert _reason(path) == reason
    mw.HierarchicalLabelModel(SCHEMA).fit(_votes()).save(path)
    _rewrite(path, lambda header, arrays: header["lists"].update(tables_=1))
    assert "has no fitted attribute 'tables_.1'" in _reason(path)
    mw.LogLinearLabelModel(SCHEMA).fit(_votes()).save(path)
    _rewrite(path, lambda header, arrays: arrays.update(theta_=np.zeros(5)))
    assert _reason(path) == "theta_ must be numbers of shape (10,); got (5,"


def test_an_attribute_that_lacks_is_named(tmp_path: Path) -> None:
    mw.LogLinearLabelModel(SCHEMA).fit(_votes()).save(tmp_path / "model.npz")
    _rewrite(tmp_path / "model.npz", lambda header, arrays: arrays.pop("theta_"))
    assert _reason(tmp_path / "model.npz") == "LogLinearLabelModel must have the fitted attribute 'theta_'"
