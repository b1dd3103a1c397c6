"""Features of several featurizers, each scaled in its own way."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import metalwork as mw
from metalwork.end_models._inputs import SparseInputs
from metalwork.errors import DataError
from metalwork.features import Combined, NumericColumns

SCHEMA = mw.TaskSchema.flat(["a", "b"], task="letter")
RNG = np.random.default_rng(0)
RECORDS = [
    {
        "text": f"{'red' if i % 2 else 'blue'} fox {'hen' * (i % 3)}",
        "size": 1e6 + float(i % 2 * 10),
        "plan": "xyz"[i % 3],
    }
    for i in range(40)
]
LABELS = ["ab"[i % 2] for i in range(40)]
FEATURIZERS: list[Any] = [mw.WordCounts(field="text"), NumericColumns(["size"]), mw.Categories(["plan"])]


def scaled(model: mw.EndModel, records: Any) -> Any:
    made = SparseInputs(sp.csr_array(model.featurizer_.transform(records), dtype=np.float32))
    return model._scaler.transform(made).matrix  # type: ignore[union-attr]


def test_words_are_scaled_as_counts_and_numbers_to_mean_0_and_deviation_1() -> None:
    model = mw.EndModel(SCHEMA, "linear", featurizer=FEATURIZERS).fit(RECORDS, LABELS)
    found = scaled(model, RECORDS).toarray()
    n_words = len(model.featurizer_.featurizers[0].vocabulary_)  # type: ignore[attr-defined]
    np.testing.assert_allclose(np.linalg.norm(found[:, :n_words], axis=1), 4.0, rtol=1e-5)
    np.testing.assert_allclose(found[:, n_words].mean(), 0.0, atol=1e-5)
    np.testing.assert_allclose(found[:, n_words].std(), 1.0, rtol=1e-2)
    np.testing.assert_allclose(found[:, n_words + 1 :].max(axis=1), 4.0)


@pytest.mark.parametrize("architecture", ["hier", "linear"])
def test_parts_files_and_explanations(architecture: str, tmp_path: Path) -> None:
    how: dict[str, Any] = {"featurizer": FEATURIZERS, "max_epochs": 40}
    whole = mw.EndModel(SCHEMA, architecture, **how).fit(RECORDS, LABELS)
    parts = [(RECORDS[:7], LABELS[:7]), (RECORDS[7:], LABELS[7:])]
    in_parts = mw.EndModel(SCHEMA, architecture, **how).fit_parts(parts)
    assert np.array_equal(in_parts.predict_proba(RECORDS).end, whole.predict_proba(RECORDS).end)
    whole.save(tmp_path / "m")
    loaded = mw.EndModel.load(tmp_path / "m")
    assert np.array_equal(loaded.predict_proba(RECORDS).end, whole.predict_proba(RECORDS).end)
    effects = {effect.feature: effect.effect for effect in loaded.explain(RECORDS, 1)}
    assert effects["red"] > 0
    assert effects["size"] > 0


def test_numbers_of_any_size_teach_a_network_beside_words() -> None:
    records = [{"text": "fox hen", "size": record["size"]} for record in RECORDS]
    model = mw.EndModel(SCHEMA, featurizer=FEATURIZERS[:2], max_epochs=60).fit(records, LABELS)
    assert model.score(records, LABELS) == 1.0


def test_dense_features_of_several_featurizers_are_scaled_as_one() -> None:
    dense = [NumericColumns(["size"]), NumericColumns(["size"])]
    assert mw.EndModel(SCHEMA, "linear", featurizer=dense).fit(RECORDS, LABELS)._scaler.kind == "standard"
    asked = mw.EndModel(SCHEMA, "linear", scaling="none", featurizer=FEATURIZERS).fit(RECORDS, LABELS)
    assert asked._scaler.kind == "none"


def test_an_own_featurizer_that_does_not_say_what_it_gives_is_left_as_it_is() -> None:
    class Own(mw.WordCounts):
        kind = "own words of this test"
        sparse = None

    model = mw.EndModel(SCHEMA, "linear", featurizer=[Own(field="text"), NumericColumns(["size"])])
    model.fit(RECORDS, LABELS)
    assert [part["kind"] for part in model._scaler.header] == ["none", "standard"]


@pytest.mark.parametrize("damage", [{"n_features": 9}, {"kind": "standard"}, {"kind": "counts", "dense": False}])
def test_damaged_blocks_are_refused(
    damage: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = mw.EndModel(SCHEMA, "linear", featurizer=FEATURIZERS).fit(RECORDS, LABELS)
    header = model._scaler.header
    which = 1 if damage.get("kind") == "counts" else 0
    header[which] = header[which] | damage
    monkeypatch.setattr(type(model._scaler), "header", property(lambda self: header))
    model.save(tmp_path / "m")
    with pytest.raises(DataError):
        mw.EndModel.load(tmp_path / "m")


def test_a_combination_of_combinations_lists_its_blocks() -> None:
    both = Combined([Combined(FEATURIZERS[:2]), FEATURIZERS[2]]).fit(RECORDS)
    assert [block.sparse for block in both.blocks] == [True, False, True]
    assert sum(block.n_features for block in both.blocks) == both.n_features


@pytest.mark.parametrize(("length", "kind"), [(1.0, "rows"), (2.0, "standard")])
def test_dense_rows_of_length_1_keep_their_directions(length: float, kind: str) -> None:
    X = np.random.default_rng(0).normal(size=(40, 3))
    X *= length / np.linalg.norm(X, axis=1, keepdims=True)
    X[0] = 0.0  # of an empty text
    model = mw.EndModel(SCHEMA, "linear").fit(X, LABELS)
    assert model._scaler is not None
    assert model._scaler.kind == kind


def test_a_single_number_is_no_direction() -> None:
    X = np.array([[1.0], [-1.0]] * 20)
    model = mw.EndModel(SCHEMA, "linear").fit(X, LABELS)
    assert model._scaler is not None
    assert model._scaler.kind == "standard"
