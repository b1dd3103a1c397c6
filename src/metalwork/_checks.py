"""Constants, array types and argument checks that every layer shares."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

ABSTAIN: Final = -1
"""The vote of a labeling function that does not vote."""

NOT_APPLICABLE: Final = -2
"""The label of a task that does not apply to a record (the paper's null label)."""

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.floating[Any]]
BoolArray = npt.NDArray[np.bool_]


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    """Return ``value`` when it is one of ``choices``; else say which there are."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")
    return value


def check_positive(name: str, value: float) -> float:
    """Return ``value`` when it is a finite number above zero."""
    if not isinstance(value, int | float | np.number) or not np.isfinite(value) or value <= 0:
        raise ValueError(f"{name} must be a finite number above 0; got {value!r}.")
    return value
