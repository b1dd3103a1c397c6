"""Soft votes: probabilities of labels, rounded to a fixed grid so that they repeat like other votes.

The grid depends on the number of labels alone, never on the data: parts of a stream share it. Up to seven labels
it holds all distributions in steps of one size. Up to 26 the two most probable labels are rounded, beyond that the
most probable one, and the rest is spread evenly over the other labels. That loses what soft votes over many labels
have to say: where all of them are at hand, :func:`distinct_votes` keeps them.
"""

from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, FloatArray
from metalwork.errors import VotesError

Int64Array = npt.NDArray[np.int64]
_MOST_STEPS, _MOST_ON_GRID, MOST_LABELS_ON_GRID = 20, 1000, 7
_TOP_TWO = ((10, 13), (5, 26))  # steps, and for how many labels at most: some 3,000 outcomes
_LEVELS = 5
_TOLERANCE = 1e-4
_DECIMALS = 6


class _TopTwo(NamedTuple):
    """Levels (n_levels, 2) of the two highest probabilities; ``code[first, second, level]`` is the outcome."""

    levels: FloatArray
    code: Int64Array
    outcomes: FloatArray


@lru_cache(maxsize=32)
def soft_grid(n_labels: int) -> FloatArray:
    """The fixed outcomes of soft votes over so many labels: float array (n_outcomes, n_labels + 1), NaN last."""
    rows: FloatArray
    if n_labels <= MOST_LABELS_ON_GRID:
        rows = _compositions(n_labels) / _steps(n_labels)
    elif n_labels <= _TOP_TWO[-1][1]:
        rows = _top_two(n_labels).outcomes
    else:
        top = np.tile(_top_levels(n_labels), n_labels)
        rows = np.repeat(((1 - top) / (n_labels - 1))[:, None], n_labels, axis=1)
        rows[np.arange(len(rows)), np.arange(len(rows)) // _LEVELS] = top
    outcomes = np.concatenate([rows, np.full((len(rows), 1), np.nan)], axis=1)
    outcomes.setflags(write=False)
    return outcomes


def soft_codes(probabilities: Any, n_labels: int, name: str) -> Int64Array:
    """Outcomes (n_points,) in :func:`soft_grid` nearest to rows of probabilities (n_points, n_labels).

    Rows with NaN and rows nearer to uniform than half a step abstain. ``name`` is the LF's, for errors.
    """
    rows, known = _checked(probabilities, n_labels, name)
    says = np.abs(rows - 1 / n_labels).max(axis=1) > 0.5 / _steps(n_labels)
    voted = known & (says | (n_labels == 1))  # the only label of a task says that the task applies
    codes = np.full(len(rows), ABSTAIN, np.int64)
    codes[voted] = _nearest(rows[voted])
    return codes


def distinct_votes(probabilities: Any, n_labels: int, name: str) -> tuple[Int64Array, FloatArray | None]:
    """Codes (n_points,) of rows of probabilities, and the outcomes (n_outcomes, n_labels + 1); None for the grid.

    Beyond seven labels the outcomes are the distinct rows, to six decimals and ascending, and the uniform one.
    Rows with NaN abstain, and so do those that are uniform.
    """
    if n_labels <= MOST_LABELS_ON_GRID:
        return soft_codes(probabilities, n_labels, name), None
    rows, known = _checked(probabilities, n_labels, name)
    rounded = np.round(rows, _DECIMALS)
    voted = known & (rounded.max(axis=1, initial=0.0) > rounded.min(axis=1, initial=1.0))
    uniform = np.full((1, n_labels), np.round(1.0 / n_labels, _DECIMALS))
    found, place = np.unique(np.concatenate([uniform, rounded[voted]]), axis=0, return_inverse=True)
    codes = np.full(len(rows), ABSTAIN, np.int64)
    codes[voted] = place.reshape(-1)[1:]
    found /= found.sum(axis=1, keepdims=True)
    return codes, np.append(found, np.full((len(found), 1), np.nan), axis=1)


def _checked(probabilities: Any, n_labels: int, name: str) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Rows of probabilities (n_points, n_labels), and which of them are known (n_points,)."""
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
    return rows, np.asarray(known)


@lru_cache(maxsize=32)
def _steps(n_labels: int) -> int:
    if n_labels > MOST_LABELS_ON_GRID:
        return next((steps for steps, most in _TOP_TWO if n_labels <= most), _LEVELS)
    fits = [s for s in range(1, _MOST_STEPS + 1) if comb(s + n_labels - 1, n_labels - 1) <= _MOST_ON_GRID]
    return fits[-1]


def _nearest(rows: FloatArray) -> Int64Array:
    """The outcomes nearest to rows of probabilities."""
    n_labels = rows.shape[1]
    if n_labels <= MOST_LABELS_ON_GRID:
        return _nearest_composition(rows)
    order = np.argsort(-rows, axis=1, kind="stable")[:, :2]
    highest = np.take_along_axis(rows, order, axis=1)
    if n_labels <= _TOP_TWO[-1][1]:
        grid = _top_two(n_labels)
        level = ((highest[:, None, :] - grid.levels) ** 2).sum(axis=2).argmin(axis=1)
        return np.asarray(grid.code[order[:, 0], order[:, 1], level])
    level = np.abs(highest[:, :1] - _top_levels(n_labels)).argmin(axis=1)
    return np.asarray(order[:, 0] * _LEVELS + level, dtype=np.int64)


@lru_cache(maxsize=32)
def _compositions(n_labels: int) -> Int64Array:
    """All ways to share out the steps: int64 array (n_outcomes, n_labels), ascending."""
    places = _steps(n_labels) + n_labels - 1
    bars = np.array(list(combinations(range(places), n_labels - 1)), dtype=np.int64)
    edges = np.pad(bars, ((0, 0), (1, 1)), constant_values=-1)
    edges[:, -1] = places
    return np.asarray(np.diff(edges, axis=1) - 1)


def _nearest_composition(rows: FloatArray) -> Int64Array:
    """Rounded down to whole steps; the steps left over go where most was cut off, the first of equals."""
    n_labels = rows.shape[1]
    steps = _steps(n_labels)
    exact = rows * steps
    whole = np.floor(exact + 1e-9).astype(np.int64)
    left = steps - whole.sum(axis=1)
    rank = np.argsort(np.argsort(-(exact - whole).round(9), axis=1, kind="stable"), axis=1, kind="stable")
    whole += rank < left[:, None]
    place = (steps + 1) ** np.arange(n_labels, dtype=np.int64)[::-1]
    return np.asarray(np.searchsorted(_compositions(n_labels) @ place, whole @ place))


@lru_cache(maxsize=32)
def _top_two(n_labels: int) -> _TopTwo:
    steps = _steps(n_labels)
    pairs = [(a, b) for a in range(steps + 1) for b in range(min(a, steps - a) + 1) if a * n_labels > steps]
    levels = np.array([(a, b) for a, b in pairs if steps - a - b <= b * (n_labels - 2)]) / steps
    places = np.indices((n_labels, n_labels, len(levels))).reshape(3, -1)
    first, second, level = places[:, places[0] != places[1]]
    rows = np.repeat((1 - levels[level].sum(axis=1, keepdims=True)) / (n_labels - 2), n_labels, axis=1)
    rows[np.arange(len(rows)), second] = levels[level, 1]
    rows[np.arange(len(rows)), first] = levels[level, 0]
    outcomes, found = np.unique(rows.round(12), axis=0, return_inverse=True)  # some pairs say the same
    code = np.zeros((n_labels, n_labels, len(levels)), np.int64)
    code[first, second, level] = found
    return _TopTwo(levels, code, outcomes)


def _top_levels(n_labels: int) -> FloatArray:
    """What the probability of the top label is rounded to where only that is kept."""
    return np.linspace(1 / n_labels, 1, _LEVELS + 1)[1:]
