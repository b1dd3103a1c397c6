"""Standard errors and intervals of what the default label model estimates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betaincinv, expit, logit, ndtri

from metalwork.errors import VotesError
from metalwork.inference import (
    END,
    MOST_CELLS,
    CodedVotes,
    CountLayout,
    Floats,
    SuffStats,
    Tree,
    accuracy_variances,
    balance_variances,
    count_covariance,
    count_layout,
    doubts_of_votes,
)
from metalwork.label_models._constants import BALANCE_STRENGTH
from metalwork.label_models._em import Priors
from metalwork.label_models._independent import independent_m_step
from metalwork.label_models._outcomes import branch_counts, right_votes
from metalwork.label_models._raters import rater_accuracies

if TYPE_CHECKING:
    import polars as pl

_MOST_WORK = 1.5e7
_MOST_COUNTS = 2_500
_MOST_IN_A_TASK = 5_000
_EDGE = 1e-6
_STEP = 1e-3

_FULL = (
    "Independent LFs: confidence intervals. They hold where LFs are independent given the label; "
    "dependence makes them too narrow."
)
_BY_TASK = (
    "Independent LFs, with more LFs or labels than can be looked at in full: confidence intervals of a model "
    "with one accuracy an LF, task by task. They hold where LFs are independent given the label and much the same "
    "for all labels; else they are too narrow."
)
_RATERS = (
    "Raters: posterior intervals of each one's accuracy, shrunk to that of all, and of the balance. They hold "
    "where raters err independently given the label; dependence makes them too narrow."
)
_HELD = (
    "Rules: no confidence intervals. They say what the model may believe: precisions are held near "
    "their prior, the nearer the more LFs repeat each other. Where LFs "
    "depend on each other the truth is often outside."
)


class Interval(NamedTuple):
    """An estimate in [0, 1] with its standard error, and the bounds of its interval."""

    name: str
    estimate: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True)
class Intervals:
    """Intervals of the accuracy of every LF and of the share of every end label.

    Attributes
    ----------
    level : float
        Share of intervals that hold the truth, where ``calibrated``.
    calibrated : bool
        Whether they are confidence intervals under the model's assumptions.
    note : str
        What they mean, and where they are too narrow.
    accuracies : tuple of Interval
        Of each LF's votes where its task applies, the share that is right; by LF.
    class_prior : tuple of Interval
        By end label.
    """

    level: float
    calibrated: bool
    note: str
    accuracies: tuple[Interval, ...]
    class_prior: tuple[Interval, ...]

    def to_frame(self) -> "pl.DataFrame":
        """One row an interval: what ("accuracy" or "class prior"), name, estimate, standard_error, low, high."""
        import polars as pl

        kinds = (("accuracy", self.accuracies), ("class prior", self.class_prior))
        rows = [(what, *interval) for what, found in kinds for interval in found]
        return pl.DataFrame(rows, schema=["what", *Interval._fields], orient="row")

    def __str__(self) -> str:
        return f"{self.note}\n{self.to_frame()}"


class Deviations(NamedTuple):
    """Standard errors of accuracies (n_lfs,) and of end labels' shares (n_end_labels,), and what they mean."""

    accuracies: Floats
    class_prior: Floats
    calibrated: bool
    note: str


def independent_deviations(tree: Tree, votes: CodedVotes, stats: SuffStats, priors: Priors) -> Deviations:
    """Of independent LFs: the sandwich of EM's fixed point, or beyond its limits a smaller model's.

    The sandwich is widened by the degrees of freedom that the counts cost (as HC1 is; MacKinnon and White, 1985).

    Raises
    ------
    VotesError
        Where a task has too many LFs and labels even for that.
    """
    layout = count_layout(tree, votes)
    if layout.size <= _MOST_COUNTS and layout.work <= _MOST_WORK:
        gradients = _gradients(tree, votes, layout, stats, priors)
        covariance = count_covariance(
            tree, votes, stats, lambda counts: independent_m_step(votes, counts, priors), gradients
        )
        n_points = float(votes.weights.sum())
        spent = n_points / max(n_points - layout.size, n_points / 2.0)  # degrees of freedom
        variances = np.maximum(spent * np.diag(covariance), 0.0)
        accuracies, shares = np.split(np.sqrt(variances), [votes.n_lfs])
        return Deviations(accuracies, shares, True, _FULL)
    most = max(len(task.lfs) + task.n_labels for task in votes.tasks)
    if most > _MOST_IN_A_TASK:
        raise VotesError(
            f"intervals take at most {_MOST_IN_A_TASK:,} LFs and labels of one task; got {most:,}. "
            "Ask a model of fewer LFs."
        )
    if any(task.relative for task in votes.tasks):
        raise VotesError(
            f"LFs times labels squared must be at most {MOST_CELLS:,} a task for intervals of independent LFs; "
            "got more. Ask a model of fewer LFs."
        )
    found, pulls = np.empty(votes.n_lfs), []
    for t, task in enumerate(votes.tasks):
        on = _on_votes(stats, priors, t)
        found[task.lfs] = _accuracies(stats, priors, t)
        pulls.append(_accuracy_slope(stats, priors, t) * on[:, None, None])
    tables, log_prior = independent_m_step(votes, stats, priors)
    accuracies, shares = accuracy_variances(tree, votes, tables, log_prior, stats, found, pulls)
    return Deviations(np.sqrt(accuracies), np.sqrt(shares), True, _BY_TASK)


def rater_deviations(
    tree: Tree, votes: CodedVotes, stats: SuffStats, priors: Priors, tables: list[Floats], log_prior: list[Floats]
) -> Deviations:
    """Of raters: the posterior spread of accuracies, with what is doubtful of the labels that they are held to.

    A vote is right or wrong as the others beside it have it, itself left out, for it would vouch for itself.
    """
    accuracy, weight = rater_accuracies(votes, stats, priors)
    n_votes = np.zeros(votes.n_lfs)
    for t, task in enumerate(votes.tasks):
        n_votes[task.lfs] = _on_votes(stats, priors, t)
    counted = np.maximum(weight, 1.0)
    doubtful = n_votes * doubts_of_votes(votes, tables, log_prior) / counted**2
    variance = accuracy * (1.0 - accuracy) / (counted + 1.0) + doubtful
    balance = balance_variances(tree, votes, tables, log_prior)
    return Deviations(np.sqrt(variance), np.sqrt(balance), True, _RATERS)


def held_deviations(
    votes: CodedVotes,
    priors: Priors,
    stats: SuffStats,
    accuracies: Floats,
    class_prior: Floats,
) -> Deviations:
    """Where LFs are held near their priors: what the model believes, however many records there are.

    An accuracy is worth the votes of its prior and its own, which count for as much as the prior at most, and for
    less where the fit holds them back. The balance that labels are held near is worth ten records a label, a given
    one its band.
    """
    lf_priors, n_votes = priors.lfs, np.zeros(votes.n_lfs)
    for t, task in enumerate(votes.tasks):
        n_votes[task.lfs] = _on_votes(stats, priors, t)
    held_back = np.minimum(n_votes, lf_priors.strength / max(lf_priors.share, 1.0))
    counting = np.where(lf_priors.stated, n_votes, held_back)
    on_accuracy = np.sqrt(accuracies * (1 - accuracies) / (lf_priors.strength + counting + 1.0))
    steep = class_prior * (1 - class_prior)
    held = steep / (BALANCE_STRENGTH * len(steep))
    sampled = steep / max(float(votes.weights.sum()), 1.0)
    return Deviations(on_accuracy, np.sqrt(sampled + held), False, _HELD)


def _on_votes(stats: SuffStats, priors: Priors, t: int) -> Floats:
    """Votes of each LF of a task where its question arises (n_lfs,)."""
    counts = branch_counts(priors.outcomes[t].sets, stats.votes[t], stats.labels[t])
    return np.maximum(counts.on, _EDGE)


def _accuracies(stats: SuffStats, priors: Priors, t: int) -> Floats:
    right = right_votes(priors.outcomes[t], stats.votes[t])
    return np.clip(right / _on_votes(stats, priors, t), 0.0, 1.0)


def _accuracy_slope(stats: SuffStats, priors: Priors, t: int) -> Floats:
    """By how much each LF's accuracy moves with each of its counts: (n_lfs, n_states, n_outcomes)."""
    counted, sets = stats.votes[t], priors.outcomes[t].sets
    if not sets.soft:  # the state alone tells whether a vote is right
        accuracy, on = (part(stats, priors, t)[:, None, None] for part in (_accuracies, _on_votes))
        return np.where(sets.asked, (sets.member - accuracy) / on, 0.0)
    slope = np.zeros_like(counted)
    for s, v in np.ndindex(counted.shape[1:]):
        step = _STEP * np.maximum(counted[:, s, v], 1.0)
        ends = []
        for sign in (1, -1):
            moved = counted.copy()
            moved[:, s, v] += sign * step
            votes = [moved if u == t else other for u, other in enumerate(stats.votes)]
            ends.append(_accuracies(stats._replace(votes=votes), priors, t))
        slope[:, s, v] = (ends[0] - ends[1]) / (2 * step)
    return slope


def intervals_of(
    names: Sequence[str], estimates: Floats, deviations: Floats, level: float
) -> tuple[Interval, ...]:
    """Intervals symmetric on the scale of log odds, so that they stay in (0, 1)."""
    inside = np.clip(estimates, _EDGE, 1 - _EDGE)
    reach = ndtri((1 + level) / 2) * deviations / (inside * (1 - inside))
    low, high = expit(logit(inside) - reach), expit(logit(inside) + reach)
    columns = (estimates, deviations, low, high)
    return tuple(Interval(name, *(float(column[i]) for column in columns)) for i, name in enumerate(names))


def beta_intervals(
    names: Sequence[str], estimates: Floats, deviations: Floats, level: float
) -> tuple[Interval, ...]:
    """Central intervals of Beta distributions with these means and standard deviations."""
    inside = np.clip(estimates, _EDGE, 1 - _EDGE)
    widest = inside * (1 - inside)
    variance = np.clip(deviations**2, _EDGE * widest, (1 - _EDGE) * widest)
    strength = widest / variance - 1.0
    parameters = inside * strength, (1 - inside) * strength
    low, high = (betaincinv(*parameters, (1 + sign * level) / 2) for sign in (-1, 1))
    columns = (estimates, deviations, low, high)
    return tuple(Interval(name, *(float(column[i]) for column in columns)) for i, name in enumerate(names))


def _gradients(tree: Tree, votes: CodedVotes, layout: CountLayout, stats: SuffStats, priors: Priors) -> Floats:
    """Of the accuracies, then of the end labels' shares, in the counts: (n_lfs + n_end_labels, layout.size)."""
    found = np.zeros((votes.n_lfs + tree.n_end_labels, layout.size))
    n_points = float(stats.labels[0].sum())
    for t, task in enumerate(votes.tasks):
        slope = _accuracy_slope(stats, priors, t)
        lf, state, vote = np.nonzero(layout.votes[t] >= 0)
        found[task.lfs[lf], layout.votes[t][lf, state, vote]] = slope[lf, state, vote]
        for c, below in enumerate(tree.child[t]):
            if below == END:
                found[votes.n_lfs + tree.first_leaf[t][c], layout.labels[t][c]] = 1.0 / n_points
    return found
