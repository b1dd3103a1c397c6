"""One label model a root: the same as fitting each tree alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import DataError, NotFittedError, VotesError
from tests.unit.schemas import SECTORS

TREE = mw.TaskSchema.from_dict(SECTORS)
TONE = mw.TaskSchema.flat(["good", "bad"], task="tone")
FOREST = mw.TaskForest([TREE, TONE])


def made_up(n: int = 300, seed: int = 0) -> tuple[dict[str, mw.LabelMatrix], dict[str, np.ndarray[Any, Any]]]:
    rng = np.random.default_rng(seed)
    y = {"sector": rng.integers(0, 4, n), "tone": rng.integers(0, 2, n)}
    truth = {"sector": TREE.task_codes[y["sector"], 0], "tone": y["tone"]}
    tasks = ["sector", "tone"] * 4
    right = rng.random((n, 8)) < 0.8
    codes = np.stack([np.where(right[:, j], truth[task], 1 - truth[task]) for j, task in enumerate(tasks)], axis=1)
    return FOREST.votes(np.where(rng.random((n, 8)) < 0.7, codes, -1), tasks), y


def precise(schema: mw.TaskSchema) -> mw.HierarchicalLabelModel:
    return mw.HierarchicalLabelModel(schema, precision=0.9)


@pytest.mark.parametrize("make", [mw.HierarchicalLabelModel, mw.MajorityVote, precise])
def test_each_tree_is_fitted_as_if_alone(make: Any) -> None:
    votes, y = made_up()
    model = mw.ForestLabelModel(FOREST, make).fit(votes)
    probs = model.predict_proba(votes)
    for root, schema in FOREST.schemas.items():
        alone = make(schema).fit(votes[root])
        np.testing.assert_array_equal(probs.roots[root].end, alone.predict_proba(votes[root]).end)
        assert model.predict(votes)[root].tolist() == alone.predict(votes[root]).tolist()
        assert model.score(votes, y)[root] == alone.score(votes[root], y[root])
    assert probs["tone"].shape == (300, 2)
    assert list(model.score(votes, {"tone": y["tone"]})) == ["tone"]


def test_priors_and_dev_labels_are_given_by_root() -> None:
    votes, _ = made_up()
    dev_votes, dev_y = made_up(30, 1)
    model = mw.ForestLabelModel(FOREST).fit(
        votes, class_prior={"tone": [0.9, 0.1]}, dev={"sector": (dev_votes["sector"], dev_y["sector"])}
    )
    sector = mw.HierarchicalLabelModel(TREE).fit(votes["sector"], dev=(dev_votes["sector"], dev_y["sector"]))
    tone = mw.HierarchicalLabelModel(TONE).fit(votes["tone"], class_prior=[0.9, 0.1])
    probs = model.predict_proba(votes)
    np.testing.assert_array_equal(probs.roots["sector"].end, sector.predict_proba(votes["sector"]).end)
    np.testing.assert_array_equal(probs.roots["tone"].end, tone.predict_proba(votes["tone"]).end)


def test_a_saved_model_predicts_the_same(tmp_path: Path) -> None:
    votes, _ = made_up()
    model = mw.ForestLabelModel(FOREST, precise).fit(votes)
    model.save(tmp_path / "forest.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["forest.npz"]
    loaded = mw.ForestLabelModel.load(tmp_path / "forest.npz")
    assert (loaded.forest, loaded.make) == (FOREST, mw.HierarchicalLabelModel)
    assert loaded.models_["tone"].get_params() == model.models_["tone"].get_params()
    for root in FOREST.roots:
        expected = model.predict_proba(votes).roots[root].end
        np.testing.assert_array_equal(loaded.predict_proba(votes).roots[root].end, expected)


def test_files_that_are_no_forest_model_are_named(tmp_path: Path) -> None:
    votes, _ = made_up()
    mw.MajorityVote(TONE).fit(votes["tone"]).save(tmp_path / "one.npz")
    (tmp_path / "text.npz").write_text("no arrays")
    for name, reason in (("one.npz", "something else"), ("text.npz", "damaged"), ("none.npz", "no such file")):
        with pytest.raises(DataError, match=reason):
            mw.ForestLabelModel.load(tmp_path / name)


def test_a_model_must_be_fitted_first(tmp_path: Path) -> None:
    votes, y = made_up()
    model = mw.ForestLabelModel(FOREST)
    for use in (
        lambda: model.predict(votes),
        lambda: model.score(votes, y),
        lambda: model.save(tmp_path / "x.npz"),
    ):
        with pytest.raises(NotFittedError, match=r"^ForestLabelModel must be fitted before it is used\. Call fit"):
            use()


BY_ROOT = "must be by root task (sector, tone); got "


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"votes": {}}, f"votes {BY_ROOT}nothing for 'sector'."),
        ({"votes": None}, "votes must be a dict by root task (sector, tone); got NoneType."),
        ({"class_prior": {"tune": [0.5, 0.5]}}, f"class_prior {BY_ROOT}'tune', which is none."),
        ({"dev": ([], [])}, "dev must be a dict by root task (sector, tone); got tuple."),
    ],
)
def test_arguments_that_are_not_by_root_are_named(arguments: dict[str, Any], message: str) -> None:
    votes, _ = made_up(10)
    with pytest.raises(VotesError) as caught:
        mw.ForestLabelModel(FOREST).fit(**{"votes": votes, **arguments})
    assert str(caught.value).startswith(message)


def test_every_tree_needs_labeling_functions() -> None:
    votes = FOREST.votes([[0], [1]], ["tone"])
    with pytest.raises(VotesError) as caught:
        mw.ForestLabelModel(FOREST).fit(votes)
    assert str(caught.value) == (
        "Every root must have LFs; got none for 'sector'. Write some, or leave the tree out of the forest."
    )
