"""Who says what together: counted as a look at every pair and record counts it."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.inference._answers import answers_of, suspects, together
from metalwork.label_models import count_votes
from tests.unit.schemas import SECTORS

Codes = npt.NDArray[np.int64]


def answers(votes: mw.LabelMatrix) -> Any:
    return answers_of(count_votes(votes)._rows.coded(), 0.95)


def drawn(n_points: int, n_lfs: int, coverage: float, n_labels: int = 3) -> Codes:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, n_labels, (n_points, n_lfs))
    return np.where(rng.random(codes.shape) < coverage, codes, mw.ABSTAIN)


@pytest.mark.parametrize("coverage", [0.05, 0.9])
def test_pairs_are_counted_as_by_hand(coverage: float) -> None:
    """Few votes go through a sparse product, many through a dense one."""
    codes = drawn(400, 8, coverage)
    found = answers(mw.LabelMatrix(codes, mw.TaskSchema.flat(["a", "b", "c"])))
    pairs = together(found)
    alike = np.zeros((8, 8))
    for a, b, count in zip(*pairs.alike.tocoo().coords, pairs.alike.tocoo().data, strict=True):
        assert found.meaning[a] == found.meaning[b]
        alike[found.lf[a], found.lf[b]] += count
    for i in range(8):
        for j in range(8):
            both = (codes[:, i] >= 0) & (codes[:, j] >= 0)
            assert alike[i, j] == (i != j) * (both & (codes[:, i] == codes[:, j])).sum()
            assert pairs.both.toarray()[i, j] == (i != j) * both.sum()


def test_lfs_of_different_tasks_are_no_pairs() -> None:
    schema = mw.TaskSchema.from_dict(SECTORS)
    codes = np.repeat(drawn(200, 1, 0.8, 2), 4, axis=1)
    votes = mw.LabelMatrix(codes, schema, ["sector", "sector", "corporate", "markets"])
    found = answers(votes)
    assert [(i, j) for i, j in zip(*suspects(found, together(found))[:2], strict=True)] == [(0, 1)]


def test_soft_votes_speak_for_their_likeliest_label_and_sets_for_themselves() -> None:
    rng = np.random.default_rng(1)
    schema = mw.TaskSchema.flat(["a", "b", "c"])
    soft = rng.dirichlet([0.3, 0.3, 0.3], 300)
    hard = mw.LabelMatrix(soft.argmax(axis=1)[:, None], schema, names=["hard"])
    sets = np.append(1 - np.eye(3), np.full((3, 1), np.nan), axis=1)
    nots = mw.LabelMatrix(hard.codes, schema, names=["not"], outcomes={"not": sets})
    votes = mw.LabelMatrix.beside([mw.LabelMatrix.from_soft([soft], schema, names=["soft"]), hard, nots])
    found = answers(votes)
    pairs = suspects(found, together(found))
    assert [(i, j) for i, j in zip(pairs.i, pairs.j, strict=True)] == [(0, 1)]
    assert pairs.same[0] >= 0.95 * (votes.codes[:, 0] >= 0).sum()


def test_an_lf_of_one_label_answers_everywhere_and_one_of_several_where_it_votes() -> None:
    codes = drawn(500, 2, 0.4)
    codes[:, 1] = np.where(codes[:, 1] >= 0, 2, -1)
    found = answers(mw.LabelMatrix(codes, mw.TaskSchema.flat(["a", "b", "c"])))
    assert found.several.tolist() == [True, False]
    assert found.answers.tolist() == [(codes[:, 0] >= 0).sum(), 500]


def test_many_lfs_that_vote_together_are_looked_at_on_fewer_records() -> None:
    codes = drawn(3_000, 300, 1.0)
    found = answers(mw.LabelMatrix(codes, mw.TaskSchema.flat(["a", "b", "c"])))
    assert found.weights.sum() == 2_000
    assert len(found.lf) == 900


def test_lfs_of_two_votes_are_not_looked_at() -> None:
    codes = np.full((100, 3), mw.ABSTAIN)
    codes[:2, 0], codes[:3, 1], codes[:, 2] = 1, 1, 0
    assert set(answers(mw.LabelMatrix(codes, mw.TaskSchema.flat(["a", "b"]))).lf.tolist()) == {1, 2}
