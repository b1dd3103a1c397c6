"""What the votes tell of one accuracy an LF: the information of a smaller model, task by task.

Where the full tables of many LFs are too many numbers to look at together (:mod:`metalwork.inference._influence`),
each LF is taken to have one accuracy and each task one balance of labels, and tasks are looked at one by one.
"""

from collections.abc import Sequence

import numpy as np

from metalwork.inference._expected import SuffStats
from metalwork.inference._mixture import CodedVotes
from metalwork.inference._rows import Rows, row_blocks
from metalwork.inference._tree import END, Floats, Tree

_LEAST_KNOWN = 0.05


def accuracy_variances(
    tree: Tree,
    votes: CodedVotes,
    tables: Sequence[Floats],
    log_prior: Sequence[Floats],
    stats: SuffStats,
    accuracies: Floats,
    pulls: Sequence[Floats],
) -> tuple[Floats, Floats]:
    """Variances of the accuracies (n_lfs,) and of the end labels' shares (n_end_labels,), from the empirical
    information: the outer products of each record's scores.

    ``pulls[t]`` (n_lfs, n_states, n_outcomes) says what one vote in one state does to right votes less
    ``accuracies`` (n_lfs,) times all votes.
    """
    sizes = [len(task.lfs) + task.n_labels for task in votes.tasks]
    share = [records[:-1] / max(float(records[:-1].sum()), 1e-9) for records in stats.labels]
    information = [np.zeros((size, size)) for size in sizes]
    for rows in row_blocks(tree, votes, tables, log_prior, max(pull[:, :, 0].size for pull in pulls)):
        for t, found in enumerate(information):
            scores = _scores(rows, t, pulls[t], share[t])
            found += scores @ (scores * rows.weights).T
    variances = np.empty(votes.n_lfs)
    log_share = []
    for task, found, p in zip(votes.tasks, information, share, strict=True):
        steep, n_lfs = accuracies[task.lfs] * (1 - accuracies[task.lfs]), len(task.lfs)
        weak = np.concatenate([np.maximum(steep, 1e-3), np.maximum(p, 1e-6)])  # what one more record would tell
        covariance = np.linalg.inv(found + np.diag(weak))
        variances[task.lfs] = steep**2 * np.diag(covariance)[:n_lfs]
        contrast = np.eye(len(p)) - p
        log_share.append(np.einsum("cd,de,ce->c", contrast, covariance[n_lfs:, n_lfs:], contrast))
    return variances, _end_variances(tree, share, log_share)


def balance_variances(
    tree: Tree, votes: CodedVotes, tables: Sequence[Floats], log_prior: Sequence[Floats]
) -> Floats:
    """Variances of end labels' shares (n_end_labels,), what is doubtful of each record's label taken into account.

    A share of n labels has variance p (1 - p) / n; where labels are known by posteriors q alone, the mean of
    q (1 - q) is missing from that information (Louis, 1982). At least a twentieth is taken to be there.
    """
    share, square = np.zeros(tree.n_end_labels), np.zeros(tree.n_end_labels)
    for rows in row_blocks(tree, votes, tables, log_prior, votes.n_lfs):
        share += rows.end @ rows.weights
        square += rows.end**2 @ rows.weights
    n_points = max(float(votes.weights.sum()), 1.0)
    complete = share / n_points * (1.0 - share / n_points)
    known = np.maximum(complete - (share - square) / n_points, _LEAST_KNOWN * complete)
    variance: Floats = complete**2 / np.maximum(n_points * known, 1e-300)
    return variance


def _scores(rows: Rows, t: int, pull: Floats, share: Floats) -> Floats:
    """How each row pulls at the log odds of every accuracy, then at the log of every share: (n, n_rows)."""
    state, codes = rows.state[t], rows.codes[t].T
    pulled = np.einsum("jrs,sr->jr", pull[np.arange(len(pull))[:, None], :, codes], state)
    return np.concatenate(
        [np.where(codes >= 0, pulled, 0.0), state[:-1] - share[:, None] * state[:-1].sum(axis=0)]
    )


def _end_variances(tree: Tree, share: Sequence[Floats], log_share: Sequence[Floats]) -> Floats:
    """Down the tree, a share is a product, and the variances of its logs add up."""
    variance = np.empty(tree.n_end_labels)
    above = [(1.0, 0.0)] * len(tree.child)
    for t, children in enumerate(tree.child):
        p, spread = above[t]
        for c, below in enumerate(children):
            here = (p * float(share[t][c]), spread + float(log_share[t][c]))
            if below == END:
                variance[tree.first_leaf[t][c]] = here[0] ** 2 * here[1]
            else:
                above[below] = here
    return variance
