"""Known labels as they come: names, paths, codes, numbers, blanks, missing values, inner labels."""

import datetime
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import VotesError
from tests.unit.schemas import FIVE_LEVELS, SECTORS, TWINS

MARKETS = mw.TaskSchema.from_dict(SECTORS)
STARS = mw.TaskSchema.flat(["1", "2", "3", "4"], task="stars")
SPAM = mw.TaskSchema.flat(["1", "0"], task="spam")


class Arrow(list[Any]):
    """As an Arrow array: its elements are scalars of its own; ``to_pylist`` has the values."""

    def __iter__(self) -> Any:
        return iter([object()] * len(self))

    def to_pylist(self) -> list[Any]:
        return self[:]


def message(call: Any, *arguments: Any, **named: Any) -> str:
    """The whole text of the ``VotesError`` that the call raises."""
    with pytest.raises(VotesError) as caught:
        call(*arguments, **named)
    return str(caught.value)


def named(schema: mw.TaskSchema, labels: Any) -> list[str | None]:
    """The end labels that are read by name, None where a label is not known down to one."""
    codes = schema.end_of(schema.known_codes(labels, names=True))
    return [None if code < 0 else schema.end_labels[code] for code in codes]


def test_an_end_label_is_known_on_its_whole_path_and_an_inner_one_down_to_itself() -> None:
    known = MARKETS.known_codes(["Money", "Markets", None, "Corporate/Funding", 0])
    assert known.tolist() == [[1, -2, 0], [1, -2, -1], [-1, -1, -1], [0, 1, -2], [0, 0, -2]]
    assert known.dtype == np.int64
    assert MARKETS.end_of(known).tolist() == [2, -1, -1, 1, 0]
    assert MARKETS.admits(known).tolist() == [
        [False, False, True, False],
        [False, False, True, True],
        [True, True, True, True],
        [False, True, False, False],
        [True, False, False, False],
    ]


def test_an_inner_label_of_a_deep_tree() -> None:
    deep = mw.TaskSchema.from_dict(FIVE_LEVELS)
    known = deep.known_codes(["below2", "below1/below2/below3/d4", "below1"])
    assert known.tolist() == [[1, 1, -1, -1, -1], [1, 1, 1, 1, -2], [1, -1, -1, -1, -1]]
    assert deep.end_of(known).tolist() == [-1, deep.end_labels.index("d4"), -1]


def test_a_name_of_several_tasks_needs_its_path() -> None:
    twins = mw.TaskSchema.from_dict(TWINS)
    assert message(twins.known_codes, ["Money", "Other"]) == (
        "Row 1: 'Other' is a label of more than one task. Give its path: 'Corporate/Other' or 'Markets/Other'."
    )
    inner = mw.TaskSchema.from_dict(
        {
            "task": "area",
            "labels": [
                {"Home": {"task": "home", "labels": [{"Old": {"task": "h", "labels": ["a", "b"]}}, "New"]}},
                {"Work": {"task": "work", "labels": [{"Old": {"task": "w", "labels": ["c", "d"]}}, "Now"]}},
            ],
        }
    )
    assert message(inner.known_codes, ["Old"], names=True) == (
        "Row 0: 'Old' is a label of more than one task. Give its path: 'Home/Old' or 'Work/Old'."
    )
    assert inner.known_codes(["Work / Old"], names=True).tolist() == [[1, -2, -2, 0, -1]]


def test_what_is_known_by_task_is_checked_and_completed() -> None:
    known = MARKETS.known_codes(["Money", "Markets", None])
    assert MARKETS.known_codes(known).tolist() == known.tolist()
    assert MARKETS.known_codes(np.array([[-1, -1, 1], [-1, -2, -1]])).tolist() == [[1, -2, 1], [1, -2, -1]]
    assert MARKETS.known_codes(np.zeros((0, 3), dtype=int)).shape == (0, 3)
    assert message(MARKETS.known_codes, np.array([[1, -2, 0], [0, -1, 1]])) == (
        "Row 1: the task labels [0, -1, 1] are those of no end label."
    )
    assert message(MARKETS.known_codes, np.array([[1.0, -2.0, 0.0]])) == (
        "labels by task must be whole numbers of shape (n_points, 3); got float64 of shape (1, 3). "
        "Pass end labels in one dimension."
    )
    assert message(MARKETS.end_of, np.array([1, 2])) == (
        "labels by task must be whole numbers of shape (n_points, 3); got int64 of shape (2,). "
        "Pass end labels in one dimension."
    )


@pytest.mark.parametrize("tree", [SECTORS, FIVE_LEVELS, TWINS], ids=["sectors", "five levels", "twins"])
def test_an_end_label_is_possible_where_no_task_says_otherwise(tree: dict[str, Any]) -> None:
    schema, rng = mw.TaskSchema.from_dict(tree), np.random.default_rng(0)
    codes = rng.integers(-3, 4, (400, schema.n_tasks))
    paths = schema.task_codes[rng.integers(0, schema.n_end_labels, 400)]
    n_sound = 0
    for row in np.where(rng.random((800, schema.n_tasks)) < 0.5, -1, np.concatenate([codes, paths])):
        possible = [
            all(known in (-1, code) for known, code in zip(row, e, strict=True)) for e in schema.task_codes
        ]
        if any(possible):
            n_sound += 1
            assert schema.admits(row[None])[0].tolist() == possible
        else:
            assert message(schema.admits, row[None]).endswith("are those of no end label.")
    assert 400 <= n_sound < 800


def test_known_labels_by_task_are_end_codes_too() -> None:
    known = MARKETS.known_codes(["Money", None, "Funding"])
    assert MARKETS.end_codes(known, allow_missing=True).tolist() == [2, -1, 1]
    assert mw.TaskProbabilities.from_labels(known[[0, 2]], MARKETS).predict().tolist() == [2, 1]


@pytest.mark.parametrize(
    "numbers",
    [
        [1, 0, 1],
        np.array([1, 0, 1]),
        np.array([1.0, 0.0, 1.0], dtype=np.float32),
        pl.Series([1, 0, 1], dtype=pl.UInt8),
        pl.Series(["1", "0", " 1 "]),
        pl.Series(["1", "0", "1"], dtype=pl.Categorical),
        pd.Series([1, 0, 1], dtype="Int64"),
        pd.Series([1.0, 0.0, 1.0]),
        pd.Series(["1", "0", "1.0"], dtype="category"),
        [Decimal(1), Decimal(0), "1"],
        Arrow([1, 0, 1]),
    ],
    ids=lambda labels: f"{type(labels).__module__.split('.')[0]} {getattr(labels, 'dtype', '')}",
)
def test_in_files_and_frames_numbers_are_names(numbers: Any) -> None:
    assert named(SPAM, numbers) == ["1", "0", "1"]


def test_numbers_as_they_are_written() -> None:
    halves = mw.TaskSchema.flat(["1", "1.0", "1.5", "2"])
    assert named(halves, [1, 1.0, 1.5, 2.0, "2.0", "1.0"]) == ["1", "1.0", "1.5", "2", "2", "1.0"]
    assert named(STARS, [4, 1, 2.0]) == ["4", "1", "2"]
    assert message(STARS.known_codes, [4, 0], names=True) == ("Row 1: 0 is no label. Known: '1', '2', '3', '4'.")
    assert message(STARS.known_codes, [1.5], names=True) == "Row 0: 1.5 is no label. Known: '1', '2', '3', '4'."
    answers = mw.TaskSchema.flat(["true", "false"])
    assert named(answers, [True, np.False_]) == ["true", "false"]
    days = mw.TaskSchema.flat(["2024-01-31", "2024-02-29"])
    assert named(days, [datetime.date(2024, 2, 29)]) == ["2024-02-29"]


def test_minus_one_is_a_label_where_it_is_one() -> None:
    mood = mw.TaskSchema.flat(["-1", "0", "1"])
    assert named(mood, [-1, "-1", -1.0, 0]) == ["-1", "-1", "-1", "0"]
    assert named(STARS, [-1, "-1", -1.0, "4"]) == [None, None, None, "4"]
    assert message(mood.known_codes, [-1]) == (
        "Row 0: labels named by numbers must be given as text; got -1, which may be a name or a code. "
        "For names pass list(map(str, labels)), for codes schema.end_names(codes)."
    )


@pytest.mark.parametrize("read", [SPAM.known_codes, SPAM.end_codes])
def test_elsewhere_numbers_that_may_be_names_or_codes_are_refused(read: Any) -> None:
    refusal = (
        "Row 0: labels named by numbers must be given as text; got 0, which may be a name or a code. "
        "For names pass list(map(str, labels)), for codes schema.end_names(codes)."
    )
    assert message(read, np.array([0, 1])) == refusal
    assert message(read, pd.Series([0, 1])) == refusal
    assert message(read, pd.Series([0, 1, None])) == refusal
    assert read(["1", "0"]).tolist() == read(SPAM.end_names([0, 1])).tolist()


def test_numbers_are_refused_whether_or_not_this_one_is_a_name() -> None:
    assert message(STARS.end_codes, [0]).startswith("Row 0: labels named by numbers must be given as text; got 0")
    years = mw.TaskSchema.flat(["2019", "2020", "other"])
    assert message(years.end_codes, [2020]).startswith("Row 0: labels named by numbers must be given as text; ")
    assert years.end_codes([2, 0]).tolist() == [2, 0]


def test_numbers_that_name_their_own_code_are_not_refused() -> None:
    digits = mw.TaskSchema.flat([str(d) for d in range(10)])
    assert digits.end_codes(np.arange(10)).tolist() == list(range(10))
    assert digits.known_codes([3, None]).tolist() == [[3], [-1]]


def test_codes_are_codes_where_the_method_says_so() -> None:
    assert SPAM.end_names([0, 1]) == ["1", "0"]
    assert SPAM.end_names(np.array([1], dtype=np.uint8)) == ["0"]
    assert message(SPAM.end_names, [0, 2]) == "Row 1: codes of end labels are 0 to 1; got 2."
    assert message(SPAM.end_names, ["1"]) == "Row 0: codes of end labels are 0 to 1; got '1'."


@pytest.mark.parametrize(
    "labels",
    [
        ["Money", None, float("nan"), "", " \t", -1, pd.NA, pd.NaT, np.datetime64("NaT"), np.ma.masked],
        np.array(["Money", None, np.nan], dtype=object),
        pd.Series(["Money", pd.NA], dtype="string"),
        pd.Series(["Money", None], dtype="category"),
        pd.Series(["Money", None]),
        pl.Series(["Money", None]),
        pl.Series(["Money", None], dtype=pl.Enum(["Money"])),
        Arrow(["Money", None]),
        pd.Series([2, pd.NA], dtype="Int64"),
        pl.Series([2, None]),
        pd.Series([2, None]),
        np.array([2, np.nan], dtype=np.float32),
    ],
    ids=lambda labels: f"{type(labels).__module__.split('.')[0]} {getattr(labels, 'dtype', '')}",
)
def test_missing_values_of_every_kind(labels: Any) -> None:
    expected = [2] + [-1] * (len(labels) - 1)
    assert MARKETS.end_of(MARKETS.known_codes(labels)).tolist() == expected
    assert MARKETS.end_codes(labels, allow_missing=True).tolist() == expected


def test_columns_without_any_label() -> None:
    for nothing in ([np.nan, np.nan], pl.Series([None, None]), pd.Series([pd.NaT, pd.NaT]), ["", None]):
        assert named(MARKETS, nothing) == [None, None]
    assert MARKETS.known_codes([], names=True).shape == (0, 3)


def test_composed_and_decomposed_names_are_one_and_blanks_around_do_not_count() -> None:
    cafe = "caf\u00e9"
    apart = unicodedata.normalize("NFD", cafe)
    for stored, given in ((cafe, apart), (apart, cafe)):
        schema = mw.TaskSchema.from_dict(
            {"task": "place", "labels": [{f" {stored} ": {"task": "kind", "labels": ["Bar", "Inn"]}}, "Home"]}
        )
        assert schema.labels("place") == (cafe, "Home")
        assert schema.label_code("place", f"{given} ") == 0
        assert schema.child("place", f"{given} ") == "kind"
        assert schema.known_codes([given, f"\u00a0{given} / Inn\n"]).tolist() == [[0, -1], [0, 1]]
        assert schema.end_codes([f"{given}/Bar", "Home "]).tolist() == [0, 2]
        assert named(schema, [f"{given}/Bar", " Home"]) == ["Bar", "Home"]


def test_labels_with_a_slash_in_their_name() -> None:
    schema = mw.TaskSchema.flat(["and/or", "a / b", "a/b"])
    assert named(schema, ["and / or", "a / b", "a/b"]) == ["and/or", "a / b", "a/b"]


def test_end_labels_come_before_inner_ones_of_the_same_name() -> None:
    schema = mw.TaskSchema.from_dict(
        {"task": "area", "labels": [{"Billing": {"task": "billing", "labels": ["Billing", "Refund"]}}, "Other"]}
    )
    assert schema.known_codes(["Billing", "Refund"]).tolist() == schema.task_codes[[0, 1]].tolist()


def test_a_frame_or_dict_is_no_column() -> None:
    for frame in (pd.DataFrame({"y": ["Money"]}), pl.DataFrame({"y": ["Money"]})):
        text = "labels must be a sequence of labels; got DataFrame. Pass one column of it."
        assert message(MARKETS.known_codes, frame, names=True) == text
    assert message(MARKETS.end_codes, {"y": "Money"}) == (
        "labels must be a sequence of labels; got dict. Pass one column of it."
    )


def test_unknown_labels_are_named_with_their_row() -> None:
    assert message(MARKETS.known_codes, ["Money", "Mony"]) == "Row 1: 'Mony' is no label. Did you mean 'Money'?"
    assert message(MARKETS.known_codes, ["Market"]) == "Row 0: 'Market' is no label. Did you mean 'Markets'?"
    assert message(MARKETS.known_codes, [["Money"]]).startswith("Row 0: ['Money'] is no label. Known: ")
    assert message(MARKETS.known_codes, [True]).startswith("Row 0: True is no label. Known: ")
    assert message(MARKETS.known_codes, "Money") == (
        "labels must be a sequence of labels; got the single text 'Money'."
    )


def test_a_schema_whose_labels_are_written_as_numbers(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("task: spam\nlabels: [1, 0]\n")
    (tmp_path / "s.json").write_text('{"task": "spam", "labels": [1, {"0": {"task": "why", "labels": [7, 8]}}]}')
    assert mw.TaskSchema.from_yaml(tmp_path / "s.yaml").end_labels == ("1", "0")
    assert mw.TaskSchema.from_yaml(tmp_path / "s.json").end_labels == ("1", "7", "8")
    assert mw.TaskSchema.flat(np.array([3, 1]).tolist()).end_labels == ("3", "1")
    nested = {"task": "a", "labels": [{1: {"task": "b", "labels": [10, 11]}}, 2]}
    assert mw.TaskSchema.from_dict(nested).end_labels == ("10", "11", "2")
