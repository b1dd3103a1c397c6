"""Votes drawn from a fitted model: what data would look like if the model were right."""

from collections.abc import Sequence

import numpy as np

from metalwork._checks import ABSTAIN
from metalwork.inference._outcomes import TaskVotes
from metalwork.inference._packing import Int64Array
from metalwork.inference._tree import Floats, Tree, end_posterior, states_of_ends


def simulated_codes(
    rng: np.random.Generator,
    tree: Tree,
    tasks: Sequence[TaskVotes],
    tables: Sequence[Floats],
    log_prior: Sequence[Floats],
    n_points: int,
) -> Int64Array:
    """Vote codes (n_points, n_lfs), -1 for an abstain, of records drawn from normalised tables and a prior."""
    prior = end_posterior(tree, [share[None, :] for share in log_prior])[0]
    ends = rng.choice(len(prior), n_points, p=prior)
    states = states_of_ends(tree)[ends]
    codes = np.full((n_points, sum(len(task.lfs) for task in tasks)), ABSTAIN, np.int64)
    for t, (task, table) in enumerate(zip(tasks, tables, strict=True)):
        silent = table.shape[2] - 1
        below = np.exp(table).cumsum(axis=2)[:, :, :silent]
        for lf, steps in zip(task.lfs, below, strict=True):
            outcome = (rng.random(n_points)[:, None] >= steps[states[:, t]]).sum(axis=1)
            codes[:, lf] = np.where(outcome == silent, ABSTAIN, outcome)
        for i, shares in task.outcomes.shares:  # the soft vote nearest to a vote for the label
            codes[:, task.lfs[i]] = np.append(shares.argmax(axis=0), ABSTAIN)[codes[:, task.lfs[i]]]
    return codes
