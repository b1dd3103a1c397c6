"""Whether probabilities mean what they say."""

from dataclasses import dataclass

import numpy as np

from metalwork._checks import BoolArray, FloatArray
from metalwork.analysis._gold import Codes


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


def calibrate(end: FloatArray, gold: Codes, n_bins: int) -> Calibration:
    """Of probabilities (n_points, n_end_labels) and end-label codes (n_points,), for at least one record."""
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


def _reliability(confidence: FloatArray, right: BoolArray, n_bins: int) -> tuple[CalibrationBin, ...]:
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
