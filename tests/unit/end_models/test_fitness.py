"""Small networks: they learn at the defaults, and say so where they do not."""

import warnings

import numpy as np
import pytest
import torch

from metalwork import EndModel, TaskProbabilities, TaskSchema
from metalwork.end_models._arguments import usual_lr
from metalwork.end_models._fitness import label_entropies
from metalwork.end_models._inputs import SparseInputs
from metalwork.end_models._tasks import InMemory
from metalwork.end_models.losses import head_targets
from metalwork.end_models.plan import compile_plan
from metalwork.errors import MetalworkWarning
from tests.unit.end_models.samples import TRIAGE, UNEVEN, words

DATA, TEST = words(UNEVEN, 600, seed=1), words(UNEVEN, 300, seed=2)


@pytest.mark.parametrize(("width", "lr"), [(4, 0.01), (25, 0.01), (50, 0.005), (250, 0.001), (1000, 0.001)])
def test_narrow_first_layers_take_larger_steps(width: int, lr: float) -> None:
    assert usual_lr(width) == pytest.approx(lr)


def test_a_small_network_learns_at_the_defaults() -> None:
    scores = [
        EndModel(UNEVEN, hidden_sizes=(8, 4), random_state=seed).fit(DATA.counts, DATA.probs) for seed in (0, 1)
    ]
    assert min(model.score(TEST.counts, TEST.labels) for model in scores) > 0.8


def test_one_that_does_not_says_so() -> None:
    model = EndModel(UNEVEN, hidden_sizes=(8, 4), lr=1e-4)
    with pytest.warns(MetalworkWarning) as caught:
        model.fit(DATA.counts, DATA.probs)
    loss = model.history_[-1]["loss"]
    assert str(caught[0].message) == (
        f"The training loss must come near 0.691, what the labels leave open; got {loss:.3g}, where 1.94 is "
        "chance. Layers of (8, 4) are few units: raise hidden_sizes, or max_epochs or lr."
    )


@pytest.mark.parametrize("schema", [TRIAGE, UNEVEN])
@pytest.mark.parametrize("architecture", ["hier", "single"])
@pytest.mark.parametrize("weighted", [False, True])
def test_entropies_are_the_losses_of_the_best_and_of_a_blind_network(
    schema: TaskSchema, architecture: str, weighted: bool
) -> None:
    data = words(schema, 200)
    plan = compile_plan(schema, architecture, 3)
    targets = head_targets(plan, data.probs)
    weights = np.linspace(0.5, 1.5, 200) if weighted else np.ones(200)
    task = InMemory(SparseInputs(data.counts), targets, torch.from_numpy(weights).float() if weighted else None)
    chance, floor = label_entropies(plan, task)
    end = data.probs.end
    mean = (end * weights[:, None]).sum(axis=0) / weights.sum()
    assert chance == pytest.approx(-(mean * np.log(mean)).sum(), rel=1e-4)
    assert floor == pytest.approx(-(weights[:, None] * end * np.log(end)).sum() / 200, rel=1e-4)


def test_labels_alike_for_all_are_no_failure() -> None:
    probs = TaskProbabilities(np.tile([0.4, 0.2, 0.25, 0.15], (60, 1)), TRIAGE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EndModel(TRIAGE, hidden_sizes=(4, 2)).fit(words(TRIAGE, 60).counts, probs)
