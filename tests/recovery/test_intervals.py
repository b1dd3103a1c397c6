"""Intervals hold the truth as often as they say, and say so where they do not."""

from pathlib import Path

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, NotFittedError, VotesError
from metalwork.label_models import _intervals
from tests.simulated import Simulated, simulate
from tests.slow import SLOW, cases
from tests.unit.schemas import SECTORS

SCHEMAS = {"tree": mw.TaskSchema.from_dict(SECTORS), "flat": mw.TaskSchema.flat(["a", "b", "c"])}


def sample(name: str, n_points: int, seed: int) -> Simulated:
    rng = np.random.default_rng(seed)
    schema = SCHEMAS[name]
    return simulate(rng, schema, n_points, prior=rng.dirichlet(np.full(schema.n_end_labels, 5.0)))


def covered(name: str, n_points: int, n_samples: int) -> tuple[float, float]:
    """Shares of 95 % intervals that hold the truth: of accuracies, of the class prior."""
    held: tuple[list[bool], list[bool]] = ([], [])
    for seed in range(n_samples):
        found = sample(name, n_points, seed)
        model = mw.HierarchicalLabelModel(found.votes.schema, kind="independent").fit(found.votes)
        intervals = model.intervals()
        assert intervals.calibrated
        for part, truth, into in (
            (intervals.accuracies, found.accuracies, held[0]),
            (intervals.class_prior, found.share, held[1]),
        ):
            into += [one.low <= true <= one.high for one, true in zip(part, truth, strict=True)]
    return float(np.mean(held[0])), float(np.mean(held[1]))


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("n_points", [1_000, *([10_000] if SLOW else [])])
def test_intervals_hold_the_truth_19_times_in_20(name: str, n_points: int) -> None:
    n_samples = len(cases(25, 200))
    accuracies, class_prior = covered(name, n_points, n_samples)
    slack = 0.045 if n_samples < 200 else 0.0
    assert 0.92 - slack <= accuracies <= 0.975 + slack
    assert 0.92 - slack <= class_prior <= 0.975 + slack


def test_standard_errors_are_the_spread_over_samples() -> None:
    schema = SCHEMAS["flat"]
    tables = simulate(np.random.default_rng(0), schema, 1).tables
    estimates, errors = [], []
    for seed in range(40):
        found = simulate(np.random.default_rng(seed), schema, 2_000, given=tables)
        intervals = mw.HierarchicalLabelModel(schema, kind="independent").fit(found.votes).intervals()
        both = [*intervals.accuracies, *intervals.class_prior]
        estimates.append([one.estimate for one in both])
        errors.append([one.standard_error for one in both])
    spread = np.std(estimates, axis=0, ddof=1)
    np.testing.assert_allclose(np.mean(errors, axis=0), spread, rtol=0.45)
    assert np.mean(errors) == pytest.approx(spread.mean(), rel=0.12)


def test_many_lfs_are_looked_at_in_a_smaller_model(monkeypatch: pytest.MonkeyPatch) -> None:
    found = simulate(np.random.default_rng(3), SCHEMAS["tree"], 4_000, lfs_a_task=20)
    model = mw.HierarchicalLabelModel(found.votes.schema, kind="independent").fit(found.votes)
    full = model.intervals()
    monkeypatch.setattr(_intervals, "_MOST_COUNTS", 1)
    small = model.intervals()
    assert "one accuracy an LF" in small.note
    assert small.note != full.note
    ratio = [a.standard_error / b.standard_error for a, b in zip(small.accuracies, full.accuracies, strict=True)]
    assert min(ratio) > 0.9
    assert max(ratio) < 1.1
    monkeypatch.setattr(_intervals, "_MOST_IN_A_TASK", 10)
    with pytest.raises(VotesError, match=r"^intervals take at most 10 LFs and labels of one task; got 22\. "):
        model.intervals()


def test_votes_only_intervals_do_not_narrow_with_more_records_and_say_so() -> None:
    widths = []
    for n_points in (2_000, 20_000):
        found = sample("flat", n_points, 0)
        model = mw.HierarchicalLabelModel(found.votes.schema, kind="rules").fit(found.votes)
        intervals = model.intervals()
        assert not intervals.calibrated
        assert "no confidence intervals" in str(intervals)
        widths.append([one.high - one.low for one in intervals.accuracies])
    assert np.min(widths) > 0.07
    np.testing.assert_allclose(widths[0], widths[1], rtol=0.2)


def test_a_level_widens_and_every_interval_holds_its_estimate_inside_0_1() -> None:
    found = sample("tree", 1_000, 0)
    model = mw.HierarchicalLabelModel(found.votes.schema).fit(found.votes)
    narrow, wide = model.intervals(0.5), model.intervals(0.99)
    for one, other in zip(narrow.accuracies, wide.accuracies, strict=True):
        assert 0 < other.low < one.low < one.estimate < one.high < other.high < 1
    assert [one.estimate for one in wide.accuracies] == model.accuracies_.tolist()
    frame = wide.to_frame()
    assert frame["what"].to_list() == ["accuracy"] * 15 + ["class prior"] * 4
    assert frame["name"].to_list() == [*found.votes.names, *found.votes.schema.end_labels]
    with pytest.raises(ConfigError, match=r"^level must be a number in \(0, 1\); got 95\.$"):
        model.intervals(95)


def test_a_loaded_model_says_that_it_needs_the_counts(tmp_path: Path) -> None:
    found = sample("flat", 1_000, 0)
    mw.HierarchicalLabelModel(found.votes.schema).fit(found.votes).save(tmp_path / "model.npz")
    loaded = mw.load_label_model(tmp_path / "model.npz")
    assert isinstance(loaded, mw.HierarchicalLabelModel)
    with pytest.raises(NotFittedError, match=r"^intervals needs the counts of the votes, which save leaves out; "):
        loaded.intervals()
    with pytest.raises(NotFittedError, match=r"^diagnose needs the counts of the votes"):
        loaded.diagnose()
    with pytest.raises(NotFittedError):
        mw.HierarchicalLabelModel(found.votes.schema).intervals()


def test_intervals_of_soft_votes_of_which_many_never_occur() -> None:
    flat, rng = mw.TaskSchema.flat(["a", "b"]), np.random.default_rng(0)
    shares = rng.beta(0.5, 0.5, size=(3, 40))
    votes = mw.LabelMatrix.from_soft([np.stack([share, 1 - share], axis=1) for share in shares], flat)
    model = mw.HierarchicalLabelModel(flat, kind="independent").fit(votes)
    with np.errstate(invalid="raise"):
        found = model.intervals()
    assert all(np.isfinite([one.low, one.high]).all() for one in (*found.accuracies, *found.class_prior))
