"""Labeling functions that copy others: found, named, and not counted twice."""

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw

SCHEMA = mw.TaskSchema.flat(["a", "b"])


def independent(seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Votes (3000, 5) of independent LFs, right on 70 % of the 60 % they vote on, and the true labels."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, 3_000)
    right = rng.random((3_000, 5)) < 0.7
    votes = np.where(right, y[:, None], 1 - y[:, None])
    return np.where(rng.random(votes.shape) < 0.6, votes, mw.ABSTAIN), y


@pytest.mark.parametrize("seed", range(3))
def test_copies_are_named_and_do_not_sharpen_the_posterior(seed: int) -> None:
    codes, y = independent(seed)
    alone = mw.LabelMatrix(codes, SCHEMA)
    copied = mw.LabelMatrix(np.concatenate([codes, codes[:, :1], codes[:, :1]], axis=1), SCHEMA)
    model = mw.HierarchicalLabelModel(SCHEMA, kind="rules")
    confidence = model.fit(alone).predict_proba(alone).end.max(axis=1).mean()
    accuracy = model.score(alone, y)
    assert model.repeated_ == []
    model.fit(copied)
    assert [(first, second) for first, second, _ in model.repeated_] == [
        ("lf_0", "lf_5"),
        ("lf_0", "lf_6"),
        ("lf_5", "lf_6"),
    ]
    assert model.vote_weights_[[0, 5, 6]] == pytest.approx(1 / 3, abs=0.01)
    assert (model.vote_weights_[1:5] == 1).all()
    assert model.predict_proba(copied).end.max(axis=1).mean() <= confidence + 0.02
    assert model.score(copied, y) >= accuracy - 0.02


def test_a_rare_function_inside_a_frequent_one_is_no_copy() -> None:
    codes, _ = independent(5)
    rare = np.where(np.arange(3_000) % 4 == 0, codes[:, 0], mw.ABSTAIN)
    votes = mw.LabelMatrix(np.column_stack([codes, rare]), SCHEMA)
    assert mw.HierarchicalLabelModel(SCHEMA).fit(votes).repeated_ == []


def test_copies_of_sets_are_found_by_what_they_say() -> None:
    """The same sets under other codes are copies; the same codes for other sets are none."""
    codes, _ = independent(6)
    flat = mw.TaskSchema.flat(["a", "b", "c", "d"])
    two, nan = np.array([[1, 1, 0, 0], [0, 0, 1, 1]]), np.full((2, 1), np.nan)
    three = np.array([[1, 1, 1, 0], [0, 1, 1, 1]])
    turned = np.where(codes[:, :1] < 0, -1, 1 - codes[:, :1])
    outcomes = {f"lf_{j}": np.append(two, nan, axis=1) for j in range(5)}
    outcomes["lf_5"] = np.append(two[::-1], nan, axis=1)
    votes = mw.LabelMatrix(np.column_stack([codes, turned]), flat, outcomes=outcomes)
    found = mw.HierarchicalLabelModel(flat, kind="rules").fit(votes).repeated_
    assert [pair[:2] for pair in found] == [("lf_0", "lf_5")]
    outcomes["lf_5"] = np.append(three, nan, axis=1)
    votes = mw.LabelMatrix(np.column_stack([codes, codes[:, 0]]), flat, outcomes=outcomes)
    assert mw.HierarchicalLabelModel(flat, kind="rules").fit(votes).repeated_ == []
