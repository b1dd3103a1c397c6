"""Crowd tables: answers by record and worker become label matrices."""

import unicodedata
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, VotesError
from tests.unit.schemas import SECTORS

FLAT = mw.TaskSchema.flat(["ham", "spam", "café"])
TREE = mw.TaskSchema.from_dict(SECTORS)


def test_records_and_workers_stand_in_the_order_in_which_they_come_up() -> None:
    votes = mw.LabelMatrix.from_long(["b", "a", "b"], ["tom", "ann", "ann"], ["spam", "ham", "café"], FLAT)
    assert votes.record_ids == ("b", "a")
    assert (votes.names, votes.tasks) == (("tom", "ann"), ("label", "label"))
    assert votes.codes.tolist() == [[1, 2], [-1, 0]]


@pytest.mark.parametrize("seed", range(3))
def test_tables_equal_the_matrix_they_were_made_of(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = np.where(rng.random((30, 8)) < 0.4, rng.integers(0, 3, (30, 8)), -1)
    codes[:, 0] = rng.integers(0, 3, 30)
    rows, workers = np.nonzero(codes >= 0)
    turn = rng.permutation(len(rows))
    labels = [FLAT.end_labels[code] for code in codes[rows, workers][turn]]
    votes = mw.LabelMatrix.from_long(rows[turn], workers[turn], labels, FLAT)
    assert votes.record_ids is not None
    order = [votes.names.index(str(worker)) for worker in range(8)]
    found = dict(zip(votes.record_ids, votes.lfs(order).codes.tolist(), strict=True))
    assert [found[row] for row in range(30)] == codes.tolist()


def test_columns_of_every_frame_are_taken() -> None:
    table = {"item": ["x", "x", "y"], "who": [1, 2, 2], "said": ["ham", None, "spam"]}
    frames: list[Any] = [pd.DataFrame(table), pl.DataFrame(table), table]
    for frame in frames:
        votes = mw.LabelMatrix.from_long(frame["item"], frame["who"], frame["said"], FLAT)
        assert (votes.names, votes.record_ids) == (("1", "2"), ("x", "y"))
        assert votes.codes.tolist() == [[0, -1], [-1, 1]]


def test_labels_count_by_how_they_are_written() -> None:
    stars = mw.TaskSchema.flat(["1", "2", "3"])
    said = [1, 3, 2.0, np.nan, pd.NA, "", -1, " 2 "]
    votes = mw.LabelMatrix.from_long(range(8), ["w"] * 8, said, stars)
    assert votes.codes[:, 0].tolist() == [0, 2, 1, -1, -1, -1, -1, 1]
    decomposed = unicodedata.normalize("NFD", "café")
    assert mw.LabelMatrix.from_long([1], ["w"], [decomposed], FLAT).codes.tolist() == [[2]]


def test_long_ids_and_columns_with_gaps() -> None:
    ids = [1234567890123456789, 1234567890123456790]
    votes = mw.LabelMatrix.from_long(ids, [7.0, 8.0], ["ham", "ham"], FLAT)
    assert (votes.record_ids, votes.names) == (tuple(ids), ("7", "8"))


def test_a_tree_takes_answers_on_one_task_or_on_any() -> None:
    votes = mw.LabelMatrix.from_long([1, 2], ["w", "w"], ["Money", "Commodity"], TREE, task="markets")
    assert (votes.tasks, votes.codes.tolist()) == (("markets",), [[0], [1]])
    votes = mw.LabelMatrix.from_long(
        [1, 2, 2, 3], ["v", "w", "v", "w"], ["Funding", "Markets", "Markets/Money", None], TREE
    )
    assert votes.names == ("v[corporate]", "v[markets]", "w[sector]")
    assert votes.tasks == ("corporate", "markets", "sector")
    assert votes.codes.tolist() == [[1, -1, -1], [-1, 0, 1], [-1, -1, -1]]


def test_the_same_answer_twice_is_one_and_two_answers_are_an_error() -> None:
    votes = mw.LabelMatrix.from_long(["a"] * 3, ["w"] * 3, ["ham", None, "ham"], FLAT)
    assert votes.codes.tolist() == [[0]]
    with pytest.raises(VotesError) as caught:
        mw.LabelMatrix.from_long(["b", "a", "a", "a"], ["v", "w", "v", "w"], ["ham", "ham", "ham", "spam"], FLAT)
    assert str(caught.value) == (
        "Worker 'w' must give record 'a' one label; got 'ham' at row 1 and 'spam' at row 3. Keep one of them."
    )


WRONG: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    ((["a"], ["w"], ["spm"], FLAT), {}, "Row 0: 'spm' is no label of task 'label'. Did you mean 'spam'?"),
    (
        (["a"], ["w"], ["Funding"], TREE),
        {"task": "markets"},
        "Row 0: 'Funding' is no label of task 'markets'. Known: 'Money', 'Commodity'.",
    ),
    ((["a"], ["w"], ["Monney"], TREE), {}, "Row 0: 'Monney' is no label of the tree. Did you mean 'Money'?"),
    (
        (["a", "b"], ["w"], ["ham"], FLAT),
        {},
        "records, workers and labels must have one element an answer each; got 2 records, 1 workers, 1 labels.",
    ),
    ((["a"], [None], ["ham"], FLAT), {}, "Row 0: the worker must be named; got None. Leave such answers out."),
    (
        (["a", ""], ["w", "w"], ["ham", "ham"], FLAT),
        {},
        "Row 1: the record must be named; got ''. Leave such answers out.",
    ),
    (
        ("items", ["w"], ["ham"], FLAT),
        {},
        "records, workers and labels must each be a sequence, such as a column of a frame; got 'items'.",
    ),
    ((["a"], ["w"], ["Money"], TREE), {"task": "market"}, "'market' is no task. Did you mean 'markets'?"),
]


@pytest.mark.parametrize(("arguments", "more", "text"), WRONG, ids=range(len(WRONG)))
def test_what_is_refused(arguments: tuple[Any, ...], more: dict[str, Any], text: str) -> None:
    with pytest.raises(VotesError) as caught:
        mw.LabelMatrix.from_long(*arguments, **more)
    assert str(caught.value) == text


def test_a_forest_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        mw.LabelMatrix.from_long(["a"], ["w"], ["ham"], mw.TaskForest([FLAT]))  # type: ignore[arg-type]
    assert str(caught.value) == (
        "schema must be a TaskSchema; got TaskForest. For a forest, call it with each of forest.schemas."
    )


def test_no_answers_make_no_votes() -> None:
    assert mw.LabelMatrix.from_long([], [], [], FLAT).codes.shape == (0, 0)
    assert mw.LabelMatrix.from_long([], [], [], TREE).codes.shape == (0, 0)


@pytest.mark.parametrize(
    "records", [pd.DataFrame({"record": [1]}), pl.DataFrame({"record": [1]}), {"record": 1}, {1}, np.ones((1, 1))]
)
def test_a_table_is_no_column(records: Any) -> None:
    with pytest.raises(VotesError) as caught:
        mw.LabelMatrix.from_long(records, ["ann"], ["ham"], FLAT)
    assert str(caught.value) == (
        "records, workers and labels must each be a sequence, such as a column of a frame; got "
        f"{type(records).__name__}. Pass one column, e.g. frame['worker']."
    )
