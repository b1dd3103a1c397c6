"""Priors of labeling functions: what users state of their precision, for all or by name."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork._checks import check_positive
from metalwork.errors import ConfigError, VotesError
from metalwork.inference import CodedVotes, Floats, votes_of_task
from metalwork.label_models._constants import PRECISION, STRENGTH
from metalwork.label_models._outcomes import Outcomes, precision_in_labels
from metalwork.schema import unknown_name

_FIXED = 1e12

Stated = float | Mapping[str, float]
"""One number for all LFs, or from LF name to number for some."""


class LFPriors(NamedTuple):
    """Beta priors of each LF: precision around ``precision`` (n_lfs,), off-branch ratio around ``ratio``.

    ``named`` (n_lfs,) says whose precision the user stated by name: it is that of the LF's own votes, else that of
    votes for one label. Priors weigh ``strength`` (n_lfs,) pseudo-votes, and where ``stated`` (n_lfs,) does not
    say that the user chose that weight, the precision's at least ``share`` times the LF's own votes: where LFs
    depend on each other, more data does not make their agreement more telling. The ratio's prior weighs
    ``ratio_strength`` records.
    """

    precision: Floats
    strength: Floats
    stated: npt.NDArray[np.bool_]
    share: float
    ratio: float
    ratio_strength: float
    named: npt.NDArray[np.bool_]


def lf_priors_of(names: Sequence[str], precision: Stated, strength: Stated, off_branch_ratio: float) -> LFPriors:
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
    return LFPriors(centre, weight, by_user, 0.0, off_branch_ratio, ratio_strength, named)


def in_votes_for_labels(lf_priors: LFPriors, votes: CodedVotes, outcomes: Sequence[Outcomes]) -> LFPriors:
    """Priors whose precision is that of votes for one label throughout, whatever the LFs vote for."""
    precision = lf_priors.precision.copy()
    for t, (task, own) in enumerate(zip(votes.tasks, outcomes, strict=True)):
        stated = lf_priors.named[task.lfs] & ~own.sets.plain
        in_labels = precision_in_labels(own, precision[task.lfs], votes_of_task(votes, t))
        precision[task.lfs] = np.where(stated, in_labels, precision[task.lfs])
    return lf_priors._replace(precision=precision)


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
