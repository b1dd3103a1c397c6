"""The noise-aware loss against sums written out by hand."""

import numpy as np
import pytest
import torch

from metalwork import TaskProbabilities
from metalwork.end_models import compile_network, compile_plan, head_targets, noise_aware_loss
from metalwork.schema import TaskSchema
from tests.unit.end_models.samples import FLAT, TRIAGE, UNEVEN


def probabilities(schema: TaskSchema, n_points: int = 4) -> TaskProbabilities:
    return TaskProbabilities(np.random.default_rng(0).dirichlet(np.ones(schema.n_end_labels), n_points), schema)


def outputs_of(schema: TaskSchema, architecture: str) -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
    """Outputs, end-label log probabilities, and targets."""
    plan = compile_plan(schema, architecture, 3, (4,))
    torch.manual_seed(0)
    network = compile_network(plan, schema)
    with torch.no_grad():
        outputs = network(torch.randn(4, 3))
        return outputs, network.end_log_proba(outputs), head_targets(plan, probabilities(schema))


@pytest.mark.parametrize("schema", [TRIAGE, UNEVEN, FLAT], ids=["triage", "uneven", "flat"])
@pytest.mark.parametrize("architecture", ["hier", "flat", "single", "linear"])
def test_the_loss_is_the_cross_entropy_of_the_end_labels(schema: TaskSchema, architecture: str) -> None:
    outputs, end, targets = outputs_of(schema, architecture)
    expected = -(probabilities(schema).end * end.numpy()).sum(axis=1).mean()
    assert float(noise_aware_loss(outputs, targets)) == pytest.approx(expected, rel=1e-5)


def test_a_task_that_does_not_apply_adds_nothing() -> None:
    plan = compile_plan(TRIAGE, "flat", 3)
    targets = head_targets(plan, TaskProbabilities.from_labels(["Urgent"], TRIAGE))
    assert targets.tolist() == [[1.0, 0.0, 1.0, 0.0, 0.0, 0.0]]
    outputs = [torch.log(torch.tensor([pair])) for pair in ([0.5, 0.5], [0.25, 0.75], [0.1, 0.9])]
    assert float(noise_aware_loss(outputs, targets)) == pytest.approx(-np.log(0.5) - np.log(0.25))


def test_weights_count_records() -> None:
    outputs, _, targets = outputs_of(TRIAGE, "hier")
    weights = torch.tensor([2.0, 0.0, 1.0, 1.0])
    single = [float(noise_aware_loss([o[i : i + 1] for o in outputs], targets[i : i + 1])) for i in range(4)]
    found = float(noise_aware_loss(outputs, targets, weights))
    assert found == pytest.approx((2 * single[0] + single[2] + single[3]) / 4, rel=1e-5)
    assert float(noise_aware_loss(outputs, targets)) == pytest.approx(np.mean(single), rel=1e-5)
