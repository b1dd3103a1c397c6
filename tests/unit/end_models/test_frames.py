"""Data frames: columns go by name, whatever their order and whichever the library."""

import warnings
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest

from metalwork import EndModel
from metalwork.end_models._frames import read_frame
from metalwork.errors import DataError, MetalworkWarning
from tests.unit.end_models.samples import FLAT

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 2, 60)
COLUMNS = {"age": CODES + RNG.normal(0, 0.1, 60), "height": RNG.normal(size=60), "grown": CODES > 5}
KINDS = {"polars": pl.DataFrame, "pandas": pd.DataFrame, "narwhals": lambda c: nw.from_native(pl.DataFrame(c))}


def fitted(X: Any) -> EndModel:
    return EndModel(FLAT, hidden_sizes=(8,), max_epochs=100, lr=0.05).fit(X, CODES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_columns_may_stand_in_any_order(kind: str, other: str) -> None:
    model = fitted(KINDS[kind](COLUMNS))
    turned = KINDS[other]({name: COLUMNS[name] for name in ("height", "grown", "age")})
    assert model.feature_names_in_.tolist() == ["age", "height", "grown"]
    assert model.n_features_in_ == 3
    assert model.score(turned, CODES) == 1.0
    assert np.array_equal(model.predict_proba(turned).end, model.predict_proba(KINDS[kind](COLUMNS)).end)


def test_dev_frames_go_by_name_too() -> None:
    turned = pl.DataFrame(COLUMNS).select("grown", "height", "age")
    model = EndModel(FLAT, hidden_sizes=(8,), max_epochs=100, lr=0.05)
    model.fit(pl.DataFrame(COLUMNS), CODES, dev=(turned, CODES))
    assert model.history_[-1]["dev_accuracy"] == 1.0
    with pytest.raises(DataError, match=r"^X of dev must have the columns of fit, in any order; got a"):
        model.fit(pl.DataFrame(COLUMNS), CODES, dev=(turned.drop("age"), CODES))


@pytest.mark.parametrize(
    ("columns", "got"),
    [
        (["age", "grown"], "without 'height'"),
        (["age", "height", "grown", "wage"], "with 'wage'"),
        (["agee", "height", "grown"], "without 'age' and with 'agee'"),
        (list("ABCDEFG"), "without 'age', 'height', 'grown' and with 'A', 'B', 'C', 'D', 'E', 2 more"),
    ],
)  # fmt: skip
def test_missing_and_unknown_columns_are_named(columns: list[str], got: str) -> None:
    model = fitted(pl.DataFrame(COLUMNS))
    with pytest.raises(DataError) as caught:
        model.predict(pl.DataFrame(dict.fromkeys(columns, COLUMNS["age"])))
    rule = "X must have the columns of fit, in any order"
    assert str(caught.value) == f"{rule}; got a frame {got}. Select those that feature_names_in_ lists."


def test_names_on_one_side_alone_are_said() -> None:
    frame, array = pl.DataFrame(COLUMNS), pl.DataFrame(COLUMNS).cast(pl.Float64).to_numpy()
    end = " its columns are taken in their order. Pass frames both times to have them matched by name."
    for first, second, said in [
        (frame, array, "X has no column names, but the X of fit had some:"),
        (array, frame, "X has column names, but the X of fit had none:"),
    ]:
        model = fitted(first)
        with pytest.warns(MetalworkWarning) as noted:
            assert model.score(second, CODES) == 1.0
        assert [str(warning.message) for warning in noted] == [said + end]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(array).predict(array)


def test_a_refit_forgets_the_names() -> None:
    model = fitted(pl.DataFrame(COLUMNS))
    model.fit(np.ones((60, 2)), CODES)
    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == 2


def test_names_are_stored(tmp_path: Any) -> None:
    model = fitted(pl.DataFrame(COLUMNS))
    model.save(tmp_path / "end")
    loaded = EndModel.load(tmp_path / "end")
    assert loaded.feature_names_in_.tolist() == ["age", "height", "grown"]
    assert loaded.score(pl.DataFrame(COLUMNS).select("height", "age", "grown"), CODES) == 1.0


def test_columns_without_names_go_by_their_order() -> None:
    frame = pd.DataFrame(np.arange(6.0).reshape(3, 2))
    array, names = read_frame(frame, "X", None)
    assert names is None
    assert array.tolist() == [[0, 1], [2, 3], [4, 5]]


def test_missing_values_of_every_kind_are_not_finite() -> None:
    frame = pd.DataFrame({
        "a": pd.array([1, None], dtype="Int64"),
        "b": pd.array([True, None], dtype="boolean"),
        "c": pd.Series([2, None], dtype=object),
    })  # fmt: skip
    array, _ = read_frame(frame, "X", None)
    assert array[0].tolist() == [1, 1, 2]
    assert np.isnan(array[1]).all()
    array, _ = read_frame(pl.DataFrame({"a": [None, None], "b": [1, None]}), "X", None)
    assert np.isnan(array).tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            pl.DataFrame({"age": [1], "city": ["5"]}),
            "X must hold numbers; column 'city' is String. Leave it out, or turn it into numbers first.",
        ),
        (
            pd.DataFrame({"age": [1], "seen": pd.to_datetime(["2020-01-01"])}),
            "X must hold numbers; column 'seen' is Datetime(time_unit='us', time_zone=None). "
            "Leave it out, or turn it into numbers first.",
        ),
        (
            pd.DataFrame([[1, 2]], columns=["a", "a"]),
            "X must have distinct column names; got 'a' 2 times. Rename columns.",
        ),
        (
            pd.DataFrame([[1, 2]], columns=["a", 7]),
            "X must have column names that are all text, or none that is; got 7 beside texts. Rename columns.",
        ),
        (pl.LazyFrame({"a": [1]}), "X must be a frame in memory; got a lazy one. Call its collect() first."),
    ],
    ids=["text", "dates", "twice", "mixed", "lazy"],
)
def test_frames_that_are_no_numbers_are_refused(frame: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_frame(frame, "X", None)
    assert str(caught.value) == message
