"""A class prior by name, as the end labels may be written, is that in their order."""

import unicodedata
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import VotesError
from tests.simulated import simulate

TREE = mw.TaskSchema.from_dict(
    {
        "task": "a",
        "labels": [
            {"l": {"task": "b", "labels": ["caf\u00e9", "x"]}},
            {"r": {"task": "c", "labels": ["x", 1]}},
            0,
        ],
    }
)
APART = unicodedata.normalize("NFD", "caf\u00e9")
SHARES = [0.4, 0.3, 0.0, 0.1, 0.2]


def prior_of(given: Any) -> Any:
    """The class prior that a model fitted with ``given`` starts from."""
    votes = simulate(np.random.default_rng(0), TREE, 200, lfs_a_task=3).votes
    return mw.HierarchicalLabelModel(TREE).fit(votes, class_prior=given).class_prior_


@pytest.mark.parametrize(
    "names",
    [
        ["caf\u00e9", "l/x", "r/x", "1", "0"],
        [APART, " l / x", "r/x ", 1, 0],
        ["l/caf\u00e9", "l/x", "r/x", "r/1", 0.0],
    ],
)
def test_a_prior_by_name(names: list[Any]) -> None:
    by_name = dict(zip(names, SHARES, strict=True))
    for given in (by_name, dict(reversed(by_name.items()))):
        np.testing.assert_array_equal(prior_of(given), prior_of(np.array(SHARES)))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"caf\u00e9": 0.5, "l/x": 0.5},
            "class_prior must have a value for each end label; got none for 'r/x', '1', '0'. "
            "Give 0 to those that never occur.",
        ),
        ({"cafe": 1.0}, "class_prior: 'cafe' is no label. Did you mean 'caf\u00e9'?"),
        (
            {"x": 1.0},
            "class_prior: 'x' is a label of more than one task. Give its path: 'l/x' or 'r/x'.",
        ),
        ({"l": 1.0}, "class_prior must have one value for each end label; got no end label but 'l'."),
        (
            {"caf\u00e9": 0.5, APART: 0.5},
            f"class_prior must have one value for each end label; got two values for {APART!r}.",
        ),
        ({2: 1.0}, "class_prior: 2 is no label. Known: 'caf\u00e9', 'l/x', 'r/x', '1', '0', 'l', 'r'."),
        (
            {"caf\u00e9": "much", "l/x": 0.5, "r/x": 0.5, "1": 0, "0": 0},
            "class_prior must be 5 probabilities that sum to 1; got {'caf\u00e9': 'much', 'l/x': 0.5, 'r/x': 0.5, "
            "'1': 0, '0': 0}.",
        ),
        (["much"] * 5, "class_prior must be 5 probabilities that sum to 1; got ['much', 'much', 'much', 'much', "
         "'much']."),
    ],
)  # fmt: skip
def test_what_is_no_class_prior(given: Any, text: str) -> None:
    with pytest.raises(VotesError) as caught:
        prior_of(given)
    assert str(caught.value) == text


def test_labels_in_the_place_of_a_prior_are_shown_the_way() -> None:
    schema = mw.TaskSchema.flat(["a", "b"])
    votes = mw.LabelMatrix([[0, 1], [1, 1], [0, 0]], schema)
    with pytest.raises(VotesError) as caught:
        mw.MajorityVote(schema).fit(votes, ["a", "b", "a"])
    assert str(caught.value) == (
        "class_prior must be 2 probabilities that sum to 1; got 3 values. "
        "Labels of records that you know are for dev=(dev_votes, dev_labels)."
    )
