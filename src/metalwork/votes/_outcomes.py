"""Alphabets of votes: what an LF's vote may say beyond one label of its task.

An alphabet is a float array (n_outcomes, n_labels + 1). Entry ``[o, s]`` says how far outcome ``o`` holds that the
record is in state ``s`` of the LF's task, last: the task does not apply. 1: in the set; 0: not in it; between: a
soft vote; NaN: the question does not arise there. The *plain* alphabet is the labels themselves, one outcome each.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from metalwork._checks import FloatArray
from metalwork.errors import VotesError

Outcomes = dict[str, FloatArray]
_MOST_NAMES = 4


def plain_outcomes(n_labels: int) -> FloatArray:
    """The labels themselves: float array (n_labels, n_labels + 1), NaN where the task does not apply."""
    return np.concatenate([np.eye(n_labels), np.full((n_labels, 1), np.nan)], axis=1)


def check_outcomes(given: Mapping[str, Any] | None, n_labels: Mapping[str, int]) -> Outcomes:
    """Alphabets by LF, read-only, in the order of LFs; without the plain ones.

    ``n_labels`` has the number of labels of each LF's task, by LF name.
    """
    found: Outcomes = {}
    for name, k in n_labels.items():
        if not given or name not in given:
            continue
        rows = np.array(given[name], dtype=np.float64)
        if rows.ndim != 2 or not len(rows) or rows.shape[1] != k + 1:
            raise VotesError(
                f"outcomes of LF {name!r} must have shape (n_outcomes, {k + 1}): its task's {k} labels, and last "
                f"'does not apply'; got {rows.shape}."
            )
        bad = ~((rows >= 0) & (rows <= 1) | np.isnan(rows))
        if bad.any():
            o, s = np.argwhere(bad)[0]
            raise VotesError(
                f"outcomes of LF {name!r} must be between 0 and 1, or NaN where the question does not arise; "
                f"got {rows[o, s]} at outcome {o}, state {s}."
            )
        if not _same(rows, plain_outcomes(k)):
            rows.setflags(write=False)
            found[name] = rows
    return found


def same_outcomes(first: Mapping[str, FloatArray], second: Mapping[str, FloatArray]) -> bool:
    """Whether two matrices' alphabets are the same, by LF name."""
    return first.keys() == second.keys() and all(_same(first[name], second[name]) for name in first)


def _same(first: FloatArray, second: FloatArray) -> bool:
    return first is second or np.array_equal(first, second, equal_nan=True)


def outcome_name(row: FloatArray, labels: Sequence[str]) -> str:
    """What an outcome (n_labels + 1,) says, in words: ``"a"``, ``"a or b"``, ``"not c"`` or ``"a 0.8"``."""
    asked = ~np.isnan(row)
    top = int(np.nanargmax(row[:-1])) if asked[:-1].any() else 0
    if ((row > 0) & (row < 1)).any():
        return f"{labels[top]} {row[top]:.2g}"
    inside = [label for label, member in zip(labels, row, strict=False) if member == 1]
    outside = [label for label, member in zip(labels, row, strict=False) if member == 0]
    if not outside:
        return "any"
    if row[-1] == 1 or 1 < len(inside) > len(outside):
        return "not " + _any_of(outside)
    return _any_of(inside) if inside else "none"


def _any_of(names: Sequence[str]) -> str:
    if len(names) > _MOST_NAMES:
        return " or ".join(names[: _MOST_NAMES - 1]) + f" or {len(names) - _MOST_NAMES + 1} more"
    return " or ".join(names)
