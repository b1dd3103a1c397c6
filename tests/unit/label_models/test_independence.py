"""The check that chooses a reading: independent LFs pass, dependent ones do not, however few they are."""

import numpy as np
import pytest

import metalwork as mw
from tests.simulated import simulate

RATERS = mw.TaskSchema.flat(["low", "middle", "high"])


@pytest.mark.parametrize("seed", range(3))
def test_a_few_independent_raters_pass(seed: int) -> None:
    votes = simulate(np.random.default_rng(seed), RATERS, 3000, lfs_a_task=5, on=1.0).votes
    model = mw.HierarchicalLabelModel(RATERS).fit(votes)
    assert model.kind_ == "independent"
    assert model.dependence_ <= model.dependence_limit_ < 1


@pytest.mark.parametrize("seed", range(3))
def test_a_few_raters_who_look_at_each_other_do_not_pass(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = simulate(rng, RATERS, 3000, lfs_a_task=5, on=1.0).votes.codes.copy()
    for looks, at in ((1, 0), (3, 2)):
        codes[:, looks] = np.where(rng.random(len(codes)) < 0.15, codes[:, at], codes[:, looks])
    model = mw.HierarchicalLabelModel(RATERS).fit(mw.LabelMatrix(codes, RATERS))
    assert model.kind_ != "independent"
    assert model.dependence_limit_ < model.dependence_ < 1  # a fixed limit of 1 would not have seen it


def test_the_check_is_the_same_every_time() -> None:
    votes = simulate(np.random.default_rng(5), RATERS, 500, lfs_a_task=4).votes
    limits = {mw.HierarchicalLabelModel(RATERS, random_state=seed).fit(votes).dependence_limit_ for seed in (0, 7)}
    assert len(limits) == 1


@pytest.mark.parametrize("n_points", [200, 2000])
def test_random_votes_are_not_explained(n_points: int) -> None:
    """Independent of everything, they would pass for independent given any label."""
    codes = np.random.default_rng(0).integers(-1, 3, (n_points, 5))
    model = mw.HierarchicalLabelModel(RATERS).fit(mw.LabelMatrix(codes, RATERS))
    assert model.kind_ == "rules"
    assert model.dependence_ < 1
    assert not model.intervals().calibrated
