"""Are LFs independent given the label? A test without labels, of fitted tables."""

from functools import partial

import numpy as np
from scipy.special import xlogy

from metalwork.inference import (
    MOST_COMPARED,
    CodedVotes,
    Floats,
    Packing,
    Tree,
    code_votes,
    packing,
    pair_residuals,
    simulated_codes,
    votes_of_task,
)
from metalwork.label_models._constants import MOST_DEPENDENCE, SLACK
from metalwork.label_models._e_step import e_step
from metalwork.label_models._em import EMResult, Priors, Stopping, likelihood_em
from metalwork.label_models._independent import independent_m_step

_FEW_LFS = 12
_DRAWS, _DRAWS_OF_MANY = 6, 2
_LOOKED_AT = 5_000
_LEAST_SHARE = 0.5
_STEPS = 20
_KEYS = 1 << 8


def dependence(
    tree: Tree, votes: CodedVotes, fit: EMResult, priors: Priors, most_records: int = MOST_COMPARED
) -> float:
    """Mean squared residual of joint votes, copies left out: below 1 where LFs are independent given the label."""
    residuals = pair_residuals(tree, votes, fit.tables, fit.log_prior, most_records)
    kept = ~priors.redundant[residuals.lf]
    used = residuals.z[np.triu((residuals.z != 0) & kept & kept[:, None], 1)]
    return float((used**2).mean()) if used.size else 0.0


def most_dependence(
    tree: Tree, votes: CodedVotes, layout: Packing, fit: EMResult, priors: Priors, n_fitted: int
) -> float:
    """The dependence at which LFs still pass for independent, where ``fit`` saw ``n_fitted`` records.

    What a fit takes up by itself hangs on how many parameters it has, and on how many of its records are looked
    at. So votes are drawn from the fitted model, in which LFs *are* independent, and the model is fitted to them
    again, unless most of its records are not looked at: the limit is the mean dependence found there and twice its
    spread, with a little slack. The draws are the same every time.
    """
    share = min(1.0, MOST_COMPARED / n_fitted)
    refitted = share >= _LEAST_SHARE
    n_drawn = min(n_fitted, int(_LOOKED_AT / share) if refitted else _LOOKED_AT)
    lfs = [task.lfs for task in votes.tasks]
    small = packing(lfs, layout.n_labels, _KEYS, layout.alphabets)  # large tables cost more than few rows
    found = []
    for seed in range(_DRAWS if votes.n_lfs <= _FEW_LFS else _DRAWS_OF_MANY):
        rng = np.random.default_rng(seed)
        codes = simulated_codes(rng, tree, votes.tasks, fit.tables, fit.log_prior, n_drawn)
        drawn, again = code_votes(small, codes), fit
        if refitted:
            anew, alone = fit._replace(log_likelihoods=[]), priors._replace(dev_counts=None)
            step = partial(independent_m_step, drawn, priors=alone)
            few_steps = Stopping(_STEPS, 1e-6, 0.0)
            again = likelihood_em(e_step(tree, drawn), step, anew, few_steps, float(n_drawn))
        found.append(dependence(tree, drawn, again, priors, _LOOKED_AT))
    return min(MOST_DEPENDENCE, SLACK * float(np.mean(found) + 2.0 * np.std(found)))


def too_few_votes(tree: Tree, votes: CodedVotes, priors: Priors, n_fitted: int) -> bool:
    """Whether there are fewer votes than numbers in the tables of independent LFs."""
    cast = sum(float(votes_of_task(votes, t).sum()) for t in range(len(votes.tasks)))
    return cast * (n_fitted / max(float(votes.weights.sum()), 1.0)) < _n_parameters(tree, votes, priors)


def evidence(tree: Tree, votes: CodedVotes, fit: EMResult, priors: Priors, n_fitted: int) -> float:
    """How much better the model explains the votes than LFs that have nothing to do with each other.

    Twice the gain in log likelihood, in multiples of the parameters it took: about 1 where votes are random.
    """
    n_points = float(votes.weights.sum())
    gain = fit.log_likelihoods[-1] * n_points
    for t in range(len(votes.tasks)):
        outcomes = _outcomes(votes, t)
        gain -= float(xlogy(outcomes, outcomes / n_points).sum())
    return 2.0 * gain * (n_fitted / n_points) / max(_n_parameters(tree, votes, priors), 1)


def _outcomes(votes: CodedVotes, t: int) -> Floats:
    """How often each LF of task t casts each vote, and abstains: (n_lfs, n_outcomes + 1)."""
    cast = votes_of_task(votes, t)
    return np.append(cast, float(votes.weights.sum()) - cast.sum(axis=1, keepdims=True), axis=1)


def _n_parameters(tree: Tree, votes: CodedVotes, priors: Priors) -> int:
    found = tree.n_end_labels - 1
    for t, task in enumerate(votes.tasks):
        kept = _outcomes(votes, t)[~priors.redundant[task.lfs]]
        found += int(((kept > 0).sum(axis=1) - 1).sum()) * (task.n_labels - (t == 0))
    return found
