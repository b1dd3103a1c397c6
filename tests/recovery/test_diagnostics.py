"""LFs that know nothing and LFs that say the same are named, and no others."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from tests.simulated import Simulated, simulate
from tests.unit.schemas import SECTORS

TREE = mw.TaskSchema.from_dict(SECTORS)


def sample(seed: int, n_points: int = 10_000, schema: mw.TaskSchema = TREE) -> Simulated:
    return simulate(np.random.default_rng(seed), schema, n_points, accuracy=(0.6, 0.9))


def with_codes(found: Simulated, codes: npt.NDArray[Any]) -> mw.LabelMatrix:
    return mw.LabelMatrix(codes, found.votes.schema, found.votes.tasks, found.votes.names)


@pytest.mark.parametrize("kind", ["auto", "rules"])
@pytest.mark.parametrize("n_points", [1_000, 10_000])
def test_good_lfs_raise_no_alarm(n_points: int, kind: str) -> None:
    for seed in range(5):
        diagnosis = mw.HierarchicalLabelModel(TREE, kind=kind).fit(sample(seed, n_points).votes).diagnose()
        assert diagnosis.doubtful == ()
        assert diagnosis.dependent == ()
        assert diagnosis.groups == ()
        assert str(diagnosis) == "No labeling function stands out."


@pytest.mark.parametrize("kind", ["auto", "rules"])
@pytest.mark.parametrize("lf", [1, 7])
def test_an_inverted_lf_is_worse_than_chance(lf: int, kind: str) -> None:
    found = sample(lf, 2_000)
    codes = found.votes.codes.copy()
    codes[:, lf] = np.where(codes[:, lf] >= 0, 1 - codes[:, lf], -1)
    doubts = mw.HierarchicalLabelModel(TREE, kind=kind).fit(with_codes(found, codes)).diagnose().doubtful
    assert [doubt.lf for doubt in doubts] == [f"lf_{lf}"]
    assert doubts[0].reason.startswith("worse than chance: the other LFs give its votes ")
    assert doubts[0].skill < 0
    assert doubts[0].z < -3


def test_a_random_lf_is_no_better_than_chance() -> None:
    schema = mw.TaskSchema.flat(["a", "b", "c"])
    for seed in range(3):
        found = sample(seed, 10_000, schema)
        codes = found.votes.codes.copy()
        codes[:, 2] = np.random.default_rng(seed).permutation(codes[:, 2])
        doubts = mw.HierarchicalLabelModel(schema).fit(with_codes(found, codes)).diagnose().doubtful
        assert [doubt.lf for doubt in doubts] == ["lf_2"]
        assert "chance: the other LFs give its votes " in doubts[0].reason
        assert abs(doubts[0].skill) < 0.1


@pytest.mark.parametrize(("noise", "once"), [(0.0, True), (0.2, True), (0.4, False)])
def test_near_copies_are_dependent_and_make_a_group(noise: float, once: bool) -> None:
    """Copies are counted once, exact or nearly so; noisier ones are reported only."""
    found, rng = sample(0, 5_000), np.random.default_rng(1)
    copies = []
    for lf in (0, 0, 6):
        copy = found.votes.codes[:, lf].copy()
        anew = (copy >= 0) & (rng.random(len(copy)) < noise)
        copy[anew] = rng.integers(2, size=int(anew.sum()))
        copies.append(copy)
    votes = mw.LabelMatrix(
        np.column_stack([found.votes.codes, *copies]), TREE, [*found.votes.tasks, "sector", "sector", "corporate"]
    )
    model = mw.HierarchicalLabelModel(TREE).fit(votes)
    diagnosis = model.diagnose()
    assert diagnosis.groups == (("lf_0", "lf_15", "lf_16"), ("lf_6", "lf_17"))
    assert {(pair.first, pair.second) for pair in diagnosis.dependent} == {
        ("lf_0", "lf_15"),
        ("lf_0", "lf_16"),
        ("lf_15", "lf_16"),
        ("lf_6", "lf_17"),
    }
    assert all(pair.strength >= 0.5 for pair in diagnosis.dependent) == once
    assert (len(model.repeated_) == 4) == once
    assert diagnosis.notes()[0] == "lf_0, lf_15 and lf_16 vote alike beyond what the model explains."


@pytest.mark.parametrize("n_copies", [1, 2, 5])
def test_copies_do_not_sharpen_the_posterior(n_copies: int) -> None:
    found = sample(4, 4_000)
    codes = np.column_stack([found.votes.codes, *[found.votes.codes[:, 0]] * n_copies])
    copied = mw.LabelMatrix(codes, TREE, [*found.votes.tasks, *["sector"] * n_copies])
    model = mw.HierarchicalLabelModel(TREE, kind="rules")
    alone = model.fit(found.votes).predict_proba(found.votes).end
    accuracy = model.score(found.votes, found.y)
    with_copies = model.fit(copied).predict_proba(copied).end
    assert with_copies.max(axis=1).mean() <= alone.max(axis=1).mean() + 0.005
    assert model.score(copied, found.y) >= accuracy - 0.01


def test_lfs_with_outcomes_of_their_own_have_intervals_and_raise_no_alarm() -> None:
    """Half of the LFs say what a record is not; their accuracy is the share of votes whose set holds the label."""
    schema = mw.TaskSchema.flat(["a", "b", "c"])
    found = simulate(np.random.default_rng(2), schema, 5_000, lfs_a_task=8, accuracy=(0.75, 0.9))
    names = found.votes.names
    outcomes = {name: np.hstack([1 - np.eye(3), np.full((3, 1), np.nan)]) for name in names[4:]}
    codes = found.votes.codes.copy()
    codes[:, 4:] = np.where(codes[:, 4:] >= 0, (codes[:, 4:] + 1) % 3, -1)  # "not the next one"
    votes = mw.LabelMatrix(codes, schema, names=names, outcomes=outcomes)
    model = mw.HierarchicalLabelModel(schema, kind="independent").fit(votes)
    intervals = model.intervals()
    voted = codes >= 0
    held = np.column_stack([codes[:, :4] == found.y[:, None], codes[:, 4:] != found.y[:, None]])
    for one, right in zip(intervals.accuracies, (held & voted).sum(axis=0) / voted.sum(axis=0), strict=True):
        assert one.low - 0.02 < right < one.high + 0.02
        assert one.standard_error < 0.05
    assert model.diagnose().doubtful == ()


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
def test_copies_change_nothing_where_lfs_are_independent(noise: float) -> None:
    """Five copies of the first LF, a share of their votes drawn anew: the same reading, the same accuracy."""
    found, rng = sample(4, 4_000), np.random.default_rng(2)
    copies = np.repeat(found.votes.codes[:, :1], 5, axis=1)
    anew = (copies >= 0) & (rng.random(copies.shape) < noise)
    copies[anew] = rng.integers(2, size=int(anew.sum()))
    codes = np.column_stack([found.votes.codes, copies])
    copied = mw.LabelMatrix(codes, TREE, [*found.votes.tasks, *["sector"] * 5])
    alone = mw.HierarchicalLabelModel(TREE).fit(found.votes)
    model = mw.HierarchicalLabelModel(TREE).fit(copied)
    assert model.kind_ == alone.kind_ == "independent"
    assert model.vote_weights_.tolist().count(0.0) == 5
    probabilities = model.predict_proba(copied).end, alone.predict_proba(found.votes).end
    assert np.abs(probabilities[0] - probabilities[1]).mean() < (0.02 if noise else 1e-3)
