"""What dropping a labeling function would change."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from metalwork._checks import BoolArray, IntArray
from metalwork.inspection._facts import SplitFacts
from metalwork.inspection._split import Rows
from metalwork.probabilities import TaskProbabilities

Relabel = Callable[[Rows], Mapping[str, Iterable[TaskProbabilities]]]
"""From the LFs that are kept, by position, to the labels of each split, in parts, by a model fitted to them."""


@dataclass(frozen=True)
class WithoutLF:
    """What changes when the label model is fitted again without a labeling function.

    Attributes
    ----------
    lf : str
    n_changed : int
        Training records whose label becomes another one, or is no longer given.
    n_uncovered : int
        Those among them that are left without a vote.
    dev_accuracy, dev_accuracy_without : float or None
        Accuracy of the label model on dev records whose end label is known, before and after.
    n_dev : int
        How many these are.
    n_dev_mended, n_dev_broken : int
        Of these: wrong before and right after; right before and wrong after.
    rows : tuple of (split, row)
        Records whose label changes, at most twenty: of dev first.
    """

    lf: str
    n_changed: int
    n_uncovered: int
    dev_accuracy: float | None
    dev_accuracy_without: float | None
    n_dev: int
    n_dev_mended: int
    n_dev_broken: int
    rows: tuple[tuple[str, int], ...]


_SHOWN = 20


def without_lf(
    name: str, columns: tuple[int, ...], facts: Mapping[str, SplitFacts], relabel: Relabel
) -> WithoutLF:
    """Fit again without the LF that has these columns."""
    first = next(iter(facts.values()))
    kept = np.setdiff1d(np.arange(first.votes.like.n_lfs), columns)
    changed: dict[str, BoolArray] = {}
    lost: dict[str, BoolArray] = {}
    after: dict[str, IntArray] = {}
    labels = relabel(kept)
    for split, own in facts.items():
        after[split] = np.concatenate([part.predict() for part in labels[split]])
        silenced = sum(own.votes.voted(j).astype(np.int64) for j in columns)
        still = own.votes.n_votes > silenced
        lost[split] = (own.votes.n_votes > 0) & ~still
        reads = np.full(own.n_points, own.data.reads_features)
        changed[split] = own.covered & (~(still | reads) | (after[split] != own.labels.codes))
    dev, order = facts.get("dev"), [split for split in ("dev", "train") if split in facts]
    before_right, after_right = _right_on(dev, after)
    rows = [(split, int(row)) for split in order for row in np.flatnonzero(changed[split])[:_SHOWN]]
    n_dev = len(before_right)
    return WithoutLF(
        lf=name,
        n_changed=int(changed["train"].sum()),
        n_uncovered=int(lost["train"].sum()),
        dev_accuracy=float(before_right.mean()) if n_dev else None,
        dev_accuracy_without=float(after_right.mean()) if n_dev else None,
        n_dev=n_dev,
        n_dev_mended=int((after_right & ~before_right).sum()),
        n_dev_broken=int((before_right & ~after_right).sum()),
        rows=tuple(rows[:_SHOWN]),
    )


def _right_on(dev: SplitFacts | None, after: Mapping[str, IntArray]) -> tuple[BoolArray, BoolArray]:
    """Which known end labels of dev the label model has, before and after: (n_dev,) each."""
    if dev is None or dev.data.known is None:
        return np.zeros(0, bool), np.zeros(0, bool)
    truth = dev.schema.end_of(dev.data.known)
    known = truth >= 0
    return np.asarray(dev.labels.codes == truth)[known], np.asarray(after["dev"] == truth)[known]
