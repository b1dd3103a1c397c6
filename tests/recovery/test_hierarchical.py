"""Data from the default model's own assumptions: it must come near the best guess, and not collapse."""

import warnings

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import MetalworkWarning
from tests.simulated import Simulated, simulate
from tests.unit.schemas import FIVE_LEVELS, SECTORS

TREES = {
    "two levels": mw.TaskSchema.from_dict(SECTORS),
    "five levels": mw.TaskSchema.from_dict(FIVE_LEVELS),
    "flat": mw.TaskSchema.flat(["a", "b", "c"]),
}


def sample(tree: str, n_points: int = 10_000, seed: int = 0) -> Simulated:
    return simulate(np.random.default_rng(seed), TREES[tree], n_points)


@pytest.mark.parametrize("tree", TREES)
def test_accuracy_within_a_point_of_the_oracle(tree: str) -> None:
    found = sample(tree)
    for kind in ("auto", "independent"):
        model = mw.HierarchicalLabelModel(found.votes.schema, kind=kind).fit(found.votes)
        assert model.kind_ == "independent"
        assert model.score(found.votes, found.y) > found.oracle - 0.01


def test_the_oracle_is_the_best_guess() -> None:
    """Were the simulation's posterior wrong, some model would beat it; and the vote stays well below it."""
    found = sample("two levels")
    assert found.posterior.sum(axis=1) == pytest.approx(1.0)
    top = found.posterior.max(axis=1)
    assert top.mean() == pytest.approx(found.oracle, abs=0.01)  # calibrated
    vote = mw.MajorityVote(found.votes.schema, mode="hard").fit(found.votes)
    assert vote.score(found.votes, found.y) < found.oracle - 0.05


def test_more_records_come_nearer() -> None:
    gaps = []
    for n_points in (200, 20_000):
        found = [sample("two levels", n_points, seed) for seed in range(3)]
        models = [mw.HierarchicalLabelModel(f.votes.schema).fit(f.votes) for f in found]
        gaps.append(np.mean([f.oracle - m.score(f.votes, f.y) for f, m in zip(found, models, strict=True)]))
    assert gaps[1] < gaps[0]
    assert gaps[1] < 0.01


def test_class_balance_accuracies_and_off_branch_rates_are_found() -> None:
    prior = np.array([0.4, 0.3, 0.2, 0.1])
    found = simulate(np.random.default_rng(1), TREES["two levels"], 20_000, prior=prior)
    model = mw.HierarchicalLabelModel(found.votes.schema, kind="independent").fit(found.votes)
    np.testing.assert_allclose(model.class_prior_, np.bincount(found.y) / 20_000, atol=0.05)
    schema, codes = found.votes.schema, found.votes.codes
    truth = schema.task_codes[found.y]
    for lf, task in enumerate(found.votes.tasks):
        gold = truth[:, schema.task_index(task)]
        voted, on = codes[:, lf] >= 0, gold >= 0
        right = (codes[:, lf] == gold)[voted & on].mean()
        assert model.accuracies_[lf] == pytest.approx(right, abs=0.07)
        assert model.off_branch_rates_[lf] == pytest.approx((voted & ~on).sum() / voted.sum(), abs=0.1)


def test_a_known_class_prior_helps_where_classes_are_rare() -> None:
    prior = np.array([0.7, 0.2, 0.07, 0.03])
    scores = []
    for seed in range(4):
        found = simulate(np.random.default_rng(seed), TREES["two levels"], 2_000, lfs_a_task=3, prior=prior)
        model = mw.HierarchicalLabelModel(found.votes.schema)
        fits = [model.fit(found.votes, class_prior=given).score(found.votes, found.y) for given in (prior, None)]
        scores.append([*fits, found.oracle])
    known, learned, oracle = np.mean(scores, axis=0)
    assert learned < known + 0.005
    assert known > oracle - 0.015


def test_where_the_paper_model_collapses_the_default_does_not() -> None:
    """DESIGN.md, measured fact 1: at its optimum the paper's model lets a vote lower its own label."""
    found = simulate(np.random.default_rng(0), TREES["two levels"], 10_000, accuracy=(0.75, 0.95))
    paper = mw.LogLinearLabelModel(found.votes.schema, l2=0.0)
    with pytest.warns(MetalworkWarning, match="a vote of .* can lower its own label"):
        paper.fit(found.votes)
    default = mw.HierarchicalLabelModel(found.votes.schema).fit(found.votes)
    scores = [model.score(found.votes, found.y) for model in (paper, default)]
    assert scores[0] < 0.2
    assert scores[1] > 0.8
    start = paper.initial_theta(found.votes.n_lfs)
    assert paper.objective(found.votes, paper.theta_)[0] < paper.objective(found.votes, start)[0]


def test_the_penalty_keeps_the_paper_model_from_collapsing() -> None:
    found = sample("two levels")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = mw.LogLinearLabelModel(found.votes.schema).fit(found.votes)
    assert model.score(found.votes, found.y) > 0.6


def test_errors_fall_as_one_over_the_square_root_of_n() -> None:
    errors = []
    sizes = (1_000, 4_000, 16_000)
    for n_points in sizes:
        squares = []
        for seed in range(8):
            found = simulate(np.random.default_rng(seed), TREES["two levels"], n_points)
            model = mw.HierarchicalLabelModel(found.votes.schema, kind="independent").fit(found.votes)
            squares += [*(model.accuracies_ - found.accuracies) ** 2, *(model.class_prior_ - found.share) ** 2]
        errors.append(np.sqrt(np.mean(squares)))
    slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.1)


def test_a_coarse_vote_counts_once_however_many_end_labels_lie_below() -> None:
    """The same coarse votes over 2 and over 10 end labels a branch: the same probabilities of the branches."""
    found = simulate(np.random.default_rng(0), mw.TaskSchema.flat(["left", "right"]), 3_000)
    for kind in ("rules", "independent"):
        shares = []
        for n_below in (2, 10):
            below = [{a: {"task": a, "labels": [f"{a}{i}" for i in range(n_below)]}} for a in ("left", "right")]
            schema = mw.TaskSchema.from_dict({"task": "root", "labels": below})
            votes = mw.LabelMatrix(found.votes.codes, schema, ["root"] * found.votes.n_lfs)
            model = mw.HierarchicalLabelModel(schema, kind=kind).fit(votes)
            shares.append(model.predict_proba(votes)["root"])
        np.testing.assert_allclose(shares[1], shares[0], atol=1e-9)
