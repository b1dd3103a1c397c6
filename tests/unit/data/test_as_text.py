"""One text for each value, whatever the column."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from metalwork.data import as_text

VALUES: list[tuple[Any, str | None]] = [
    ("1.10", "1.10"),
    (5, "5"),
    (2**70, "1180591620717411303424"),
    (1.0, "1.0"),
    (1e22, "1e+22"),
    (float("inf"), "inf"),
    (True, "true"),
    (b"\x00ab", "AGFi"),
    (Decimal("1.10"), "1.10"),
    (date(2024, 1, 31), "2024-01-31"),
    (datetime(2024, 1, 31, 12), "2024-01-31T12:00:00"),
    (time(12, 30), "12:30:00"),
    (timedelta(days=1, hours=2), "P1DT2H"),
    ([1, "é"], '[1, "é"]'),
    ({"b": None, "a": [1]}, '{"a": [1], "b": null}'),
    ({2, 1}, "[1, 2]"),
    ({3: b"a"}, '{"3": "YQ=="}'),
    (None, None),
    (float("nan"), None),
    ("", None),
    ("\ud800", "\\ud800"),
]


def test_a_column_of_all_kinds() -> None:
    column = as_text(pl.Series("id", [value for value, _ in VALUES], dtype=pl.Object))
    assert column.name == "id"
    assert column.dtype == pl.String
    assert column.to_list() == [text for _, text in VALUES]


@pytest.mark.parametrize(("value", "text"), [*VALUES[:13], *VALUES[18:20]])
def test_a_typed_column_gives_the_same_text(value: Any, text: str | None) -> None:
    kind = pl.Int128 if value == 2**70 else None
    assert as_text(pl.Series([value], dtype=kind)).to_list() == [text]


def test_categories_and_large_unsigned_numbers() -> None:
    assert as_text(pl.Series(["a", None], dtype=pl.Categorical)).to_list() == ["a", None]
    assert as_text(pl.Series([2**63], dtype=pl.UInt64)).to_list() == [str(2**63)]
