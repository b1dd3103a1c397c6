"""What the votes of LFs say: sets of labels and soft votes, stacked for the LFs of a task."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray
from metalwork.inference._tree import Floats

Alphabets = Mapping[int, FloatArray]
"""From the position of an LF to its alphabet (n_outcomes, n_labels + 1); LFs left out vote for labels."""


class Alphabet(NamedTuple):
    """What the outcomes of some LFs of one task hold of its states (the labels; last: it does not apply).

    ``member`` (n_lfs, n_states, n_outcomes) in [0, 1] is how far an outcome holds a state, 0 where it does not
    ask; ``asked`` (the same shape) says where it asks. LFs of fewer outcomes are filled up with some that ask
    nothing. ``plain`` (n_lfs,) says which LFs vote for labels.
    """

    member: Floats
    asked: npt.NDArray[np.bool_]
    plain: npt.NDArray[np.bool_]


def stacked(lfs: Sequence[int], n_labels: int, alphabets: Alphabets) -> Alphabet | None:
    """The alphabet of LFs of one task with ``n_labels`` labels, or None where all of them vote for labels."""
    if not any(lf in alphabets for lf in lfs):
        return None
    n_outcomes = max(len(alphabets[lf]) if lf in alphabets else n_labels for lf in lfs)
    rows = np.full((len(lfs), n_labels + 1, n_outcomes), np.nan)
    for i, lf in enumerate(lfs):
        if lf in alphabets:
            rows[i, :, : len(alphabets[lf])] = alphabets[lf].T
        else:
            rows[i, :n_labels, :n_labels] = np.eye(n_labels)
    asked = ~np.isnan(rows)
    plain = np.array([lf not in alphabets for lf in lfs], dtype=bool)
    return Alphabet(np.where(asked, rows, 0.0), asked, plain)
