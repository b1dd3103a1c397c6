"""Trees, forests and feasible label vectors, asked the same few questions."""

from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import VotesError
from metalwork.votes import Space, votes_in

TREE = mw.TaskSchema.from_dict(
    {"task": "animal", "labels": [{"bird": {"task": "beak", "labels": ["hooked", "straight"]}}, "fish"]}
)
PETS = mw.FeasibleLabels(
    tasks={"animal": ["cat", "bird"], "flies": ["yes", "no"]},
    vectors={
        "tom": {"animal": "cat"},
        "owl": {"animal": "bird", "flies": "yes"},
        "emu": {"animal": "bird", "flies": "no"},
    },
)
FOREST = mw.TaskForest([TREE, mw.TaskSchema.flat(["good", "bad"], task="tone")])


@pytest.mark.parametrize("space", [TREE, PETS], ids=["tree", "feasible"])
def test_what_a_space_says_holds_together(space: Any) -> None:
    assert isinstance(space, Space)
    known = space.known_codes(list(space.schema.end_labels))
    assert known.shape == (space.schema.n_end_labels, len(space.tasks))
    for t, task in enumerate(space.tasks):
        under = space.members(task)
        assert under.shape == (len(space.labels(task)), space.schema.n_end_labels)
        assert under.sum(axis=0).max() == 1
        np.testing.assert_array_equal(np.where(under.any(axis=0), under.argmax(axis=0), -2), known[:, t])


def test_a_forest_is_several_spaces() -> None:
    assert not isinstance(FOREST, Space)
    assert all(isinstance(tree, Space) for tree in FOREST.schemas.values())


def test_votes_lie_in_the_space_they_were_cast_in() -> None:
    codes = [[0, 1], [1, -1]]
    assert votes_in(TREE, codes, ["animal", "beak"]).tasks == ("animal", "beak")
    over_vectors = votes_in(PETS, codes, ["animal", "flies"])
    assert over_vectors.schema == PETS.schema
    assert over_vectors.vote_name(0, 1) == "animal=bird"
    assert list(votes_in(FOREST, codes, ["animal", "tone"])) == ["animal", "tone"]


def test_what_is_known_of_label_vectors() -> None:
    vectors = [{"animal": "cat"}, {"animal": "bird", "flies": "no"}]
    assert PETS.known_codes(vectors).tolist() == [[0, -2, 0], [1, 1, 2]]
    assert PETS.known_codes(["owl", None]).tolist() == [[1, 0, 1], [-1, -1, -1]]


def test_metrics_by_the_tasks_of_label_vectors() -> None:
    probs = mw.TaskProbabilities([[0.1, 0.5, 0.4], [0.2, 0.3, 0.5], [0.6, 0.2, 0.2]], PETS.schema)
    found = mw.evaluate(probs, ["emu", "emu", "tom"], schema=PETS)
    assert found.accuracy == pytest.approx(2 / 3)
    assert {task.task: (task.n_points, task.accuracy) for task in found.tasks} == {
        "animal": (3, 1.0),
        "flies": (2, 0.5),
        "labels": (3, pytest.approx(2 / 3)),
    }
    by_code = mw.evaluate(probs.predict(), ["emu", "emu", "tom"], schema=PETS)
    assert [task.accuracy for task in by_code.tasks] == [task.accuracy for task in found.tasks]
    with pytest.raises(
        VotesError, match=r"^schema must be the one of the probabilities; it differs\. Leave it out\.$"
    ):
        mw.evaluate(probs, ["emu", "emu", "tom"], schema=TREE)
