"""Brute force: write every (votes, end label) out, straight from the paper's section 3, and add them up."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork import TaskSchema

Floats = npt.NDArray[np.float64]


def random_schema(rng: np.random.Generator, max_tasks: int = 5, max_labels: int = 3) -> TaskSchema:
    """A random tree of up to ``max_tasks`` tasks, any depth."""
    left = int(rng.integers(1, max_tasks + 1))
    count = itertools.count()

    def task(depth: int) -> dict[str, Any]:
        nonlocal left
        left -= 1
        name = f"t{next(count)}"
        labels: list[Any] = []
        for c in range(int(rng.integers(2, max_labels + 1))):
            label = f"{name}_{c}"
            grow = left > 0 and depth < 4 and rng.random() < 0.5
            labels.append({label: task(depth + 1)} if grow else label)
        return {"task": name, "labels": labels}

    return TaskSchema.from_dict(task(0))


def statistics(schema: TaskSchema, lf_tasks: list[int], votes: tuple[int, ...], end: int) -> Floats:
    """The paper's h(lambda, y) = concatenate([h_lab, h_acc])."""
    lab, acc = np.zeros(len(votes)), np.zeros(len(votes))
    for j, (task, vote) in enumerate(zip(lf_tasks, votes, strict=True)):
        truth = schema.task_codes[end, task]
        if truth >= 0 and vote >= 0:
            lab[j] = 1.0
            acc[j] = 1.0 if vote == truth else -1.0
    return np.concatenate([lab, acc])


def enumerate_joint(schema: TaskSchema, lf_tasks: list[int], theta: Floats) -> dict[tuple[int, ...], Floats]:
    """p(votes, y) for every vote vector: float arrays (n_end_labels,) that sum to 1 over all of them."""
    outputs = [range(-1, schema.n_labels[task]) for task in lf_tasks]
    weights = {
        votes: np.array(
            [np.exp(theta @ statistics(schema, lf_tasks, votes, end)) for end in range(schema.n_end_labels)]
        )
        for votes in itertools.product(*outputs)
    }
    total = sum(float(weight.sum()) for weight in weights.values())
    return {votes: weight / total for votes, weight in weights.items()}
