"""The noise-aware loss: expected cross-entropy under probabilistic labels."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from metalwork._checks import FloatArray, IntArray
from metalwork.end_models.plan import Plan
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema


def noise_aware_loss(outputs: Sequence[Tensor], targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean over records of the expected cross-entropy, summed over heads.

    A head's targets sum to the probability that its task applies, so a record weighs on a head by just that much
    and null labels need no class of their own. Summed over a tree's heads, the loss is the cross-entropy between
    the label model's and the network's distributions over end labels.

    Parameters
    ----------
    outputs : sequence of float tensor (n_rows, n_labels)
        log P(label given that the task applies), one a head.
    targets : float tensor (n_rows, sum of n_labels)
        P(label, and the task applies), the heads side by side; :func:`head_targets` makes them.
    weights : float tensor (n_rows,), optional
        Weights of the records, 1 on average over the training set; 1 each by default.
    """
    products = targets * torch.cat(list(outputs), dim=1)
    if weights is not None:
        products = products * weights[:, None]
    return -products.sum() / len(products)


def head_targets(plan: Plan, probs: TaskProbabilities) -> Tensor:
    """What :func:`noise_aware_loss` takes: float32 tensor (n_points, sum of n_labels), heads in plan order."""
    return _side_by_side([probs.end if head.task is None else probs[head.task] for head in plan.heads])


def known_targets(plan: Plan, schema: TaskSchema, known: IntArray) -> Tensor:
    """The same for known labels (n_points, n_tasks), as ``schema.known_codes`` returns them.

    A head learns from the records whose label of its task is known. One head over end labels has no such heads
    for coarse labels: it takes the end labels below one as equally likely.
    """
    parts: list[FloatArray] = []
    for head in plan.heads:
        if head.task is None:
            possible = schema.admits(known)
            parts.append(possible / possible.sum(axis=1, keepdims=True))
        else:
            codes = known[:, schema.task_index(head.task)]
            parts.append((codes[:, None] == np.arange(head.size)).astype(np.float64))
    return _side_by_side(parts)


def _side_by_side(parts: list[FloatArray]) -> Tensor:
    return torch.from_numpy(np.concatenate(parts, axis=1, dtype=np.float32))
