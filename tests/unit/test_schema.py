"""The schema's names, codes and conversions, for flat, two-level and deep trees."""

import pickle
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import VotesError
from tests.unit.schemas import FIVE_LEVELS, SECTORS, TWINS


@pytest.fixture
def sectors() -> mw.TaskSchema:
    return mw.TaskSchema.from_dict(SECTORS)


def message(call: Any, *arguments: Any, **named: Any) -> str:
    """The whole text of the ``VotesError`` that the call raises."""
    with pytest.raises(VotesError) as caught:
        call(*arguments, **named)
    return str(caught.value)


def test_the_example_of_the_design(sectors: mw.TaskSchema) -> None:
    assert sectors.tasks == ("sector", "corporate", "markets")
    assert sectors.labels("sector") == ("Corporate", "Markets")
    assert sectors.end_labels == ("Performance", "Funding", "Money", "Commodity")
    assert sectors.task_codes.tolist() == [[0, 0, -2], [0, 1, -2], [1, -2, 0], [1, -2, 1]]
    assert sectors.task_codes.dtype == np.int64
    assert mw.NOT_APPLICABLE == -2
    assert mw.ABSTAIN == -1


def test_a_flat_schema_is_not_special() -> None:
    flat = mw.TaskSchema.flat(["ham", "spam"], task="label")
    assert (flat.tasks, flat.end_labels, flat.n_levels) == (("label",), ("ham", "spam"), 1)
    assert flat.task_codes.tolist() == [[0], [1]]
    assert flat == mw.TaskSchema.from_dict({"task": "label", "labels": ["ham", "spam"]})


def test_where_everything_stands(sectors: mw.TaskSchema) -> None:
    assert (sectors.root, sectors.n_tasks, sectors.n_end_labels, sectors.n_labels) == ("sector", 3, 4, (2, 2, 2))
    assert sectors.n_levels == 2
    assert [sectors.depth(task) for task in sectors.tasks] == [0, 1, 1]
    assert sectors.parent("sector") is None
    assert sectors.parent("markets") == ("sector", "Markets")
    assert sectors.child("sector", "Markets") == "markets"
    assert sectors.child("markets", "Money") is None
    assert sectors.children("sector") == ("corporate", "markets")
    assert sectors.children("markets") == ()
    assert sectors.label_code("markets", "Commodity") == 1
    assert sectors.spans("sector").tolist() == [[0, 2], [2, 4]]
    assert sectors.spans("markets").tolist() == [[2, 3], [3, 4]]
    assert sectors.members("markets").tolist() == [[False, False, True, False], [False, False, False, True]]


def test_the_table_form_gives_the_same_schema(sectors: mw.TaskSchema) -> None:
    markets = {"task": "markets", "labels": ["Money", "Commodity"], "parent": "sector", "when": "Markets"}
    corporate = {
        "task": "corporate",
        "labels": ["Performance", "Funding"],
        "parent": "sector",
        "when": "Corporate",
    }
    root = {"task": "sector", "labels": ["Corporate", "Markets"]}
    assert mw.TaskSchema.from_dict({"tasks": [markets, root, corporate]}) == sectors
    assert mw.TaskSchema.from_dict([root, corporate, markets]).tasks == sectors.tasks


def test_five_levels() -> None:
    deep = mw.TaskSchema.from_dict(FIVE_LEVELS)
    assert deep.tasks == ("t1", "t2", "t3", "t4", "t5")
    assert deep.end_labels == ("a1", "b2", "c3", "e5", "f5", "d4", "z3", "z1")
    assert [deep.depth(task) for task in deep.tasks] == [0, 1, 2, 3, 4]
    assert deep.n_levels == 5
    assert deep.spans("t3").tolist() == [[2, 3], [3, 6], [6, 7]]
    assert deep.task_codes[deep.end_codes(["f5"])].tolist() == [[1, 1, 1, 0, 1]]


def test_end_labels_that_share_a_name_are_named_by_their_path() -> None:
    twins = mw.TaskSchema.from_dict(TWINS)
    assert twins.end_labels == ("Performance", "Corporate/Other", "Money", "Markets/Other", "Neither")
    assert twins.end_codes(["Markets/Other", "Money"]).tolist() == [3, 2]
    assert message(twins.end_codes, ["Other"]) == (
        "Row 0: 'Other' is a label of more than one task. Give its path: 'Corporate/Other' or 'Markets/Other'."
    )


def test_end_codes_of_names_and_codes(sectors: mw.TaskSchema) -> None:
    assert sectors.end_codes(["Money", 3, np.int32(0)]).tolist() == [2, 3, 0]
    assert sectors.end_codes(np.array([1, 2], dtype=np.uint8)).tolist() == [1, 2]
    assert sectors.end_codes(np.array(["Money", "Funding"])).tolist() == [2, 1]
    assert sectors.end_codes([]).tolist() == []
    assert sectors.end_names([3, 0]) == ["Commodity", "Performance"]
    missing = ["Money", None, float("nan"), "", -1]
    assert sectors.end_codes(missing, allow_missing=True).tolist() == [2, -1, -1, -1, -1]


KNOWN = "Known: 'Performance', 'Funding', 'Money', 'Commodity'."


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (["Money", "Moneey"], "Row 1: 'Moneey' is no end label. Did you mean 'Money'?"),
        ([4], f"Row 0: 4 is no end label. {KNOWN}"),
        (np.array([0, -1]), f"Row 1: -1 is no end label. {KNOWN}"),
        ([None], f"Row 0: None is no end label. {KNOWN}"),
        ([True], f"Row 0: True is no end label. {KNOWN}"),
        ([1.5], f"Row 0: 1.5 is no end label. {KNOWN}"),
        ("Money", "labels must be a sequence of labels; got the single text 'Money'."),
        (
            np.zeros((2, 2), int),
            "labels by task must be whole numbers of shape (n_points, 3); got int64 of shape (2, 2). "
            "Pass end labels in one dimension.",
        ),
        (np.zeros((2, 2, 2), int), "labels must be one-dimensional; got shape (2, 2, 2)."),
        (["Markets"], "Row 0: 'Markets' is no end label but stands above some: 'Money', 'Commodity'."),
        (
            np.array([[1, -2, 0], [1, -2, -1]]),
            "Row 1: a label must be known down to an end label here; got the task labels [1, -2, -1]. "
            "Leave the record out.",
        ),
    ],
)
def test_what_is_no_end_label(sectors: mw.TaskSchema, labels: Any, text: str) -> None:
    assert message(sectors.end_codes, labels) == text


def test_missing_labels_leave_other_faults_standing(sectors: mw.TaskSchema) -> None:
    text = f"Row 1: -2 is no end label. {KNOWN}"
    assert message(sectors.end_codes, [None, -2], allow_missing=True) == text


def test_task_labels_and_back(sectors: mw.TaskSchema) -> None:
    rows = sectors.to_task_labels(["Commodity", "Performance"])
    assert rows.tolist() == [[1, -2, 1], [0, 0, -2]]
    assert sectors.to_end_labels(rows).tolist() == [3, 0]
    impossible = np.array([[1, -2, 1], [1, 0, -2]])
    assert (
        message(sectors.to_end_labels, impossible) == "Row 1: the task labels [1, 0, -2] are no end label's path."
    )
    flat = np.array([1, 0])
    assert message(sectors.to_end_labels, flat) == "task_labels must have shape (n_points, 3); got (2,)."


def test_unknown_tasks_and_labels(sectors: mw.TaskSchema) -> None:
    assert message(sectors.labels, "market") == "'market' is no task. Did you mean 'markets'?"
    assert message(sectors.labels, "qq") == "'qq' is no task. Known: 'sector', 'corporate', 'markets'."
    assert message(sectors.label_code, "markets", "Mony") == (
        "'Mony' is no label of task 'markets'. Did you mean 'Money'?"
    )
    wide = mw.TaskSchema.flat([f"l{i}" for i in range(15)])
    assert message(wide.end_codes, ["?"]).endswith("'l10', 'l11' and 3 more.")


def test_equal_hash_pickle_and_text(sectors: mw.TaskSchema) -> None:
    again = pickle.loads(pickle.dumps(sectors))
    assert again == sectors
    assert hash(again) == hash(sectors)
    assert again.task_codes.tolist() == sectors.task_codes.tolist()
    assert sectors != mw.TaskSchema.flat(["a", "b"])
    assert sectors != "sectors"
    assert repr(sectors) == f"TaskSchema.from_dict({SECTORS!r})"
    assert str(sectors) == (
        "sector\n├── Corporate  [corporate]\n│   ├── Performance\n│   └── Funding\n"
        "└── Markets  [markets]\n    ├── Money\n    └── Commodity"
    )


def test_the_codes_are_read_only(sectors: mw.TaskSchema) -> None:
    with pytest.raises(ValueError, match="read-only"):
        sectors.task_codes[0, 0] = 1
