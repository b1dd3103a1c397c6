"""Each vote beside what the other votes of its task on the record say: by a model, and by their majority."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse

from metalwork.inference._mixture import CodedVotes, n_votes_of, one_hot
from metalwork.inference._packing import Int64Array
from metalwork.inference._rows import MOST_ROWS, sampled_weights
from metalwork.inference._tree import Floats, normalise

_BLOCK_CELLS = 1 << 22
_MOST_VOTES = 200_000
_LEAST_ROWS = 64
_ALIKE = 1e-9


class Foretold(NamedTuple):
    """Of the votes for labels that have another vote beside them, those that the others foretell.

    ``share`` is their share in [0, 1]; ``beyond_chance`` puts chance at 0 and all at 1, as Cohen's kappa does:
    always to say the most frequent label is right by chance. 0 both where no vote has another beside it.
    """

    share: float
    beyond_chance: float


class _Columns(NamedTuple):
    """Columns of :func:`one_hot` that are votes for labels of a task, the LF of the task and the label of each."""

    column: Int64Array
    lf: Int64Array
    label: Int64Array


class _LeftOut(NamedTuple):
    """Some votes on task ``t`` with others beside them, each left out in turn.

    ``weights`` (n_votes,) in records, ``lf`` and ``label`` (n_votes,); ``by_model`` (n_labels, n_votes) is the log
    weight of each label by the others, ``by_count`` how many of them are for it.
    """

    t: int
    weights: Floats
    lf: Int64Array
    label: Int64Array
    by_model: Floats
    by_count: Floats


def foretold_votes(
    votes: CodedVotes, tables: Sequence[Floats], log_prior: Sequence[Floats]
) -> tuple[Foretold, Foretold]:
    """What the likeliest label by the other votes of the task foretells, and what their majority does.

    Each vote is left out in turn, tables and priors as they are. Labels that are equally likely share what they
    foretell. Tasks with relative states are passed over. Up to 20,000 distinct rows and about 200,000 votes are
    looked at; the cost is linear in these, times labels.
    """
    right, chance = np.zeros(2), np.zeros(2)
    said = [np.zeros((2, task.n_labels)) for task in votes.tasks]
    cast = [np.zeros(task.n_labels) for task in votes.tasks]
    for part in _left_out_votes(votes, tables, log_prior):
        for i, by in enumerate((part.by_model, part.by_count)):
            share = (by >= by.max(axis=0) - _ALIKE).astype(np.float64)
            share /= share.sum(axis=0)
            right[i] += part.weights @ share[part.label, np.arange(share.shape[1])]
            said[part.t][i] += share @ part.weights
        cast[part.t] += np.bincount(part.label, part.weights, len(cast[part.t]))
    for by, of in zip(said, cast, strict=True):
        chance += by @ of / max(float(of.sum()), 1e-300)
    n_votes = sum(float(of.sum()) for of in cast)
    model, majority = (_foretold(float(r), float(c), n_votes) for r, c in zip(right, chance, strict=True))
    return model, majority


def doubts_of_votes(votes: CodedVotes, tables: Sequence[Floats], log_prior: Sequence[Floats]) -> Floats:
    """How doubtful votes for labels are by the others beside them: mean p (1 - p) by LF (n_lfs,), in [0, 1/4].

    p is the probability that the vote is right where it is left out itself, as in :func:`foretold_votes`. An LF
    beside which nobody votes has 1/4.
    """
    found, counted = np.zeros(votes.n_lfs), np.zeros(votes.n_lfs)
    for part in _left_out_votes(votes, tables, log_prior):
        share = part.by_model
        normalise(share)
        right = share[part.label, np.arange(share.shape[1])]
        lfs = votes.tasks[part.t].lfs[part.lf]
        found += np.bincount(lfs, part.weights * right * (1.0 - right), votes.n_lfs)
        counted += np.bincount(lfs, part.weights, votes.n_lfs)
    doubts: Floats = np.divide(found, counted, out=np.full(votes.n_lfs, 0.25), where=counted > 0)
    return doubts


def _foretold(right: float, chance: float, n_votes: float) -> Foretold:
    return Foretold(right / max(n_votes, 1e-300), (right - chance) / max(n_votes - chance, 1e-300))


def _left_out_votes(
    votes: CodedVotes, tables: Sequence[Floats], log_prior: Sequence[Floats]
) -> Iterator[_LeftOut]:
    mean_votes = float(n_votes_of(votes).mean()) if len(votes.weights) else 0.0
    weights = sampled_weights(votes, min(MOST_ROWS, int(_MOST_VOTES / max(mean_votes, 1.0))))
    chosen = np.flatnonzero(weights)
    most_labels = max(task.n_labels for task in votes.tasks)
    step = max(_LEAST_ROWS, int(_BLOCK_CELLS / (most_labels * (mean_votes + 1.0))))
    columns = _columns(votes)
    for start in range(0, len(chosen), step):
        rows = chosen[start : start + step]
        matrix = one_hot(votes, rows)
        for t, own in enumerate(columns):
            if len(own.column) and not votes.tasks[t].relative:
                of_task = sparse.csr_array(matrix[:, own.column])
                yield _left_out(t, of_task, own, weights[rows], tables[t], log_prior[t])


def _left_out(
    t: int, matrix: sparse.csr_array, columns: _Columns, weights: Floats, table: Floats, log_prior: Floats
) -> _LeftOut:
    entries = matrix.tocoo()
    several = matrix.sum(axis=1)[entries.row] > 1
    row, column = entries.row[several], entries.col[several]
    silence = table[:, :-1, -1]
    gain = table[columns.lf, :-1, columns.label] - silence[columns.lf]
    one = np.zeros(gain.shape)
    one[np.arange(len(one)), columns.label] = 1.0
    start = (log_prior + silence.sum(axis=0))[:, None]
    by_model = (matrix @ gain).T.take(row, axis=1) - gain.T.take(column, axis=1) + start
    by_count = (matrix @ one).T.take(row, axis=1) - one.T.take(column, axis=1)
    return _LeftOut(t, weights[row], columns.lf[column], columns.label[column], by_model, by_count)


def _columns(votes: CodedVotes) -> list[_Columns]:
    n_lfs = [len(group.lfs) for group in votes.groups]
    n_outcomes = np.repeat(np.array([group.base - 1 for group in votes.groups]), n_lfs)
    found, first, start = [], 0, 0
    for task in votes.tasks:
        own = n_outcomes[first : first + len(task.lfs)]
        lf = np.repeat(np.arange(len(own)), own)
        label = np.arange(len(lf)) - np.repeat(np.cumsum(own) - own, own)
        plain = np.flatnonzero(task.outcomes.plain[lf])
        found.append(_Columns(start + plain, lf[plain], label[plain]))
        first, start = first + len(own), start + len(lf)
    return found
