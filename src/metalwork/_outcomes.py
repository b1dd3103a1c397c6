"""Alphabets of votes: what an LF's vote may say beyond one label of its task.

An alphabet is a float array (n_outcomes, n_labels + 1). Entry ``[o, s]`` says how far outcome ``o`` holds that the
record is in state ``s`` of the LF's task, last: the task does not apply. 1: in the set; 0: not in it; between: a
soft vote; NaN: the question does not arise there. The *plain* alphabet is the labels themselves, one outcome each.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, FloatArray, IntArray
from metalwork.errors import VotesError

Outcomes = dict[str, FloatArray]
_MOST_STEPS, _LEAST_STEPS, _MOST_OUTCOMES = 20, 2, 256
_LEVELS = 5
_TOLERANCE = 1e-4
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


@lru_cache(maxsize=64)
def soft_steps(n_labels: int) -> int:
    """Steps that soft votes over so many labels are rounded to, or 0 where only the top label's level is kept."""
    for steps in range(_MOST_STEPS, _LEAST_STEPS - 1, -1):
        if comb(steps + n_labels - 1, n_labels - 1) <= _MOST_OUTCOMES:
            return steps
    return 0


@lru_cache(maxsize=64)
def soft_outcomes(n_labels: int) -> FloatArray:
    """The fixed alphabet of soft votes over so many labels: float array (n_outcomes, n_labels + 1), NaN last."""
    steps = soft_steps(n_labels)
    if steps:
        places = np.array(list(combinations(range(steps + n_labels - 1), n_labels - 1)), dtype=np.int64)
        bars = np.pad(places.reshape(-1, n_labels - 1), ((0, 0), (1, 1)), constant_values=-1)
        bars[:, -1] = steps + n_labels - 1
        rows = (np.diff(bars, axis=1) - 1) / steps
    else:
        top = _level_sizes(n_labels)
        rows = np.repeat(((1 - top) / (n_labels - 1))[:, None], n_labels, axis=1)
        rows = np.tile(rows, (n_labels, 1))
        rows[np.arange(len(rows)), np.arange(len(rows)) // _LEVELS] = np.tile(top, n_labels)
    outcomes = np.concatenate([rows, np.full((len(rows), 1), np.nan)], axis=1)
    outcomes.setflags(write=False)
    return outcomes


def _level_sizes(n_labels: int) -> FloatArray:
    """Probabilities of the top label that soft votes over many labels are rounded to."""
    return np.linspace(1 / n_labels, 1, _LEVELS + 1)[1:]


def soft_codes(probabilities: Any, n_labels: int, name: str) -> IntArray:
    """Outcomes (n_points,) in :func:`soft_outcomes` nearest to rows of probabilities (n_points, n_labels).

    Rows with NaN and rows nearer to uniform than half a step abstain. ``name`` is the LF's, for errors.
    """
    rows = np.asarray(probabilities, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != n_labels:
        raise VotesError(
            f"probabilities of LF {name!r} must have shape (n_points, {n_labels}), one column a label of its "
            f"task; got {rows.shape}."
        )
    known = ~np.isnan(rows).any(axis=1)
    bad = known & ~((rows >= 0).all(axis=1) & (np.abs(rows.sum(axis=1) - 1) <= _TOLERANCE))
    if bad.any():
        row = int(np.argmax(bad))
        raise VotesError(
            f"probabilities of LF {name!r} must be at least 0 and sum to 1, or be NaN for an abstain; "
            f"got {rows[row].tolist()} at row {row}."
        )
    steps = soft_steps(n_labels)
    half = 0.5 / steps if steps else 0.5 * (1 - 1 / n_labels) / _LEVELS
    voted = known & (np.abs(rows - 1 / n_labels).max(axis=1) > half)
    codes = np.full(len(rows), ABSTAIN, np.int64)
    codes[voted] = _nearest(rows[voted], steps) if steps else _nearest_level(rows[voted])
    return codes


def _nearest(rows: FloatArray, steps: int) -> npt.NDArray[np.int64]:
    """Rounded down to whole steps; the steps left over go where most was cut off, the first of equals."""
    exact = rows * steps
    whole = np.floor(exact + 1e-9)
    left = steps - whole.sum(axis=1)
    rank = np.argsort(np.argsort(-(exact - whole).round(9), axis=1, kind="stable"), axis=1, kind="stable")
    whole += rank < left[:, None]
    grid = np.rint(soft_outcomes(rows.shape[1])[:, :-1] * steps)
    place = (steps + 1.0) ** np.arange(rows.shape[1])[::-1]  # below 2 ** 53, so exact
    ascending = np.argsort(grid @ place)
    found = np.searchsorted(grid @ place, whole @ place, sorter=ascending)
    return np.asarray(ascending[found], dtype=np.int64)


def _nearest_level(rows: FloatArray) -> npt.NDArray[np.int64]:
    top = rows.argmax(axis=1)
    sizes = _level_sizes(rows.shape[1])
    level = np.abs(rows.max(axis=1)[:, None] - sizes).argmin(axis=1)
    return np.asarray(top * _LEVELS + level, dtype=np.int64)
