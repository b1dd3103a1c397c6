"""What every featurizer keeps: parts teach what all at once teach, files restore it, models take raw records."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

import metalwork as mw
from metalwork.errors import DataError, MetalworkError, NotFittedError
from metalwork.features import Combined, Featurizer, NumericColumns

SCHEMA = mw.TaskSchema.flat(["a", "b"], task="letter")
COLORS = ["red fox", "blue hen", "a red hen sings", "blue, blue fox", ""]
RECORDS = [
    {
        "text": COLORS[i % 5],
        "n": [1.5, None, "4"][i % 3],
        "size": i,
        "plan": [None, "free", "team"][i % 3],
        "at": f"20{10 + i}-0{1 + i % 9}-11" if i % 4 else None,
    }
    for i in range(30)
]
LABELS = ["ab"[i % 2] for i in range(30)]
UNSEEN = [{"text": "green fox", "n": None, "size": 3, "plan": "other", "at": ""}]

MAKERS: dict[str, Callable[[], Featurizer]] = {
    "word counts": lambda: mw.WordCounts(field="text"),
    "tf-idf": lambda: mw.TfIdf(field="text", ngrams=(1, 2)),
    "characters": lambda: mw.TfIdf(field="text", tokenizer="chars", ngrams=(2, 3), max_features=20),
    "hashed words": lambda: mw.HashedWords(64, field="text"),
    "numbers": lambda: NumericColumns(["size"]),
    "numbers, some missing": lambda: NumericColumns(["n", "size"], missing="median"),
    "categories": lambda: mw.Categories(["plan"]),
    "dates": lambda: mw.Dates(["at"]),
    "several": lambda: Combined([mw.TfIdf(field="text"), NumericColumns(["size"]), mw.Dates(["at"])]),
}


@pytest.fixture(params=list(MAKERS))
def make(request: pytest.FixtureRequest) -> Callable[[], Featurizer]:
    return MAKERS[request.param]


def dense(features: Any) -> Any:
    return features.toarray() if sp.issparse(features) else features


def test_shape_names_and_finite_numbers(make: Callable[[], Featurizer]) -> None:
    featurizer = make()
    features = featurizer.fit_transform(RECORDS)
    assert features.shape == (30, featurizer.n_features)
    assert len(featurizer.get_feature_names_out()) == len(set(featurizer.get_feature_names_out()))
    assert featurizer.get_feature_names_out().shape == (featurizer.n_features,)
    assert np.isfinite(dense(features)).all()
    assert sum(block.n_features for block in featurizer.blocks) == featurizer.n_features
    if len(featurizer.blocks) == 1:
        assert featurizer.blocks[0][1] == sp.issparse(features)


def test_parts_teach_what_all_at_once_teach(make: Callable[[], Featurizer]) -> None:
    whole = dense(make().fit(RECORDS).transform(RECORDS))
    for cuts in ([0, 30], [0, 1, 17, 30]):
        parts = [RECORDS[start:stop] for start, stop in pairwise(cuts)]
        assert np.array_equal(dense(make().fit_parts(parts).transform(RECORDS)), whole)


def test_rows_are_turned_alone_as_among_others(make: Callable[[], Featurizer]) -> None:
    featurizer = make().fit(RECORDS)
    whole = dense(featurizer.transform(RECORDS))
    assert np.array_equal(np.concatenate([dense(featurizer.transform([record])) for record in RECORDS]), whole)
    assert featurizer.transform(UNSEEN).shape == (1, featurizer.n_features)


def test_files_restore_it(make: Callable[[], Featurizer], tmp_path: Path) -> None:
    featurizer = make().fit(RECORDS)
    featurizer.save(tmp_path / "f.npz")
    loaded = Featurizer.load(tmp_path / "f.npz")
    assert repr(loaded) == repr(featurizer)
    assert np.array_equal(dense(loaded.transform(RECORDS + UNSEEN)), dense(featurizer.transform(RECORDS + UNSEEN)))


@pytest.mark.parametrize("architecture", ["linear", "hier"])
def test_a_loaded_model_takes_raw_records(
    make: Callable[[], Featurizer], architecture: str, tmp_path: Path
) -> None:
    model = mw.EndModel(SCHEMA, architecture, (8, 4), featurizer=make(), max_epochs=2).fit(RECORDS, LABELS)
    model.save(tmp_path / "m.safetensors")
    loaded = mw.EndModel.load(tmp_path / "m.safetensors")
    assert np.array_equal(loaded.predict_proba(RECORDS + UNSEEN).end, model.predict_proba(RECORDS + UNSEEN).end)


def test_a_missing_column_is_one_error(make: Callable[[], Featurizer]) -> None:
    featurizer = make().fit(RECORDS)
    for call in (featurizer.transform, make().fit):
        with pytest.raises(MetalworkError, match=r"column"):
            call([{"other": "x"}])


def test_an_empty_split_is_one_error(make: Callable[[], Featurizer]) -> None:
    model = mw.EndModel(SCHEMA, "linear", featurizer=make())
    with pytest.raises(MetalworkError, match=r"must hold at least one record; got none\.$"):
        model.fit(pl.DataFrame(RECORDS, strict=False).head(0), [])


def test_features_before_fit_are_refused() -> None:
    for name in ("word counts", "tf-idf", "categories", "dates", "numbers, some missing"):
        with pytest.raises(NotFittedError):
            MAKERS[name]().transform(RECORDS)


def test_a_model_without_its_featurizer_refuses_another_width() -> None:
    features = MAKERS["categories"]().fit_transform(RECORDS)
    model = mw.EndModel(SCHEMA, "linear").fit(features, LABELS)
    with pytest.raises(DataError, match=r"^X must have 2 columns, as the X of fit; got 1 columns\."):
        model.predict(features[:, :1])
