"""How often each distinct row of votes stands in a stream of label matrices."""

import numpy as np

from metalwork._checks import IntArray
from metalwork.inference import (
    MOST_KEYS,
    CodedVotes,
    Floats,
    Int64Array,
    Packing,
    code_words,
    distinct_words,
    pack,
    packing,
    tasks_of,
    votes_in_words,
)

MOST_BYTES = 1 << 27
"""What the counts may hold: 8.4 million distinct rows of up to 39 LFs with two labels."""
_BLOCK = 1 << 20
_LEAST_KEYS = 1 << 8
_MOST_VOTES = 500


class VoteCounts:
    """Counts of distinct rows of votes: those of two matrices merge into those of both, in whatever order.

    Rows are kept in ascending order, so that nothing computed from them depends on the order of records or on how
    they were cut into chunks.

    Where more than ``most_rows`` distinct rows turn up, a sample of them is kept, by a fixed hash of the row's
    content: the ``most_rows`` rows of least ``hash * 2**votes``, with their exact counts. Only content decides,
    and a row once dropped stays dropped, so the sample depends on neither order nor chunking. Rows with few votes,
    which repeat most, are likelier kept; :meth:`coded` weighs each row by one over its chance.

    Parameters
    ----------
    layout : Packing
        How rows become words.
    most_rows : int, optional
        Distinct rows kept; by default as many as ``MOST_BYTES`` hold.

    Attributes
    ----------
    n_points : int
        Records counted.
    """

    def __init__(self, layout: Packing, most_rows: int | None = None) -> None:
        self.layout = layout
        self.most_rows = most_rows or MOST_BYTES // (8 * (layout.n_words + 1))
        self.n_points = 0
        self._words = np.empty((layout.n_words, 0), np.int64)
        self._counts = np.empty(0, np.int64)
        self._pending: list[tuple[Int64Array, Int64Array]] = []
        self._limit = np.inf

    def add(self, codes: IntArray) -> None:
        """Count the rows of an int array (n_points, n_lfs)."""
        for start in range(0, len(codes), _BLOCK):
            self._keep(*distinct_words(pack(codes[start : start + _BLOCK], self.layout)))
        self.n_points += len(codes)

    def merge(self, other: "VoteCounts") -> None:
        """Add the counts of other matrices of the same LFs, counted with the same ``most_rows``."""
        other._settle()
        self._limit = min(self._limit, other._limit)
        self._keep(other._words, other._counts)
        self.n_points += other.n_points

    def coded(self) -> CodedVotes:
        """The distinct rows, in ascending order; weights sum to ``n_points``."""
        self._settle()
        weights = self._counts.astype(np.float64)
        if np.isfinite(self._limit):
            weights /= np.minimum(self._limit / _rarity(self._words, self.layout), 1.0)
            weights *= self.n_points / weights.sum()
        tasks = tasks_of(self.layout)
        most_keys = min(MOST_KEYS, max(_LEAST_KEYS, len(weights)))  # larger tables cost more than they save
        layout = packing([task.lfs for task in tasks], self.layout.n_labels, most_keys, self.layout.alphabets)
        return code_words(layout, self._words, weights)

    def _keep(self, words: Int64Array, counts: Int64Array) -> None:
        self._pending.append((words, counts))
        if sum(len(part) for _, part in self._pending) > max(_BLOCK, len(self._counts)):
            self._settle()

    def _settle(self) -> None:
        """Merge what is pending, and drop rows beyond the most."""
        if not self._pending:
            return
        parts, self._pending = self._pending, []
        if len(self._counts):
            parts.append((self._words, self._counts))
        words, counts = parts[0]
        if len(parts) > 1:
            words = np.concatenate([part for part, _ in parts], axis=1)
            words, counts = distinct_words(words, np.concatenate([part for _, part in parts]))
        del parts
        if len(counts) > self.most_rows or np.isfinite(self._limit):
            priority = _hash(words) * _rarity(words, self.layout)
            if len(counts) > self.most_rows:
                self._limit = min(self._limit, float(np.partition(priority, self.most_rows)[self.most_rows]))
            kept = priority < self._limit
            words, counts = words[:, kept], counts[kept]
        self._words, self._counts = words, counts


def _rarity(words: Int64Array, layout: Packing) -> Floats:
    """2 ** (votes in the row): float array (n_rows,)."""
    votes = np.minimum(votes_in_words(words, layout), _MOST_VOTES)
    rarity: Floats = np.ldexp(np.ones(len(votes)), votes)
    return rarity


def _hash(words: Int64Array) -> Floats:
    """A fixed number in [0, 1) for the content of every column of words (SplitMix64's mixing)."""
    state = np.zeros(words.shape[1], np.uint64)
    for word in words.view(np.uint64):
        state += word + np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            state ^= state >> np.uint64(shift)
            state *= np.uint64(factor)
        state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53
