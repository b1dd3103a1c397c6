"""Categories, dates, numbers that may be missing, and hashed words."""

import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, DataError
from metalwork.features import Featurizer, NumericColumns


def test_hashed_words_are_counts_in_fewer_columns() -> None:
    texts = ["red fox, red hen", "a blue hen", ""]
    counts = mw.WordCounts(min_df=1).fit_transform(texts)
    hashed = mw.HashedWords(2**18).fit_transform(texts)
    assert hashed.shape == (3, 2**18)
    assert sorted(hashed.data.tolist()) == sorted(counts.data.tolist())
    narrow = mw.HashedWords(2).transform(texts)
    assert narrow.sum(axis=1).tolist() == counts.sum(axis=1).tolist()
    assert mw.HashedWords(4).get_feature_names_out().tolist() == ["hash 0", "hash 1", "hash 2", "hash 3"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_columns": 0}, "n_columns must be a whole number from 1 to 2,147,483,647; got 0."),
        ({"tokenizer": "lines"}, "tokenizer must be 'words', 'chars' or a function; got 'lines'."),
        ({"ngrams": (2, 1)}, "ngrams must be a pair (least, most); got (2, 1)."),
    ],
)
def test_arguments_of_hashed_words_are_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        mw.HashedWords(**arguments).fit(["a text"])
    assert str(caught.value) == message


def test_categories_that_were_not_seen_and_missing_ones_are_zeros() -> None:
    rows = [{"plan": "free", "n": 1}, {"plan": "team", "n": 2}, {"plan": None, "n": 2}]
    made = mw.Categories(["plan", "n"]).fit(rows)
    assert made.get_feature_names_out().tolist() == ["plan=free", "plan=team", "n=1", "n=2"]
    unseen = [{"plan": "team", "n": 3}, {"plan": None, "n": "2"}]
    assert made.transform(unseen).toarray().tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]
    assert mw.Categories(["n"], min_df=2).fit(rows).values_ == (("2",),)


def test_categories_without_values_are_refused() -> None:
    with pytest.raises(DataError, match=r"^columns 'plan' must hold values of at least min_df=1 records"):
        mw.Categories(["plan"]).fit(pl.DataFrame({"plan": pl.Series([None], dtype=pl.String)}))
    with pytest.raises(DataError, match=r"'paln'"):
        mw.Categories(["paln"]).fit([{"plan": "free"}])


@pytest.mark.parametrize(
    ("value", "years", "week", "day"),
    [
        ("2000-01-03", 2 / 365.2425, 2 / 7, 0.0),
        (" 2000-01-03T12:00 ", 2.5 / 365.2425, 2.5 / 7, 0.5),
        ("2000-01-03 12:00:00Z", 2.5 / 365.2425, 2.5 / 7, 0.5),
        ("2000-01-03t14:00:00.000+02:00", 2.5 / 365.2425, 2.5 / 7, 0.5),
        ("2000-01-03T09:30:00-0230", 2.5 / 365.2425, 2.5 / 7, 0.5),
        (datetime.date(2000, 1, 3), 2 / 365.2425, 2 / 7, 0.0),
        (datetime.datetime(2000, 1, 3, 12), 2.5 / 365.2425, 2.5 / 7, 0.5),
        (datetime.datetime(2000, 1, 3, 12, tzinfo=datetime.UTC), 2.5 / 365.2425, 2.5 / 7, 0.5),
    ],
)
def test_dates_are_years_and_points_on_circles(value: Any, years: float, week: float, day: float) -> None:
    made = mw.Dates(["at"]).fit_transform(pl.DataFrame({"at": [value]}))
    turns = [years, week, day]
    circles = [f(2 * np.pi * turn) for turn in turns for f in (np.sin, np.cos)]
    np.testing.assert_allclose(made, [[years, *circles, 0.0]], atol=1e-6)


def test_a_missing_date_is_told_and_has_the_median() -> None:
    dates = mw.Dates(["at"]).fit([{"at": "2001-01-01"}, {"at": "2003-01-01"}, {"at": "2009-01-01"}, {"at": ""}])
    missing, median = dates.transform([{"at": None}, {"at": "2003-01-01"}])
    assert missing[0] == median[0]
    assert missing[1:].tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert dates.get_feature_names_out()[[0, -1]].tolist() == ["at years", "at missing"]


@pytest.mark.parametrize("wrong", ["31.5.2024", "2024-13-01", "2024-05-31T25:00", "soon"])
def test_what_is_no_date_is_located(wrong: str) -> None:
    with pytest.raises(DataError) as caught:
        mw.Dates(["at"]).fit([{"at": "2024-05-31"}, {"at": wrong}])
    assert str(caught.value) == (
        "column 'at' must hold dates as 2024-05-31, or times as 2024-05-31T18:30:00Z; got "
        f"{wrong!r} at row 1. Rewrite the value, or leave the column out."
    )


@pytest.mark.parametrize("make", [lambda: mw.Dates(["a"]), lambda: NumericColumns(["a"], "median")])
def test_a_column_without_any_value_has_no_median(make: Any) -> None:
    with pytest.raises(DataError, match=r"^column 'a' must hold at least one (date|number); got none\."):
        make().fit(pl.DataFrame({"a": pl.Series([None, None], dtype=pl.String)}))


def test_missing_numbers_have_the_median_and_are_told_where_training_lacked_some() -> None:
    rows = [{"a": 1, "b": "2"}, {"a": None, "b": 5}, {"a": 9, "b": 6.5}, {"a": 3, "b": 8}]
    made = NumericColumns(["a", "b"], missing="median").fit(rows)
    assert made.get_feature_names_out().tolist() == ["a", "b", "a missing"]
    unseen = [{"a": float("nan"), "b": " "}, {"a": 7, "b": 1}]
    assert made.transform(unseen).tolist() == [[3, 5.75, 1], [7, 1, 0]]
    with pytest.raises(DataError, match=r"column 'a' must hold finite numbers; got inf at row 0\."):
        made.transform([{"a": float("inf"), "b": 1}])
    with pytest.raises(ConfigError, match=r"^missing must be one of 'refuse', 'median'; got 'mean'\."):
        NumericColumns(["a"], missing="mean").fit(rows)


ROWS = [{"text": "red fox", "n": 1, "plan": "a", "at": "2024-05-31"}]
FITTED: list[Featurizer] = [
    mw.Categories(["plan"]).fit(ROWS),
    mw.Dates(["at"]).fit(ROWS),
    NumericColumns(["n"], "median").fit(ROWS),
    mw.HashedWords(4, field="text").fit(ROWS),
]
DAMAGE: list[tuple[int, dict[str, Any], dict[str, Any]]] = [
    (0, {"values": []}, {}),
    (0, {"values": [["b", "a"]]}, {}),
    (0, {"values": [[1]]}, {}),
    (0, {"min_df": 0}, {}),
    (1, {}, {"medians": np.ones(2)}),
    (1, {}, {"medians": np.array([np.nan])}),
    (2, {}, {"medians": np.array([np.inf])}),
    (2, {}, {"told": np.ones(1)}),
    (2, {"missing": "mean"}, {}),
    (3, {"n_columns": 0}, {}),
]


@pytest.mark.parametrize(("which", "facts", "arrays"), DAMAGE)
def test_damaged_states_are_refused(which: int, facts: dict[str, Any], arrays: dict[str, Any]) -> None:
    header, stored = FITTED[which].pack()
    assert repr(Featurizer.unpack(header, stored)) == repr(FITTED[which])
    with pytest.raises((DataError, ConfigError)):
        Featurizer.unpack(header | {"facts": header["facts"] | facts}, stored | arrays)
