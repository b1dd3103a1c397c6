"""Does a labeling function agree with what all others say, more than by chance?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from metalwork.inference._mixture import CodedVotes
from metalwork.inference._rows import Rows, row_blocks
from metalwork.inference._tree import Floats, Tree

_LEAST_LOG = -600.0
_ONE_RECORD = 0.25
_TINY = 1e-300


class Agreement(NamedTuple):
    """How each LF's votes agree with the posterior that leaves the LF out; float arrays (n_lfs,).

    ``votes`` counts its votes on records with another vote, by the probability that its task applies;
    ``observed`` is the mean probability that the others give to what it votes, ``chance`` what an LF of as many
    votes for each label would get that knows nothing, ``perfect`` what one would get that is always right.
    ``skill`` puts chance at 0 and perfect at 1; NaN where the others know nothing. ``by_record`` is its standard
    error where records are independent, ``by_lf`` where the other LFs are the sample, ``n_others`` of them: each
    record's agreement is theirs who vote on it, in equal parts.
    """

    votes: Floats
    observed: Floats
    chance: Floats
    perfect: Floats
    skill: Floats
    by_record: Floats
    by_lf: Floats
    n_others: Floats


def left_out_agreement(
    tree: Tree, votes: CodedVotes, tables: Sequence[Floats], log_prior: Sequence[Floats]
) -> Agreement:
    """Agreement of every LF that votes for labels with the others, from up to 20,000 distinct rows.

    Given the state of its task an LF's vote is independent of all others, so what the others say of that state is
    the posterior divided by what the LF's own table says, abstains included. LFs of tasks with relative states are
    passed over.
    """
    dense = [t for t, task in enumerate(votes.tasks) if not task.relative]
    width = max((len(votes.tasks[t].lfs) * (votes.tasks[t].n_labels + 1) for t in dense), default=1)
    sums = [np.zeros((3, len(task.lfs), 0 if task.relative else task.n_labels)) for task in votes.tasks]
    for rows in row_blocks(tree, votes, tables, log_prior, width):
        for t in dense:
            sums[t] += _shares(rows, t, tables[t])
    levels = [(share / np.maximum(on, _TINY), square / np.maximum(share, _TINY)) for on, share, square in sums]
    answer = np.zeros((7, votes.n_lfs))
    others = np.zeros((2, votes.n_lfs, votes.n_lfs))
    for rows in row_blocks(tree, votes, tables, log_prior, width):
        voted = np.empty((len(rows.weights), votes.n_lfs), dtype=bool)
        for task, codes in zip(votes.tasks, rows.codes, strict=True):
            voted[:, task.lfs] = codes >= 0
        for t, task in ((t, votes.tasks[t]) for t in dense):
            found, by_other = _agreement(rows, t, tables[t], levels[t], voted, task.outcomes.plain)
            answer[:, task.lfs] += found
            others[:, task.lfs] += by_other
    return _summed(answer, others)


def _left_out(rows: Rows, t: int, table: Floats) -> tuple[Floats, Floats]:
    """For each LF and row without its vote, P(label | the task applies) (n_lfs, n_rows, n_labels), and how many
    records the task applies to (n_lfs, n_rows), rows without another vote left out.
    """
    codes, k = rows.codes[t].T, table.shape[1] - 1
    lf = np.arange(len(table))[:, None]
    others = rows.state[t].T * np.exp(-np.maximum(table[lf, :, codes], _LEAST_LOG))
    others /= np.maximum(others.sum(axis=2, keepdims=True), _TINY)
    applies = others[:, :, :k].sum(axis=2)
    n_votes = sum((part >= 0).sum(axis=1) for part in rows.codes)
    share: Floats = others[:, :, :k] / np.maximum(applies, _TINY)[:, :, None]
    return share, rows.weights * (n_votes - (codes >= 0) > 0) * applies


def _shares(rows: Rows, t: int, table: Floats) -> Floats:
    """Records, the others' share of each label, and its square, summed over rows: (3, n_lfs, n_labels)."""
    share, on = _left_out(rows, t, table)
    parts = (np.ones_like(share), share, share**2)
    return np.stack([np.einsum("jr,jrv->jv", on, part) for part in parts])


def _agreement(
    rows: Rows,
    t: int,
    table: Floats,
    levels: tuple[Floats, Floats],
    voted: npt.NDArray[np.bool_],
    plain: npt.NDArray[np.bool_],
) -> tuple[Floats, Floats]:
    """Sums over the rows where each LF votes: (7, n_lfs) as :func:`_summed` takes them, and (2, n_lfs, all LFs),
    the gain over chance, found and perfect, by who else votes.
    """
    codes = np.where(plain[:, None], rows.codes[t].T, -1)
    share, on = _left_out(rows, t, table)
    on = np.where(codes >= 0, on, 0.0)
    vote = np.maximum(codes, 0)
    agreed = np.take_along_axis(share, vote[:, :, None], axis=2)[:, :, 0]
    chance, best = (np.take_along_axis(level, vote, axis=1) for level in levels)
    gain, room = agreed - chance, best - chance
    weight = on**2 / np.maximum(rows.weights, _TINY)
    sums = [part.sum(axis=1) for part in (on, on * agreed, on * chance, on * best)]
    sums += [part.sum(axis=1) for part in (weight * gain**2, weight * gain * room, weight * room**2)]
    part_of = on / np.maximum(voted.sum(axis=1) - (codes >= 0), 1)
    by_other = np.stack([(part_of * gain) @ voted, (part_of * room) @ voted])
    return np.stack(sums), by_other


def _summed(sums: Floats, others: Floats) -> Agreement:
    on, agreed, chance, best, gain_square, mixed, room_square = sums
    room = best - chance
    skill = _ratio(agreed - chance, room)
    known = np.nan_to_num(skill)
    spread = gain_square - 2 * known * mixed + known**2 * room_square
    by_record = _ratio(np.sqrt(np.maximum(spread, 0.0) + _ONE_RECORD), room)
    gain, part = others
    np.fill_diagonal(gain, 0.0)
    np.fill_diagonal(part, 0.0)
    n_others = part.sum(axis=1) ** 2 / np.maximum((part**2).sum(axis=1), _TINY)
    spread = ((gain - known[:, None] * part) ** 2).sum(axis=1) * n_others / np.maximum(n_others - 1, _TINY)
    by_lf = _ratio(np.sqrt(spread), room)
    per_vote = 1.0 / np.maximum(on, _TINY)
    levels = (agreed * per_vote, chance * per_vote, best * per_vote)
    return Agreement(on, *levels, skill, by_record, by_lf, n_others)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 1e-6)
