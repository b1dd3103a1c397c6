"""What features are worth beside votes: how much better they predict the votes of LFs that are left out."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, BoolArray, FloatArray
from metalwork.votes import LabelMatrix

WEIGHTS: Final = np.array([0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0])
"""Powers of the features' likelihood ratios that are compared; above 1 where they learned from flat labels."""
_ERRORS: Final = 1.0
"""Standard errors by which a weight may fall behind the best one (the rule of Breiman et al., 1984)."""
_LEAST: Final = 1e-9
_TINY: Final = 1e-300

Posterior = Callable[[LabelMatrix], FloatArray]
LogRatios = Callable[[npt.NDArray[np.int64], FloatArray, npt.NDArray[np.int64]], FloatArray]
"""Of a classifier that learns from records (n_rows,) and their soft labels: log ratios of some records."""


def tilted(posterior: FloatArray, log_ratios: FloatArray, weight: FloatArray | float) -> FloatArray:
    """The posterior times the ratios to a power (n_rows, 1) or one for all, rows summing to 1."""
    power = weight * log_ratios
    found: FloatArray = posterior * np.exp(power - power.max(axis=1, keepdims=True))
    found /= found.sum(axis=1, keepdims=True)
    return found


def groups_of_lfs(votes: LabelMatrix, n_groups: int) -> npt.NDArray[np.int64]:
    """A group of each LF (n_lfs,), 0..n_groups - 1: alike in their labels, whatever the order of the LFs."""
    keys = []
    for lf, (task, name) in enumerate(zip(votes.tasks, votes.names, strict=True)):
        codes = votes.codes[:, lf]
        counts = np.bincount(codes[codes != ABSTAIN], minlength=1)
        keys.append((votes.schema.task_index(task), int(counts.argmax()), -int(counts.sum()), name, lf))
    found = np.empty(votes.n_lfs, dtype=np.int64)
    for rank, key in enumerate(sorted(keys)):
        found[key[-1]] = rank % n_groups
    return found


def measured_weight(
    votes: LabelMatrix, judged: BoolArray, posterior: Posterior, learn: LogRatios, n_groups: int
) -> float:
    """The weight of features on records with votes, out of ``WEIGHTS``.

    A group of LFs is silenced; the others' posterior teaches a classifier, out of fold. Times its ratios to a
    power, does the posterior make likelier what the silenced LFs say? The score of a record on which both vote is
    the log likelihood of the silenced votes under it, but for a constant. Taken is the
    least weight within a standard error of the best. The LFs are the sample, not the records: what holds of one LF
    need not hold of the next.

    Parameters
    ----------
    judged : bool array (n_points,)
        The records on which it is measured.
    """
    groups = groups_of_lfs(votes, n_groups)
    silence = posterior(_silenced(votes.rows([0]), np.ones(votes.n_lfs, dtype=bool)))
    scores, shares = np.zeros((votes.n_lfs, len(WEIGHTS))), np.zeros(votes.n_lfs)
    for group in range(n_groups):
        rest, own = _silenced(votes, groups == group), _silenced(votes, groups != group)
        taught = np.flatnonzero((rest.codes != ABSTAIN).any(axis=1))
        both = np.flatnonzero((own.codes[taught] != ABSTAIN).any(axis=1) & judged[taught])
        if not both.size:
            continue
        labels, rows = posterior(rest.rows(taught)), taught[both]
        log_ratios = learn(taught, labels, rows)
        likelihood = posterior(own.rows(rows)) / np.maximum(silence, _LEAST)
        agreed = [np.log((tilted(labels[both], log_ratios, w) * likelihood).sum(axis=1) + _TINY) for w in WEIGHTS]
        of_lf = (own.codes[rows] != ABSTAIN).astype(np.float64)
        of_lf /= of_lf.sum(axis=1, keepdims=True)
        scores += of_lf.T @ np.stack(agreed, axis=1)
        shares += of_lf.sum(axis=0)
    return _least_within_error(scores[shares > 0], shares[shares > 0])


def _silenced(votes: LabelMatrix, silent: BoolArray) -> LabelMatrix:
    codes = np.where(silent, ABSTAIN, votes.codes)
    return LabelMatrix(codes, votes.schema, votes.tasks, votes.names, outcomes=votes.outcomes)


def _least_within_error(scores: FloatArray, shares: FloatArray) -> float:
    """From sums of scores (n_lfs, n_weights) over so many records (n_lfs,)."""
    n_lfs = len(shares)
    if n_lfs < 2:
        return 0.0
    means = scores.sum(axis=0) / shares.sum()
    best = int(means.argmax())
    behind = means[best] - means
    spread = scores[:, [best]] - scores - shares[:, None] * behind
    error = np.sqrt((spread**2).sum(axis=0) * n_lfs / (n_lfs - 1)) / shares.sum()
    return float(WEIGHTS[np.flatnonzero(behind <= _ERRORS * error + 1e-12)[0]])
