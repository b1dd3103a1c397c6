"""Drift is found where it is, and hardly ever where it is not."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2_contingency

import metalwork as mw
from metalwork.delivery import Predictor, find_drift
from metalwork.delivery._drift import _Tally, benjamini_hochberg, chi_square
from metalwork.errors import ConfigError
from tests.unit.pipeline.projects import records

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")  # few records

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def predictor(pets: Path) -> Predictor:
    return Predictor.load(pets, run_code=True)


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    path = tmp_path_factory.mktemp("new") / "new.csv"
    path.write_text(records("train", 12))
    return pl.read_csv(path)


def test_the_same_records_do_not_drift(predictor: Predictor, new: pl.DataFrame) -> None:
    found = find_drift(predictor, new)
    assert (found.n_before, found.n_after, found.moved) == (24, 48, ())
    assert [shift.kind for shift in found.shifts] == ["confidence", *["labels"] * 3, *["votes"] * 7]
    assert {shift.effect for shift in found.shifts if shift.kind != "confidence"} == {0.0}


def test_what_moved_is_named_with_its_shares(predictor: Predictor, new: pl.DataFrame) -> None:
    mammals = new.filter(pl.col("text").str.contains("fur|paw"))
    found = find_drift(predictor, mammals)
    by_name = {(shift.kind, shift.name): shift for shift in found.shifts}
    kind = by_name["labels", "kind"]
    assert (kind.before, kind.after) == ({"Mammal": 0.5, "Bird": 0.5}, {"Mammal": 1.0, "Bird": 0.0})
    assert (kind.effect, kind.moved) == (0.5, True)
    assert by_name["labels", "bird"].after == {"(does not apply)": 1.0, "Owl": 0.0, "Duck": 0.0}
    hoots = by_name["votes", "hoots"]
    assert (hoots.before, hoots.after) == ({"(abstains)": 0.75, "Owl": 0.25}, {"(abstains)": 1.0, "Owl": 0.0})
    assert ("votes", "feathered") in {(shift.kind, shift.name) for shift in found.moved}
    assert [shift.effect for shift in found.moved] == sorted((s.effect for s in found.moved), reverse=True)
    assert not find_drift(predictor, mammals, least_effect=0.6).moved


def test_votes_are_left_out_where_code_may_not_be_run(pets: Path, new: pl.DataFrame) -> None:
    found = find_drift(Predictor.load(pets), new)
    assert {shift.kind for shift in found.shifts} == {"confidence", "labels"}
    assert found.notes == (
        "Votes were not compared: the run's labeling functions are not loaded (--run-code runs them).",
    )


def test_another_split_can_be_compared_with(predictor: Predictor, new: pl.DataFrame) -> None:
    assert find_drift(predictor, new, against="test").n_before == 8
    with pytest.raises(ConfigError, match=r"^against must be one of 'train', 'dev', 'test'; got 'all'\.$"):
        find_drift(predictor, new, against="all")


def test_a_run_that_has_not_predicted_is_refused(tmp_path: Path) -> None:
    schema = mw.TaskSchema.flat(["ham", "spam"])
    lfs = [mw.keywords("label", "spam", ["win"], name="win"), mw.keywords("label", "ham", ["hello"], name="hello")]
    mw.Run.of(schema, lfs, train=["win a car", "hello you"] * 20, folder=tmp_path / "run").train()
    predictor = Predictor.load(tmp_path / "run", lfs=lfs)
    with pytest.raises(ConfigError, match=r"must hold the results of the step 'evaluate'; it does not\."):
        find_drift(predictor, ["win"])
    labels = Predictor.load(tmp_path / "run", lfs=lfs, model="label")
    assert find_drift(labels, ["win"] * 40).moved
    with pytest.raises(ConfigError, match=r"^against must be a split of the run, one of 'train'; got 'dev'\.$"):
        find_drift(labels, ["win"], against="dev")


def test_rare_outcomes_are_counted_together() -> None:
    old, new = np.array([50, 40, 3, 2, 5]), np.array([40, 50, 1, 4, 5])
    assert chi_square(old, new) == chi2_contingency([[50, 40, 5, 5], [40, 50, 5, 5]], correction=False)[1]
    assert chi_square(np.array([100, 1]), np.array([100, 0])) == 1.0
    assert chi_square(np.array([10]), np.array([3])) == 1.0


def test_p_values_are_adjusted_as_benjamini_and_hochberg_have_it() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.8])
    assert benjamini_hochberg(p) == pytest.approx([0.025, 0.05, 0.05, 0.025, 0.8])
    assert benjamini_hochberg(np.array([0.2])) == pytest.approx([0.2])


def test_an_lfs_new_outcome_is_counted_from_nothing() -> None:
    schema = mw.TaskSchema.flat(["ham", "spam"])
    tally = _Tally()
    tally.votes(mw.LabelMatrix(np.array([[0], [-1]]), schema))
    tally.votes(mw.LabelMatrix(np.array([[1], [-1], [-1]]), schema))
    ((key, counts),) = tally.counts.items()
    assert dict(zip(tally.names[key], counts.tolist(), strict=True)) == {"(abstains)": 3, "ham": 1, "spam": 1}


def test_false_alarms_are_rare() -> None:
    """Of 300 pairs of samples of the same outcomes, no more than 1 % and what chance adds."""
    shares = np.array([0.6, 0.3, 0.08, 0.02])
    alarms = sum(
        chi_square(RNG.multinomial(500, shares), RNG.multinomial(200, shares)) <= 0.01 for _ in range(300)
    )
    assert alarms <= 9
