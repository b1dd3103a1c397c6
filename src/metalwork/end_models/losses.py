"""The noise-aware loss: expected cross-entropy under probabilistic labels."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from metalwork.end_models.plan import Plan
from metalwork.probabilities import TaskProbabilities


def noise_aware_loss(
    outputs: Sequence[Tensor], targets: Sequence[Tensor], weights: Tensor | None = None
) -> Tensor:
    """Mean over records of the expected cross-entropy, summed over heads.

    A target row sums to the probability that its task applies, so a record weighs on a head by just that much
    and null labels need no class of their own. Summed over a tree's heads, the loss is the cross-entropy between
    the label model's and the network's distributions over end labels.

    Parameters
    ----------
    outputs : sequence of float tensor (n_rows, n_labels)
        log P(label given that the task applies), one a head.
    targets : sequence of float tensor (n_rows, n_labels)
        P(label, and the task applies), one a head.
    weights : float tensor (n_rows,), optional
        Weights of the records, 1 on average over the training set; 1 each by default.
    """
    losses = torch.stack([-(target * output).sum(dim=1) for output, target in zip(outputs, targets, strict=True)])
    by_row = losses.sum(dim=0)
    return by_row.mean() if weights is None else (weights * by_row).mean()


def head_targets(plan: Plan, probs: TaskProbabilities) -> list[Tensor]:
    """What :func:`noise_aware_loss` takes: one float32 tensor (n_points, n_labels) a head of ``plan``."""
    arrays = [probs.end if head.task is None else probs[head.task] for head in plan.heads]
    return [torch.from_numpy(np.array(array, dtype=np.float32)) for array in arrays]
