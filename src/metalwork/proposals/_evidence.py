"""Whether votes support a tree: are labels mostly mixed up within its groups?

On a record that is given two labels, by two labeling functions (LFs) or by an LF and by what its features are
like, one is wrong. Draw such a disagreement, of the labels ``a`` and ``b``. If labels are flat, errors know no
groups, and

    p(a, b) = r_a q_b,                 a != b,

with weights fitted to how often each label is in a disagreement (quasi-independence). Under a tree, those within a
group are more frequent by a factor:

    p(a, b) = r_a q_b w / e            for labels of one group,
    p(a, b) = r_a q_b (1 - w) / (1 - e)  for others,

where ``e`` is the share of disagreements within groups if labels are flat, and ``w`` the share that is found. Both
are distributions over the same pairs, so they can be compared on records that neither has seen. Of several
disagreements on a record, each counts in equal parts: a record counts once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from metalwork._checks import FloatArray, IntArray

_SHUFFLES: Final = 999
_SURE: Final = 2.0
"""How many standard errors the gain must be above 0."""
_CHANCE: Final = 0.05
"""How many of the other groupings of the same sizes may do as well, at most."""
_ROUNDS: Final = 50
_LEAST: Final = 1e-9


@dataclass(frozen=True)
class Evidence:
    """What held-out votes say about a grouping of labels.

    Attributes
    ----------
    gain : float
        Mean log of how many times likelier a held-out disagreement is under the tree than flat (nats).
    error : float
        Standard error of ``gain``.
    p_value : float
        How many groupings of the same sizes, labels put in at random, gain as much: their share, in (0, 1].
    n_disagreements : int
        Between LFs, a record with any counts once; and between LFs and the records' features, where these are
        known, once again. Each was held out once.
    inside, by_chance : float
        The share of disagreements within groups, and what it would be if labels were flat.
    supported : bool
        Whether the gain is two standard errors above 0, and at most one in twenty of the other groupings does as
        well (of a few labels, where there are fewer than twenty groupings, none).
    """

    gain: float
    error: float
    p_value: float
    n_disagreements: int
    inside: float
    by_chance: float
    supported: bool


class Disagreements:
    """Pairs of different labels that two sides give the same records.

    Parameters
    ----------
    one, other : sparse arrays (n_points, n_labels)
        How often each side gives each record each label. The same array twice: votes among themselves.
    """

    def __init__(self, one: sp.csr_array, other: sp.csr_array) -> None:
        pairs = _sums(one) * _sums(other) - _sums(one.multiply(other))
        kept = pairs > 0
        self._one, self._other, self._pairs = one[kept], other[kept], pairs[kept]
        shared = sp.coo_array(self._one.T @ sp.diags_array(1 / self._pairs) @ self._other)
        apart = shared.row != shared.col
        self._rows, self._columns, self._shares = shared.row[apart], shared.col[apart], shared.data[apart]
        self._weights = self._fitted(one.shape[1])

    def __len__(self) -> int:
        return len(self._pairs)

    def inside(self, groups: IntArray) -> float:
        """The share of disagreements within groups."""
        same = groups[self._rows] == groups[self._columns]
        return min(float(self._shares[same].sum()) / max(len(self), 1), 1.0)

    def inside_by_record(self, groups: IntArray) -> FloatArray:
        """float64 array (n_records,): the share of each record's pairs that is within groups."""
        where = (np.arange(len(groups)), groups)
        members = sp.csr_array((np.ones(len(groups)), where), shape=(len(groups), groups.max() + 1))
        within = _sums((self._one @ members).multiply(self._other @ members))
        return np.asarray((within - _sums(self._one.multiply(self._other))) / self._pairs, dtype=np.float64)

    def by_chance(self, groups: IntArray) -> float:
        """The share that would be within groups if labels were flat: ``e``."""
        rows, columns = self._weights
        share = np.bincount(groups, rows) @ np.bincount(groups, columns) - rows @ columns
        return float(np.clip(share, _LEAST, 1 - _LEAST))

    def profiles(self) -> FloatArray:
        """float64 array (n_labels, n_labels): log of how much more often than by chance labels disagree.

        One made-up disagreement that is as chance has it is added to each pair. On the diagonal stands a label's
        greatest value, so that labels which disagree with each other are alike.
        """
        found, expected = np.zeros((len(self._weights[0]),) * 2), np.outer(*self._weights) * len(self)
        found[self._rows, self._columns] = self._shares
        logs: FloatArray = np.log((found + 1) / (expected + 1))
        np.fill_diagonal(logs, 0)
        np.fill_diagonal(logs, logs.max(axis=1))
        return logs

    def _fitted(self, n_labels: int) -> tuple[FloatArray, FloatArray]:
        """Weights ``r`` and ``q`` (n_labels,) under which each label is in as many disagreements as were found."""
        found = [np.bincount(side, self._shares, n_labels) for side in (self._rows, self._columns)]
        rows, columns = (counts / max(len(self), 1) for counts in found)
        for _ in range(_ROUNDS):
            rows = found[0] / np.maximum(columns.sum() - columns, _LEAST)
            columns = found[1] / np.maximum(rows.sum() - rows, _LEAST)
        total = max(rows.sum() * columns.sum() - rows @ columns, _LEAST)
        return np.asarray(rows / total), np.asarray(columns)


@dataclass(frozen=True)
class Fold:
    """A grouping that some records made, and the disagreements on these and on the others, which judge it."""

    groups: IntArray
    seen: Disagreements
    new: Disagreements


def weigh(folds: Sequence[Fold], rng: np.random.Generator) -> Evidence:
    """Judge groupings by disagreements on records that have not made them; ``rng`` shuffles labels."""
    total = sum(len(fold.new) for fold in folds)
    if not total:
        return Evidence(0.0, 0.0, 1.0, 0, 0.0, 0.0, False)
    gains = np.concatenate([_gains(f.seen, f.groups, f.new.inside_by_record(f.groups)) for f in folds])
    gain, error = float(gains.mean()), float(gains.std() / np.sqrt(total))
    p_value, few = _rank(folds, gain, rng)
    inside = sum(fold.new.inside(fold.groups) * len(fold.new) for fold in folds) / total
    by_chance = sum(fold.seen.by_chance(fold.groups) * len(fold.new) for fold in folds) / total
    return Evidence(gain, error, p_value, total, inside, by_chance, few and gain > _SURE * error)


def _gains(seen: Disagreements, groups: IntArray, inside: FloatArray) -> FloatArray:
    """Log ratio of tree to flat for held-out shares within groups; 0 where the tree seems no better than flat.

    ``w`` is estimated with one made-up disagreement that is flat.
    """
    chance = seen.by_chance(groups)
    share = min((seen.inside(groups) * len(seen) + chance) / (len(seen) + 1), 1 - _LEAST)
    if share <= chance:
        return np.zeros_like(inside)
    return np.asarray(inside * np.log(share / chance) + (1 - inside) * np.log((1 - share) / (1 - chance)))


def _rank(folds: Sequence[Fold], gain: float, rng: np.random.Generator) -> tuple[float, bool]:
    """The share of shuffled groupings, each counted once, that gain as much; and whether that is few."""
    total = sum(len(fold.new) for fold in folds)
    as_good = {_key([fold.groups for fold in folds]): True}
    for _ in range(_SHUFFLES):
        order = rng.permutation(len(folds[0].groups))
        shuffled = [Fold(fold.groups[order], fold.seen, fold.new) for fold in folds]
        key = _key([fold.groups for fold in shuffled])
        if key not in as_good:
            gains = [_gains(f.seen, f.groups, np.array([f.new.inside(f.groups)]))[0] for f in shuffled]
            mean = sum(g * len(f.new) for g, f in zip(gains, shuffled, strict=True)) / total
            as_good[key] = bool(mean >= gain)
    n_good = sum(as_good.values())
    return n_good / len(as_good), n_good == 1 or n_good / len(as_good) <= _CHANCE


def _key(groupings: Sequence[IntArray]) -> bytes:
    """The same for groupings that differ in the numbers of their groups alone."""
    firsts = [np.unique(groups, return_index=True, return_inverse=True)[1:] for groups in groupings]
    return b"".join(first[codes].astype(np.int64).tobytes() for first, codes in firsts)


def _sums(array: sp.sparray) -> FloatArray:
    return np.asarray(array.sum(axis=1), dtype=np.float64).ravel()
