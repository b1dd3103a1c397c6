"""Who says what how often, alone and together: pairs of LFs, counted sparsely."""

from bisect import bisect_left
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from metalwork.inference._dependence import systematic_sample
from metalwork.inference._mixture import CodedVotes, n_votes_of_lf, one_hot
from metalwork.inference._outcomes import TaskVotes
from metalwork.inference._packing import Int64Array
from metalwork.inference._tree import Floats

_MOST_RECORDS = 20_000
_FEWER = ((2_000, 4e6), (500, 4e8))
_MOST_PAIRS = 5e8
_LEAST_VOTES = 3
_MOST_SUSPECTS = 100_000
LEAST_ALIKE = 0.1
_DENSE = 0.05


class Answers(NamedTuple):
    """Answers of LFs: an *answer* is an LF together with something that it says of its task.

    ``said`` (n_rows, n_answers) marks who says what on rows that stand for ``weights`` (n_rows,) records. By
    answer: its ``lf``, the ``meaning``, which all LFs that say the same share, and how often it is ``counted``.
    ``task`` (n_meanings,) is the task of each meaning. By LF: how many ``votes`` it has, on how many records it
    ``answers``, and whether it votes for ``several`` labels. One that does answers where it votes; all that
    another tells is whether it votes, so it answers on every record.
    """

    said: sparse.csr_array
    weights: Floats
    lf: Int64Array
    meaning: Int64Array
    counted: Floats
    task: Int64Array
    votes: Floats
    answers: Floats
    several: npt.NDArray[np.bool_]


class Together(NamedTuple):
    """What occurs together.

    ``alike`` (n_answers, n_answers) counts records on which two LFs say the same; ``both`` (n_lfs, n_lfs) those on
    which two LFs that vote for several labels both vote. Symmetric, with an empty diagonal.
    """

    alike: sparse.csr_array
    both: sparse.csr_array


class Suspects(NamedTuple):
    """Pairs of LFs that say the same often enough to repeat each other, with the answers common to both.

    By pair: LFs ``i`` < ``j``, on how many records they say the ``same``, on how many both ``answered``, on how
    many they could have said the same (``room``), and how many votes the LF of more votes has (``most``). By
    common answer: its ``pair``, the answers ``a`` of i and ``b`` of j, and how often these occur ``together``.
    """

    i: Int64Array
    j: Int64Array
    same: Floats
    answered: Floats
    room: Floats
    most: Floats
    pair: Int64Array
    a: Int64Array
    b: Int64Array
    together: Floats


def answers_of(votes: CodedVotes, one_sided: float) -> Answers:
    """Answers on up to 20,000 records; an LF of whose votes a share ``one_sided`` is alike votes for one label.

    Where many LFs vote together fewer records are looked at, and in the end only the LFs of most votes. LFs of
    fewer than three votes have no answers here.
    """
    lf, meaning, task = _columns(votes)
    votes = _as_said(votes)
    weights = systematic_sample(votes.weights, _MOST_RECORDS)
    seen = one_hot(votes, np.flatnonzero(weights))
    for least, usual in _FEWER:
        n_pairs = float((np.diff(seen.indptr).astype(np.float64) ** 2).sum())
        if n_pairs > usual and weights.sum() > least:
            weights = systematic_sample(weights, max(least, int(weights.sum() * usual / n_pairs)))
            seen = one_hot(votes, np.flatnonzero(weights))
    weights = weights[weights > 0]
    said, keys = _merged(seen, lf * len(task) + meaning)
    lf, meaning = np.divmod(keys, max(len(task), 1))
    counted = said.T @ weights
    n_votes = np.bincount(lf, counted, votes.n_lfs).astype(np.float64)
    kept = (counted > 0) & (n_votes[lf] >= _least_votes(said, n_votes[lf]))
    said, lf, meaning, counted = sparse.csr_array(said[:, kept]), lf[kept], meaning[kept], counted[kept]
    most = np.zeros(votes.n_lfs)
    np.maximum.at(most, lf, counted)
    several = (most < one_sided * n_votes) & (most > 0)
    answers = np.where(several, n_votes, weights.sum())
    return Answers(said, weights, lf, meaning, counted, task, n_votes, answers, several)


def _merged(seen: sparse.csr_array, keys: Int64Array) -> tuple[sparse.csr_array, Int64Array]:
    """Columns of one key as one, and the keys, which ascend."""
    distinct, of_column = np.unique(keys, return_inverse=True)
    entries = (np.ones(len(keys)), (np.arange(len(keys)), of_column))
    return sparse.csr_array(seen @ sparse.csr_array(entries, shape=(len(keys), len(distinct)))), distinct


def _least_votes(said: sparse.csr_array, votes: Floats) -> float:
    """From how many ``votes`` of its LF an answer is looked at, so that pairs of votes stay few enough."""
    row, of_vote = np.repeat(np.arange(said.shape[0]), np.diff(said.indptr)), votes[said.indices]

    def few_enough(least: float) -> bool:
        sizes = np.bincount(row[of_vote >= least], minlength=said.shape[0]).astype(np.float64)
        return bool((sizes**2).sum() <= _MOST_PAIRS)

    steps = [_LEAST_VOTES, *np.unique(of_vote[of_vote > _LEAST_VOTES]).tolist(), np.inf]
    return float(steps[bisect_left(steps, True, key=few_enough)])


def _as_said(votes: CodedVotes) -> CodedVotes:
    """The same votes, of which ``one_hot`` gives soft ones as they are."""
    unshared = (task._replace(outcomes=task.outcomes._replace(shares=())) for task in votes.tasks)
    return votes._replace(tasks=tuple(unshared))


def _columns(votes: CodedVotes) -> tuple[Int64Array, Int64Array, Int64Array]:
    """LF and meaning of every vote (n_votes,), as columns of ``one_hot``; the task of every meaning."""
    sizes = [task.n_labels for task in votes.tasks]
    tasks, first = np.repeat(np.arange(len(sizes)), sizes).tolist(), np.cumsum([0, *sizes])
    known: dict[tuple[int, bytes], int] = {}
    lfs, meanings = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for t, task in enumerate(votes.tasks):
        says, start = _labels_held(task), 0
        likeliest = {i: shares.argmax(axis=1) for i, shares in task.outcomes.shares}
        for group in (votes.groups[g] for g in task.groups):
            n_votes, n_own = n_votes_of_lf(group), len(group.lfs)
            if start in likeliest:
                said = likeliest[start][None, :]
            else:
                said = says[np.minimum(np.arange(start, start + n_own), len(says) - 1), :n_votes].copy()
            said += first[t]
            for i, outcome in np.argwhere(said < first[t]).tolist():
                member, asked = task.outcomes.of_lf(start + i)
                holds = (t, np.where(asked[:, outcome], member[:, outcome], -1.0).tobytes())
                if holds not in known:
                    known[holds] = len(tasks)
                    tasks.append(t)
                said[i, outcome] = known[holds]
            lfs.append(np.repeat(group.lfs, n_votes))
            meanings.append(said.reshape(-1))
            start += n_own
    return np.concatenate(lfs), np.concatenate(meanings), np.array(tasks, np.int64)


def _labels_held(task: TaskVotes) -> Int64Array:
    """The label that an outcome is for (n_lfs or 1, n_outcomes), or the likeliest; below 0 of other sets."""
    if (~task.outcomes.plain).sum() == len(task.outcomes.shares):  # no sets: outcomes are labels
        return np.arange(task.n_labels)[None, :]
    held = task.outcomes.member[:, : task.n_labels]
    soft = ((held > 0) & (held < 1)).any(axis=1)
    found: Int64Array = np.where(soft | ((held > 0).sum(axis=1) == 1), held.argmax(axis=1), -1 - task.n_labels)
    return found


def together(answers: Answers) -> Together:
    """Count pairs of votes, on the records that were looked at."""
    said, weights, n_meanings = answers.said, answers.weights, len(answers.task)
    dense = said.nnz > _DENSE * said.shape[0] * said.shape[1]
    if dense:
        blocks = [np.flatnonzero(answers.meaning == meaning) for meaning in np.unique(answers.meaning)]
        alike = [_joint(said[:, block], weights, dense) for block in blocks]
        place = np.concatenate([[0], *blocks])[1:]
        joint = sparse.block_diag(alike, format="coo") if alike else sparse.coo_array((0, 0))
        a, b = (place[index] for index in joint.coords)
    else:  # a row for every meaning of a row, so that only votes that say the same meet
        row = np.repeat(np.arange(said.shape[0]), np.diff(said.indptr))
        of_row, at = np.unique(row * n_meanings + answers.meaning[said.indices], return_inverse=True)
        spread = sparse.csr_array((np.ones(len(at)), (at, said.indices)), shape=(len(of_row), said.shape[1]))
        joint = sparse.coo_array(_joint(spread, weights[of_row // n_meanings], dense))
        a, b = joint.coords
    others = a != b
    alike_pairs = (joint.data[others], (a[others], b[others]))
    return Together(
        sparse.csr_array(alike_pairs, shape=(said.shape[1], said.shape[1])), _both_vote(answers, dense)
    )


def _both_vote(answers: Answers, dense: bool) -> sparse.csr_array:
    """On how many records two LFs of one task both vote, if both vote for several labels."""
    chosen = np.flatnonzero(answers.several[answers.lf])
    lfs, of_answer = np.unique(answers.lf[chosen], return_inverse=True)
    merge = sparse.csr_array((np.ones(len(chosen)), (chosen, of_answer)), shape=(len(answers.lf), len(lfs)))
    task = np.zeros(len(lfs), np.int64)
    task[of_answer] = answers.task[answers.meaning[chosen]]
    joint = sparse.coo_array(_joint(sparse.csr_array(answers.said @ merge), answers.weights, dense))
    i, j = joint.coords
    kept = (i != j) & (task[i] == task[j])
    n_lfs = len(answers.votes)
    return sparse.csr_array((joint.data[kept], (lfs[i[kept]], lfs[j[kept]])), shape=(n_lfs, n_lfs))


def _joint(marks: sparse.csr_array, weights: Floats, dense: bool) -> sparse.csr_array:
    """How often two columns of ones occur together; by a dense product where they are frequent.

    Single precision counts a sample of records exactly.
    """
    if dense:
        full = marks.astype(np.float32).toarray()
        return sparse.csr_array((full.T @ (full * weights.astype(np.float32)[:, None])).astype(np.float64))
    return sparse.csr_array(marks.T @ marks.multiply(weights[:, None]))


def suspects(answers: Answers, pairs: Together) -> Suspects:
    """Pairs of LFs of which the one that votes more says the same as the other on a tenth of its votes or more.

    At most 100,000 of them, those of the largest share.
    """
    alike, n_lfs = sparse.triu(pairs.alike, 1).tocoo(), len(answers.votes)
    i, j = answers.lf[alike.coords[0]], answers.lf[alike.coords[1]]
    found = sparse.csr_array((alike.data, (i, j)), shape=(n_lfs, n_lfs)).tocoo()
    (i, j), same = found.coords, found.data
    most = np.maximum(answers.votes[i], answers.votes[j])
    share = same / most
    least = np.partition(share, -_MOST_SUSPECTS)[-_MOST_SUSPECTS] if len(share) > _MOST_SUSPECTS else 0.0
    kept = share >= max(LEAST_ALIKE, least)
    i, j, same, most = i[kept].astype(np.int64), j[kept].astype(np.int64), same[kept], most[kept]
    answered = np.minimum(answers.answers[i], answers.answers[j])
    several = answers.several[i] & answers.several[j]
    answered[several] = _entries(pairs.both, i[several], j[several])
    room = np.where(several, answered, most)
    n_answers, n_meanings = len(answers.lf), len(answers.task)
    marks = (np.arange(n_answers) + 1.0, (answers.lf, answers.meaning))
    marked = sparse.csr_array(marks, shape=(n_lfs, n_meanings))
    said_by_i, said_by_j = marked[i], marked[j]
    common = said_by_i.multiply(said_by_j.astype(bool)).tocoo()
    a = common.data.astype(np.int64) - 1
    b = said_by_j.multiply(said_by_i.astype(bool)).tocoo().data.astype(np.int64) - 1
    joint = _entries(pairs.alike, a, b)
    return Suspects(i, j, same, answered, room, most, common.coords[0].astype(np.int64), a, b, joint)


def _entries(matrix: sparse.csr_array, i: Int64Array, j: Int64Array) -> Floats:
    """Some entries of a sparse matrix (n_entries,)."""
    return np.asarray(matrix[i, j], np.float64).reshape(-1) if len(i) else np.empty(0)
