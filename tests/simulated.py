"""Votes simulated from what the models assume: a tree, LFs independent given the labels of their tasks."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import metalwork as mw

Floats = npt.NDArray[np.float64]


class Simulated(NamedTuple):
    """Votes, the end labels behind them (n_points,), and the truth's own posterior (n_points, n_end_labels).

    ``share`` (n_end_labels,) is the class prior, ``tables`` are the LFs' p(vote | state), where they are plain.
    """

    votes: mw.LabelMatrix
    y: npt.NDArray[np.int64]
    posterior: Floats
    share: Floats = np.empty(0)
    tables: Sequence[Floats] = ()

    @property
    def oracle(self) -> float:
        """Accuracy of the best guess anyone could make from the votes."""
        return float(np.mean(self.posterior.argmax(axis=1) == self.y))

    @property
    def accuracies(self) -> Floats:
        """Of each LF's votes where its task applies, the share to be right (n_lfs,)."""
        schema, found = self.votes.schema, []
        for task, table in zip(self.votes.tasks, self.tables, strict=True):
            k = len(schema.labels(task))
            state = schema.task_codes[:, schema.task_index(task)]
            votes = np.array([self.share[state == c].sum() for c in range(k)])[:, None] * table[:k, :k]
            found.append(np.trace(votes) / votes.sum())
        return np.array(found)


def simulate(
    rng: np.random.Generator,
    schema: mw.TaskSchema,
    n_points: int,
    lfs_a_task: int = 5,
    on: float = 0.5,
    off: float = 0.1,
    accuracy: tuple[float, float] = (0.65, 0.9),
    prior: Any = None,
    given: Sequence[Floats] | None = None,
) -> Simulated:
    """LFs vote on ``on`` of the records where their task applies (``off`` elsewhere), rightly by class.

    ``given`` tables, task by task, replace the ones drawn.
    """
    n_end = schema.n_end_labels
    share = np.full(n_end, 1.0 / n_end) if prior is None else np.asarray(prior)
    y = rng.choice(n_end, size=n_points, p=share)
    log_posterior = np.tile(np.log(share), (n_points, 1))
    columns: list[npt.NDArray[np.int64]] = []
    tasks, tables = [], []
    for t, task in enumerate(schema.tasks):
        k = schema.n_labels[t]
        states = np.where(schema.task_codes[:, t] < 0, k, schema.task_codes[:, t])
        for _ in range(lfs_a_task):
            table = _table(rng, k, on, off, accuracy) if given is None else given[len(columns)]
            tables.append(table)
            cumulative = table.cumsum(axis=1)[states[y]]
            votes = (rng.random(n_points)[:, None] > cumulative[:, :-1]).sum(axis=1)
            log_posterior += np.log(table[states][:, votes]).T
            columns.append(np.where(votes == k, -1, votes))
            tasks.append(task)
    codes = np.stack(columns, axis=1) if columns else np.empty((n_points, 0), int)
    posterior = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
    posterior /= posterior.sum(axis=1, keepdims=True)
    return Simulated(mw.LabelMatrix(codes, schema, tasks), y, posterior, share, tables)


def _table(rng: np.random.Generator, k: int, on: float, off: float, accuracy: tuple[float, float]) -> Floats:
    """p(vote, or last: abstain | label, or last: the task does not apply): rows sum to 1."""
    table = np.full((k + 1, k + 1), off / k)
    for label, right in enumerate(rng.uniform(*accuracy, k)):
        right = 1.0 if k == 1 else right
        table[label] = on * (1 - right) / max(k - 1, 1)
        table[label, label] = on * right
    table[:, k] = 1.0 - table[:, :k].sum(axis=1)
    return table
