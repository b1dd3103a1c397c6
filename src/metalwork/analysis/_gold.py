"""Known labels as the analyses need them: of each record and task the label, as far as it is known."""

from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork.analysis._one_tree import refuse_roots
from metalwork.errors import VotesError
from metalwork.votes import Space

Codes = npt.NDArray[np.int64]

UNKNOWN = -1


def read_gold(y: Any, space: Space, n_points: int) -> Codes:
    """int64 array (n_points, n_tasks): label codes, ``NOT_APPLICABLE``, or -1 where it is not known."""
    refuse_roots("y", y)
    known: Codes = space.known_codes(y)
    if len(known) != n_points:
        raise VotesError(f"y must hold one label a record ({n_points}); got {len(known)}.")
    return known


def is_known(gold: Codes) -> npt.NDArray[np.bool_]:
    """bool array (n_points,): of which records anything is known."""
    known: npt.NDArray[np.bool_] = (gold != UNKNOWN).any(axis=1)
    return known
