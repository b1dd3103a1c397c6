"""What is answered about each record: its end label and its label in each task, where these are sure enough."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork._checks import ABSTAIN, FloatArray
from metalwork.delivery._thresholds import Evidence
from metalwork.probabilities import TaskProbabilities, first_of_best
from metalwork.schema import TaskSchema

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cut:
    """The confidence from which answers are given: of end labels, and of each task's labels; else the same."""

    end: float = 0.0
    tasks: dict[str, float] = field(default_factory=dict)

    def of(self, task: str) -> float:
        """The least confidence in a label of this task."""
        return self.tasks.get(task, self.end)


def answers_in(probs: TaskProbabilities, task: str) -> tuple[Codes, FloatArray]:
    """The most probable label of a task for each record, and its probability: (n_points,) each.

    -1 where it is more probable that the task does not apply.
    """
    shares = probs[task].astype(np.float64)
    codes = first_of_best(shares)
    sure = shares[np.arange(len(codes)), codes]
    return np.where(sure > 1.0 - shares.sum(axis=1), codes, ABSTAIN).astype(np.int64), sure


def evidence_in(probs: TaskProbabilities, gold: Codes, task: str) -> Evidence:
    """Answers in one task on records of known end label (codes, -1 where none is known)."""
    known = np.flatnonzero(gold >= 0)
    codes, sure = answers_in(probs.rows(known), task)
    truth = probs.schema.task_codes[gold[known], probs.schema.tasks.index(task)]
    given = codes >= 0
    return Evidence(sure[given], codes[given] == truth[given])


def answers(probs: TaskProbabilities, cut: Cut) -> tuple[Codes, FloatArray, dict[str, Codes]]:
    """End-label codes (n_points,), their probabilities, and label codes by task; -1 where none is given.

    The label of a task is that on the end label's path where this is given, else the task's own most probable one.
    """
    schema, codes = probs.schema, probs.predict()
    sure = probs.end[np.arange(len(codes)), codes].astype(np.float64)
    given = sure >= cut.end
    by_task: dict[str, Codes] = {}
    for position, task in enumerate(schema.tasks):
        on_path = np.maximum(schema.task_codes[codes, position], ABSTAIN)
        if not given.all():
            found, share = answers_in(probs, task)
            on_path = np.where(given, on_path, np.where(share >= cut.of(task), found, ABSTAIN))
        by_task[task] = on_path
    return np.where(given, codes, ABSTAIN), sure, by_task


def answer_table(probs: TaskProbabilities, cut: Cut, with_probabilities: bool = True) -> pl.DataFrame:
    """One row a record.

    ``end_label`` (null where it is not sure enough) and ``confidence``, its probability; in a tree of tasks
    ``label(TASK)``: on the end label's path where that is given, else the task's own most probable one, null where
    that is not sure enough either or the task does not apply; and, where wanted, the probabilities: ``P(LABEL)``
    of end labels, ``P(TASK: LABEL)`` of inner ones.
    """
    schema = probs.schema
    codes, sure, by_task = answers(probs, cut)
    columns = [_named("end_label", schema.end_labels, codes), pl.Series("confidence", sure)]
    if schema.n_tasks > 1:
        columns += [_named(f"label({task})", schema.labels(task), own) for task, own in by_task.items()]
    return pl.DataFrame([*columns, *(_shares(probs) if with_probabilities else ())])


def _shares(probs: TaskProbabilities) -> list[pl.Series]:
    schema = probs.schema
    inner = [
        pl.Series(f"P({task}: {label})", probs[task][:, code])
        for task in schema.tasks
        for code, label in enumerate(schema.labels(task))
        if schema.child(task, label) is not None
    ]
    return inner + [pl.Series(f"P({name})", probs.end[:, code]) for code, name in enumerate(schema.end_labels)]


def table_columns(schema: TaskSchema) -> tuple[str, ...]:
    """The columns of :func:`answer_table`."""
    none = TaskProbabilities(np.empty((0, schema.n_end_labels)), schema)
    return tuple(answer_table(none, Cut()).columns)


def _named(column: str, names: Any, codes: Codes) -> pl.Series:
    known = np.array([*names, None], dtype=object)  # code -1 picks the None
    return pl.Series(column, known[codes].tolist(), dtype=pl.String)
