"""Known labels that may be wrong: confident learning (Northcutt, Jiang and Chuang, 2021, section 3)."""

from typing import NamedTuple

import numpy as np

from metalwork._checks import BoolArray, FloatArray
from metalwork.inspection._facts import SplitFacts
from metalwork.inspection._split import Rows


class Suspects(NamedTuple):
    """By record (n_points,): whether its known end label is in doubt; how much likelier it is than any other."""

    suspect: BoolArray
    margin: FloatArray


def suspects(facts: SplitFacts) -> Suspects:
    """Records of which the models are as sure of another label as they are, on average, of those known to have it.

    By the mean of both models' probabilities; by the end model alone where the label model has nothing to go by,
    and by the label model alone, where it has, before the end model has predicted. The margin is the probability
    of the known label less that of the likeliest other.
    """
    nothing = Suspects(np.zeros(facts.n_points, bool), np.zeros(facts.n_points))
    if facts.data.known is None or facts.schema.n_end_labels < 2:
        return nothing
    truth = facts.schema.end_of(facts.data.known)
    rows = np.flatnonzero((truth >= 0) & (facts.covered if facts.data.end is None else True))
    if not len(rows):
        return nothing
    held, given = _held(facts, rows), truth[rows]
    own = held[np.arange(len(rows)), given]
    n_known = np.bincount(given, minlength=held.shape[1])
    sums = np.bincount(given, own, minlength=held.shape[1])
    usual = np.where(n_known > 0, sums / np.maximum(n_known, 1), own.mean())
    held[np.arange(len(rows)), given] = 0.0
    suspect, margin = nothing
    suspect[rows] = np.where(held >= usual, held, 0.0).max(axis=1) > own
    margin[rows] = own - held.max(axis=1)
    return Suspects(suspect, margin)


def _held(facts: SplitFacts, rows: Rows) -> FloatArray:
    """What the models hold of some records: float64 array (n_rows, n_end_labels)."""
    voted = facts.probabilities("labels", rows).end.astype(np.float64)
    if facts.data.end is None:
        return voted
    predicted = facts.probabilities("end", rows).end.astype(np.float64)
    return np.where(facts.covered[rows, None], (voted + predicted) / 2.0, predicted)
