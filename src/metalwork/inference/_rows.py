"""Rows of votes block by block, with what a fitted model says of the state of every task."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from metalwork.inference._dependence import systematic_sample
from metalwork.inference._mixture import CodedVotes, keys_at, one_hot
from metalwork.inference._outcomes import TaskVotes
from metalwork.inference._packing import Int64Array, votes_by_key, votes_of_keys
from metalwork.inference._tree import Floats, Tree, leaf_spans
from metalwork.inference._weights import end_posterior_of_keys, weigh

MOST_ROWS = 20_000
_BLOCK_CELLS = 1 << 22
_LEAST_ROWS = 64


class Rows(NamedTuple):
    """Some rows: ``weights`` (n_rows,), in records; ``end`` (n_end_labels, n_rows), P(end label).

    For every task t, ``codes[t]`` (n_rows, n_lfs of t) holds its votes, -1 for an abstain, of a soft vote the
    label that it holds most, and ``state[t]`` (n_labels + 1, n_rows) the probability of each label, last that t
    does not apply.
    """

    weights: Floats
    end: Floats
    codes: list[Int64Array]
    state: list[Floats]


def sampled_weights(votes: CodedVotes, most_rows: int = MOST_ROWS) -> Floats:
    """Weights (n_rows,) that sum to all records: beyond ``most_rows``, those of a systematic sample of as many."""
    if len(votes.weights) <= most_rows:
        return votes.weights
    sample = systematic_sample(votes.weights, most_rows)
    return sample * float(votes.weights.sum() / sample.sum())


def row_blocks(
    tree: Tree, votes: CodedVotes, tables: Sequence[Floats], log_prior: Sequence[Floats], width: int
) -> Iterator[Rows]:
    """Yield the sampled rows in blocks small enough for ``width`` numbers a row."""
    known = weigh(tree, votes.tasks, votes.groups, tables, log_prior)
    weights = sampled_weights(votes)
    chosen = np.flatnonzero(weights)
    step = max(_LEAST_ROWS, _BLOCK_CELLS // max(width, tree.n_end_labels))
    for start in range(0, len(chosen), step):
        rows = chosen[start : start + step]
        keys = keys_at(votes, rows)
        cast = [votes_of_keys(key, group) for key, group in zip(keys, votes.groups, strict=True)]
        codes = [_codes(task, [cast[g] for g in task.groups]) for task in votes.tasks]
        end = end_posterior_of_keys(tree, known, keys)
        yield Rows(weights[rows], end, codes, [_states(tree, t, end) for t in range(len(tree.child))])


def _codes(task: TaskVotes, votes: Sequence[Int64Array]) -> Int64Array:
    codes = np.concatenate(votes, axis=1)
    for i, shares in task.outcomes.shares:
        codes[:, i] = np.append(shares.argmax(axis=1), -1)[codes[:, i]]
    return codes


def _states(tree: Tree, t: int, end: Floats) -> Floats:
    on = [end[start:stop].sum(axis=0) for start, stop in leaf_spans(tree, t)]
    return np.stack([*on, np.maximum(1.0 - sum(on), 0.0) if t else np.zeros(end.shape[1])])


def votes_on_task(votes: CodedVotes, t: int) -> Int64Array:
    """How many LFs of task t vote in each row (n_rows,)."""
    if votes.sparse_rows is not None:
        return votes.sparse_rows.n_votes_on(t)
    n_votes = np.zeros(len(votes.weights), np.int64)
    for g in votes.tasks[t].groups:
        n_votes += votes_by_key(votes.groups[g]).take(votes.keys[g])
    return n_votes


def votes_of_pairs(votes: CodedVotes, rows: npt.NDArray[np.bool_]) -> sparse.csr_array:
    """On how many of some distinct rows two LFs vote both: (n_lfs, n_lfs) with an empty diagonal."""
    chosen = np.flatnonzero(rows)
    lf = np.concatenate([np.repeat(group.lfs, group.base - 1) for group in votes.groups])
    of_lf = sparse.csr_array((np.ones(len(lf)), (np.arange(len(lf)), lf)), shape=(len(lf), votes.n_lfs))
    voted = one_hot(votes, chosen) @ of_lf
    pairs = sparse.csr_array(voted.T @ voted)
    pairs.setdiag(0)
    return pairs
