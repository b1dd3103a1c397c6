"""Forests: several task trees over the same records, in one label matrix or one run of labeling functions."""

from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import LabelingError, SchemaError, VotesError
from metalwork.votes import ForestProbabilities
from tests.unit.schemas import SECTORS

TREE = mw.TaskSchema.from_dict(SECTORS)
TONE = mw.TaskSchema.flat(["good", "bad", "none"], task="tone")
FOREST = mw.TaskForest([TREE, TONE])
CODES = np.array([[0, 2, 1], [1, -1, 0], [-1, 0, -1]])
TASKS = ["sector", "tone", "markets"]


def test_a_forest_knows_its_trees() -> None:
    assert FOREST.roots == ("sector", "tone")
    assert FOREST.tasks == ("sector", "corporate", "markets", "tone")
    assert FOREST.labels("markets") == ("Money", "Commodity")
    assert FOREST.schema_of("markets") is TREE
    assert mw.TaskForest([TREE, TONE]) == FOREST != mw.TaskForest([TONE, TREE])
    assert hash(mw.TaskForest([TREE, TONE])) == hash(FOREST)
    assert eval(repr(mw.TaskForest([TONE])), {"TaskForest": mw.TaskForest, "TaskSchema": mw.TaskSchema}).roots == (
        "tone",
    )


@pytest.mark.parametrize(
    ("schemas", "fault"),
    [
        ([], "a forest must hold at least one task tree; got none."),
        ([TREE, TONE, TREE], "task 'corporate' stands in 2 trees. Rename it in all but one."),
        ([TONE, ["a"]], "a forest is made of TaskSchema objects; got ['a']. Build it with TaskSchema.from_dict."),
    ],
)
def test_what_is_no_forest_is_refused(schemas: Any, fault: str) -> None:
    with pytest.raises(SchemaError) as caught:
        mw.TaskForest(schemas)
    assert fault in caught.value.faults


def test_one_matrix_becomes_one_a_root() -> None:
    outcomes = {"b": [[1, 0, 0, np.nan], [0, 1, 0, np.nan], [1, 1, 0, np.nan]]}
    votes = FOREST.votes(CODES, TASKS, ["a", "b", "c"], [0, 1, 2], outcomes)
    assert list(votes) == ["sector", "tone"]
    sector, tone = votes.values()
    assert (sector.names, sector.tasks, sector.errors.tolist()) == (("a", "c"), ("sector", "markets"), [0, 2])
    assert sector.codes.tolist() == [[0, 1], [1, 0], [-1, -1]]
    assert (sector.outcomes, tone.names, tone.schema) == ({}, ("b",), TONE)
    assert tone.vote_name(0, 2) == "not none"
    assert FOREST.votes(CODES, TASKS)["tone"].names == ("lf_1",)


def test_labeling_functions_of_all_trees_run_together() -> None:
    lfs = [
        mw.keywords("sector", "Markets", ["rates"]),
        mw.keywords("tone", "bad", ["fell"]),
        mw.from_callable(lambda text: mw.Not("bad") if "rose" in text else None, "tone", name="up"),
    ]
    records = [{"text": "rates fell"}, {"text": "profit rose"}]
    votes = mw.apply(lfs, records, FOREST)
    assert votes["sector"].codes.tolist() == [[1], [-1]]
    assert votes["tone"].names == ("bad: fell", "up")
    assert [votes["tone"].vote_name(1, code) for code in votes["tone"].codes[1:, 1]] == ["not bad"]
    again = mw.apply(lfs, [{"text": "rates rose"}], FOREST, like=votes)
    assert again["tone"].codes.tolist() == [[-1, 3]]
    with pytest.raises(
        LabelingError, match=r"^like must be a dict of a LabelMatrix a root, 'sector' among them; got"
    ):
        mw.apply(lfs, records, FOREST, like=votes["tone"])  # type: ignore[call-overload]


def test_mistakes_are_named() -> None:
    lf = mw.from_callable(lambda text: None, None, name="all")
    with pytest.raises(
        LabelingError, match=r"^LF 'all' must name its task with a TaskForest; got None\. Only trees"
    ):
        mw.apply([lf], [{"text": ""}], FOREST)
    with pytest.raises(LabelingError, match=r"'ton' is no task of the schema\. Did you mean 'tone'\?"):
        mw.apply([mw.keywords("ton", "bad", ["x"])], [{"text": ""}], FOREST)
    with pytest.raises(VotesError, match=r"^'ton' is no task\. Did you mean 'tone'\?"):
        FOREST.votes(CODES, ["sector", "ton", "markets"])
    with pytest.raises(
        VotesError, match=r"^codes must have shape \(n_points, 2\), a column a task; got \(3, 3\)\."
    ):
        FOREST.votes(CODES, ["sector", "tone"])


def test_probabilities_are_read_by_task_and_by_root() -> None:
    sector = mw.TaskProbabilities([[0.6, 0.2, 0.1, 0.1]], TREE)
    tone = mw.TaskProbabilities([[0.1, 0.7, 0.2]], TONE)
    probs = ForestProbabilities({"sector": sector, "tone": tone})
    np.testing.assert_allclose(probs["corporate"], [[0.6, 0.2]])
    np.testing.assert_allclose(probs["tone"], [[0.1, 0.7, 0.2]])
    assert probs.roots["sector"] is sector
    assert {root: codes.tolist() for root, codes in probs.predict().items()} == {"sector": [0], "tone": [1]}
    assert (len(probs), repr(probs)) == (1, "ForestProbabilities(n_points=1, roots=['sector', 'tone'])")
    with pytest.raises(VotesError, match="'tune' is no task"):
        probs["tune"]
