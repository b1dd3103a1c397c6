"""Schemas and small data sets that the end model's tests share."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from metalwork import TaskProbabilities, TaskSchema

TRIAGE = TaskSchema.from_dict(
    {
        "task": "triage",
        "labels": [
            {"Acute": {"task": "acute", "labels": ["Urgent", "Emergent"]}},
            {"Non-acute": {"task": "non_acute", "labels": ["Normal", "Non-urgent"]}},
        ],
    }
)

UNEVEN = TaskSchema.from_dict(
    {
        "task": "a",
        "labels": [
            "a0",
            {"a1": {"task": "b", "labels": ["b0", {"b1": {"task": "c", "labels": ["c0", "c1", "c2"]}}]}},
            {"a2": {"task": "d", "labels": ["d0", "d1"]}},
        ],
    }
)

FLAT = TaskSchema.flat(["ham", "spam"])


def chain(n_levels: int) -> TaskSchema:
    """A tree of ``n_levels`` tasks, each the only child of the one above."""
    node: Any = {"task": f"t{n_levels - 1}", "labels": ["last", "other"]}
    for level in reversed(range(n_levels - 1)):
        node = {"task": f"t{level}", "labels": [f"stop {level}", {f"on {level}": node}]}
    return TaskSchema.from_dict(node)


@dataclass(frozen=True)
class Words:
    """Word counts (n_points, n_features) in which each end label has words of its own."""

    counts: sp.csr_array
    labels: npt.NDArray[np.int64]
    probs: TaskProbabilities


def words(schema: TaskSchema, n_points: int = 120, seed: int = 0) -> Words:
    """A learnable data set: 8 words an end label, 20 that mean nothing, labels that are 85 % sure."""
    rng = np.random.default_rng(seed)
    n_end = schema.n_end_labels
    labels = rng.integers(0, n_end, n_points)
    rates = np.full((n_points, n_end * 8 + 20), 0.15)
    for row, label in enumerate(labels):
        rates[row, label * 8 : label * 8 + 8] = 1.0
    counts = sp.csr_array(rng.poisson(rates))
    sure = np.full((n_points, n_end), 0.15 / max(n_end - 1, 1))
    sure[np.arange(n_points), labels] = 0.85
    return Words(counts, labels, TaskProbabilities(sure / sure.sum(axis=1, keepdims=True), schema))
