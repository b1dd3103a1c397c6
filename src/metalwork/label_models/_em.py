"""What EM starts from, where it stands and where it ends."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork.inference import Floats, SuffStats, mixed_counts
from metalwork.label_models._constants import BALANCE_BAND, BALANCE_BAND_OF_TREES, BALANCE_STRENGTH
from metalwork.label_models._lf_priors import LFPriors
from metalwork.label_models._outcomes import Outcomes
from metalwork.label_models._votes_only import VotesOnly

STEPS_OVER_ALL = 30


class BranchPrior(NamedTuple):
    """A class prior by task: ``log_share[t]`` (n_labels,) given that the task applies, ``applies`` (n_tasks,)."""

    log_share: list[Floats]
    applies: Floats


class Priors(NamedTuple):
    """What is known before the votes are seen.

    ``uniform`` is the class prior of end labels alike, against which a vote's precision is weighed;
    ``class_prior`` the one that EM starts from, ``class_prior_given`` whether the user stated it. ``dev_counts``
    are the counts of the dev records, each of them ``dev_weight`` strong in it. ``lfs`` are the priors of the LFs,
    ``outcomes`` what their votes say, by task. In the generative reading ``pooling`` is how many pseudo-records
    hold each row of a table near what the LF does on average, and LFs that are ``redundant`` (n_lfs,), copies of
    others, tell nothing.
    """

    uniform: BranchPrior
    class_prior: BranchPrior
    class_prior_given: bool
    dev_counts: SuffStats | None
    dev_weight: float
    lfs: LFPriors
    outcomes: list[Outcomes]
    redundant: npt.NDArray[np.bool_]
    pooling: float


class Stopping(NamedTuple):
    """When EM stops: after ``max_iter`` steps, or when a record's log likelihood moves less than ``tol``."""

    max_iter: int
    tol: float

    def at_most(self, n_steps: int) -> "Stopping":
        """The same with no more than ``n_steps`` steps."""
        return self._replace(max_iter=min(self.max_iter, n_steps))


class EMState(NamedTuple):
    """Where EM of the votes-only reading stands: its log odds not yet taken back to what the votes are worth."""

    parameters: VotesOnly
    log_prior: list[Floats]
    stats: SuffStats | None


class EMResult(NamedTuple):
    """Tables and log prior as :func:`metalwork.inference.weigh` takes them, and how EM went."""

    tables: list[Floats]
    log_prior: list[Floats]
    stats: SuffStats
    log_likelihoods: list[float]
    converged: bool
    n_iter: int
    state: EMState | None = None


def with_dev_counts(stats: SuffStats, priors: Priors) -> SuffStats:
    """Expected counts and those of the dev records together."""
    return stats if priors.dev_counts is None else mixed_counts([stats, priors.dev_counts], [1.0, 1.0])


def band_of(n_tasks: int) -> float:
    """By what factor a label's odds may move from the first balance; of votes on several tasks that is rough."""
    return BALANCE_BAND if n_tasks == 1 else BALANCE_BAND_OF_TREES


def target_balance(stats: SuffStats, priors: Priors) -> list[Floats]:
    """Label counts to stay near: the given prior's, or those of the first E-step blended with the dev records'.

    Left free, EM on dependent LFs lets one class swallow the others. The E-step is worth 10 records a label.
    """
    found_first = [records[:-1] for records in stats.labels]
    if priors.class_prior_given:
        n_points = float(stats.labels[0].sum())
        shares = zip(priors.class_prior.log_share, priors.class_prior.applies, strict=True)
        return [n_points * applies * np.exp(share) for share, applies in shares]
    if priors.dev_counts is None:
        return found_first
    target = []
    for found, dev in zip(found_first, priors.dev_counts.labels, strict=True):
        total = max(float(found.sum()), 1e-9)
        blended = BALANCE_STRENGTH * len(found) * found / total + dev[:-1] / priors.dev_weight
        target.append(blended / max(float(blended.sum()), 1e-9) * total)
    return target
