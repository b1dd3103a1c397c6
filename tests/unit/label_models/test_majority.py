"""The paper's two baselines, counted by hand."""

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import ConfigError
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


def beyond(row: list[float], task: str, plain: list[int]) -> mw.LabelMatrix:
    """One record: plain votes of two root LFs, and one LF of a task that says ``row``."""
    tasks = ["sector", "sector", task]
    return mw.LabelMatrix([[*plain, 0]] * 50, SCHEMA, tasks, outcomes={"lf_2": np.array([row])})


def test_a_hard_vote_for_a_set_goes_to_its_labels_alike() -> None:
    vote = mw.MajorityVote(SCHEMA)
    for row, winners in (
        ([0.0, 1.0, 1.0], {3}),  # not Money
        ([0.4, 0.6, np.nan], {3}),
        ([1.0, 1.0, np.nan], {2, 3}),
        ([0.0, 0.0, 1.0], {2, 3}),
        ([np.nan, np.nan, np.nan], {2, 3}),
    ):
        votes = beyond(row, "markets", [1, 1])
        assert set(vote.fit(votes).predict(votes)) == winners


def test_a_set_counts_one_vote_in_all() -> None:
    three = mw.TaskSchema.flat(["a", "b", "c"])
    codes, outcomes = [[0, 0, 0]] * 50, {"lf_0": [[1, 1, 0, np.nan]], "lf_1": [[0, 1, 1, np.nan]]}
    votes = mw.LabelMatrix(codes, three, outcomes=outcomes)
    assert set(mw.MajorityVote(three).fit(votes).predict(votes)) == {0}  # 1.5 votes against 1 and 0.5


def test_a_soft_vote_weighs_labels_by_how_far_they_are_held() -> None:
    votes = beyond([0.9, 0.1, np.nan], "markets", [1, -1])
    end = mw.MajorityVote(SCHEMA, mode="soft").fit(votes).predict_proba(votes).end[0]
    weight = np.exp([-1.0, -1.0, 1.0 + 0.8, 1.0 - 0.8])
    np.testing.assert_allclose(end, weight / weight.sum(), rtol=1e-14)
    votes = beyond([0.0, 1.0, 1.0], "markets", [-1, -1])
    end = mw.MajorityVote(SCHEMA, mode="soft").fit(votes).predict_proba(votes).end[0]
    weight = np.exp([1.0, 1.0, -1.0, 1.0])
    np.testing.assert_allclose(end, weight / weight.sum(), rtol=1e-14)


def test_an_unknown_mode() -> None:
    votes = mw.LabelMatrix([[-1] * 5], SCHEMA, TASKS)
    with pytest.raises(ConfigError, match=r"^mode must be one of 'hard', 'soft'; got 'sof'\.$"):
        mw.MajorityVote(SCHEMA, mode="sof").fit(votes)


def test_a_tie_on_the_way_down_leaves_a_record_undecided() -> None:
    codes = [[1, 1, 0, 0, 1], [1, 0, -1, 1, 1], [1, 1, 0, -1, 1], [-1, -1, -1, 0, -1]]
    votes = mw.LabelMatrix(codes, SCHEMA, TASKS)
    predicted = mw.MajorityVote(SCHEMA).fit(votes).predict(votes, undecided="abstain")
    assert predicted.tolist() == [2, -1, -1, -1]
