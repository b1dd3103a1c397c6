"""Are LFs independent given the label? A test without labels, of the fitted generative reading."""

import numpy as np

from metalwork.inference import (
    CodedVotes,
    Packing,
    PairResiduals,
    Tree,
    code_votes,
    packing,
    pair_residuals,
    simulated_codes,
)
from metalwork.label_models._fitting import Fit, Limits, Start, fit_generative

MOST_DEPENDENCE = 1.2
_SLACK = 1.15
_DRAWS, _DRAWN_ROWS, _DRAWN_STEPS = 6, 5_000, 20
_DRAWN_KEYS = 1 << 8


def dependence(tree: Tree, votes: CodedVotes, fit: Fit) -> float:
    """Mean squared residual of joint votes: below 1 where LFs are independent given the label."""
    return _mean_square(pair_residuals(tree, votes, fit.tables, fit.log_prior))


def most_dependence(tree: Tree, votes: CodedVotes, layout: Packing, fit: Fit, start: Start) -> float:
    """The dependence at which LFs still pass for independent.

    What a fit takes up by itself hangs on how many parameters it has. So votes are drawn from the fitted model,
    in which LFs *are* independent, and the model is fitted to them again: the limit is the mean dependence found
    there and twice its spread, with a little slack. The draws are the same every time.
    """
    n_points = min(int(votes.weights.sum()), _DRAWN_ROWS)
    lfs = [task.lfs for task in votes.tasks]
    small = packing(lfs, layout.n_labels, _DRAWN_KEYS, layout.alphabets)  # large tables cost more than few rows
    found = []
    for seed in range(_DRAWS):
        rng = np.random.default_rng(seed)
        codes = simulated_codes(rng, tree, votes.tasks, fit.tables, fit.log_prior, n_points)
        drawn = code_votes(small, codes)
        again = fit_generative(tree, drawn, fit, start._replace(known=None), Limits(_DRAWN_STEPS, 1e-6))
        found.append(dependence(tree, drawn, again))
    return min(MOST_DEPENDENCE, _SLACK * float(np.mean(found) + 2.0 * np.std(found)))


def _mean_square(residuals: PairResiduals) -> float:
    used = residuals.z[np.triu(residuals.z != 0, 1)]
    return float((used**2).mean()) if used.size else 0.0
