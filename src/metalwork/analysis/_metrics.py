"""How good predictions are: accuracy, F1, confusion and calibration, overall and by task."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray, check_count
from metalwork.errors import VotesError
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema

Codes = npt.NDArray[np.int64]

OTHER_BRANCH = "(other branch)"
"""Column of a task's confusion matrix for predictions on another branch of the tree."""


@dataclass(frozen=True)
class Confusion:
    """How often records of one true label (row) were predicted as another (column).

    ``counts`` is (n_rows, n_columns). The first columns are the rows' labels, in the same order; a task's matrix
    may have one column more, for predictions on another branch.
    """

    labels: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class TaskMetrics:
    """One task, over the ``n_points`` records to which it applies; ``accuracy`` is None where there are none."""

    task: str
    n_points: int
    accuracy: float | None
    confusion: Confusion


@dataclass(frozen=True)
class CalibrationBin:
    """Records whose largest probability is in (lower, upper]: how sure the model was, and how often right."""

    lower: float
    upper: float
    n_points: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Calibration:
    """Whether probabilities mean what they say.

    Attributes
    ----------
    ece : float
        Expected calibration error: mean of |confidence - accuracy| over the bins, weighted by records; [0, 1].
    brier : float
        Mean over records of the squared distance of the probabilities to the truth, over all end labels; [0, 2].
    log_loss : float
        Mean of minus the log probability of the true end label, which is held above 2.2e-16; [0, 36.05].
    bins : tuple of CalibrationBin
        The reliability diagram: equal widths from 0 to 1.
    """

    ece: float
    brier: float
    log_loss: float
    bins: tuple[CalibrationBin, ...]


@dataclass(frozen=True)
class Metrics:
    """Quality of predictions on ``n_points`` records of known end label.

    Attributes
    ----------
    accuracy : float
        Share of right end labels.
    macro_f1 : float
        Mean F1 over the end labels that occur, as truth or prediction.
    confusion : Confusion
        Of end labels.
    tasks : tuple of TaskMetrics
        One a task, in the order of the schema.
    calibration : Calibration or None
        None for predictions without probabilities.
    """

    n_points: int
    accuracy: float
    macro_f1: float
    confusion: Confusion
    tasks: tuple[TaskMetrics, ...]
    calibration: Calibration | None

    @property
    def task_accuracy(self) -> dict[str, float | None]:
        """Accuracy by task name, over the records to which the task applies."""
        return {task.task: task.accuracy for task in self.tasks}

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, for JSON."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def evaluate(
    predicted: TaskProbabilities | Any, y: Any, schema: TaskSchema | None = None, n_bins: int = 10
) -> Metrics:
    """Compare probabilities or predictions with known end labels.

    A task's predicted label is the most probable in ``probs[task]``, whatever the other tasks say; for plain end
    labels it is the one on their path, and a path that misses the task counts as wrong.

    Parameters
    ----------
    predicted : TaskProbabilities, float array (n_points, n_end_labels), or end labels (n_points,)
        Labels as names or codes.
    y : sequence (n_points,)
        Known labels, as ``schema.known_codes`` takes them; records not known down to an end label are left out.
    schema : TaskSchema, optional
        May be left out with ``TaskProbabilities``, which have their own.
    n_bins : int
        Bins of the reliability diagram; at least 1.

    Raises
    ------
    VotesError
        When lengths or schemas differ, a label is not in the schema, or no record's end label is known.
    """
    check_count("n_bins", n_bins)
    probs, codes, tree = _read_predictions(predicted, schema)
    gold = tree.end_of(tree.known_codes(y))
    if len(gold) != len(codes):
        raise VotesError(f"y must hold one end label a record ({len(codes)}); got {len(gold)}.")
    known = gold >= 0
    if not known.any():
        raise VotesError("y must hold at least one known end label; got none.")
    gold, codes = gold[known], codes[known]
    probs = None if probs is None else probs.rows(known)
    counts = _cross(gold, codes, tree.n_end_labels, tree.n_end_labels)
    return Metrics(
        n_points=len(gold),
        accuracy=float(np.mean(gold == codes)),
        macro_f1=_macro_f1(counts),
        confusion=_confusion(tree.end_labels, tree.end_labels, counts),
        tasks=tuple(_task_metrics(task, gold, codes, probs, tree) for task in tree.tasks),
        calibration=None if probs is None else _calibration(probs.end, gold, n_bins),
    )


def _read_predictions(
    predicted: Any, schema: TaskSchema | None
) -> tuple[TaskProbabilities | None, Codes, TaskSchema]:
    if isinstance(predicted, TaskProbabilities):
        if schema is not None and schema != predicted.schema:
            raise VotesError("schema must be the one of the probabilities; it differs. Leave it out.")
        return predicted, predicted.predict(), predicted.schema
    if schema is None:
        raise VotesError("schema must be given with predictions that carry none; got None. Pass schema=.")
    if isinstance(predicted, np.ndarray) and predicted.ndim == 2:
        probs = TaskProbabilities(predicted, schema)
        return probs, probs.predict(), schema
    return None, schema.end_codes(predicted), schema


def _task_metrics(
    task: str, gold: Codes, codes: Codes, probs: TaskProbabilities | None, schema: TaskSchema
) -> TaskMetrics:
    column = schema.task_codes[:, schema.task_index(task)]
    truth = column[gold]
    applies = truth >= 0
    labels = schema.labels(task)
    columns = labels
    if probs is not None:
        guess = probs[task].argmax(axis=1)
    else:
        guess = np.where(column[codes] >= 0, column[codes], len(labels))
        columns = labels if task == schema.root else (*labels, OTHER_BRANCH)
    truth, guess = truth[applies], guess[applies]
    return TaskMetrics(
        task=task,
        n_points=len(truth),
        accuracy=float(np.mean(truth == guess)) if len(truth) else None,
        confusion=_confusion(labels, columns, _cross(truth, guess, len(labels), len(columns))),
    )


def _cross(truth: Codes, guess: Codes, n_rows: int, n_columns: int) -> Codes:
    counts = np.bincount(truth * n_columns + guess, minlength=n_rows * n_columns)
    return np.asarray(counts, dtype=np.int64).reshape(n_rows, n_columns)


def _confusion(labels: tuple[str, ...], columns: tuple[str, ...], counts: Codes) -> Confusion:
    return Confusion(labels, columns, tuple(tuple(row) for row in counts.tolist()))


def _macro_f1(counts: Codes) -> float:
    right = np.diag(counts)
    occurrences = counts.sum(axis=0) + counts.sum(axis=1)
    occurs = occurrences > 0
    return float(np.mean(2.0 * right[occurs] / occurrences[occurs]))


def _calibration(end: FloatArray, gold: Codes, n_bins: int) -> Calibration:
    end = end.astype(np.float64)
    truth = end[np.arange(len(gold)), gold]
    brier = np.mean(np.square(end).sum(axis=1) - 2.0 * truth + 1.0)
    log_loss = -np.mean(np.log(np.clip(truth, np.finfo(np.float64).eps, 1.0)))
    bins = _reliability(end.max(axis=1), end.argmax(axis=1) == gold, n_bins)
    gaps = [
        b.n_points * abs(b.confidence - b.accuracy)
        for b in bins
        if b.confidence is not None and b.accuracy is not None
    ]
    return Calibration(float(sum(gaps)) / len(gold), max(float(brier), 0.0), max(float(log_loss), 0.0), bins)


def _reliability(confidence: FloatArray, right: npt.NDArray[np.bool_], n_bins: int) -> tuple[CalibrationBin, ...]:
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    index = np.clip(np.ceil(confidence * n_bins).astype(np.int64) - 1, 0, n_bins - 1)
    count = np.bincount(index, minlength=n_bins)
    sure = np.bincount(index, weights=confidence, minlength=n_bins)
    good = np.bincount(index, weights=right, minlength=n_bins)
    return tuple(
        CalibrationBin(
            lower=float(edges[b]),
            upper=float(edges[b + 1]),
            n_points=int(n),
            confidence=float(sure[b] / n) if n else None,
            accuracy=float(good[b] / n) if n else None,
        )
        for b, n in enumerate(count)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
