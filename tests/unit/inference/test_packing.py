"""Packed rows and their keys, against NumPy's own."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from metalwork.inference import Packing, distinct_words, key_blocks, pack, packing, votes_in_words
from metalwork.inference._packing import unpack, votes_of_keys

Codes = npt.NDArray[np.int8]


def votes(n_points: int, n_lfs: int, n_labels: int, seed: int = 0) -> Codes:
    return np.random.default_rng(seed).integers(-1, n_labels, size=(n_points, n_lfs)).astype(np.int8)


def one_task(n_lfs: int, n_labels: int, most_keys: int = 1 << 16) -> Packing:
    return packing([np.arange(n_lfs)], [n_labels], most_keys)


@pytest.mark.parametrize(("n_lfs", "n_labels"), [(0, 2), (1, 2), (6, 2), (39, 2), (40, 2), (100, 9)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_words_sort_and_count_as_rows_do(n_lfs: int, n_labels: int, order: str) -> None:
    codes = votes(300, n_lfs, n_labels)
    codes[100:] = codes[np.arange(200) % 100]
    layout = one_task(n_lfs, n_labels)
    stored = np.array(codes, order="C" if order == "C" else "F")
    words, counts = distinct_words(pack(stored, layout))
    assert (stored == codes).all()
    rows, expected = np.unique(codes, axis=0, return_counts=True)
    assert (words == pack(rows, layout)).all()
    assert (counts == expected).all()
    assert (votes_in_words(words, layout) == (rows >= 0).sum(axis=1)).all()


def test_rows_that_share_their_first_word_sort_by_the_others() -> None:
    codes = votes(500, 60, 3)
    codes[:, :50] = codes[:5, :50][np.arange(500) % 5]
    layout = one_task(60, 3)
    assert layout.n_words == 2
    words, _ = distinct_words(pack(codes, layout))
    assert (words == pack(np.unique(codes, axis=0), layout)).all()


def test_rows_that_part_late_sort_as_rows_do() -> None:
    codes = votes(400, 300, 2)
    codes[:, :200] = -1
    codes[:200, 250:] = -1
    codes[200:300] = codes[:100]
    layout = one_task(300, 2)
    assert layout.n_words == 8
    words, counts = distinct_words(pack(codes, layout))
    rows, expected = np.unique(codes, axis=0, return_counts=True)
    assert (words == pack(rows, layout)).all()
    assert (counts == expected).all()


def test_many_lfs_get_small_groups() -> None:
    assert max(group.n_keys for group in one_task(20, 2).groups) == 3**10
    assert sum(group.n_keys for group in one_task(2_000, 2).groups) <= 1 << 18


def test_counts_of_distinct_words_add_up() -> None:
    words = np.array([[3, 1, 3, 2]])
    found, counts = distinct_words(words, np.array([1, 2, 4, 8]))
    assert found.tolist() == [[1, 2, 3]]
    assert counts.tolist() == [2, 8, 5]


@pytest.mark.parametrize("most_keys", [2, 30, 1 << 16])
def test_keys_hold_the_votes(most_keys: int) -> None:
    lfs = [np.array([4, 0, 7]), np.array([], dtype=np.int64), np.array([1, 2, 3, 5, 6])]
    codes = votes(200, 8, 2)
    codes[:, lfs[2]] = votes(200, 5, 40, 1)
    layout = packing(lfs, [2, 3, 40], most_keys)
    assert [group.task for group in layout.groups] == sorted(group.task for group in layout.groups)
    assert {group.task for group in layout.groups} == {0, 1, 2}
    assert all(group.n_keys <= most_keys or len(group.lfs) == 1 for group in layout.groups)
    blocks = [keys for _, keys in key_blocks(codes, layout, 64)]
    for g, (group, unpacked) in enumerate(zip(layout.groups, unpack(pack(codes, layout), layout), strict=True)):
        keys = np.concatenate([block[g] for block in blocks])
        assert (keys == unpacked).all()
        assert (votes_of_keys(keys, group) == codes[:, group.lfs]).all()


def test_words_do_not_depend_on_the_size_of_groups() -> None:
    codes = votes(100, 50, 4)
    first, second = one_task(50, 4, 5), one_task(50, 4, 1 << 16)
    assert len(first.groups) > len(second.groups)
    assert (pack(codes, first) == pack(codes, second)).all()


@pytest.mark.parametrize("n_labels", [127, 128, 32_767, 40_000])
def test_many_labels(n_labels: int) -> None:
    kind = np.int8 if n_labels <= 127 else np.int16 if n_labels <= 32_767 else np.int32
    codes: npt.NDArray[np.integer[Any]] = np.array([[-1, n_labels - 1], [n_labels - 1, 0]]).astype(kind)
    layout = one_task(2, n_labels)
    keys = unpack(pack(codes, layout), layout)
    found = np.concatenate(
        [votes_of_keys(key, group) for key, group in zip(keys, layout.groups, strict=True)], axis=1
    )
    assert (found == codes).all()


@pytest.mark.parametrize("n_lfs", [26, 31, 62, 63])
def test_a_full_word_gets_no_group_without_lfs(n_lfs: int) -> None:
    """31 LFs of three labels fill a word of 62 bits; the next LF has another base and begins the next word."""
    sets = np.append(np.eye(2, 3), np.full((2, 1), np.nan), axis=1)
    layout = packing([np.arange(n_lfs + 1)], [3], alphabets={n_lfs: sets})
    assert all(len(group.lfs) for group in layout.groups)
    assert sorted(int(lf) for group in layout.groups for lf in group.lfs) == list(range(n_lfs + 1))
