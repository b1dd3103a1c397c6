"""Brute force: write every (votes, end label) out, straight from the paper's section 3, and add them up."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork import LabelMatrix, TaskSchema

Floats = npt.NDArray[np.float64]


def random_schema(rng: np.random.Generator, max_tasks: int = 5, max_labels: int = 3) -> TaskSchema:
    """A random tree of up to ``max_tasks`` tasks, any depth; below the root some have a single label."""
    left = int(rng.integers(1, max_tasks + 1))
    count = itertools.count()

    def task(depth: int) -> dict[str, Any]:
        nonlocal left
        left -= 1
        name = f"t{next(count)}"
        labels: list[Any] = []
        for c in range(int(rng.integers(2 if depth == 0 else 1, max_labels + 1))):
            label = f"{name}_{c}"
            grow = left > 0 and depth < 4 and rng.random() < 0.5
            labels.append({label: task(depth + 1)} if grow else label)
        return {"task": name, "labels": labels}

    return TaskSchema.from_dict(task(0))


def random_alphabet(rng: np.random.Generator, n_labels: int) -> Floats:
    """An alphabet of a few sets, soft votes and rows of both, with questions that do not arise anywhere."""
    rows = rng.integers(0, 2, (int(rng.integers(1, 7)), n_labels + 1)).astype(np.float64)
    rows = np.where(rng.random(rows.shape) < 0.3, rng.random(rows.shape), rows)
    return np.where(rng.random(rows.shape) < 0.2, np.nan, rows)


def lfs_in_order(votes: LabelMatrix, task: str) -> list[int]:
    """LFs of a task as tables stack them: by the number of their outcomes."""
    return sorted(votes.lfs_of(task).tolist(), key=lambda lf: len(votes.alphabets[lf]))


def n_outcomes(votes: LabelMatrix, task: str) -> int:
    """Outcomes of the task's LF that has most."""
    k = len(votes.schema.labels(task))
    return max((len(votes.alphabets[lf]) for lf in votes.lfs_of(task).tolist()), default=k)


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


def log_joint_of_mixture(
    votes: LabelMatrix, tables: Sequence[Floats], log_prior: Sequence[Floats]
) -> npt.NDArray[np.longdouble]:
    """log p(votes, y) of every row and end label under p(y) prod_j p(vote_j | label of j's task).

    ``tables[t]`` (n_lfs of t, n_labels + 1 states, n_outcomes + 1) and ``log_prior[t]`` (n_labels,) as
    ``metalwork.inference`` takes them; written out term by term, in long double.
    """
    schema = votes.schema
    joint = np.zeros((votes.n_points, schema.n_end_labels), dtype=np.longdouble)
    for end, states in enumerate(schema.task_codes.tolist()):
        for t, state in enumerate(states):
            if state >= 0:
                joint[:, end] += log_prior[t][state]
            for position, lf in enumerate(lfs_in_order(votes, schema.tasks[t])):
                for row, vote in enumerate(votes.codes[:, lf].tolist()):  # -1 is the last: abstain, off the path
                    joint[row, end] += tables[t][position, -1 if state < 0 else state, vote]
    return joint


def posterior_of(log_joint: npt.NDArray[np.longdouble]) -> tuple[Floats, float]:
    """P(end label | votes) (n_points, n_end_labels), and the summed log probability of the rows."""
    top = log_joint.max(axis=1, keepdims=True)
    weights = np.exp(log_joint - top)
    total = weights.sum(axis=1, keepdims=True)
    return (weights / total).astype(np.float64), float((np.log(total) + top).sum())


def counts_of(votes: LabelMatrix, posterior: Floats) -> tuple[list[Floats], list[Floats]]:
    """Expected records by state of each task, and expected votes (n_lfs, n_states, n_outcomes) of its LFs."""
    schema = votes.schema
    labels, spoken = [], []
    for t, k in enumerate(schema.n_labels):
        lfs = lfs_in_order(votes, schema.tasks[t])
        states, counted = np.zeros(k + 1), np.zeros((len(lfs), k + 1, n_outcomes(votes, schema.tasks[t])))
        for row, beliefs in enumerate(posterior.tolist()):
            for end, belief in enumerate(beliefs):
                state = schema.task_codes[end, t] if schema.task_codes[end, t] >= 0 else k
                states[state] += belief
                for position, lf in enumerate(lfs):
                    if votes.codes[row, lf] >= 0:
                        counted[position, state, votes.codes[row, lf]] += belief
        labels.append(states)
        spoken.append(counted)
    return labels, spoken
