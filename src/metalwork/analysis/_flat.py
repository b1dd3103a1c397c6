"""Metrics that take end labels as they stand, without the tree: what scikit-learn computes, by the same rules."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from metalwork._checks import BoolArray, FloatArray
from metalwork.analysis._gold import Codes


@dataclass(frozen=True)
class LabelMetrics:
    """One end label against all others; None where a figure is not defined.

    Attributes
    ----------
    label : str
    n_points, n_predicted : int
        Records that have it, and that were predicted as it.
    precision, recall, f1 : float or None
        None for a label that was never predicted, never true, or neither.
    roc_auc, average_precision : float or None
        Of its probability as a score; None without probabilities, and where no record or every record has it.
    """

    label: str
    n_points: int
    n_predicted: int
    precision: float | None
    recall: float | None
    f1: float | None
    roc_auc: float | None
    average_precision: float | None


class Averages(NamedTuple):
    """Precision, recall and F1 averaged over end labels; None where there is nothing to average."""

    precision: float | None
    recall: float | None
    f1: float | None


class Counts(NamedTuple):
    """Numbers of records by end label, int64 arrays (n_end_labels,): that have it, predicted as it, and both."""

    true: Codes
    predicted: Codes
    right: Codes

    @classmethod
    def of(cls, counts: Codes) -> "Counts":
        """From a confusion (n_end_labels, n_end_labels or more): columns beyond are no prediction of a label."""
        labels = counts[:, : len(counts)]
        return cls(counts.sum(axis=1), labels.sum(axis=0), np.diag(labels))


def score_labels(
    names: tuple[str, ...], counts: Counts, gold: Codes, end: FloatArray | None
) -> list[LabelMetrics]:
    """The figures of each end label; ``end`` (n_points, n_end_labels) holds probabilities, where there are any."""
    found = []
    for code, name in enumerate(names):
        true, predicted, right = (int(part[code]) for part in counts)
        area, average = (None, None) if end is None else rank_quality(gold == code, end[:, code])
        found.append(
            LabelMetrics(
                label=name,
                n_points=true,
                n_predicted=predicted,
                precision=share(right, predicted),
                recall=share(right, true),
                f1=share(2 * right, true + predicted),
                roc_auc=area,
                average_precision=average,
            )
        )
    return found


def micro(counts: Counts) -> Averages:
    """Over all records; a record without a prediction lowers recall alone."""
    true, predicted, right = (int(part.sum()) for part in counts)
    return Averages(share(right, predicted), share(right, true), share(2 * right, true + predicted))


def macro(counts: Counts) -> Averages:
    """Over the labels that occur."""
    return _average(counts, np.ones(len(counts.true)))


def weighted(counts: Counts) -> Averages:
    """Over the labels that occur, by how many records have them."""
    return _average(counts, counts.true.astype(np.float64))


def _average(counts: Counts, weight: FloatArray) -> Averages:
    weight = weight * (counts.true + counts.predicted > 0)
    total = float(weight.sum())
    if not total:
        return Averages(None, None, None)
    wholes = (counts.predicted, counts.true, (counts.true + counts.predicted) / 2)
    shares = [np.divide(counts.right, whole, out=np.zeros(len(weight)), where=whole > 0) for whole in wholes]
    precision, recall, f1 = (float(weight @ part / total) for part in shares)
    return Averages(precision, recall, f1)


def correlation(counts: Codes) -> float | None:
    """Matthews' correlation of truth (rows) and prediction (columns), by Gorodkin (2004) for several labels.

    0 where one of them is constant, as scikit-learn has it; None for no records. A column for records without a
    prediction is one more value of the prediction.
    """
    n_columns = counts.shape[1]
    true, predicted = counts.sum(axis=1).astype(float), counts.sum(axis=0).astype(float)
    true = np.append(true, np.zeros(n_columns - len(true)))
    n = float(true.sum())
    if not n:
        return None
    together = float(np.trace(counts)) * n - true @ predicted
    spread = (n * n - true @ true) * (n * n - predicted @ predicted)
    return float(together / np.sqrt(spread)) if spread > 0 else 0.0


def rank_quality(positive: BoolArray, scores: FloatArray) -> tuple[float | None, float | None]:
    """Area under the ROC curve and average precision of scores (n_points,); None, None without both classes.

    The area is the chance that a positive outranks a negative, ties by half. Average precision is the sum over
    distinct scores, highest first, of the gain in recall times the precision there.
    """
    n, n_positive = len(positive), int(positive.sum())
    if n_positive in (0, n):
        return None, None
    every, own = np.sort(scores), np.sort(scores[positive])
    below, up_to = np.searchsorted(every, own, "left"), np.searchsorted(every, own, "right")
    ranks = float((below + up_to + 1).sum()) / 2
    area = (ranks - n_positive * (n_positive + 1) / 2) / (n_positive * (n - n_positive))
    precision = (n_positive - np.searchsorted(own, own, "left")) / (n - below)
    return area, float(precision.mean())


def mean(values: list[float | None]) -> float | None:
    """Mean of those that are defined; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def share(part: float, whole: float) -> float | None:
    """``part / whole``; None for a whole of nothing."""
    return part / whole if whole else None
