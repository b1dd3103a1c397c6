"""Analyses are of one tree; what a forest gives, by root, is refused with the way to one of its trees."""

from collections.abc import Callable
from typing import Any

import pytest

import metalwork as mw
from metalwork.analysis import agreement, least_certain, lf_confusion
from metalwork.errors import ConfigError, VotesError

FOREST = mw.TaskForest(
    [mw.TaskSchema.flat(["soup", "cake"], task="meal"), mw.TaskSchema.flat(["x", "y"], task="tip")]
)
VOTES: Any = FOREST.votes([[0, 1], [1, 1]], ["meal", "tip"])
PROBS: Any = mw.ForestLabelModel(FOREST, mw.MajorityVote).fit(VOTES).predict_proba(VOTES)
GOLD: Any = {"meal": ["soup", "cake"], "tip": ["y", "y"]}
OF_VOTES = "votes must be of one tree; got 2 trees. Pass votes['meal'] or votes['tip']."
OF_GOLD = "y must be of one tree; got 2 trees. Pass y['meal'] or y['tip']."


@pytest.mark.parametrize(
    ("ask", "refusal"),
    [
        (lambda: mw.lf_summary(VOTES), OF_VOTES),
        (lambda: lf_confusion(VOTES, GOLD), OF_VOTES),
        (lambda: agreement(VOTES), OF_VOTES),
        (lambda: mw.lf_summary(VOTES["meal"], GOLD), OF_GOLD),
        (lambda: lf_confusion(VOTES["meal"], GOLD), OF_GOLD),
        (lambda: mw.evaluate(PROBS.roots["meal"], GOLD), OF_GOLD),
        (
            lambda: mw.evaluate(PROBS, GOLD),
            "predicted must be of one tree; got 2 trees. Pass probs.roots['meal'] or probs.roots['tip'].",
        ),
        (
            lambda: least_certain(PROBS),
            "probs must be of one tree; got 2 trees. Pass probs.roots['meal'] or probs.roots['tip'].",
        ),
        (
            lambda: mw.evaluate(PROBS.predict(), GOLD, FOREST),  # type: ignore[arg-type]
            "predicted must be of one tree; got 2 trees. Pass predicted['meal'] or predicted['tip'].",
        ),
        (
            lambda: mw.evaluate(["soup"], ["soup"], FOREST),  # type: ignore[arg-type]
            "schema must be of one tree; got 2 trees. Pass schema.schemas['meal'] or schema.schemas['tip'].",
        ),
        (lambda: agreement({}), "votes must be of one tree; got an empty dict. Pass those of one."),  # type: ignore[arg-type]
    ],
)
def test_several_trees_are_refused(ask: Callable[[], Any], refusal: str) -> None:
    with pytest.raises(VotesError) as caught:
        ask()
    assert str(caught.value) == refusal


@pytest.mark.parametrize("ask", [mw.lf_summary, agreement, lambda votes: lf_confusion(votes, ["soup"])])
def test_votes_must_be_a_label_matrix(ask: Callable[[Any], Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        ask([[0, 1]])
    assert str(caught.value) == "votes must be a LabelMatrix; got list."


def test_a_schema_must_be_one() -> None:
    with pytest.raises(ConfigError) as caught:
        mw.evaluate(["a"], ["a"], ["a", "b"])  # type: ignore[arg-type]
    assert str(caught.value) == "schema must be a Space; got list. Pass a TaskSchema or FeasibleLabels."
