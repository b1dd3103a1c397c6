"""How often each distinct row of votes stands in a stream of label matrices."""

from collections.abc import Mapping

import numpy as np

from metalwork._checks import IntArray
from metalwork.errors import VotesError
from metalwork.inference import (
    CodedVotes,
    Floats,
    Int64Array,
    Packing,
    code_few,
    code_words,
    distinct_words,
    most_keys_for,
    pack,
    packing,
    tasks_of,
    unpack,
    votes_in_words,
    votes_of_keys,
)

MOST_BYTES = 1 << 27
"""What the counts may hold: 8.4 million distinct rows of up to 39 LFs with two labels."""
_BLOCK = 1 << 20
_MOST_PENDING = 1 << 24
_MOST_VOTES = 500
_MANY_GROUPS, _FEW, _SAMPLE = 16, 8, 1_000
_FEW_ROWS = 64


class RowCounts:
    """Counts of distinct rows of votes, of any number of matrices, in whatever order.

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

    def add_counts(self, other: "RowCounts") -> None:
        """Count what another one of the same layout has counted: the rows kept depend on no order."""
        other._settle()
        self._limit = min(self._limit, other._limit)
        self._keep(other._words, other._counts)
        self.n_points += other.n_points

    def recoded(self, layout: Packing, new_codes: Mapping[int, IntArray]) -> "RowCounts":
        """The counts in another layout: LFs of ``new_codes`` have other codes, found there by the old ones.

        Raises
        ------
        VotesError
            Where only a sample of the rows is kept: another sample would be, of other codes.
        """
        self._settle()
        if np.isfinite(self._limit):
            raise VotesError(
                f"Counts of more than {self.most_rows:,} distinct rows must have the same alphabets; they differ. "
                "Pass like=, the votes of one part, to mw.apply on the others."
            )
        codes, _ = self.rows()
        for lf, new in new_codes.items():
            codes[:, lf] = new[codes[:, lf]]
        found = RowCounts(layout, self.most_rows)
        found._keep(*distinct_words(pack(codes, layout), self._counts.copy()))
        found.n_points = self.n_points
        return found

    def rows(self) -> tuple[IntArray, Floats]:
        """The distinct rows, in ascending order, as codes (n_rows, n_lfs), and their weights, as :meth:`coded`."""
        weights = self._weights()
        codes = np.empty((len(weights), self.layout.n_lfs), np.int32)
        for group, keys in zip(self.layout.groups, unpack(self._words, self.layout), strict=True):
            codes[:, group.lfs] = votes_of_keys(keys, group)
        return codes, weights

    def coded(self) -> CodedVotes:
        """The distinct rows, in ascending order; weights sum to ``n_points``."""
        weights = self._weights()
        tasks = tasks_of(self.layout)
        few = any(task.relative for task in tasks) or _few_votes(self._words, self.layout)
        most_keys = 1 if few else most_keys_for(len(weights))
        layout = packing([task.lfs for task in tasks], self.layout.n_labels, most_keys, self.layout.alphabets)
        if few:
            return code_few(self.layout, self._words, weights, layout)
        return code_words(layout, self._words, weights)

    def _weights(self) -> Floats:
        self._settle()
        weights = self._counts.astype(np.float64)
        if np.isfinite(self._limit):
            weights /= np.minimum(self._limit / _rarity(self._words, self.layout), 1.0)
            weights *= self.n_points / weights.sum()
        return weights

    def _keep(self, words: Int64Array, counts: Int64Array) -> None:
        self._pending.append(self._within(words, counts))
        most = max(_MOST_PENDING // (8 * (self.layout.n_words + 1)), len(self._counts) // 2)
        if sum(len(part) for _, part in self._pending) > most:
            self._settle()

    def _within(self, words: Int64Array, counts: Int64Array) -> tuple[Int64Array, Int64Array]:
        """The rows below the limit."""
        if not np.isfinite(self._limit):
            return words, counts
        kept = np.flatnonzero(self._priority(words) < self._limit)
        return words.take(kept, axis=1), counts.take(kept)

    def _priority(self, words: Int64Array) -> Floats:
        return _hash(words) * _rarity(words, self.layout)

    def _settle(self) -> None:
        """Merge what is pending, and drop rows beyond the most."""
        if not self._pending:
            return
        parts, self._pending = [*self._pending, (self._words, self._counts)], []
        self._words = np.empty((self.layout.n_words, 0), np.int64)  # let the old rows go as soon as may be
        words, counts = parts[0]
        if len(parts) > 2 or len(self._counts):
            words = np.concatenate([part for part, _ in parts], axis=1)
            counts = np.concatenate([part for _, part in parts])
            del parts
            words, counts = distinct_words(words, counts)
        if len(counts) > self.most_rows:
            priority = np.partition(self._priority(words), self.most_rows)
            self._limit = min(self._limit, float(priority[self.most_rows]))
        self._words, self._counts = self._within(words, counts)


def _few_votes(words: Int64Array, layout: Packing) -> bool:
    """Whether rows have votes in a small share of the groups, by a systematic sample; or are few themselves."""
    n_groups = len(layout.groups)
    if n_groups < _MANY_GROUPS or not words.size:
        return False
    if words.shape[1] < _FEW_ROWS:  # tables of all groups would cost more
        return True
    sample = words[:, :: -(-words.shape[1] // _SAMPLE)]
    return float(votes_in_words(sample, layout).mean()) * _FEW < n_groups


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
