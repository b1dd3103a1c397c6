"""Declared types: text as numbers are written, and nothing else."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from metalwork.data import Kind, read_as, read_records
from metalwork.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (float, "1.10", 1.1),
        (float, " +5 ", 5.0),
        (float, ".5", 0.5),
        (float, "-2E3", -2000.0),
        (float, "-inf", float("-inf")),
        (float, "NaN", None),
        (float, "  ", None),
        (int, "+7", 7),
        (int, "12.0", 12),
        (int, "-0", 0),
        (int, "123456789012345678901234", 123456789012345678901234),
        (bool, "TRUE", True),
        (bool, "no", False),
        (bool, " 1 ", True),
        (str, "1.10", "1.10"),
    ],
)
def test_text_is_read_as_it_is_written(kind: Kind, text: str, value: Any) -> None:
    read = read_as(pl.Series("x", [text, None]), kind)
    assert read.unreadable == []
    assert repr(read.values.to_list()) == repr([value, None])
    assert repr(read_as(pl.Series("x", [text, None], dtype=pl.Object), kind).values.to_list()) == repr(
        [value, None]
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (float, "1e400"),
        (float, "1,5"),
        (float, "x"),
        (float, "1_000"),
        (float, "0x1F"),
        (float, "infinit"),
        (int, "1.5"),
        (int, "1e3"),
        (int, "9" * 5000),
        (bool, "maybe"),
        (bool, "2"),
    ],
)
def test_other_text_is_unreadable(kind: Kind, text: str) -> None:
    read = read_as(pl.Series("x", ["1", text, "0"]), kind)
    assert read.unreadable == [1]
    assert read.values.to_list() == [kind(1), None, kind(0)]


def test_values_that_are_no_text_are_converted_where_that_is_exact() -> None:
    mixed = pl.Series("x", [1, 2.0, 2.5, "3", None, True, [1], 10**30], dtype=pl.Object)
    whole = read_as(mixed, int)
    assert (whole.values.to_list(), whole.unreadable) == ([1, 2, None, 3, None, 1, None, 10**30], [2, 6])
    assert read_as(mixed, str).values.to_list() == ["1", "2.0", "2.5", "3", None, "true", "[1]", str(10**30)]
    assert read_as(pl.Series("x", [1, 0, 2]), bool).unreadable == [2]
    assert read_as(pl.Series("x", [1, 2]), float).values.to_list() == [1.0, 2.0]


def test_an_argument_asks_of_text_alone() -> None:
    mixed = pl.Series("x", [1, "2.5", None, [1]], dtype=pl.Object)
    assert repr(read_as(mixed, float, text_only=True).values.to_list()) == "[1, 2.5, None, [1]]"


def test_a_wrong_value_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"n": "1"}\n\n{"n": "x"}\n')
    with pytest.raises(DataError) as caught:
        read_records(tmp_path / "a.jsonl", types={"n": "int"})
    assert str(caught.value) == (
        f"{tmp_path}/a.jsonl:3: column 'n' must hold a whole number; got 'x'. "
        "Mend the value, leave it empty, or do not declare the column as int."
    )
    with pytest.raises(DataError, match=r"^row 1: column 'n' must hold true or false; got 'x'\."):
        read_records([{"n": "yes"}, {"n": "x"}], types={"n": bool})


def test_wrong_declarations_are_named() -> None:
    for types, message in (
        ({"a": "flaot"}, "types['a'] must be one of float, int, bool, str; got 'flaot'."),
        ({"a": list}, "types['a'] must be one of float, int, bool, str; got <class 'list'>."),
        ("float", "types must be a dict from columns to types; got 'float'. Write {'amount': float}."),
    ):
        with pytest.raises(ConfigError) as caught:
            read_records([{"a": 1}], types=types)  # type: ignore[arg-type]
        assert str(caught.value) == message
    with pytest.raises(DataError, match=r"^'amuont' is no column of the records\. Did you mean 'amount'\?$"):
        read_records([{"amount": 1}], types={"amuont": float})
