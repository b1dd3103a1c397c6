"""Which records a model is least sure of."""

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray, check_choice, check_count
from metalwork.analysis._one_tree import check_probabilities
from metalwork.probabilities import TaskProbabilities


def least_certain(probs: TaskProbabilities, k: int = 10, by: str = "margin") -> npt.NDArray[np.int64]:
    """Positions (at most k,) of the records a model is least sure of, the least sure first.

    Parameters
    ----------
    probs : TaskProbabilities (n_points)
    k : int
        At least 0; all records where there are fewer.
    by : {"margin", "entropy"}
        Smallest difference of the two most probable end labels, or largest entropy. Equals keep their order.
    """
    check_probabilities(probs)
    check_choice("by", by, ("margin", "entropy"))
    check_count("k", k, least=0)
    doubt = _margin(probs.end) if by == "margin" else -_entropy(probs.end)
    return np.argsort(doubt, kind="stable")[:k].astype(np.int64)


def _margin(end: FloatArray) -> FloatArray:
    if end.shape[1] < 2:
        return np.ones(len(end))
    top = np.partition(end, -2, axis=1)[:, -2:]
    margin: FloatArray = top[:, 1] - top[:, 0]
    return margin


def _entropy(end: FloatArray) -> FloatArray:
    safe = np.where(end > 0, end, 1.0)
    entropy: FloatArray = -(safe * np.log(safe)).sum(axis=1)
    return entropy
