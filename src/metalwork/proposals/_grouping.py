"""From how alike labels are to groups of labels."""

import math
from typing import Final

import numpy as np
import scipy.sparse as sp
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from metalwork._checks import FloatArray, IntArray

_LINKAGES: Final = ("average", "complete", "ward")
_MOST_CUTS: Final = 30
"""How many numbers of groups are tried, and how many cuts of each linkage are asked, at most."""
_LABELS_A_GROUP: Final = 3
"""The least average size of a group, where the number of groups is not given: smaller groups teach little."""


def group_labels(similarity: FloatArray, n_groups: int | None) -> IntArray:
    """The group of each label, int64 (n_labels,), counted from 0 in the order in which they first come up.

    A consensus of three linkages, each cut at half to twice the number of groups: how often two labels fall
    together is clustered again, by average linkage. No single linkage is the best of the three on most sets.

    Parameters
    ----------
    similarity : float64 array (n_labels, n_labels)
        Symmetric; NaN where nothing is known: such a label is unlike all others.
    n_groups : int, optional
        From 2 to n_labels - 1; by default the number whose groups have the greatest silhouette.
    """
    distance = _distance(similarity)
    trees = [linkage(squareform(distance, checks=False), method) for method in _LINKAGES]
    wanted = _best_number(distance, trees[0]) if n_groups is None else n_groups
    levels = _spread(max(2, wanted // 2), min(2 * wanted, len(distance) - 1))
    cuts = [_cut(tree, level) for tree in trees for level in levels]
    cut_into = sp.csr_array(sp.hstack([_members(cut) for cut in cuts]))
    apart: FloatArray = np.maximum(1 - (cut_into @ cut_into.T).toarray() / len(cuts), 0)
    np.fill_diagonal(apart, 0)
    return _in_order(_cut(linkage(squareform(apart, checks=False), "average"), wanted))


def clarity(similarity: FloatArray, n_groups: int | None) -> float:
    """How clearly labels fall into groups, 0 to 1: the silhouette of so many, or of the number that fits best."""
    distance = _distance(similarity)
    tree = linkage(squareform(distance, checks=False), _LINKAGES[0])
    return max(silhouette(distance, _cut(tree, n_groups or _best_number(distance, tree))), 0.0)


def silhouette(distance: FloatArray, groups: IntArray) -> float:
    """Mean silhouette of the labels (Rousseeuw 1987), from -1 to 1; 0 for a label that is alone in its group.

    -1 for a single group, which distances that tie may leave.
    """
    members = _members(groups)
    if members.shape[1] < 2:
        return -1.0
    sizes = np.asarray(members.sum(axis=0)).ravel()
    sums = np.asarray(members.T @ distance).T
    rows = np.arange(len(groups))
    own = sums[rows, groups] / np.maximum(sizes[groups] - 1, 1)
    others = sums / sizes
    others[rows, groups] = np.inf
    nearest = others.min(axis=1)
    widths = np.where(sizes[groups] > 1, (nearest - own) / np.maximum(np.maximum(nearest, own), 1e-12), 0.0)
    return float(widths.mean())


def _best_number(distance: FloatArray, tree: FloatArray) -> int:
    most = max(2, len(distance) // _LABELS_A_GROUP)
    numbers = _spread(2, most)
    return max(numbers, key=lambda number: silhouette(distance, _cut(tree, number)))


def _distance(similarity: FloatArray) -> FloatArray:
    known = np.where(np.isnan(similarity), np.nanmin(similarity), similarity)
    distance: FloatArray = np.maximum(known.max() - (known + known.T) / 2, 0)
    np.fill_diagonal(distance, 0)
    return distance


def _cut(tree: FloatArray, n_groups: int) -> IntArray:
    """The groups of a linkage tree, int64 (n_labels,) from 0; fewer than asked for where distances tie."""
    groups: IntArray = np.unique(fcluster(tree, n_groups, "maxclust"), return_inverse=True)[1]
    return groups


def _spread(low: int, high: int) -> list[int]:
    """Whole numbers from ``low`` to ``high``, all or some that grow by a constant factor."""
    if high - low < _MOST_CUTS:
        return list(range(low, max(low, high) + 1))
    return sorted({round(math.exp(x)) for x in np.linspace(math.log(low), math.log(high), _MOST_CUTS)})


def _members(groups: IntArray) -> sp.csr_array:
    """Ones (n_labels, n_groups) where a label is in a group."""
    n_labels = len(groups)
    return sp.csr_array((np.ones(n_labels), (np.arange(n_labels), groups)), shape=(n_labels, groups.max() + 1))


def _in_order(groups: IntArray) -> IntArray:
    _, first, codes = np.unique(groups, return_index=True, return_inverse=True)
    order: IntArray = np.argsort(np.argsort(first))[codes]
    return order
