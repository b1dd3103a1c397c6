"""What users state of single labeling functions: priors of their precision, for all or by name."""

from collections.abc import Mapping, Sequence

import numpy as np

from metalwork._checks import check_positive
from metalwork.errors import ConfigError, VotesError
from metalwork.inference import Floats
from metalwork.label_models._estimates import VotePriors
from metalwork.schema import unknown_name

PRECISION, STRENGTH = 0.8, 50.0
_FIXED = 1e12

Stated = float | Mapping[str, float]
"""One number for all LFs, or from LF name to number for some."""


def vote_priors(names: Sequence[str], precision: Stated, strength: Stated, off_branch_ratio: float) -> VotePriors:
    """The priors of the LFs ``names``; a strength of infinity fixes an LF's precision.

    Raises
    ------
    VotesError, ConfigError
        For a name that is no LF; for a number out of range.
    """
    chosen = set(strength) if isinstance(strength, Mapping) else set()
    centre = _per_lf("precision", names, precision, PRECISION)
    weight = np.minimum(_per_lf("strength", names, strength, STRENGTH), _FIXED)
    if (centre >= 1).any():
        raise ConfigError(f"precision must be below 1; got {precision!r}.")
    by_user = np.array([name in chosen for name in names], dtype=bool)
    named = np.array([isinstance(precision, Mapping) and name in precision for name in names], dtype=bool)
    ratio_strength = STRENGTH if isinstance(strength, Mapping) else strength
    return VotePriors(centre, weight, by_user, 0.0, off_branch_ratio, ratio_strength, named)


def _per_lf(what: str, names: Sequence[str], value: Stated, default: float) -> Floats:
    """One number an LF (n_lfs,), from one for all or from those that differ from the default."""
    if not isinstance(value, Mapping):
        return np.full(len(names), check_positive(what, value))
    for lf, number in value.items():
        if lf not in names:
            raise VotesError(f"{what}: " + unknown_name("LF", lf, names))
        if not number > 0:
            raise ConfigError(f"{what} must be above 0; got {number!r} for LF {lf!r}.")
    return np.array([float(value.get(lf, default)) for lf in names])
