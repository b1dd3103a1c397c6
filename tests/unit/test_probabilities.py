"""Probabilistic labels: checks, reading off tasks, and files."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import DataError, VotesError
from tests.unit.schemas import FIVE_LEVELS, SECTORS

SCHEMA = mw.TaskSchema.from_dict(SECTORS)
END = [[0.1, 0.2, 0.3, 0.4], [1.0, 0.0, 0.0, 0.0]]


def test_reading_off_tasks() -> None:
    probs = mw.TaskProbabilities(END, SCHEMA)
    np.testing.assert_allclose(probs["sector"], [[0.3, 0.7], [1.0, 0.0]])
    np.testing.assert_allclose(probs["markets"], [[0.3, 0.4], [0.0, 0.0]])
    np.testing.assert_allclose(probs.conditional("markets"), [[3 / 7, 4 / 7], [0.5, 0.5]])
    assert probs.predict().tolist() == [3, 0]
    assert (len(probs), probs.n_points) == (2, 2)
    assert probs.rows([1]).end.tolist() == END[1:]
    assert repr(probs) == (
        "TaskProbabilities(n_points=2, end_labels=['Performance', 'Funding', 'Money', 'Commodity'])"
    )


def test_records_are_picked_by_row_slice_and_array() -> None:
    probs = mw.TaskProbabilities(END, SCHEMA)
    assert probs[1].tolist() == probs[np.int64(-1)].tolist() == END[1]
    for rows in ([1], slice(1, 2), np.array([1]), np.array([False, True]), [False, True]):
        assert probs[rows].end.tolist() == END[1:]
    for column in (pl.Series([False, True]), pd.Series([False, True])):
        assert probs.rows(column).end.tolist() == END[1:]
    assert len(probs[[]]) == len(probs.rows(np.array([], dtype=bool))) == 0
    assert [row.tolist() for row in probs] == END
    with pytest.raises(IndexError):
        probs[2]
    with pytest.raises(VotesError) as caught:
        probs[0, 1]  # type: ignore[call-overload]
    assert str(caught.value) == "probs takes a task name or rows; got (0, 1). Index the array: probs.end[...]."


def test_as_an_array() -> None:
    probs = mw.TaskProbabilities(np.array(END), SCHEMA)
    assert np.shares_memory(np.asarray(probs), probs.end)
    assert np.asarray(probs, dtype=np.float32).dtype == np.float32
    assert not np.shares_memory(np.array(probs), probs.end)
    assert np.argmax(probs, axis=1).tolist() == [3, 0]


def test_as_a_frame() -> None:
    frame = mw.TaskProbabilities(END, SCHEMA).to_frame(ids=["x", "y"])
    names = [f"P({name})" for name in SCHEMA.end_labels]
    assert frame.columns == ["id", "end_label", "confidence", *names]
    assert frame.row(0) == ("x", "Commodity", 0.4, 0.1, 0.2, 0.3, 0.4)
    assert mw.TaskProbabilities(END, SCHEMA).to_frame().columns == ["end_label", "confidence", *names]
    assert mw.TaskProbabilities.from_labels([], SCHEMA).to_frame(ids=[]).height == 0
    with pytest.raises(VotesError, match=r"^ids must hold one id a record \(2\); got 1\.$"):
        mw.TaskProbabilities(END, SCHEMA).to_frame(ids=["x"])


def test_columns_of_frames_count_by_their_names() -> None:
    probs = mw.TaskProbabilities(END, SCHEMA)
    frame = pl.DataFrame(dict(zip(SCHEMA.end_labels, np.array(END).T, strict=True)))
    turned = frame.select(reversed(frame.columns))
    for given in (turned, pd.DataFrame(turned.to_dict(as_series=False)), probs.to_frame(ids=["x", "y"])):
        assert mw.TaskProbabilities(given, SCHEMA).end.tolist() == END
    with pytest.raises(VotesError) as caught:
        mw.TaskProbabilities(pd.DataFrame(END), SCHEMA)
    assert str(caught.value) == (
        "Columns of probabilities must be named by the end labels; there is none for 'Performance'. Rename them, "
        "or pass an array with a column an end label, in the order of schema.end_labels."
    )


def test_every_task_of_a_deep_tree_sums_its_members() -> None:
    deep = mw.TaskSchema.from_dict(FIVE_LEVELS)
    probs = mw.TaskProbabilities(np.random.default_rng(0).dirichlet(np.ones(deep.n_end_labels), 7), deep)
    for task in deep.tasks:
        np.testing.assert_allclose(probs[task], probs.end @ deep.members(task).T, atol=1e-15)


def test_equals_go_to_the_first() -> None:
    assert mw.TaskProbabilities([[0.25] * 4], SCHEMA).predict().tolist() == [0]
    almost = [[0.25, 0.25 - 1e-16, 0.25 + 2e-16, 0.25], [0.2, 0.3 - 2e-16, 0.2, 0.3]]
    assert mw.TaskProbabilities(almost, SCHEMA).predict().tolist() == [0, 1]


def test_known_labels_are_certain() -> None:
    probs = mw.TaskProbabilities.from_labels(["Money", 0], SCHEMA)
    assert probs.end.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
    assert mw.TaskProbabilities.from_labels([], SCHEMA).end.shape == (0, 4)


def test_known_labels_may_all_be_names() -> None:
    stars = mw.TaskSchema.flat(["1", "0"])
    assert mw.TaskProbabilities.from_labels([0, 1.0, "1"], stars, names=True).predict().tolist() == [1, 0, 0]
    with pytest.raises(
        VotesError, match=r"^Row 1: a label must be known down to an end label here; got the task "
    ):
        mw.TaskProbabilities.from_labels(["Money", "Markets"], SCHEMA, names=True)


def test_single_precision_and_whole_numbers() -> None:
    assert mw.TaskProbabilities(np.array(END, np.float32), SCHEMA).end.dtype == np.float32
    assert mw.TaskProbabilities([[0, 1, 0, 0]], SCHEMA).end.dtype == np.float64


WRONG: list[tuple[Any, str]] = [
    ([0.5, 0.5], "end must have shape (n_points, 4); got (2,)."),
    ([[0.5, 0.5]], "end must have shape (n_points, 4); got (1, 2)."),
    ([[0.25] * 4, [0.3] * 4], "Row 1: probabilities must be >= 0 and sum to 1; got sum 1.2."),
    ([[1.5, -0.5, 0, 0]], "Row 0: probabilities must be >= 0 and sum to 1; got sum 1."),
    ([[np.nan, 0, 0, 1]], "Row 0: probabilities must be >= 0 and sum to 1; got sum nan."),
    ([[np.inf, 0, 0, 0]], "Row 0: probabilities must be >= 0 and sum to 1; got sum inf."),
    ([["a", "b", "c", "d"]], "end must hold numbers; got dtype <U1."),
]


@pytest.mark.parametrize(("end", "text"), WRONG, ids=range(len(WRONG)))
def test_what_is_no_distribution(end: Any, text: str) -> None:
    with pytest.raises(VotesError) as caught:
        mw.TaskProbabilities(end, SCHEMA)
    assert str(caught.value) == text


def test_an_unknown_task() -> None:
    with pytest.raises(VotesError, match=r"^'market' is no task\. Did you mean 'markets'\?$"):
        mw.TaskProbabilities(END, SCHEMA)["market"]


def test_saved_and_loaded(tmp_path: Path) -> None:
    probs = mw.TaskProbabilities(END, SCHEMA)
    probs.save(tmp_path / "p.npz")
    again = mw.TaskProbabilities.load(tmp_path / "p.npz")
    assert (again.end == probs.end).all()
    assert again.schema == SCHEMA
    mw.LabelMatrix([[0]], mw.TaskSchema.flat(["a", "b"])).save(tmp_path / "v.npz")
    with pytest.raises(DataError, match="must be a 'metalwork probabilities 1' file; it is something else"):
        mw.TaskProbabilities.load(tmp_path / "v.npz")
