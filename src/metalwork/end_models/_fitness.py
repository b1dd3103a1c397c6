"""Whether a small network has learned what its labels hold."""

import warnings
from typing import Final

import numpy as np

from metalwork._checks import FloatArray
from metalwork.end_models._tasks import Task
from metalwork.end_models.plan import Plan
from metalwork.errors import MetalworkWarning

_NARROW: Final = 64  # units of a first layer, from which on no network of those tried stayed behind
_LEAST: Final = (
    0.5  # of what can be learned; the (8, 4) networks that failed had .15 to .5, those that did not .7 up
)
_ROWS: Final = 4096


def warn_if_unlearned(plan: Plan, task: Task, loss: float) -> None:
    """Warn when a narrow network has come less than half of the way from chance to what the labels leave open."""
    if not plan.layers or plan.width >= _NARROW:
        return
    chance, floor = label_entropies(plan, task)
    learned = (chance - loss) / max(chance - floor, 1e-9)
    if learned >= _LEAST or chance - floor < 1e-3:
        return
    sizes = tuple(layer.size for layer in plan.layers)
    warnings.warn(
        f"The training loss must come near {floor:.3g}, what the labels leave open; got {loss:.3g}, where "
        f"{chance:.3g} is chance. Layers of {sizes} are few units: raise hidden_sizes, or max_epochs or lr.",
        MetalworkWarning,
        stacklevel=6,
    )


def label_entropies(plan: Plan, task: Task) -> tuple[float, float]:
    """Losses summed over heads: of a network that knows the labels' shares alone, and of one that knows all."""
    masses: list[FloatArray] = [np.zeros(head.size) for head in plan.heads]
    floor = 0.0
    for start in range(0, len(task), _ROWS):
        batch = task.batch(np.arange(start, min(start + _ROWS, len(task))))
        weights = np.ones(len(batch.targets)) if batch.weights is None else batch.weights.double().numpy()
        heads = np.split(batch.targets.double().numpy(), np.cumsum([len(mass) for mass in masses])[:-1], axis=1)
        for mass, targets in zip(masses, heads, strict=True):
            weighted = targets * weights[:, None]
            mass += weighted.sum(axis=0)
            floor += _entropy(weighted)
    chance = sum(_entropy(mass[None, :]) for mass in masses)
    return chance / len(task), floor / len(task)


def _entropy(masses: FloatArray) -> float:
    """Sum over rows of mass times the entropy of its distribution."""
    totals = np.broadcast_to(masses.sum(axis=1, keepdims=True), masses.shape)
    there = masses > 0
    return float(-(masses[there] * np.log(masses[there] / totals[there])).sum())
