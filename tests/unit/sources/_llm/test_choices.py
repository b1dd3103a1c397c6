"""Valid answers, and the votes that they stand for."""

import pytest

import metalwork as mw
from metalwork.errors import LabelingError
from metalwork.labeling import ByTask
from metalwork.sources._llm._choices import Choices

TREE = mw.TaskSchema.from_dict(
    {
        "task": "sector",
        "labels": [
            {"Corporate": {"task": "corporate", "labels": ["Performance", "Other"]}},
            {"Markets": {"task": "markets", "labels": ["Money", "Commodity", "Other"]}},
        ],
    }
)


def test_a_task_has_its_labels_and_an_abstain() -> None:
    choices = Choices.of_task(TREE, "markets")
    assert choices.names == ("Money", "Commodity", "Other", "none of these")
    assert choices.vote(choices.all[0]) == "Money"
    assert choices.vote(None) is None


def test_no_label_is_called_like_the_abstain() -> None:
    schema = mw.TaskSchema.flat(["None of these", "(none of these)", "a"], task="t")
    assert Choices.of_task(schema, "t").abstain == "((none of these))"


def test_a_tree_has_paths_and_votes_on_every_task_of_the_path() -> None:
    choices = Choices.of_tree(TREE, TREE.tasks)
    assert choices.names == (
        "Corporate",
        "Markets",
        "Corporate/Performance",
        "Corporate/Other",
        "Markets/Money",
        "Markets/Commodity",
        "Markets/Other",
        "none of these",
    )
    assert choices.vote(choices.all[1]) == ByTask({"sector": "Markets"})
    assert choices.vote(choices.all[4]) == ByTask({"sector": "Markets", "markets": "Money"})


def test_some_tasks_of_a_tree() -> None:
    choices = Choices.of_tree(TREE, ["markets", "corporate"])
    assert choices.tasks == ("corporate", "markets")
    assert choices.names[:2] == ("Corporate/Performance", "Corporate/Other")
    assert choices.vote(choices.all[2]) == ByTask({"markets": "Money"})


def test_soft_votes_share_what_stops_above_or_fits_nothing() -> None:
    choices = Choices.of_tree(TREE, TREE.tasks)
    shares = {"Markets/Money": 0.5, "Markets": 0.3, "Corporate/Other": 0.1, "none of these": 0.1}
    votes = choices.vote(choices.all[4], shares).votes
    assert votes["sector"] == pytest.approx({"Corporate": 0.15, "Markets": 0.85})
    rest = 0.4 / 3
    assert votes["markets"] == pytest.approx(
        {"Money": (0.5 + rest) / 0.9, "Commodity": rest / 0.9, "Other": rest / 0.9}
    )
    flat = Choices.of_task(TREE, "sector")
    assert flat.vote(flat.all[0], {"Corporate": 0.6, "none of these": 0.4}) == pytest.approx(
        {"Corporate": 0.8, "Markets": 0.2}
    )


def test_labels_are_found_by_name_or_path() -> None:
    choices = Choices.of_tree(TREE, TREE.tasks)
    assert choices.find("Money", "x").name == choices.find(" Markets / Money ", "x").name == "Markets/Money"
    with pytest.raises(LabelingError, match=r"^x; got 'Other', a label of more than one task\. Give its path: "):
        choices.find("Other", "x")
    with pytest.raises(LabelingError, match=r"^x\. 'Moneyy' is no label\. Did you mean "):
        choices.find("Moneyy", "x")


def test_descriptions_are_of_labels() -> None:
    choices = Choices.of_tree(TREE, TREE.tasks).described({"Money": "rates"}, "m")
    assert [choice.description for choice in choices.all if choice.description] == ["rates"]
    assert choices.vote(choices.all[4], dict.fromkeys(choices.names, 0.125)) is not None
    with pytest.raises(
        LabelingError, match=r"^descriptions of LF 'm' must be of its labels\. 'Mony' is no label\."
    ):
        choices.described({"Mony": "rates"}, "m")
