"""The paper's model against brute-force enumeration of every (votes, end label), and finite differences.

METALWORK_SLOW=1 checks 10,000 trees and 1,000 gradients; the everyday suite a few hundred.
"""

import numpy as np
import pytest

from metalwork import LabelMatrix
from metalwork.label_models import LogLinearLabelModel
from tests.oracle._enumeration import enumerate_joint, random_schema, statistics
from tests.slow import cases


def random_case(seed: int) -> tuple[LabelMatrix, list[int], np.ndarray]:
    rng = np.random.default_rng(seed)
    schema = random_schema(rng)
    lf_tasks = rng.integers(schema.n_tasks, size=int(rng.integers(1, 5))).tolist()
    codes = np.stack([rng.integers(-1, schema.n_labels[t], size=6) for t in lf_tasks], axis=1)
    votes = LabelMatrix(codes, schema, [schema.tasks[t] for t in lf_tasks])
    return votes, lf_tasks, rng.normal(0, 1.5, 2 * len(lf_tasks))


@pytest.mark.parametrize("block", range(10))
def test_likelihood_posterior_and_gradient_equal_enumeration(block: int) -> None:
    for seed in cases(300, 10_000)[block::10]:
        votes, lf_tasks, theta = random_case(seed)
        model = LogLinearLabelModel(votes.schema)
        joint = enumerate_joint(votes.schema, lf_tasks, theta)
        rows = [tuple(row) for row in votes.codes.tolist()]
        value, gradient = model.objective(votes, theta)
        marginal = np.array([joint[row].sum() for row in rows])
        np.testing.assert_allclose(value, -np.log(marginal).mean(), rtol=1e-12)
        posterior = np.stack([joint[row] / joint[row].sum() for row in rows])
        np.testing.assert_allclose(model.posterior(votes, theta), posterior, rtol=1e-11, atol=1e-14)
        expected = np.zeros_like(theta)
        for row, weights in joint.items():
            for end, weight in enumerate(weights):
                expected += weight * statistics(votes.schema, lf_tasks, row, end)
        for row, beliefs in zip(rows, posterior, strict=True):
            for end, belief in enumerate(beliefs):
                expected -= belief * statistics(votes.schema, lf_tasks, row, end) / len(rows)
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12)


def test_gradient_equals_central_differences() -> None:
    for seed in cases(40, 1_000):
        votes, _, theta = random_case(1_000 + seed)
        model = LogLinearLabelModel(votes.schema)
        _, gradient = model.objective(votes, theta)
        step = 1e-5
        for i in range(len(theta)):
            up, down = theta.copy(), theta.copy()
            up[i] += step
            down[i] -= step
            slope = (model.objective(votes, up)[0] - model.objective(votes, down)[0]) / (2 * step)
            assert abs(slope - gradient[i]) < 1e-6


def test_the_measured_collapse_of_the_paper_model() -> None:
    """Three leaf LFs at theta_lab=-2, theta_acc=1 that all vote one label give it 2.4 % (DESIGN.md, fact 1)."""
    from metalwork import TaskSchema

    leaves = [{"A": {"task": "a", "labels": ["a0", "a1"]}}, {"B": {"task": "b", "labels": ["b0", "b1"]}}]
    schema = TaskSchema.from_dict({"task": "root", "labels": leaves})
    votes = LabelMatrix([[0, 0, 0]], schema, ["a", "a", "a"])
    posterior = LogLinearLabelModel(schema).posterior(votes, np.array([-2.0] * 3 + [1.0] * 3))
    assert posterior[0, 0] == pytest.approx(0.0243, abs=5e-4)
    assert posterior[0, 2:].sum() == pytest.approx(0.976, abs=5e-4)
