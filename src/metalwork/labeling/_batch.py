"""Labeling functions that take many records at once: whole columns in, votes out."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from metalwork._checks import FloatArray
from metalwork._names import is_missing
from metalwork.labeling._returns import Reader, WrongReturn


class BatchRule:
    """A callable that takes a list of values a field, and returns a vote a record."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *columns: Any, **named: Any) -> Any:
        return self.function(*columns, **named)


def read_batch(returned: Any, n_points: int, reader: Reader) -> list[Any] | FloatArray:
    """What each record was given: the values as an LF of one record returns them, or probabilities of the labels.

    Raises
    ------
    WrongReturn
        Where there are not as many as records, or not as many probabilities as labels.
    """
    if getattr(returned, "ndim", 1) == 2:
        return _probabilities(np.asarray(returned), n_points, reader)
    if isinstance(returned, np.ndarray) or hasattr(returned, "to_list"):
        values = returned.tolist() if isinstance(returned, np.ndarray) else returned.to_list()
        returned = [None if not isinstance(value, str) and is_missing(value) else value for value in values]
    if isinstance(returned, str) or not isinstance(returned, Sequence):
        raise WrongReturn(
            f"it returned {type(returned).__name__} for a batch of {n_points} records. "
            "Return a list with a vote a record, or an array of probabilities."
        )
    if len(returned) != n_points:
        raise WrongReturn(
            f"it returned {len(returned)} votes for a batch of {n_points} records. "
            "Return one a record, None where it abstains."
        )
    return list(returned)


def _probabilities(shares: Any, n_points: int, reader: Reader) -> FloatArray:
    if len(reader.tasks) > 1:
        raise WrongReturn(
            "it returned an array of probabilities, but votes on labels of all tasks. "
            "Name its task, or return a dict from labels to probabilities a record."
        )
    labels = [label for label, (_, code) in reader.places.items() if code < reader.n_labels(0)]
    if shares.shape != (n_points, len(labels)) or shares.dtype.kind not in "fiub":
        raise WrongReturn(
            f"it returned an array of {shares.dtype} of shape {shares.shape} for a batch of {n_points} records. "
            f"Return one of probabilities, a row a record and a column a label: {', '.join(map(repr, labels))}."
        )
    found: FloatArray = shares.astype(np.float64)
    return found
