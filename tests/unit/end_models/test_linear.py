"""The linear end model: scikit-learn's logistic regression on soft labels, and one optimum whatever the parts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression

from metalwork import EndModel, MetalworkError, TaskProbabilities, TaskSchema
from metalwork.end_models import compile_network, compile_plan, head_targets
from metalwork.end_models._inputs import SparseInputs
from metalwork.end_models._linear import LinearTrainer, _Blocks
from metalwork.end_models._tasks import InMemory
from metalwork.errors import MetalworkWarning
from tests.unit.end_models.samples import TRIAGE, UNEVEN, words

FLAT = TaskSchema.flat(["a", "b", "c"], task="letter")
RNG = np.random.default_rng(0)


def soft(schema: TaskSchema, n_points: int) -> TaskProbabilities:
    return TaskProbabilities(RNG.dirichlet(np.ones(schema.n_end_labels), n_points), schema)


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("l2", [0.3, 10.0])
def test_it_is_logistic_regression_on_soft_labels(
    sparse: bool, l2: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metalwork.end_models._linear._TOLERANCE", 1e-8)
    X: Any = sp.random_array((90, 12), density=0.4, rng=RNG, format="csr") if sparse else RNG.normal(size=(90, 12))
    probs, weights = soft(FLAT, 90), RNG.uniform(0.5, 1.5, 90)
    weights *= 90 / weights.sum()
    ours = EndModel(FLAT, "linear", l2=l2, scaling="none").fit(X, probs, sample_weight=weights)
    stack = sp.vstack if sparse else np.concatenate
    theirs = LogisticRegression(C=1 / l2, tol=1e-8, max_iter=1000)
    theirs.fit(stack([X] * 3), np.repeat([0, 1, 2], 90), np.concatenate(probs.end.T * weights))
    np.testing.assert_allclose(ours.predict_proba(X).end, theirs.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("schema", [TRIAGE, UNEVEN])
def test_its_gradient_is_that_of_the_objective(schema: TaskSchema) -> None:
    plan = compile_plan(schema, "linear", 5)
    X = sp.random_array((40, 5), density=0.5, rng=RNG, format="csr", dtype=np.float32)
    task = InMemory(SparseInputs(sp.csr_array(X)), head_targets(plan, soft(schema, 40)), None)
    trainer = LinearTrainer(compile_network(plan, schema), task, 1.0, None)
    flat = RNG.normal(size=6 * sum(head.size for head in plan.heads))
    assert check_grad(lambda x: trainer.objective(x)[0], lambda x: trainer.objective(x)[1], flat) < 1e-5


def test_parts_and_blocks_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    data = words(UNEVEN, 120)
    monkeypatch.setattr("metalwork.end_models._linear._BLOCK", 70 * 7)
    whole = EndModel(UNEVEN, "linear").fit(data.counts, data.probs)
    parts = [(data.counts[a:b], data.probs.rows(slice(a, b))) for a, b in [(0, 1), (1, 50), (50, 120)]]
    for held in (2**28, 0):  # what is not held is read anew
        monkeypatch.setattr("metalwork.end_models._linear._MOST_HELD", held)
        in_parts = EndModel(UNEVEN, "linear").fit_parts(parts)
        assert np.array_equal(in_parts.predict_proba(data.counts).end, whole.predict_proba(data.counts).end)


def test_blocks_beyond_memory_are_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    data = words(TRIAGE, 30)
    targets = head_targets(compile_plan(TRIAGE, "linear"), data.probs)
    task = InMemory(SparseInputs(sp.csr_array(data.counts, dtype=np.float32)), targets, None)
    monkeypatch.setattr("metalwork.end_models._linear._BLOCK", 10 * targets.shape[1])
    monkeypatch.setattr("metalwork.end_models._linear._MOST_HELD", 1)
    blocks = _Blocks(task, targets.shape[1])
    first, second = list(blocks), list(blocks)
    assert [len(block.targets) for block in first] == [10, 10, 10]
    assert [one is other for one, other in zip(first, second, strict=True)] == [True, False, False]


def test_dev_is_scored_after_every_iteration_and_chooses_nothing() -> None:
    data, dev, seen = words(TRIAGE, 120), words(TRIAGE, 30, seed=1), list[Any]()
    with_dev = EndModel(TRIAGE, "linear").fit(
        data.counts, data.probs, dev=(dev.counts, dev.labels), callbacks=[seen.append]
    )
    assert seen == with_dev.history_
    assert with_dev.best_epoch_ == len(seen) > 1
    assert seen[-1]["dev_accuracy"] == with_dev.score(dev.counts, dev.labels)
    assert seen[-1]["loss"] < seen[0]["loss"]
    alone = EndModel(TRIAGE, "linear").fit(data.counts, data.probs)
    with_dev.network_.power = 1.0  # which dev has calibrated
    assert np.array_equal(alone.predict_proba(data.counts).end, with_dev.predict_proba(data.counts).end)


def test_a_coarse_label_teaches_the_tasks_above_alone() -> None:
    data = words(TRIAGE, 120)
    coarse = np.where(TRIAGE.task_codes[data.labels, 0] == 0, "Acute", "Non-acute").tolist()
    model = EndModel(TRIAGE, "linear").fit(data.counts, coarse)
    assert model.score(data.counts, coarse) > 0.9
    probs = model.predict_proba(data.counts)
    np.testing.assert_allclose(probs["acute"][:, 0], probs["acute"][:, 1])


def test_iterations_are_bounded_and_a_fit_that_has_not_converged_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    data = words(TRIAGE, 60)
    assert len(EndModel(TRIAGE, "linear", max_epochs=3).fit(data.counts, data.probs).history_) == 3
    monkeypatch.setattr("metalwork.end_models._linear._MAX_ITER", 2)
    with pytest.warns(MetalworkWarning, match=r"^The linear end model has not converged after 2 iterations: "):
        EndModel(TRIAGE, "linear").fit(data.counts, data.probs)


def test_features_that_say_nothing_give_the_shares(tmp_path: Path) -> None:
    model = EndModel(FLAT, "linear").fit(np.zeros((4, 2)), ["a", "b", "c", "c"])
    np.testing.assert_allclose(model.predict_proba(np.zeros((1, 2))).end, [[0.25, 0.25, 0.5]], atol=1e-3)
    model.save(tmp_path / "m.safetensors")
    assert str(EndModel.load(tmp_path / "m.safetensors").plan_) == (
        "linear: 2 features, 9 parameters\ninput: 2 features\n└── letter: 2 -> 3 (a, b, c)"
    )


def test_features_that_tell_nothing_start_at_the_optimum() -> None:
    X = np.ones((3, 4))
    model = EndModel(FLAT, "linear").fit(X, list(FLAT.end_labels))
    assert [record["epoch"] for record in model.history_] == [1]
    np.testing.assert_allclose(model.predict_proba(X).end, np.full((3, 3), 1 / 3))


def test_its_penalty_is_checked() -> None:
    with pytest.raises(MetalworkError, match=r"^l2 must be"):
        EndModel(FLAT, "linear", l2=0).fit(np.eye(3), ["a", "b", "c"])


def test_with_a_module_of_ones_own_it_is_trained_by_steps() -> None:
    from torch import nn

    data = words(TRIAGE, 120)
    model = EndModel(TRIAGE, "linear", input_module=nn.Linear(data.counts.shape[1], 8), max_epochs=30, lr=1e-2)
    model.fit(data.counts.toarray(), data.probs)
    assert model.plan_.layers == ()
    assert len(model.history_) == 30
    assert model.score(data.counts.toarray(), data.labels) > 0.85


def test_rows_of_one_length_are_scaled_to_the_length_of_counts() -> None:
    X = sp.csr_array(np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
    model = EndModel(FLAT, "linear").fit(X, ["a", "b", "c"])
    assert model._scaler.kind == "rows"
    scaled = model._scaler.transform(SparseInputs(sp.csr_array(X * 7, dtype=np.float32)))
    np.testing.assert_allclose(scaled.matrix.toarray(), X.toarray() * 4, rtol=1e-6)  # type: ignore[union-attr]
    dense = EndModel(FLAT, "linear", scaling="rows").fit(X.toarray(), ["a", "b", "c"])
    np.testing.assert_allclose(dense.predict_proba(X.toarray()).end, model.predict_proba(X).end, atol=1e-6)
    assert EndModel(FLAT, "linear").fit(X * [[1], [2], [1]], ["a", "b", "c"])._scaler.kind == "none"
