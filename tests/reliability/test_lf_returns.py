"""What a labeling function may return, and what happens when it returns or raises something else."""

from enum import Enum
from typing import Any

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import LabelingError

SCHEMA = mw.TaskSchema.from_dict(
    {"task": "sector", "labels": ["Corporate", {"Markets": {"task": "markets", "labels": ["Money", "Commodity"]}}]}
)
RECORDS = pl.DataFrame({"row": range(200)})


class Sector(str, Enum):  # noqa: UP042 (the older idiom is what users have)
    MARKETS = "Markets"


class Hostile:
    """A value whose every question back is an error."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparing")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise ValueError("no showing")


def returning(value: Any, at: int = 7) -> mw.LabelingFunction:
    """Votes Corporate on all rows but one."""
    return mw.from_callable(lambda row: value if row == at else "Corporate", "sector", name="odd")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, -1),
        (mw.ABSTAIN, -1),
        (np.int64(-1), -1),
        ("Markets", 1),
        (np.str_("Markets"), 1),
        (Sector.MARKETS, 1),
    ],
)
def test_labels_and_abstains(value: Any, code: int) -> None:
    votes = mw.apply([returning(value)], RECORDS, SCHEMA)
    assert votes.codes[:, 0].tolist() == [code if row == 7 else 0 for row in range(200)]
    assert votes.errors.tolist() == [0]


@pytest.mark.parametrize(
    "value",
    [float("nan"), 1.7, -1.0, True, False, 0, 1, -2, b"Markets", [1], {}, np.array([1]), pl, Hostile()],
)
def test_any_other_value_is_a_recorded_error(value: Any) -> None:
    votes = mw.apply([returning(value)], RECORDS, SCHEMA)
    assert votes.codes[:, 0].tolist() == [-1 if row == 7 else 0 for row in range(200)]
    assert votes.errors.tolist() == [1]
    with pytest.raises(LabelingError, match=r"LF 'odd' failed on 1 of 200 records.*first at row 7: it returned "):
        mw.apply([returning(value)], RECORDS, SCHEMA, max_error_rate=0)


def test_an_error_is_no_abstain() -> None:
    def fails(row: int) -> int:
        if row in (3, 150):
            raise KeyError("no such key")
        return mw.ABSTAIN

    lfs = [mw.from_callable(fails, "sector"), returning(None)]
    votes = mw.apply(lfs, RECORDS, SCHEMA, chunk_size=70)
    assert votes.errors.tolist() == [2, 0]
    with pytest.raises(LabelingError) as caught:
        mw.apply(lfs, RECORDS, SCHEMA, chunk_size=70, max_error_rate=0.005)
    assert str(caught.value) == (
        "LF 'fails' failed on 2 of 200 records, more than max_error_rate (0.005) allows; first at row 3: "
        "KeyError: 'no such key'. It must return a label of task 'sector', or mw.ABSTAIN; mend it or raise "
        "max_error_rate."
    )


@pytest.mark.parametrize("error", [StopIteration, RecursionError, MemoryError, UnicodeError, AssertionError])
def test_every_exception_is_recorded(error: type[Exception]) -> None:
    def fails(row: int) -> str:
        if row in (0, 199):
            raise error
        return "Markets"

    votes = mw.apply([mw.from_callable(fails, "sector")], RECORDS, SCHEMA)
    assert votes.codes[:, 0].tolist() == [-1, *[1] * 198, -1]
    assert votes.errors.tolist() == [2]


def test_the_users_own_interrupt_is_not_swallowed() -> None:
    def interrupted(row: int) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mw.apply([mw.from_callable(interrupted, "sector")], RECORDS, SCHEMA)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "Money",
            "LF 'odd' failed at row 130: it returned 'Money', a label of task 'markets', but votes on task "
            "'sector'. Declare it with task='markets', or return one of 'Corporate', 'Markets'.",
        ),
        (
            "Market",
            "LF 'odd' failed at row 130: it returned a wrong label. 'Market' is no label of task 'sector'. "
            "Did you mean 'Markets'?",
        ),
        (
            "",
            "LF 'odd' failed at row 130: it returned a wrong label. '' is no label of task 'sector'. "
            "Known: 'Corporate', 'Markets'.",
        ),
    ],
)
@pytest.mark.parametrize("chunk_size", [50, 1000])
def test_a_label_of_another_task_ends_the_run_at_once(value: str, message: str, chunk_size: int) -> None:
    with pytest.raises(LabelingError) as caught:
        mw.apply([returning(None), lf_at_130(value)], RECORDS, SCHEMA, chunk_size=chunk_size)
    assert str(caught.value) == message.replace("'odd'", "'late'")


def lf_at_130(value: str) -> mw.LabelingFunction:
    return mw.from_callable(lambda row: value if row == 130 else None, "sector", name="late")


def test_all_failing_lfs_are_named() -> None:
    def one(row: int) -> str:
        raise ValueError("a")

    def two(row: int) -> str:
        raise ValueError("b")

    with pytest.raises(LabelingError) as caught:
        mw.apply([mw.from_callable(one, "sector"), mw.from_callable(two, "markets")], RECORDS, SCHEMA)
    lines = str(caught.value).splitlines()
    assert [line[:38] for line in lines] == [
        "LF 'one' failed on 200 of 200 records,",
        "LF 'two' failed on 200 of 200 records,",
    ]


def test_one_lf_that_fails_leaves_the_others_alone() -> None:
    def fails(row: int) -> str:
        raise ValueError(row)

    lfs = [returning("Markets"), mw.from_callable(fails, "sector"), returning_everywhere("Money")]
    votes = mw.apply(lfs, RECORDS, SCHEMA, max_error_rate=1)
    alone = mw.apply([lfs[0], lfs[2]], RECORDS, SCHEMA)
    assert votes.codes[:, [0, 2]].tolist() == alone.codes.tolist()
    assert votes.errors.tolist() == [0, 200, 0]


def returning_everywhere(label: str) -> mw.LabelingFunction:
    return mw.from_callable(lambda row: label, "markets", name="all")


def test_a_failure_in_a_file_names_the_file(tmp_path: Any) -> None:
    for name, rows in (("a", 3), ("b", 5)):
        pl.DataFrame({"row": range(rows)}).write_ndjson(tmp_path / f"{name}.jsonl")
    lf = mw.from_callable(lambda row: "Nowhere" if row == 4 else None, "sector", name="x")
    with pytest.raises(LabelingError, match=r"LF 'x' failed at row 4 of .*b\.jsonl: it returned a wrong label"):
        mw.apply([lf], str(tmp_path / "*.jsonl"), SCHEMA, chunk_size=2)
