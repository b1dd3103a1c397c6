"""Tasks with so many labels that their tables have relative states."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")
WIDE: dict[str, Any] = {
    "task": "r",
    "labels": ["x", {"a": {"task": "a", "labels": ["a1", "a2", "a3", "a4"]}}, "y", "z"],
}


def one_label_each(n_points: int = 400) -> mw.LabelMatrix:
    """LFs of one label, whose tables hold no confusions."""
    rng, schema = np.random.default_rng(0), mw.TaskSchema.from_dict(WIDE)
    gold = rng.integers(schema.n_end_labels, size=n_points)
    tasks = np.repeat([0, 1], 8)
    label = np.tile(np.arange(4), 4)
    right = schema.task_codes[gold][:, tasks] == label
    fires = rng.random((n_points, 16)) < np.where(right, 0.6, 0.1)
    return mw.LabelMatrix(np.where(fires, label, -1), schema, [schema.tasks[t] for t in tasks])


def test_relative_states_learn_what_all_states_learn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    votes = one_label_each()
    every = mw.HierarchicalLabelModel(votes.schema, kind="rules").fit(votes)
    expected = every.predict_proba(votes).end
    monkeypatch.setattr("metalwork.inference._outcomes.MOST_CELLS", 0)
    relative = mw.HierarchicalLabelModel(votes.schema, kind="rules").fit(votes)
    assert [table.shape[1] for table in relative.tables_] == [3, 3]
    assert [table.shape[1] for table in every.tables_] == [5, 5]
    found = relative.predict_proba(votes).end
    np.testing.assert_allclose(found, expected, atol=0.01)  # how far LFs repeat each other is told a bit otherwise
    np.testing.assert_allclose(relative.accuracies_, every.accuracies_, atol=0.01)
    relative.save(tmp_path / "model.npz")
    assert (mw.load_label_model(tmp_path / "model.npz").predict_proba(votes).end == found).all()
    assert relative.diagnose().doubtful == ()


def test_five_thousand_labels() -> None:
    rng, k, n_points = np.random.default_rng(0), 5_000, 3_000
    gold = rng.integers(k, size=n_points)
    votes_right = rng.random((n_points, 40)) < 0.5
    codes = np.where(votes_right, gold[:, None], rng.integers(k, size=(n_points, 40)))
    codes[rng.random(codes.shape) > 0.1] = mw.ABSTAIN
    votes = mw.LabelMatrix(codes, mw.TaskSchema.flat([f"label {v}" for v in range(k)]))
    model = mw.HierarchicalLabelModel(votes.schema).fit(votes)
    end = model.predict_proba(votes).end
    np.testing.assert_allclose(end.sum(axis=1), 1.0)
    assert model.score(votes, gold) >= mw.MajorityVote(votes.schema).fit(votes).score(votes, gold)
