"""Trees of hundreds of levels: nothing in the schema recurses."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import ConfigError


def tower(n_levels: int) -> dict[str, Any]:
    """A task on each level, whose first label opens the next."""
    value: Any = "end"
    for i in reversed(range(n_levels)):
        value = {f"a{i}": {"task": f"t{i}", "labels": [value, f"b{i}"]}}
    found: dict[str, Any] = value["a0"]
    return found


@pytest.fixture(scope="module")
def deep() -> mw.TaskSchema:
    return mw.TaskSchema.from_dict(tower(500))


def test_a_tree_of_500_levels(deep: mw.TaskSchema) -> None:
    assert (deep.n_levels, deep.n_tasks, deep.n_end_labels) == (500, 500, 501)
    assert deep.end_labels[:2] + deep.end_labels[-1:] == ("end", "b499", "b0")
    assert deep.depth("t499") == 499
    known = deep.known_codes(["a499", "end", "b3", None])
    assert (known[0] == -1).sum() == 1
    assert deep.end_of(known).tolist() == [-1, 0, 497, -1]
    assert deep.spans("t0").tolist() == [[0, 500], [500, 501]]


def test_it_is_written_and_read_again(deep: mw.TaskSchema, tmp_path: Path) -> None:
    again = [
        mw.TaskSchema.from_dict(deep.to_dict()),
        pickle.loads(pickle.dumps(deep)),
        eval(repr(deep), vars(mw)),
    ]
    (tmp_path / "deep.json").write_text(json.dumps(deep.to_dict()))
    again.append(mw.TaskSchema.from_yaml(tmp_path / "deep.json"))
    for schema in again:
        assert schema == deep
        assert hash(schema) == hash(deep)
    assert len(str(deep).splitlines()) == 1 + 2 * 500
    votes = mw.LabelMatrix(np.array([[0], [1]]), deep, ["t2"])
    votes.save(tmp_path / "votes.npz")
    assert mw.LabelMatrix.load(tmp_path / "votes.npz").schema == deep


@pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")
def test_models_of_it(deep: mw.TaskSchema) -> None:
    rng = np.random.default_rng(0)
    votes = mw.LabelMatrix(rng.integers(-1, 2, (20, 6)), deep, [f"t{i}" for i in (0, 1, 100, 250, 499, 499)])
    for model in (mw.HierarchicalLabelModel(deep, max_iter=2), mw.LogLinearLabelModel(deep, max_iter=2)):
        probs = model.fit(votes).predict_proba(votes)
        assert probs.end.shape == (20, 501)
    end = mw.EndModel(deep, "flat", hidden_sizes=(4,), max_epochs=1).fit(rng.normal(size=(20, 3)), probs)
    metrics = mw.evaluate(end.predict_proba(rng.normal(size=(20, 3))), list(deep.end_labels[:20]))
    assert "t499" in str(metrics.to_dict())


@pytest.mark.filterwarnings("ignore:No LF votes for end labels:metalwork.errors.MetalworkWarning")
def test_thousands_of_flat_labels_are_learned() -> None:
    """More than tables of all states can hold: 50 LFs times 5,001 labels times 5,000 votes."""
    wide, rng = mw.TaskSchema.flat([f"label {i}" for i in range(5_000)], task="all"), np.random.default_rng(0)
    y = rng.integers(0, 5_000, 300)
    codes = np.where(rng.random((300, 50)) < 0.5, y[:, None], rng.integers(0, 5_000, (300, 50)))
    votes = mw.LabelMatrix(np.where(rng.random(codes.shape) < 0.1, codes, mw.ABSTAIN), wide)
    model = mw.HierarchicalLabelModel(wide).fit(votes)
    assert model.score(votes, y) > mw.MajorityVote(wide).fit(votes).score(votes, y) - 0.02
    for mode in ("soft", "hard"):
        assert mw.MajorityVote(wide, mode).fit(votes).predict_proba(votes).end.shape == (300, 5_000)


def test_trees_of_few_levels_are_written_nested_others_as_a_table() -> None:
    for n_levels in (100, 101):
        schema = mw.TaskSchema.from_dict(tower(n_levels))
        assert ("tasks" in schema.to_dict()) == (n_levels > 100)
        assert mw.TaskSchema.from_dict(schema.to_dict()) == schema
    assert mw.TaskSchema.from_dict(tower(101)).to_dict()["tasks"][1] == {
        "task": "t1",
        "labels": ["a2", "b1"],
        "parent": "t0",
        "when": "a1",
    }


@pytest.mark.parametrize("name", ["deep.json", "deep.yaml"])
def test_files_nested_deeper_than_their_readers_go_are_refused(name: str, tmp_path: Path) -> None:
    depth = 100_000
    (tmp_path / name).write_text("[" * depth + "]" * depth)
    with pytest.raises(ConfigError) as caught:
        mw.TaskSchema.from_yaml(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: nested too deeply to be read."


def test_a_task_may_stand_under_two_labels_but_not_under_itself() -> None:
    shared = {"task": "s", "labels": ["x", "y"]}
    with pytest.raises(mw.MetalworkError, match="the task name 's' stands twice"):
        mw.TaskSchema.from_dict({"task": "r", "labels": [{"a": shared}, {"b": shared}]})
