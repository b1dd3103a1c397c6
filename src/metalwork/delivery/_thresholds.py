"""The confidence from which predictions are as precise as wanted, chosen on records whose labels are known."""

import math
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from metalwork._checks import BoolArray, FloatArray, check_fraction
from metalwork.errors import ConfigError
from metalwork.probabilities import TaskProbabilities

CERTAINTY: Final = 0.9


@dataclass(frozen=True)
class Evidence:
    """Predictions on records of known label: how sure each is (n_known,), and whether it is right (n_known,)."""

    confidence: FloatArray
    right: BoolArray

    @classmethod
    def of(cls, probs: TaskProbabilities, gold: npt.NDArray[np.int64]) -> Self:
        """Of predictions and end-label codes (n_points,), -1 where none is known."""
        rows = np.flatnonzero(gold >= 0)
        codes = probs.predict()[rows]
        return cls(probs.end[rows, codes].astype(np.float64), codes == gold[rows])


@dataclass(frozen=True)
class Threshold:
    """The confidence from which predictions are given, and what known labels say of these.

    Attributes
    ----------
    confidence : float
        Predictions with at least this probability are given.
    wanted, certainty : float
        The precision asked for, and how certain it is to be reached.
    n_known, n_given, n_right : int
        Records of known label, those with a prediction of such confidence, and those of them that are right.
    low, high : float
        Bounds of the precision, each exact (Clopper and Pearson) to ``certainty``.
    """

    confidence: float
    wanted: float
    certainty: float
    n_known: int
    n_given: int
    n_right: int
    low: float
    high: float

    @property
    def precision(self) -> float:
        """The share of the given predictions that is right."""
        return self.n_right / self.n_given

    @property
    def share(self) -> float:
        """The share of the records that have a prediction of such confidence."""
        return self.n_given / self.n_known

    def __str__(self) -> str:
        return (
            f"confidence {self.confidence:.3f}: {self.n_right} of {self.n_given} such dev predictions are right "
            f"({self.precision:.1%}, between {self.low:.1%} and {self.high:.1%}), which are {self.share:.0%} of "
            f"{self.n_known} records"
        )


def choose(known: Evidence, wanted: float, certainty: float = CERTAINTY) -> Threshold:
    """The lowest confidence from which predictions are as precise as ``wanted``.

    Thresholds are tested from the highest confidence downwards, as fixed-sequence testing has it, until the exact
    lower bound of the precision falls below ``wanted``: so the chance that the predictions given are less precise
    is at most ``1 - certainty``, though many thresholds are looked at (Angelopoulos and others, "Learn then Test",
    2021). The first threshold tested is that of the fewest predictions that could pass if all were right.

    Raises
    ------
    ConfigError
        When ``wanted`` or ``certainty`` is out of range; when the records are too few, or the predictions too
        often wrong, to show such a precision. The message says what they can show.
    """
    check_fraction("precision", wanted, "()", "Such as 0.95.")
    check_fraction("certainty", certainty, "()", "Such as 0.9.")
    found = _search(known, wanted, certainty)
    if found is None:
        raise ConfigError(_refusal(known, wanted, certainty))
    return found


def fewest(wanted: float, certainty: float) -> int:
    """So many predictions must all be right to show a precision."""
    return max(1, math.ceil(math.log(1.0 - certainty) / math.log(wanted) - 1e-9))


def _search(known: Evidence, wanted: float, certainty: float) -> Threshold | None:
    order = np.argsort(-known.confidence, kind="stable")
    confidence, n_right = known.confidence[order], np.cumsum(known.right[order], dtype=np.int64)
    ends = np.flatnonzero(np.append(np.diff(confidence) != 0, True)) if len(order) else np.zeros(0, np.int64)
    ends = ends[ends + 1 >= fewest(wanted, certainty)]  # predictions as sure as one another go together
    low = _bound(n_right[ends], ends + 1, 1.0 - certainty)
    n_passed = int(np.argmin(np.append(low >= wanted, False)))
    if n_passed == 0:
        return None
    last = int(ends[n_passed - 1])
    right, given = int(n_right[last]), last + 1
    high = 1.0 - float(_bound(np.array([given - right]), np.array([given]), 1.0 - certainty)[0])
    at = float(confidence[last])
    return Threshold(at, wanted, certainty, len(order), given, right, float(low[n_passed - 1]), high)


def _bound(n_right: Any, n: Any, tail: float) -> FloatArray:
    """The exact lower bound of a share; 0 where none is right."""
    from scipy.stats import beta

    bound = beta.ppf(tail, np.maximum(n_right, 1), n - n_right + 1)
    lower: FloatArray = np.where(n_right == 0, 0.0, bound)
    return lower


def _refusal(known: Evidence, wanted: float, certainty: float) -> str:
    n_known, needed = len(known.right), fewest(wanted, certainty)
    start = (
        f"A precision of {wanted:g} must be shown on records of known label, to {certainty:.0%} certainty; "
        f"got {n_known} dev records with a known end label"
    )
    if n_known < needed:
        reason = f"of which {needed} would have to be right without exception"
    else:
        sure = np.argsort(-known.confidence, kind="stable")[:needed]
        reason = f"of whose {needed} surest predictions {int(known.right[sure].sum())} are right"
    best = next(
        (
            found
            for share in range(99, 49, -1)
            if share / 100 < wanted and (found := _search(known, share / 100, certainty))
        ),
        None,
    )
    instead = "" if best is None else f" What they show is {best.wanted:g}, for {best.n_given} of them."
    return f"{start}, {reason}.{instead} Label more dev records, or ask for less."
