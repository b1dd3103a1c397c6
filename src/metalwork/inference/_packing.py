"""Rows of votes as digits of a few integers, so that counting them is sorting integers.

The votes of a row are written task by task, each LF one digit: 0 abstains, ``v + 1`` votes for label v (outcome
v, where the LF has an alphabet of its own). LFs of a task are ordered by the number of their outcomes. Digits
fill 64-bit *words*; words compare as the rows do. Neighbouring LFs of one task and as many outcomes form *groups*,
short numbers within a word that index a table.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork._checks import IntArray
from metalwork.inference._outcomes import Alphabets, is_relative, shares_of
from metalwork.inference._threads import do_in_threads

Int64Array = npt.NDArray[np.int64]
Keys = npt.NDArray[np.integer[Any]]
_WORD = 1 << 62
_BLOCK = 1 << 15
MOST_KEYS = 1 << 16
"""Keys that a group of several LFs may have."""
_LEAST_KEYS, _MOST_KEYS_IN_ALL, _ROWS_A_KEY = 1 << 8, 1 << 18, 8


class Group(NamedTuple):
    """Some LFs of one task whose votes make up one number below ``n_keys``, the first LF its highest digit.

    They have ``base - 1`` outcomes each. An LF of soft votes has a group of its own: these are its keys, but its
    outcomes are the labels.
    """

    task: int
    lfs: Int64Array
    base: int
    word: int
    n_keys: int


class Packing(NamedTuple):
    """How rows of votes become words: groups from the highest digit of the first word to the lowest of the last.

    Every task has a group, if one without LFs. ``n_labels`` are those of the tasks.
    """

    groups: tuple[Group, ...]
    n_words: int
    n_lfs: int
    n_labels: tuple[int, ...]
    alphabets: Alphabets


def packing(
    lfs_of_task: Sequence[Int64Array],
    n_labels: Sequence[int],
    most_keys: int = MOST_KEYS,
    alphabets: Alphabets | None = None,
) -> Packing:
    """Lay out LFs in words, whatever ``most_keys``, and in groups of at most ``most_keys`` keys, or of one LF.

    Many LFs get smaller groups, so that tables of all keys stay small; those of a task with relative states stand
    alone.
    """
    groups: list[Group] = []
    word, size = 0, 1
    own = alphabets or {}
    runs = [
        (t, *run)
        for t, (lfs, k) in enumerate(zip(lfs_of_task, n_labels, strict=True))
        for run in _runs(lfs, k, own)
    ]
    for t, base, rest in runs:
        soft = _soft_lfs(rest, own)
        most = 1 if soft or is_relative(lfs_of_task[t].tolist(), n_labels[t], own) else most_keys
        while True:
            fitting = _digits(base, _WORD // size)
            if fitting or not len(rest):  # a word that is full gets no group, a task without LFs one
                groups += [
                    group._replace(base=n_labels[t] + 1) if soft.intersection(group.lfs) else group
                    for group in _split(t, rest[:fitting], base, word, most)
                ]
            size *= base ** min(fitting, len(rest))
            rest = rest[fitting:]
            if not len(rest):
                break
            word, size = word + 1, 1
    if most_keys > _LEAST_KEYS and sum(group.n_keys for group in groups) > _MOST_KEYS_IN_ALL:
        return packing(lfs_of_task, n_labels, most_keys // 4, alphabets)
    return Packing(tuple(groups), word + 1, sum(len(lfs) for lfs in lfs_of_task), tuple(n_labels), own)


def _runs(lfs: Int64Array, n_labels: int, alphabets: Alphabets) -> list[tuple[int, Int64Array]]:
    """The LFs of a task by their base."""
    bases = np.array([len(alphabets.get(lf, range(n_labels))) + 1 for lf in lfs.tolist()], np.int64)
    return [(int(base), lfs[bases == base]) for base in np.unique(bases)] or [(n_labels + 1, lfs)]


def _soft_lfs(lfs: Int64Array, alphabets: Alphabets) -> set[int]:
    """Those that cast soft votes."""
    return {lf for lf in lfs.tolist() if lf in alphabets and shares_of(alphabets[lf]) is not None}


def _digits(base: int, size: int) -> int:
    """How many digits always stay below ``size``."""
    digits = 0
    while base ** (digits + 1) <= size:
        digits += 1
    return digits


def _split(task: int, lfs: Int64Array, base: int, word: int, most_keys: int) -> list[Group]:
    n_groups = max(1, -(-len(lfs) // max(1, _digits(base, most_keys))))
    parts = np.array_split(lfs, n_groups)
    return [Group(task, part, base, word, base ** len(part)) for part in parts]


def split_group(group: Group, most_keys: int) -> list[Group]:
    """Groups of at most ``most_keys`` keys, or of one LF, that make up a group, its highest digits first."""
    if len(group.lfs) < 2 or group.n_keys <= most_keys:
        return [group]
    return _split(group.task, group.lfs, group.base, group.word, most_keys)


def most_keys_for(n_rows: int) -> int:
    """Keys that groups of so many rows may have: larger tables cost more than looking up twice."""
    return min(MOST_KEYS, max(_LEAST_KEYS, n_rows // _ROWS_A_KEY))


def key_blocks(codes: IntArray, layout: Packing, n_rows: int = _BLOCK) -> Iterator[tuple[slice, list[Keys]]]:
    """Yield, block by block of at most ``n_rows`` rows, the keys of every group; reads each vote once."""
    for rows in blocks_of(len(codes), n_rows):
        yield rows, keys_of(codes[rows], layout)


def keys_of(codes: IntArray, layout: Packing) -> list[Keys]:
    """The keys of every group (n_rows,)."""
    digits = np.array(codes.T, order="C")  # a copy, whatever the order of codes in memory
    digits += 1
    columns = digits.view(f"u{digits.dtype.itemsize}")
    return [_keys(columns, group) for group in layout.groups]


def blocks_of(n_points: int, n_rows: int = _BLOCK) -> Iterator[slice]:
    """Slices of at most ``n_rows`` rows, one after the other."""
    for start in range(0, n_points, n_rows):
        yield slice(start, min(start + n_rows, n_points))


def _keys(columns: Keys, group: Group) -> Keys:
    keys = np.zeros(columns.shape[1], _key_type(group))
    for lf in group.lfs:
        keys *= keys.dtype.type(group.base)
        keys += columns[lf]
    return keys


def _key_type(group: Group) -> npt.DTypeLike:
    return np.uint8 if group.n_keys <= 1 << 8 else np.uint16 if group.n_keys <= 1 << 16 else np.uint32


def pack(codes: IntArray, layout: Packing) -> Int64Array:
    """The words of every row: int64 array (n_words, n_points)."""
    words = np.zeros((layout.n_words, len(codes)), np.int64)

    def fill(rows: slice) -> None:
        for group, key in zip(layout.groups, keys_of(codes[rows], layout), strict=True):
            word = words[group.word, rows]
            word *= group.n_keys
            word += key

    do_in_threads(fill, blocks_of(len(codes)))
    return words


def unpack(words: Int64Array, layout: Packing) -> list[Keys]:
    """The keys of every group (n_rows,), from words."""
    found = [np.empty(words.shape[1], _key_type(group)) for group in layout.groups]
    for rows in blocks_of(words.shape[1]):
        rest = list(words[:, rows])
        for group, keys in zip(reversed(layout.groups), reversed(found), strict=True):
            higher = rest[group.word] // group.n_keys
            keys[rows] = rest[group.word] - higher * group.n_keys
            rest[group.word] = higher
    return found


def votes_of_keys(keys: Keys, group: Group) -> Int64Array:
    """The votes behind keys: int64 array (n_rows, LFs of the group), -1 for an abstain."""
    rest, votes = keys.astype(np.int64), np.empty((len(keys), len(group.lfs)), np.int64)
    if len(group.lfs) == 1:
        votes[:, 0] = rest - 1
        return votes
    for i in reversed(range(len(group.lfs))):
        rest, digit = np.divmod(rest, group.base)
        votes[:, i] = digit - 1
    return votes


def votes_in_words(words: Int64Array, layout: Packing) -> Int64Array:
    """How many LFs vote in each row: int array (n_rows,)."""
    n_votes = np.zeros(words.shape[1], np.int64)
    for rows in blocks_of(words.shape[1]):
        for group, keys in zip(layout.groups, unpack(words[:, rows], layout), strict=True):
            n_votes[rows] += votes_by_key(group).take(keys)
    return n_votes


def votes_by_key(group: Group) -> Int64Array:
    """How many LFs vote, for every key of the group: int array (n_keys,)."""
    if len(group.lfs) == 1:
        return (np.arange(group.n_keys) > 0).astype(np.int64)
    by_key = np.zeros(1, np.int64)
    for _ in group.lfs:
        by_key = (by_key[:, None] + (np.arange(group.base) > 0)).reshape(-1)
    return by_key


def distinct_words(words: Int64Array, counts: Int64Array | None = None) -> tuple[Int64Array, Int64Array]:
    """The distinct columns of words (n_words, n_points), ascending, with their summed ``counts`` (default 1).

    Uses ``words`` up: they are sorted in place.
    """
    n_words, n_points = words.shape
    if n_words == 1 and counts is None:
        words.sort()
    else:
        order = _ascending(words)
        for word in words:
            word[:] = word.take(order)
        counts = None if counts is None else counts.take(order)
    first = np.zeros(n_points, dtype=bool)
    first[:1] = True
    for word in words:
        first[1:] |= word[1:] != word[:-1]
    starts = np.flatnonzero(first)
    found = words if len(starts) == n_points else words.take(starts, axis=1)
    if counts is None:
        return found, np.diff(starts, append=n_points)
    return found, np.add.reduceat(counts, starts) if n_points else counts


def _ascending(words: Int64Array) -> Int64Array:
    """The order of columns of words: by the first word, and where that ties by the next, and so on."""
    order = np.argsort(words[0])
    tied, run = _ties(np.arange(len(order)), words[0].take(order), np.zeros(len(order), np.int64))
    for word in words[1:]:
        if not len(tied):
            break
        here = order[tied]
        inner = np.lexsort((word.take(here), run))
        order[tied] = here.take(inner)
        tied, run = _ties(tied, word.take(order[tied]), run)
    return order


def _ties(places: Int64Array, values: Int64Array, run: Int64Array) -> tuple[Int64Array, Int64Array]:
    """The places whose value another place of their run shares, and the number of their new run; runs ascend."""
    same = (values[1:] == values[:-1]) & (run[1:] == run[:-1])
    tied = np.zeros(len(places), dtype=bool)
    tied[1:] |= same
    tied[:-1] |= same
    numbers = np.cumsum(np.concatenate([[False], ~same]))
    return places[tied], numbers[tied]
