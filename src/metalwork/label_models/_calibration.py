"""From what votes rank to what they are worth: a step of its own after EM, which ranks.

Votes on one record err together, so their log odds are taken back; and where the class prior or dev labels are
known, the balance of the labels is moved to where these have it, with all odds between records kept.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from metalwork._checks import FloatArray
from metalwork.inference import (
    CodedVotes,
    Floats,
    SuffStats,
    Tree,
    end_posterior,
    expected_counts,
    leaf_spans,
    votes_of_task,
    votes_on_task,
)
from metalwork.label_models._constants import BALANCE_LEVEL, BALANCE_STRENGTH, CORRELATION
from metalwork.label_models._em import Priors

_MOST_SHIFTS = 30
_SETTLED = 1e-3
_LEAST_EXPECTED = 5.0

Target = Callable[[SuffStats], list[Floats]]
"""From expected counts to the shares that the labels of each task are to have."""


def design_effects(votes: CodedVotes, priors: Priors) -> list[float]:
    """What votes that err together are worth, by task, as a share of independent ones.

    With m votes on a task where there are any, they count for m / (1 + r (m - 1)) independent ones, r the
    correlation of their errors (the design effect; Kish, 1965).
    """
    found = []
    for t, task in enumerate(votes.tasks):
        cast = float(priors.weights[task.lfs] @ votes_of_task(votes, t).sum(axis=1))
        records = float(votes.weights @ (votes_on_task(votes, t) > 0))
        found.append(1.0 / (1.0 + CORRELATION * max(cast / max(records, 1.0) - 1.0, 0.0)))
    return found


def tempered(votes: CodedVotes, tables: list[Floats], priors: Priors, worth: list[float]) -> list[Floats]:
    """Tables with log odds taken back to a share, by task, but those of LFs whose strength the user chose."""
    found = []
    for task, table, share in zip(votes.tasks, tables, worth, strict=True):
        found.append(table * np.where(priors.lfs.stated[task.lfs], 1.0, share)[:, None, None])
    return found


def balanced(
    tree: Tree, votes: CodedVotes, tables: list[Floats], log_prior: list[Floats], target: Target
) -> list[Floats]:
    """The log prior under which the expected counts of labels have the shares of ``target``.

    The labels' odds on every record move by the same factors, as where a known shift of the balance is taken into
    account (Saerens, Latinne and Decaestecker, 2002).
    """
    shares: list[Floats] = []
    for _ in range(_MOST_SHIFTS):
        stats = expected_counts(tree, votes, tables, log_prior)
        shares = shares or target(stats)
        pairs = zip(shares, _shares(stats), strict=True)
        shifts = [np.log(np.maximum(wanted, 1e-12)) - np.log(now) for wanted, now in pairs]
        log_prior = [old + shift for old, shift in zip(log_prior, shifts, strict=True)]
        log_prior = [part - np.logaddexp.reduce(part) for part in log_prior]
        if max(float(np.abs(shift).max()) for shift in shifts) < _SETTLED:
            break
    return log_prior


def known_balance(
    tree: Tree, class_prior: FloatArray | None, covered: float, dev: list[FloatArray] | None
) -> Target:
    """The target of :func:`balanced` where a class prior (n_end_labels,) or dev labels are known.

    ``dev[t]`` (n_labels,) counts the labels of dev records with a vote. Where they contradict the shares that EM
    found they are blended with these, worth 20 records an end label; else chance explains what they differ by,
    and moving the balance after it would only add their noise. A class prior is of all records, of which those
    with a vote are a share ``covered``: they can have no more of a label than there is of it, so that shares are
    cut there, and where all records have a vote are those of the prior.
    """

    def target(stats: SuffStats) -> list[Floats]:
        shares = _shares(stats)
        if dev is not None:
            weight = BALANCE_STRENGTH * tree.n_end_labels / max(float(stats.labels[0].sum()), 1e-9)
            known = zip(shares, stats.labels, dev, strict=True)
            shares = [_blended(share, weight * records[:-1], n) for share, records, n in known]
        if class_prior is not None:
            end = end_posterior(tree, [np.log(share)[None] for share in shares])[0]
            shares = by_task(tree, _at_most(end, class_prior / max(covered, 1e-9)))[0]
        return shares

    return target


def _blended(shares: Floats, counts: Floats, known: FloatArray) -> Floats:
    """Shares of labels from expected ``counts`` and ``known`` labels, where these contradict ``shares``."""
    if contradiction(shares, known) >= BALANCE_LEVEL:
        return shares
    blend: Floats = counts + known + 1e-9
    return blend / float(blend.sum())


def contradiction(shares: Floats, known: FloatArray) -> float:
    """P value of ``known`` label counts under ``shares`` (n_labels,): 1 where there are too few to tell.

    Pearson's chi-square test, with the rarest labels taken together until five are expected (Cochran, 1954).
    """
    order = np.argsort(shares)
    expected, found = (known.sum() * shares)[order], known[order]
    n_rare = int(np.searchsorted(expected, _LEAST_EXPECTED))
    n_rare += 0.0 < expected[:n_rare].sum() < _LEAST_EXPECTED
    expected, found = (np.append(part[n_rare:], part[:n_rare].sum()) for part in (expected, found))
    cells = expected > 0
    freedom = int(cells.sum()) - 1
    if freedom < 1:
        return 1.0
    return float(chdtrc(freedom, ((found - expected)[cells] ** 2 / expected[cells]).sum()))


def by_task(tree: Tree, end: Floats) -> tuple[list[Floats], Floats]:
    """Shares of end labels as those of each task's labels where it applies, and how often it does (n_tasks,)."""
    floored = np.maximum(end, 1e-9)
    spans = [leaf_spans(tree, t) for t in range(len(tree.child))]
    mass = [np.array([floored[start:stop].sum() for start, stop in span]) for span in spans]
    return [part / part.sum() for part in mass], np.array([part.sum() for part in mass])


def _shares(stats: SuffStats) -> list[Floats]:
    counts = [records[:-1] + 1e-6 for records in stats.labels]
    return [count / count.sum() for count in counts]


def _at_most(shares: FloatArray, most: FloatArray) -> Floats:
    """Shares cut at ``most``, whose sum is at least 1; the others grow alike."""
    cut: npt.NDArray[np.bool_] = np.zeros(len(shares), dtype=bool)
    found = shares
    while (over := (found > most * (1 + 1e-9)) & ~cut).any():
        cut |= over
        left, others = 1.0 - most[cut].sum(), shares[~cut].sum()
        found = np.where(cut, most, shares * max(left, 0.0) / max(others, 1e-300))
    whole: Floats = found / found.sum()
    return whole
