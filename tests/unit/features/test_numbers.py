"""Numeric columns."""

from typing import Any

import pandas as pd
import polars as pl
import pytest

from metalwork.errors import ConfigError, DataError
from metalwork.features import NumericColumns


@pytest.mark.parametrize(
    "records",
    [
        pl.DataFrame({"b": [5.5, 6.0], "a": [1, 2], "c": ["x", "y"]}),
        pd.DataFrame({"b": [5.5, 6.0], "a": [1, 2]}),
        [{"b": 5.5, "a": 1}, {"b": 6, "a": 2}],
        pl.DataFrame({"b": ["5.5", " 6"], "a": ["1", "2e0"]}),
        pl.DataFrame({"b": pl.Series([5.5, "6"], dtype=pl.Object), "a": [True, 2]}, strict=False),
    ],
)
def test_columns_in_their_order_and_texts_as_numbers(records: Any) -> None:
    featurizer = NumericColumns(["a", "b"]).fit(records)
    assert featurizer.transform(records).tolist() == [[1, 5.5], [2, 6]]
    assert featurizer.columns == ("a", "b")
    assert featurizer.n_features == 2
    assert featurizer.get_feature_names_out().tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            [1.0, None],
            "column 'a' must hold finite numbers; got None at row 1. Fill or drop such records, "
            "or pass missing='median' (missing: median in a project file).",
        ),
        ([float("inf")], "column 'a' must hold finite numbers; got inf at row 0. Fill or drop such records."),
        (
            ["1", " "],
            "column 'a' must hold finite numbers; got ' ' at row 1. Fill or drop such records, "
            "or pass missing='median' (missing: median in a project file).",
        ),
        (
            ["1", "1,5"],
            "column 'a' must hold numbers; got '1,5' at row 1. Correct the value, or leave the column out.",
        ),
        (
            ["1e400", "2"],
            "column 'a' must hold numbers; got '1e400' at row 0. Correct the value, or leave the column out.",
        ),
    ],
)
def test_what_is_no_number_is_located(column: list[Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        NumericColumns(["a"]).fit(pl.DataFrame({"a": column}))
    assert str(caught.value) == message


@pytest.mark.parametrize("fields", ["a", [], ["a", "a"], ["a", 1]])
def test_bad_fields_are_named(fields: Any) -> None:
    with pytest.raises(ConfigError, match=r"^fields must be "):
        NumericColumns(fields).fit([{"a": 1}])
