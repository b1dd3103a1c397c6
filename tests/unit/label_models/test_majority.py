"""The paper's two baselines, counted by hand."""

import numpy as np
import pytest

import metalwork as mw
from tests.unit.schemas import SECTORS

SCHEMA = mw.TaskSchema.from_dict(SECTORS)
TASKS = ["sector", "sector", "sector", "markets", "corporate"]


def hard(codes: list[list[int]], seed: int = 0) -> list[int]:
    votes = mw.LabelMatrix(codes, SCHEMA, TASKS)
    predicted = mw.MajorityVote(SCHEMA, random_state=seed).fit(votes).predict(votes)
    return [int(code) for code in predicted]


def test_the_hard_vote_goes_down_the_tree() -> None:
    assert hard([[1, 1, 0, 0, 1], [0, 0, 1, 1, 1], [1, -1, -1, 1, 0], [0, -1, -1, -1, 0]]) == [2, 1, 3, 0]


def test_ties_break_by_seed_and_evenly() -> None:
    tied = [[-1] * 5] * 4000
    found = hard(tied)
    assert hard(tied) == found
    assert hard(tied, seed=1) != found
    np.testing.assert_allclose(np.bincount(found) / 4000, 0.25, atol=0.03)
    assert set(hard([[1, 0, -1, 1, 1]] * 50)) == {1, 3}


def test_the_soft_vote_is_the_paper_model_at_its_initial_weights() -> None:
    """theta_lab = 0 and theta_acc = 1: a right vote weighs e, a wrong one 1 / e, one off the branch 1."""
    votes = mw.LabelMatrix([[1, -1, -1, 0, -1]], SCHEMA, TASKS)
    end = mw.MajorityVote(SCHEMA, mode="soft").fit(votes).predict_proba(votes).end[0]
    weight = np.exp([-1.0, -1.0, 2.0, 0.0])
    np.testing.assert_allclose(end, weight / weight.sum(), rtol=1e-14)


def test_an_unknown_mode() -> None:
    votes = mw.LabelMatrix([[-1] * 5], SCHEMA, TASKS)
    with pytest.raises(ValueError, match=r"^mode must be one of 'hard', 'soft'; got 'sof'\.$"):
        mw.MajorityVote(SCHEMA, mode="sof").fit(votes)
