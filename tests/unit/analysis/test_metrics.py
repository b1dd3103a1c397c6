"""Metrics against scikit-learn's and against figures worked out by hand."""

import json
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

import metalwork as mw
from metalwork.analysis import evaluate
from metalwork.errors import ConfigError, VotesError

TREE = mw.TaskSchema.from_dict(
    {
        "task": "sector",
        "labels": [
            {"Corporate": {"task": "corporate", "labels": ["Performance", "Funding"]}},
            {"Markets": {"task": "markets", "labels": ["Money", "Commodity"]}},
        ],
    }
)


def random_case(n_points: int, seed: int) -> tuple[mw.TaskProbabilities, Any]:
    rng = np.random.default_rng(seed)
    return mw.TaskProbabilities(rng.dirichlet(np.full(4, 0.4), n_points), TREE), rng.integers(0, 4, n_points)


@pytest.mark.parametrize("seed", range(5))
def test_figures_equal_those_of_scikit_learn(seed: int) -> None:
    probs, y = random_case(60, seed)
    result = evaluate(probs, y)
    guess = probs.predict()
    assert result.accuracy == pytest.approx(reference.accuracy_score(y, guess))
    assert result.macro_f1 == pytest.approx(reference.f1_score(y, guess, average="macro"))
    assert np.array_equal(result.confusion.counts, reference.confusion_matrix(y, guess, labels=range(4)))
    assert result.calibration is not None
    assert result.calibration.log_loss == pytest.approx(reference.log_loss(y, probs.end, labels=range(4)))


def test_macro_f1_leaves_out_labels_that_never_occur() -> None:
    result = evaluate([0, 0, 1], [0, 0, 0], TREE)
    assert result.macro_f1 == pytest.approx(reference.f1_score([0, 0, 0], [0, 0, 1], average="macro"))


def test_calibration_by_hand() -> None:
    schema = mw.TaskSchema.flat(["a", "b"])
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [1.0, 0.0]])
    result = evaluate(probs, ["a", "b", "b", "a"], schema, n_bins=5)
    found = result.calibration
    assert found is not None
    # (0.6, 0.8] holds 0.8 (wrong) and 0.7 (right); (0.8, 1] holds 0.9 and 1.0, both right.
    assert [b.n_points for b in found.bins] == [0, 0, 0, 2, 2]
    assert found.bins[3].confidence == pytest.approx(0.75)
    assert found.bins[3].accuracy == 0.5
    assert found.ece == pytest.approx((2 * 0.25 + 2 * 0.05) / 4)
    assert found.brier == pytest.approx((0.02 + 2 * 0.64 + 2 * 0.09 + 0) / 4)
    assert found.log_loss == pytest.approx(-np.log([0.9, 0.2, 0.7, 1.0]).mean())


def test_a_certain_error_has_a_finite_loss() -> None:
    found = evaluate(mw.TaskProbabilities.from_labels([0], TREE), [1]).calibration
    assert found is not None
    assert found.log_loss == pytest.approx(-np.log(np.finfo(float).eps))
    assert found.brier == 2.0


def test_tasks_are_scored_where_they_apply_by_their_own_probabilities() -> None:
    # The root favours Markets; within Corporate, Funding is ahead: the corporate head is right, the end label not.
    probs = mw.TaskProbabilities([[0.1, 0.3, 0.31, 0.29]], TREE)
    result = evaluate(probs, ["Funding"])
    assert result.task_accuracy == {"sector": 0.0, "corporate": 1.0, "markets": None}
    assert [task.n_points for task in result.tasks] == [1, 1, 0]
    assert result.accuracy == 0.0


def test_plain_labels_on_another_branch_count_as_wrong() -> None:
    result = evaluate(["Money", "Funding"], ["Funding", "Funding"], TREE)
    assert result.task_accuracy == {"sector": 0.5, "corporate": 0.5, "markets": None}
    assert result.tasks[0].confusion.columns == ("Corporate", "Markets")
    assert result.tasks[1].confusion.columns == ("Performance", "Funding", "(other branch)")
    assert result.tasks[1].confusion.counts == ((0, 0, 0), (0, 1, 1))
    assert result.calibration is None


def test_records_of_unknown_label_are_left_out() -> None:
    probs, y = random_case(20, 1)
    some: list[Any] = y.tolist()
    some[3], some[7] = None, -1
    kept = np.setdiff1d(np.arange(20), [3, 7])
    assert evaluate(probs, some) == evaluate(probs.rows(kept), y[kept])


def test_metrics_become_json_and_back() -> None:
    probs, y = random_case(30, 2)
    plain = evaluate(probs, y).to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["tasks"][1]["confusion"]["labels"] == ["Performance", "Funding"]


def test_order_of_records_changes_nothing_but_rounding() -> None:
    probs, y = random_case(200, 3)
    turn = np.random.default_rng(0).permutation(200)
    one, other = evaluate(probs, y), evaluate(probs.rows(turn), y[turn])
    assert one.confusion == other.confusion
    assert one.calibration is not None
    assert other.calibration is not None
    assert one.calibration.ece == pytest.approx(other.calibration.ece, abs=1e-12)


def test_arguments_that_do_not_fit_are_named() -> None:
    probs, y = random_case(3, 0)
    with pytest.raises(VotesError) as caught:
        evaluate(probs, y[:2])
    assert str(caught.value) == "y must hold one end label a record (3); got 2."
    with pytest.raises(VotesError) as caught:
        evaluate(probs, [None] * 3)
    assert str(caught.value) == "y must hold at least one known end label; got none."
    with pytest.raises(VotesError) as caught:
        evaluate(y, y)
    assert str(caught.value) == "schema must be given with predictions that carry none; got None. Pass schema=."
    with pytest.raises(VotesError) as caught:
        evaluate(probs, y, mw.TaskSchema.flat(["a", "b"]))
    assert str(caught.value) == "schema must be the one of the probabilities; it differs. Leave it out."
    with pytest.raises(ConfigError, match=r"^n_bins must be a whole number of at least 1; got 0\.$"):
        evaluate(probs, y, n_bins=0)
