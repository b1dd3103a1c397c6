"""Labeling functions that return sets of labels or probabilities, and those that vote on a whole tree."""

from typing import Any

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import LabelingError, MetalworkWarning
from metalwork.labeling import ByTask
from tests.unit.schemas import SECTORS, TWINS

SCHEMA = mw.TaskSchema.from_dict(
    {
        "task": "sector",
        "labels": [
            {"Corporate": {"task": "corporate", "labels": ["Performance", "Funding"]}},
            {"Markets": {"task": "markets", "labels": ["Money", "Commodity", "Gold"]}},
            "Sports",
        ],
    }
)
NAN = float("nan")


def returning(values: list[Any], task: str | None = "sector", name: str = "lf") -> mw.LabelingFunction:
    return mw.from_callable(lambda row: values[row], task, name=name)


def votes_of(values: list[Any], task: str | None = "sector", **options: Any) -> mw.LabelMatrix:
    return mw.apply([returning(values, task)], pl.DataFrame({"row": range(len(values))}), SCHEMA, **options)


def said(votes: mw.LabelMatrix) -> list[dict[str, list[float]]]:
    """What each record's votes say of the states, by column."""
    return [
        {votes.names[j]: votes.alphabets[j].rows[code].tolist() for j, code in enumerate(row) if code >= 0}
        for row in votes.codes.tolist()
    ]


@pytest.mark.parametrize(
    ("value", "states"),
    [
        ({"Corporate", "Sports"}, [1, 0, 1, NAN]),
        (["Sports", "Corporate", "Sports"], [1, 0, 1, NAN]),
        (("Corporate", "Sports"), [1, 0, 1, NAN]),
        (frozenset(["Markets"]), [0, 1, 0, NAN]),
        (mw.Not("Sports"), [1, 1, 0, NAN]),
        (mw.Not(["Sports", "Markets"]), [1, 0, 0, NAN]),
        (mw.Not("Sports", "Markets"), [1, 0, 0, NAN]),
        ({"Corporate": 0.9, "Markets": 0.1, "Sports": 0.0}, [0.9, 0.1, 0, NAN]),
        ({"Corporate": 0.5}, [0.5, 0.25, 0.25, NAN]),
        ({"Corporate": 0.71, "Markets": 0.29}, [0.7, 0.3, 0, NAN]),
        ({"Sports": 1}, [0, 0, 1, NAN]),
    ],
)
def test_sets_and_probabilities_become_outcomes(value: Any, states: list[float]) -> None:
    votes = votes_of(["Corporate", value])
    plain, other = (record["lf"] for record in said(votes))
    np.testing.assert_array_equal(plain, [1, 0, 0, NAN])
    np.testing.assert_allclose(other, states, atol=1e-12)


@pytest.mark.parametrize(
    "value",
    [[], set(), {"Corporate", "Markets", "Sports"}, mw.Not("Corporate", "Markets", "Sports"), {"Sports": 0.34}],
)
def test_what_says_nothing_abstains(value: Any) -> None:
    votes = votes_of(["Corporate", value])
    assert votes.codes.tolist()[1] == [-1]
    assert votes.errors.tolist() == [0]


def test_labels_keep_their_codes_beside_sets() -> None:
    votes = votes_of(["Sports", mw.Not("Sports"), "Markets", {"Markets", "Sports"}])
    assert votes.codes[:, 0].tolist() == [2, 3, 1, 4]
    assert [votes.vote_name(0, code) for code in range(5)][3:] == ["not Sports", "not Corporate"]


def test_an_lf_of_soft_votes_alone_has_the_alphabet_of_from_soft() -> None:
    rows = [[0.9, 0.1, 0.0], [0.2, 0.2, 0.6], [1.0, 0.0, 0.0]]
    soft = votes_of([dict(zip(SCHEMA.labels("sector"), row, strict=True)) for row in rows])
    given = mw.LabelMatrix.from_soft([np.array(rows)], SCHEMA, ["sector"], ["lf"])
    assert soft.codes.tolist() == given.codes.tolist()
    np.testing.assert_array_equal(soft.alphabets[0].rows, given.alphabets[0].rows)


MIXED = [
    "Corporate",
    {"Markets", "Sports"},
    mw.Not("Markets"),
    None,
    {"Corporate": 0.8},
    {"Sports": 0.6},
    "Sports",
]
TREE = ["Money", mw.Not("Money"), {"Money", "Gold"}, "Markets", {"Performance": 0.8}, None, mw.Not("Sports")]


def mixed_votes(order: Any, **options: Any) -> mw.LabelMatrix:
    lfs = [returning(MIXED, name="mixed"), returning(TREE, None, "tree"), mw.keywords("sector", "Sports", ["6"])]
    records = pl.DataFrame({"row": np.arange(7)[order]}).with_columns(text=pl.col("row").cast(pl.String))
    return mw.apply(lfs, records, SCHEMA, **options)


@pytest.mark.parametrize("chunk_size", [1, 2, 100])
@pytest.mark.parametrize("seed", range(3))
def test_neither_order_nor_chunks_change_an_alphabet(seed: int, chunk_size: int) -> None:
    order = np.random.default_rng(seed).permutation(7)
    whole, turned = mixed_votes(np.arange(7)), mixed_votes(order, chunk_size=chunk_size)
    assert turned.codes.tolist() == whole.codes[order].tolist()
    assert turned.outcomes.keys() == whole.outcomes.keys()
    for name, rows in whole.outcomes.items():
        np.testing.assert_array_equal(turned.outcomes[name], rows)


def test_worker_processes_give_the_same_alphabets() -> None:
    serial = mixed_votes(np.arange(7))
    workers = mixed_votes(np.arange(7), backend="processes", n_jobs=2, chunk_size=2)
    assert workers.codes.tolist() == serial.codes.tolist()
    for name, rows in serial.outcomes.items():
        np.testing.assert_array_equal(workers.outcomes[name], rows)


@pytest.mark.parametrize(
    ("value", "column", "states"),
    [
        ("Money", "lf[markets]", [1, 0, 0, NAN]),
        ("Markets", "lf[sector]", [0, 1, 0, NAN]),
        ("Markets/Gold", "lf[markets]", [0, 0, 1, NAN]),
        ({"Money", "Gold"}, "lf[markets]", [1, 0, 1, NAN]),
        ({"Money", "Commodity", "Gold"}, "lf[sector]", [0, 1, 0, NAN]),
        ({"Corporate", "Money", "Commodity", "Gold"}, "lf[sector]", [1, 1, 0, NAN]),
        (mw.Not("Money"), "lf[markets]", [0, 1, 1, 1]),
        (mw.Not("Funding"), "lf[corporate]", [1, 0, 1]),
        (mw.Not("Money", "Commodity", "Gold"), "lf[sector]", [1, 0, 1, NAN]),
        ({"Performance", "Markets", "Sports"}, "lf[corporate]", [1, 0, 1]),
        ({"Money": 0.8, "Gold": 0.2}, "lf[markets]", [0.8, 0, 0.2, NAN]),
        ({"Sports": 0.8}, "lf[sector]", [0.1, 0.1, 0.8, NAN]),
    ],
)
def test_an_lf_without_a_task_has_a_column_for_each(value: Any, column: str, states: list[float]) -> None:
    votes = votes_of([value, None, "Sports"], None)
    assert votes.names == ("lf[sector]", "lf[corporate]", "lf[markets]")
    assert votes.tasks == SCHEMA.tasks
    first, second, third = said(votes)
    assert (list(first), second, list(third)) == ([column], {}, ["lf[sector]"])
    np.testing.assert_allclose(first[column], states, atol=1e-12)


def test_plain_labels_of_the_whole_tree_need_no_alphabet() -> None:
    votes = votes_of(["Money", "Sports", None, "Funding", mw.ABSTAIN], None)
    assert votes.outcomes == {}
    assert votes.codes.tolist() == [[-1, -1, 0], [2, -1, -1], [-1, -1, -1], [-1, 1, -1], [-1, -1, -1]]


def test_labels_that_share_a_name_are_told_by_their_path() -> None:
    schema, lf = mw.TaskSchema.from_dict(TWINS), mw.from_callable(lambda label: label, None, name="lf")
    records = [{"label": "Corporate/Other"}, {"label": "Markets/Other"}, {"label": "Neither"}]
    assert mw.apply([lf], records, schema).codes.tolist() == [[-1, 1, -1], [-1, -1, 1], [2, -1, -1]]
    with pytest.raises(LabelingError) as caught:
        mw.apply([lf], [*records, {"label": "Other"}], schema)
    assert str(caught.value) == (
        "LF 'lf' failed at row 3: it returned 'Other', a label of more than one task. "
        "Return its path: 'Corporate/Other' or 'Markets/Other'."
    )


def test_failures_of_an_lf_without_a_task_count_in_all_its_columns() -> None:
    votes = votes_of(["Money", 7, "Sports"], None, max_error_rate=0.5)
    assert votes.errors.tolist() == [1, 1, 1]
    with pytest.raises(
        LabelingError, match=r"it returned 7\. It must return a label of the tree, or mw\.ABSTAIN;"
    ):
        votes_of(["Money", 7, "Sports"], None)


@pytest.mark.parametrize(
    ("value", "task", "message"),
    [
        ({"Sport", "Markets"}, "sector", "it returned a wrong label. 'Sport' is no label of task 'sector'. "),
        (
            mw.Not("Money"),
            "sector",
            "it returned 'Money', a label of task 'markets', but votes on task 'sector'. ",
        ),
        ({"Mony": 0.9}, "markets", "it returned a wrong label. 'Mony' is no label of task 'markets'. "),
        ({0: 0.9}, "markets", "it returned a wrong label. 0 is no label of task 'markets'. "),
        ("Mony", None, "it returned a wrong label. 'Mony' is no label of the tree. Did you mean 'Money'?"),
        (
            {"Money": 0.5, "Sports": 0.5},
            None,
            "it returned probabilities for labels of the tasks 'sector' and 'markets'. "
            "Return those of one task, or write an LF for each.",
        ),
        (
            mw.Not("Money", "Funding"),
            None,
            "it returned Not('Funding', 'Money'), a set of end labels that no single task decides. "
            "Let the LF vote on end labels in the flat view: view = mw.FeasibleLabels.flatten(schema), "
            "task=view.schema.root, and mw.apply with view in place of the schema.",
        ),
    ],
)
def test_mistakes_in_an_lf_end_the_run(value: Any, task: str | None, message: str) -> None:
    with pytest.raises(LabelingError) as caught:
        votes_of([None, value], task)
    assert str(caught.value).startswith("LF 'lf' failed at row 1: " + message)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"Corporate": 0.9, "Markets": 0.9},
        {"Corporate": 0.3, "Markets": 0.3, "Sports": 0.3},
        {"Corporate": -0.1},
        {"Corporate": float("inf")},
        {"Corporate": "surely"},
        {"Corporate": None},
        ["Corporate", 3],
        [["Corporate"]],
    ],
)
def test_values_that_do_not_fit_are_failures_of_the_record(value: Any) -> None:
    votes = votes_of(["Corporate", value, {"Sports"}], max_error_rate=0.5)
    assert votes.errors.tolist() == [1]
    assert (votes.codes[:, 0] >= 0).tolist() == [True, False, True]
    with pytest.raises(LabelingError, match=r"LF 'lf' failed on 1 of 3 records.*first at row 1: it returned "):
        votes_of(["Corporate", value, {"Sports"}])


def test_sums_near_one_are_taken_for_one() -> None:
    rounded = {"Corporate": 0.33, "Markets": 0.33, "Sports": 0.33}
    assert votes_of([rounded, {"Corporate": 0.9, "Markets": 0.11}]).errors.tolist() == [0]


@pytest.mark.parametrize("labels", [(), ([],), (3,), (["Sports", None],)])
def test_not_must_be_told_label_names(labels: Any) -> None:
    with pytest.raises(
        LabelingError, match=r"^Not must be told label names; got .*\. Write e\.g\. mw\.Not\('Sports'\)"
    ):
        mw.Not(*labels)


def test_not_has_a_value() -> None:
    assert mw.Not("a", "b") == mw.Not(["b", "a"])
    assert mw.Not("a") != mw.Not("b")
    assert len({mw.Not("a"), mw.Not(["a"])}) == 1


def test_a_mapping_may_lead_to_sets() -> None:
    lf = mw.from_column("sector", "desk", mapping={"ball": "Sports", "bank": mw.Not("Sports")})
    votes = mw.apply([lf], [{"desk": "ball"}, {"desk": "bank"}, {"desk": None}], SCHEMA)
    assert [votes.vote_name(0, code) for code in votes.codes[:2, 0]] == ["Sports", "not Sports"]


def test_columns_of_probabilities_are_soft_votes() -> None:
    lf = mw.from_probabilities("sector", {"p_c": "Corporate", "p_m": "Markets"})
    assert (lf.name, lf.fields, lf.labels) == ("sector probabilities", ("p_c", "p_m"), ("Corporate", "Markets"))
    values = {"p_c": [0.8, None, NAN, 1 / 3, None], "p_m": [0.1, 0.5, None, 1 / 3, None]}
    votes = mw.apply([lf], pl.DataFrame(values, strict=False), SCHEMA)
    found = [record.get("lf", record.get(lf.name)) for record in said(votes)]
    np.testing.assert_allclose(found[0] or [], [0.8, 0.1, 0.1, NAN])
    np.testing.assert_allclose(found[1] or [], [0.25, 0.5, 0.25, NAN])
    assert found[2:] == [None, None, None]


def test_columns_and_single_records_give_the_same_soft_votes() -> None:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([1, 1, 1], 50).round(2)
    records = [dict(zip("cms", row, strict=True)) for row in shares.tolist()]
    lf = mw.from_probabilities("sector", {"c": "Corporate", "m": "Markets", "s": "Sports"})
    by_record = mw.from_callable(lambda c, m, s: lf(c, m, s), "sector", name=lf.name)
    whole, single = mw.apply([lf], records, SCHEMA), mw.apply([by_record], records, SCHEMA)
    assert whole.codes.tolist() == single.codes.tolist()
    np.testing.assert_array_equal(whole.alphabets[0].rows, single.alphabets[0].rows)


def test_columns_that_hold_no_probabilities_are_failures() -> None:
    lf = mw.from_probabilities("sector", {"p": "Corporate"}, name="scores")
    with pytest.raises(LabelingError, match=r"first at row 1: it returned the probabilities \[7\.5, nan, nan\]"):
        mw.apply([lf], [{"p": 0.5}, {"p": 7.5}], SCHEMA)
    votes = mw.apply([lf], [{"p": "0.9"}, {"p": "high"}], SCHEMA, max_error_rate=0.5)
    assert (votes.errors.tolist(), (votes.codes[:, 0] >= 0).tolist()) == ([1], [True, False])
    with pytest.raises(LabelingError, match=r"^LF 'x': 'Corp' is no label of task 'sector'\."):
        mw.apply([mw.from_probabilities("sector", {"p": "Corp"}, name="x")], [{"p": 0.5}], SCHEMA)


@pytest.mark.parametrize("columns", [{}, {"a": "Corporate", "b": "Corporate"}, {"a": 1}, ["a"], None])
def test_misdeclared_columns_of_probabilities_are_named(columns: Any) -> None:
    with pytest.raises(
        LabelingError, match=r"columns of LF 'x' must be a dict from columns to distinct labels; got "
    ):
        mw.from_probabilities("sector", columns, name="x")


def test_like_gives_other_records_the_same_alphabet() -> None:
    train = votes_of([mw.Not("Sports"), {"Corporate", "Sports"}, "Markets"])
    test = votes_of([{"Corporate", "Sports"}, "Sports"], like=train)
    np.testing.assert_array_equal(test.alphabets[0].rows, train.alphabets[0].rows)
    assert test.codes[:, 0].tolist() == [train.codes[1, 0], 2]
    assert mw.LabelMatrix.concatenate([train, test]).n_points == 5


def test_what_like_does_not_hold_abstains_with_a_warning() -> None:
    train = votes_of([mw.Not("Sports"), "Markets"])
    with pytest.warns(MetalworkWarning) as caught:
        test = votes_of([{"Corporate", "Sports"}, "Sports", mw.Not("Sports")], like=train)
    assert test.codes[:, 0].tolist() == [-1, 2, 3]
    assert str(caught[0].message) == (
        "Votes of a kind that like does not hold were taken for abstains: 'not Markets' of LF 'lf'. "
        "To keep them, apply to these records and those of like at once, and fit on that."
    )


def test_like_must_hold_the_same_lfs() -> None:
    train = votes_of(["Money"], "markets")
    with pytest.raises(
        LabelingError, match=r"^like must hold the votes of the same LFs on the same schema; it differs"
    ):
        votes_of(["Sports"], like=train)
    with pytest.raises(
        LabelingError, match=r"^like must be a LabelMatrix; got list\. Pass what apply gave before\."
    ):
        votes_of(["Sports"], like=[train])


def test_columns_must_not_collide() -> None:
    lfs = [returning(["Money"], None, "x"), returning(["Sports"], "sector", "x[sector]")]
    with pytest.raises(LabelingError, match=r"^2 LFs are called 'x\[sector\]'\. Rename one"):
        mw.apply(lfs, [{"row": 0}], SCHEMA)


def test_a_vote_against_one_of_two_labels_is_a_vote_for_the_other() -> None:
    votes = mw.apply(
        [returning([mw.Not("Money"), {"Commodity"}], "markets")],
        [{"row": 0}, {"row": 1}],
        mw.TaskSchema.from_dict(SECTORS),
    )
    assert (votes.codes.tolist(), votes.outcomes) == ([[1], [1]], {})


TOP = mw.TaskSchema.from_dict({"task": "top", "labels": [{"A": {"task": "low", "labels": ["X", "Y"]}}, "B"]})


def _by_task(*values: Any, schema: Any = TOP, task: str | None = None) -> mw.LabelMatrix:
    lf = mw.from_callable(lambda at: values[at], task, ["at"], "lf")
    votes: mw.LabelMatrix = mw.apply([lf], [{"at": at} for at in range(len(values))], schema, max_error_rate=1.0)
    return votes


def test_votes_on_several_tasks_at_once() -> None:
    votes = _by_task(
        ByTask({"top": "A", "low": "Y"}),
        ByTask({"low": {"X": 0.9}, "top": None}),
        "X",
        ByTask({}),
        ByTask({"top": 7}),
    )
    assert votes.codes[:, 0].tolist() == [0, -1, -1, -1, -1]
    assert [votes.vote_name(1, code) if code >= 0 else "" for code in votes.codes[:, 1]] == [
        "Y",
        "X 0.9",
        "X",
        "",
        "",
    ]
    assert votes.failed.tolist() == [[4, 0], [4, 1]]


def test_a_vote_by_task_is_read_within_its_task() -> None:
    with pytest.raises(LabelingError, match="it returned 'X', a label of task 'low', but votes on task 'top'"):
        _by_task(ByTask({"top": "X"}))
    with pytest.raises(
        LabelingError, match=r"it returned a vote on a wrong task. 'topp' is no task. Did you mean 'top'"
    ):
        _by_task(ByTask({"topp": "A"}))
    assert _by_task(ByTask({"top": "B"}), task="top").codes.tolist() == [[1]]
    with pytest.raises(LabelingError, match=r"it returned a vote on a wrong task. 'low' is no task. Known: 'top'"):
        _by_task(ByTask({"low": "X"}), task="top")


def test_votes_by_task_must_be_a_dict() -> None:
    with pytest.raises(LabelingError, match=r"^votes must be a dict from tasks to votes; got \['A'\]\.$"):
        ByTask(["A"])  # type: ignore[arg-type]
