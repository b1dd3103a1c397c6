"""What each labeling function does, and how far to trust it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from metalwork._checks import FloatArray
from metalwork.analysis import LFSummary, lf_summary
from metalwork.inspection._estimates import Estimate, believed, counted
from metalwork.inspection._facts import SplitFacts
from metalwork.inspection._votes import RIGHT, WRONG
from metalwork.probabilities import TaskProbabilities

WORTH: Final = 2.0
"""Known labels that the label model's estimate of a precision is worth (measured: benchmarks/lf_precision.py)."""
_HALF: Final = 0.5


@dataclass(frozen=True)
class LFCard:
    """One labeling function. Shares are in [0, 1]; of training records, but where dev is named.

    Attributes
    ----------
    name, task : str
    polarity : tuple of str
        What it votes.
    reads : tuple of str
        The columns that it reads.
    n_votes, n_errors : int
        Records on which it votes; on which it failed.
    coverage, marginal_coverage : float
        Share of records on which it votes; on which it alone does.
    overlap, conflict : float
        Share of records on which it votes and another LF votes too; and on which a vote conflicts with its own.
    precision : Estimate or None
        Of all its votes, off the branch or not, the share that is right: what the label model holds, and what dev
        labels of the records on which it votes say. None before ``fit``.
    off_branch : float or None
        Share of its votes where its task does not apply, by the label model.
    dev_precision : Estimate or None
        Of its votes on dev records whose label is known, the share that is right.
    dev_off_branch : float or None
        Share of these that fell where its task does not apply.
    n_wrong : int
        Wrong votes among these.
    flags : tuple of str
        What is worth a look.
    """

    name: str
    task: str
    polarity: tuple[str, ...]
    reads: tuple[str, ...]
    n_votes: int
    n_errors: int
    coverage: float
    marginal_coverage: float
    overlap: float
    conflict: float
    precision: Estimate | None
    off_branch: float | None
    dev_precision: Estimate | None
    dev_off_branch: float | None
    n_wrong: int
    flags: tuple[str, ...]


class _Believed(NamedTuple):
    """Sums over the votes of each LF (n_lfs,): of the probability that they are right, and off their branch."""

    right: FloatArray
    off: FloatArray


def lf_cards(train: SplitFacts, dev: SplitFacts | None, reads: Sequence[tuple[str, ...]]) -> list[LFCard]:
    """A card an LF, in the order of the label matrix; ``reads`` has the columns that each reads."""
    summary, votes = _summary(train), train.votes
    known = None if dev is None or dev.data.known is None else _summary(dev, known=True)
    held = None if train.data.labels is None else _believed(train)
    alone = votes.n_votes == 1
    cards = []
    for j, row in enumerate(summary.rows):
        n_right = n_wrong = 0
        if dev is not None:
            n_right, n_wrong = (int((dev.votes.states[j] == state).sum()) for state in (RIGHT, WRONG))
        n_scored, n_votes = n_right + n_wrong, max(row.n_votes, 1)
        precision = off = None
        if held is not None and row.n_votes:
            precision = believed(held.right[j] / n_votes, WORTH, n_right, n_scored)
            off = float(held.off[j] / n_votes)
        on_dev = counted(n_right, n_scored)
        card = LFCard(
            name=row.name,
            task=row.task,
            polarity=row.polarity,
            reads=reads[j],
            n_votes=row.n_votes,
            n_errors=row.n_errors,
            coverage=row.coverage,
            marginal_coverage=float(alone[votes.rows[j]].sum()) / max(train.n_points, 1),
            overlap=row.overlap,
            conflict=row.conflict,
            precision=precision,
            off_branch=off,
            dev_precision=on_dev,
            dev_off_branch=None if known is None else known.rows[j].off_branch,
            n_wrong=n_wrong,
            flags=tuple(_flags(row.n_votes, row.n_errors, off, on_dev)),
        )
        cards.append(card)
    return cards


def _summary(facts: SplitFacts, known: bool = False) -> LFSummary:
    parts = map(facts.data.votes, range(len(facts.data.sizes)))
    if not known or facts.data.known is None:
        return lf_summary(parts)
    return lf_summary(parts, np.split(facts.data.known, facts.starts[1:-1]))


def _believed(facts: SplitFacts) -> _Believed:
    """By the label model, of the votes on all records."""
    votes = facts.votes
    right, off = np.zeros((2, votes.like.n_lfs))
    for number, start in enumerate(facts.starts[:-1].tolist()):
        probs = facts.model("labels")(number)
        for task in facts.schema.tasks:
            lfs = votes.like.lfs_of(task).tolist()
            joint = states_of_task(probs, task)
            for j in lfs:
                low, high = np.searchsorted(votes.rows[j], (start, start + len(probs)))
                own = joint[votes.rows[j][low:high] - start]
                codes, alphabet = votes.codes[j][low:high], votes.like.alphabets[j]
                if alphabet.plain:
                    right[j] += own[np.arange(len(codes)), codes].sum()
                    off[j] += own[:, -1].sum()
                    continue
                rows = alphabet.rows[codes]
                right[j] += np.nansum(own * rows)
                off[j] += own[:, -1][np.isnan(rows[:, -1])].sum()
    return _Believed(right, off)


def states_of_task(probs: TaskProbabilities, task: str) -> FloatArray:
    """Probabilities of the labels of a task, and last that it does not apply: (n_points, n_labels + 1)."""
    joint = probs[task]
    return np.append(joint, np.maximum(1.0 - joint.sum(axis=1, keepdims=True), 0.0), axis=1)


def _flags(n_votes: int, n_errors: int, off: float | None, on_dev: Estimate | None) -> list[str]:
    found = []
    if not n_votes:
        found.append("never votes")
    if n_errors:
        found.append(f"failed on {n_errors:,} records")
    if on_dev is not None and on_dev.high < _HALF:
        found.append(f"right on {round(on_dev.value * on_dev.n)} of {on_dev.n} dev votes")
    if off is not None and off > _HALF:
        found.append(f"{off:.0%} of its votes off its branch")
    return found
