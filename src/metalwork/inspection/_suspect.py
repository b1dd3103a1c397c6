"""Known labels that may be wrong: confident learning (Northcutt, Jiang and Chuang, 2021, section 3)."""

from typing import NamedTuple

import numpy as np

from metalwork._checks import BoolArray, FloatArray
from metalwork.inspection._facts import SplitFacts


class Suspects(NamedTuple):
    """By record (n_points,): whether its known end label is in doubt; how much likelier it is than any other."""

    suspect: BoolArray
    margin: FloatArray


def suspects(facts: SplitFacts) -> Suspects:
    """Records of which a model is as sure of another label as it is, on average, of those known to have that one.

    By the end model once it has predicted, else by the label model where it has something to go by. The margin is
    the probability of the known label less that of the likeliest other.
    """
    nothing = Suspects(np.zeros(facts.n_points, bool), np.zeros(facts.n_points))
    if facts.data.known is None:
        return nothing
    truth, model = facts.schema.end_of(facts.data.known), "labels" if facts.data.end is None else "end"
    judged = truth >= 0 if model == "end" else (truth >= 0) & facts.covered
    rows = np.flatnonzero(judged)
    if not len(rows) or facts.schema.n_end_labels < 2:
        return nothing
    end, given = facts.probabilities(model, rows).end.astype(np.float64), truth[rows]
    own = end[np.arange(len(rows)), given]
    n_known = np.bincount(given, minlength=end.shape[1])
    sums = np.bincount(given, own, minlength=end.shape[1])
    usual = np.where(n_known > 0, sums / np.maximum(n_known, 1), own.mean())
    others = end.copy()
    others[np.arange(len(rows)), given] = 0.0
    sure = np.where(others >= usual, others, 0.0)
    suspect, margin = nothing
    suspect[rows] = sure.max(axis=1) > own
    margin[rows] = own - others.max(axis=1)
    return Suspects(suspect, margin)
