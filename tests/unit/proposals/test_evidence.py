"""Disagreements within groups, against brute force."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp

from metalwork._checks import FloatArray, IntArray
from metalwork.proposals._evidence import Disagreements, Fold, weigh
from metalwork.proposals._grouping import group_labels, silhouette

GROUPS = np.array([0, 0, 1, 1, 2])


def drawn(seed: int, n_points: int = 200) -> tuple[IntArray, IntArray]:
    rng = np.random.default_rng(seed)
    return rng.poisson(0.6, (n_points, 5)), rng.poisson(0.3, (n_points, 5))


def pairs_by_hand(one: IntArray, other: IntArray) -> FloatArray:
    """The share of each pair of labels among the disagreements, a record counting once."""
    shares = np.zeros((5, 5))
    for row in range(len(one)):
        own = np.outer(one[row], other[row]).astype(float)
        np.fill_diagonal(own, 0)
        if own.sum():
            shares += own / own.sum()
    return shares


@pytest.mark.parametrize("among", [True, False])
def test_shares_are_those_of_enumeration(among: bool) -> None:
    one, other = drawn(0)
    other = one if among else other
    found = Disagreements(sp.csr_array(one), sp.csr_array(other))
    shares = pairs_by_hand(one, other)
    same = GROUPS[:, None] == GROUPS
    assert len(found) == round(shares.sum())
    assert found.inside(GROUPS) == pytest.approx(shares[same].sum() / shares.sum())
    assert found.inside_by_record(GROUPS).mean() == pytest.approx(found.inside(GROUPS))


@pytest.mark.parametrize("among", [True, False])
def test_weights_have_the_margins_that_were_found(among: bool) -> None:
    one, other = drawn(1)
    found = Disagreements(sp.csr_array(one), sp.csr_array(one if among else other))
    rows, columns = found._weights
    table = np.outer(rows, columns)
    np.fill_diagonal(table, 0)
    shares = pairs_by_hand(one, one if among else other)
    np.testing.assert_allclose(table.sum(axis=1), shares.sum(axis=1) / shares.sum(), atol=1e-6)
    np.testing.assert_allclose(table.sum(axis=0), shares.sum(axis=0) / shares.sum(), atol=1e-6)
    assert found.by_chance(GROUPS) == pytest.approx(table[GROUPS[:, None] == GROUPS].sum(), abs=1e-6)


def test_the_gain_is_the_mean_log_ratio_of_two_distributions() -> None:
    seen = Disagreements(*(sp.csr_array(drawn(2)[0]),) * 2)
    new = Disagreements(*(sp.csr_array(np.array([[1, 1, 0, 0, 0]] * 3 + [[1, 0, 1, 0, 0]])),) * 2)
    chance, n = seen.by_chance(GROUPS), len(seen)
    share = (seen.inside(GROUPS) * n + chance) / (n + 1)
    expected = 0.0
    if share > chance:
        expected = 0.75 * np.log(share / chance) + 0.25 * np.log((1 - share) / (1 - chance))
    evidence = weigh([Fold(GROUPS, seen, new)], np.random.default_rng(0))
    assert evidence.gain == pytest.approx(expected)
    assert (evidence.n_disagreements, evidence.inside) == (4, 0.75)


def test_the_p_value_counts_every_grouping_of_few_labels_once() -> None:
    pair = Disagreements(
        *(sp.csr_array(np.array([[1, 1, 0, 0]] * 40 + [[0, 0, 1, 1]] * 40 + [[1, 0, 1, 0]])),) * 2
    )
    evidence = weigh([Fold(np.array([0, 0, 1, 1]), pair, pair)], np.random.default_rng(0))
    assert evidence.p_value == pytest.approx(1 / 3)
    assert evidence.supported


def test_silhouettes_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(9, 2))
    distance = np.linalg.norm(points[:, None] - points, axis=2)
    groups = np.array([0, 0, 0, 1, 1, 1, 1, 2, 3])
    widths = []
    for i, own in enumerate(groups):
        to = {g: [distance[i, j] for j in np.flatnonzero(groups == g) if j != i] for g in range(4)}
        if to[own]:
            a, b = np.mean(to[own]), min(np.mean(to[g]) for g in range(4) if g != own)
            widths.append((b - a) / max(a, b))
        else:
            widths.append(0.0)
    assert silhouette(distance, groups) == pytest.approx(np.mean(widths))


def test_blocks_are_found_and_their_number_too() -> None:
    truth = np.repeat([0, 1, 2, 3], [3, 5, 4, 6])
    rng = np.random.default_rng(0)
    noise = rng.normal(scale=0.1, size=(18, 18))
    similarity = (truth[:, None] == truth) + noise + noise.T
    for n_groups in (None, 4):
        np.testing.assert_array_equal(group_labels(similarity, n_groups), truth)
    order = rng.permutation(18)
    shuffled = group_labels(similarity[np.ix_(order, order)], None)
    pairs = itertools.combinations(range(18), 2)
    assert all((shuffled[i] == shuffled[j]) == (truth[order][i] == truth[order][j]) for i, j in pairs)


def test_labels_of_which_nothing_is_known_stay_alone() -> None:
    similarity = np.kron(np.eye(2), np.ones((3, 3)))
    similarity[5], similarity[:, 5] = np.nan, np.nan
    np.testing.assert_array_equal(group_labels(similarity, 3), [0, 0, 0, 1, 1, 2])


def test_labels_that_are_all_alike_have_no_silhouette() -> None:
    assert silhouette(np.zeros((3, 3)), np.zeros(3, dtype=np.int64)) == -1.0
    assert len(group_labels(np.ones((9, 9)), None)) == 9
