"""Text that a labeling function takes for numbers, truth values or dates: said once, and only where it is so."""

import datetime
import functools
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import metalwork as mw

SCHEMA = mw.TaskSchema.flat(["low", "high"], task="size")
LIMIT = 250
NAMES = {250: "low", 900: "high"}
TEXTS = {"250": "low"}
ROWS = [
    ("250", "True", "2024-02-01", "round", "0250"),
    ("900", "False", "2024-02-02", "square", "0251"),
    ("0", "yes", "2024-02-03", "oval", "0252"),
    ("", "", "", "", ""),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    lines = ["amount,flag,day,shape,zone", *map(",".join, ROWS)]
    (tmp_path / "boxes.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "boxes.csv"


def said(function: Callable[..., Any], records: Any, *, batch: bool = False, **options: Any) -> list[str]:
    """What :func:`mw.apply` warns of, with an LF called "f" of this function."""
    lf = mw.from_callable(function, "size", name="f", batch=batch)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mw.apply([lf], records, SCHEMA, max_error_rate=1, **options)
    return [str(warning.message) for warning in caught]


def equals(amount):  # type: ignore[no-untyped-def]
    return "low" if amount == 250 else None


def differs(amount):  # type: ignore[no-untyped-def]
    return "high" if amount != -1.5 else None


def is_among(amount):  # type: ignore[no-untyped-def]
    return "low" if amount not in (100, 250) else None


def is_in_range(amount):  # type: ignore[no-untyped-def]
    return "low" if amount in range(1, 500) else None


def equals_a_constant(amount):  # type: ignore[no-untyped-def]
    return "low" if amount == LIMIT + 1 else "high"


def looks_up(amount):  # type: ignore[no-untyped-def]
    return NAMES.get(amount)


def looks_up_what_is_there(amount):  # type: ignore[no-untyped-def]
    return {250: "low"}[amount] if amount in NAMES else None


def matches(amount):  # type: ignore[no-untyped-def]
    match amount:
        case 250 | 900:
            return "high"
        case _:
            return None


def renames(amount):  # type: ignore[no-untyped-def]
    value = amount.strip() if amount else amount
    amount = amount and amount
    return "low" if value else None


def strips(amount):  # type: ignore[no-untyped-def]
    value = amount
    return "low" if value is not None and value.strip() == 250 else None


NUMBERS = [
    equals, differs, is_among, is_in_range, equals_a_constant, looks_up, looks_up_what_is_there, matches, strips,
    lambda amount: "low" if amount == 250 else None, functools.partial(equals),
]  # fmt: skip


@pytest.mark.parametrize("function", NUMBERS)
def test_text_that_is_compared_with_numbers(function: Callable[..., Any], path: Path) -> None:
    assert said(function, path) == [
        "LF 'f' compares column 'amount' with numbers, but the column holds text, which equals none. "
        "Annotate the argument (amount: float), or declare the type of the column (data.types: {amount: float} in "
        "a project file, types= of open_records). Where text is meant, annotate amount: str."
    ]


def test_what_the_warning_advises_helps(path: Path) -> None:
    def cheap(amount: float | None) -> str | None:
        return "low" if amount == 250 else None

    assert said(cheap, path) == []
    assert said(equals, mw.data.open_records(path, types={"amount": float})) == []
    votes = mw.apply([mw.from_callable(cheap, "size")], path, SCHEMA)
    assert votes.codes[:, 0].tolist() == [0, -1, -1, -1]


def test_ids_that_a_float_would_round_are_whole_numbers() -> None:
    records = [{"amount": f"12345678901234567{i}"} for i in range(4)]
    assert "(amount: int)" in said(equals, records)[0]


def test_a_few_values_that_are_no_numbers_do_not_hide_it() -> None:
    records = [{"amount": str(i)} for i in range(30)] + [{"amount": "n/a"}]
    assert len(said(equals, records)) == 1


def test_numbers_that_are_numbers(path: Path) -> None:
    assert said(equals, [{"amount": 250}, {"amount": None}]) == []
    assert said(equals, pl.read_csv(path)) == []


def test_every_backend_and_chunk_size_says_the_same_once(path: Path) -> None:
    once = said(equals, path)
    assert said(equals, path, chunk_size=1) == once
    assert said(equals, path, backend="processes", n_jobs=1) == once


def of_many(amount):  # type: ignore[no-untyped-def]
    return ["low" if value == 250 else None for value in amount]


def of_pairs(amount, shape):  # type: ignore[no-untyped-def]
    return ["low" if value == 250 and name == "oval" else None for value, name in zip(amount, shape, strict=True)]


@pytest.mark.parametrize("function", [of_many, of_pairs])
def test_batches(function: Callable[..., Any], path: Path) -> None:
    (text,) = said(function, path, batch=True)
    assert "(amount: list[float])" in text
    assert text.endswith("Where text is meant, annotate amount: list[str].")


def if_flag(flag):  # type: ignore[no-untyped-def]
    return "high" if flag else "low"


def if_not(flag):  # type: ignore[no-untyped-def]
    return "low" if not flag else None


def and_more(flag, shape):  # type: ignore[no-untyped-def]
    return "high" if shape == "oval" and flag else None


def is_true(flag):  # type: ignore[no-untyped-def]
    return "high" if flag is True else None


def by_truth(flag):  # type: ignore[no-untyped-def]
    return {True: "high", False: "low"}.get(flag)


@pytest.mark.parametrize("function", [if_flag, if_not, and_more, is_true, by_truth])
def test_text_that_is_taken_for_true_or_false(function: Callable[..., Any], path: Path) -> None:
    assert said(function, path) == [
        "LF 'f' takes column 'flag' for true or false, but the column holds text, which is never false. "
        "Annotate the argument (flag: bool), or declare the type of the column (data.types: {flag: bool} in a "
        "project file, types= of open_records). Where text is meant, annotate flag: str."
    ]


@pytest.mark.parametrize("values", ["10", "TF", "YN"])
def test_what_is_true_and_false_in_files(values: str) -> None:
    words = {"10": ("1", "0"), "TF": ("TRUE", "FALSE"), "YN": ("Yes", "No")}[values]
    assert "(flag: bool)" in said(if_flag, [{"flag": word} for word in words])[0]


def test_one_compared_with_a_truth_word(path: Path) -> None:
    (text,) = said(lambda flag: "high" if flag == 1 else None, path)
    assert text.startswith("LF 'f' compares column 'flag' with numbers, but the column holds text")
    assert "(flag: bool)" in text


def test_a_count_that_is_asked_whether_it_is_nought(path: Path) -> None:
    (text,) = said(lambda amount: "high" if amount else "low", path)
    assert text.startswith(
        "LF 'f' takes column 'amount' for true or false, but the column holds text: '0' is true."
    )


def test_a_truth_value_is_read_where_it_is_asked_for() -> None:
    def flagged(flag: bool) -> str | None:
        return None if flag is None else "high" if flag else "low"

    words = ["True", "TRUE", "yes", "1", "1.0", "False", "no", "0", "0.0", "", "2"]
    votes = mw.apply([mw.from_callable(flagged, "size")], [{"flag": w} for w in words], SCHEMA, max_error_rate=0.1)
    assert votes.codes[:, 0].tolist() == [1, 1, 1, 1, 1, 0, 0, 0, 0, -1, -1]
    assert votes.errors == (1,)


def test_dates(path: Path) -> None:
    assert said(lambda day: "low" if day == datetime.date(2024, 2, 1) else None, path) == [
        "LF 'f' compares column 'day' with dates, but the column holds text, which equals none. "
        "Read it: date.fromisoformat(day)."
    ]


def helper(value: Any) -> str | None:
    return NAMES.get(value)


def test_an_lf_that_never_votes_on_numbers_written_as_text(path: Path) -> None:
    assert said(lambda amount: helper(amount), path) == [
        "LF 'f' never votes, and column 'amount' holds numbers as text, which equals no number. "
        "Annotate the argument (amount: float), or declare the type of the column (data.types: {amount: float} in "
        "a project file, types= of open_records). Where text is meant, annotate amount: str."
    ]


def test_an_lf_without_source_that_never_votes(path: Path) -> None:
    namespace: dict[str, Any] = {}
    exec("def unseen(amount): return 'low' if amount == 250 else None", namespace)
    assert said(namespace["unseen"], path)[0].startswith("LF 'f' never votes, and column 'amount'")


def test_an_lf_that_votes_where_like_comes_from(path: Path) -> None:
    lf = mw.from_callable(lambda zone: TEXTS.get(str(zone).lstrip("0")), "size", name="f")
    votes = mw.apply([lf], path, SCHEMA)
    assert (votes.codes[:, 0] >= 0).any()
    mw.apply([lf], [{"zone": "7"}, {"zone": "8"}], SCHEMA, like=votes)


def converts(amount):  # type: ignore[no-untyped-def]
    return "low" if float(amount or 0) == 250 and amount != 7 else None


def rebinds(amount):  # type: ignore[no-untyped-def]
    amount = int(amount or 0)
    return "low" if amount == 7 else None


def tries(amount):  # type: ignore[no-untyped-def]
    try:
        value = float(amount)
    except (TypeError, ValueError):
        return None
    return "low" if value == 7 else None


def guards(amount):  # type: ignore[no-untyped-def]
    return "low" if amount and len(amount) > 2 else None


def asks_its_type(amount):  # type: ignore[no-untyped-def]
    return "low" if (isinstance(amount, str) and amount == "7") or amount == 7 else None


def takes_both(amount):  # type: ignore[no-untyped-def]
    return "low" if amount in (7, "7") else None


def says_text(amount: str) -> str | None:
    return "low" if amount == 250 else None  # type: ignore[comparison-overlap]


FINE = [
    converts, rebinds, tries, guards, asks_its_type, takes_both, says_text, renames,
    lambda amount: "low" if amount == "7" else None,
    lambda amount: TEXTS.get(amount),
    lambda amount: "low" if amount is None else None,
    lambda shape: "low" if shape == 250 else None,
    lambda shape: "low" if shape else None,
    lambda zone: "low" if zone.startswith("99") else None,
    lambda zone: "low" if re.search("99", zone or "") else None,
    lambda flag: "low" if flag and flag.lower() == "true" else None,
    lambda flag: {"True": "low", "False": "high"}.get(flag),
    lambda day: "low" if day == "2030-01-01" else None,
]  # fmt: skip


@pytest.mark.parametrize("function", FINE)
def test_no_false_alarm(function: Callable[..., Any], path: Path) -> None:
    assert said(function, path) == []


def test_a_flag_that_is_true_or_missing_may_be_asked_bare() -> None:
    assert said(if_flag, [{"flag": "yes"}, {"flag": ""}]) == []


def test_a_date_that_is_annotated_is_text_all_the_same(path: Path) -> None:
    def on_the_first(day: datetime.date | None) -> str | None:
        return "low" if day == datetime.date(2024, 2, 1) else None

    assert said(on_the_first, path)[0].startswith("LF 'f' compares column 'day' with dates")


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        (
            [250, 900],
            "250",
            "numbers, which equal none. Compare it with numbers, or annotate the argument (x: str).",
        ),
        ([True, False], "True", "truth values, which equal none. Compare it with True and False."),
        ([datetime.date(2024, 2, 1)], "2024-02-01", "dates, which equal none. Compare it with dates."),
    ],
)
def test_typed_columns_that_are_compared_with_text(column: list[Any], value: str, text: str) -> None:
    expected = [f"LF 'f' compares column 'x' with text, but the column holds {text}"]
    assert said(lambda x: "low" if x == value else None, pl.DataFrame({"x": column})) == expected
    assert said(lambda x: "low" if x == 250 else None, pl.DataFrame({"x": column})) == []


def test_numbers_are_text_for_an_argument_that_asks_for_text() -> None:
    def coded(code: str) -> str | None:
        return {"250": "low", "1.5": "high"}.get(code)

    lf = mw.from_callable(coded, "size")
    assert mw.apply([lf], pl.DataFrame({"code": [250, 900, None]}), SCHEMA).codes[:, 0].tolist() == [0, -1, -1]
    mixed: list[dict[str, Any]] = [{"code": 250}, {"code": 1.5}, {"code": "250"}, {"code": None}]
    assert mw.apply([lf], mixed, SCHEMA).codes[:, 0].tolist() == [0, 1, 0, -1]


def test_an_argument_with_a_default_is_no_column() -> None:
    def sized(shape, amount=None):  # type: ignore[no-untyped-def]
        return "low" if shape and amount else None

    assert said(sized, [{"shape": "oval", "amount": 3}]) == [
        "LF 'f' does not read column 'amount': the argument of this name has a default, so it is None on every "
        "record. Leave the default out (missing values are None in any case), or rename it."
    ]
    assert said(sized, [{"shape": "oval"}]) == []


@pytest.mark.parametrize(
    "function",
    [
        lambda price, cost: "high" if price > cost else "low",
        lambda price, cost: "high" if max(price, cost) == price else "low",
        lambda price: "high" if price >= "10" else "low",
    ],
)
def test_numbers_that_are_ordered_as_text(function: Callable[..., Any]) -> None:
    records = [{"price": "9", "cost": "10"}, {"price": "12", "cost": "9"}]
    assert said(function, records)[0] == (
        "LF 'f' orders the numbers of column 'price' as text, in which '10' stands before '9'. "
        "Annotate the argument (price: float), or declare the type of the column (data.types: {price: float} in "
        "a project file, types= of open_records). Where text is meant, annotate price: str."
    )


def test_years_may_be_ordered_as_text() -> None:
    years = [{"born": "1990", "died": "2020"}, {"born": "1890", "died": "1920"}]
    assert said(lambda born, died: "high" if born > died else "low", years) == []
