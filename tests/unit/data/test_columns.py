"""Columns from Python values."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from metalwork.data._columns import column_of
from metalwork.errors import DataError


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", None], pl.String),
        ([None, None], pl.String),
        ([], pl.String),
        ([1, None], pl.Int64),
        ([True, None], pl.Boolean),
        ([1, 2.5], pl.Object),
        ([date(2020, 1, 1)], pl.Date),
        ([["a"], []], pl.List(pl.String)),
        ([{"a": 1}, None], pl.Object),
        (["a", 1], pl.Object),
        ([True, 1], pl.Object),
    ],
)
def test_the_type_follows_from_the_values(values: list[Any], kind: Any) -> None:
    column = column_of("x", values)
    assert column.dtype == kind
    assert list(map(repr, column.to_list())) == list(map(repr, values))


def test_a_missing_text_of_pandas_is_null() -> None:
    assert column_of("x", ["a", float("nan")]).to_list() == ["a", None]


def test_numbers_too_large_for_a_column_stay_python_objects() -> None:
    assert column_of("x", [2**70, 1]).to_list() == [2**70, 1]


def test_text_that_is_no_unicode_is_an_error() -> None:
    with pytest.raises(DataError, match=r"^column 'x' must hold valid Unicode text; the value at row 1 has"):
        column_of("x", ["a", "\ud800"])
