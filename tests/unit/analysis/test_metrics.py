"""Metrics against scikit-learn's and against figures worked out by hand."""

import json
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import metrics as reference

import metalwork as mw
from metalwork.analysis import evaluate
from metalwork.errors import ConfigError, VotesError
from metalwork.votes import ForestProbabilities

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
    assert result.mcc == pytest.approx(reference.matthews_corrcoef(y, guess))
    each = reference.precision_recall_fscore_support(y, guess, labels=range(4))
    found = [[label.precision, label.recall, label.f1, label.n_points] for label in result.labels]
    np.testing.assert_allclose(np.array(found, float).T, each)
    truth = np.eye(4)[y]
    assert result.roc_auc == pytest.approx(reference.roc_auc_score(truth, probs.end, average="macro"))
    assert result.average_precision == pytest.approx(reference.average_precision_score(truth, probs.end))


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("seed", range(3))
def test_averages_equal_those_of_scikit_learn_with_and_without_predictions(average: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, guess = rng.integers(0, 3, 40), rng.integers(-1, 4, 40)  # end label 3 is predicted only
    result = evaluate(guess, y, TREE)
    expected = reference.precision_recall_fscore_support(
        y, guess, labels=range(4), average=average, zero_division=0
    )
    found = [getattr(result, f"{average}_{figure}") for figure in ("precision", "recall", "f1")]
    assert found == pytest.approx(expected[:3])
    assert result.mcc == pytest.approx(reference.matthews_corrcoef(y, guess))
    assert result.coverage == np.mean(guess >= 0)
    assert result.accuracy == np.mean(guess == y)
    assert result.covered_accuracy == pytest.approx(np.mean((guess == y)[guess >= 0]))


def test_tied_scores_count_by_half_and_undefined_figures_are_none() -> None:
    probs = mw.TaskProbabilities([[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0], [0.2, 0.8, 0, 0], [1, 0, 0, 0]], TREE)
    result = evaluate(probs, [0, 1, 1, 0])
    assert [label.roc_auc for label in result.labels] == [0.875, 0.875, None, None]
    scored = [reference.average_precision_score(np.equal([0, 1, 1, 0], c), probs.end[:, c]) for c in (0, 1)]
    assert [label.average_precision for label in result.labels] == [*map(pytest.approx, scored), None, None]
    assert (result.labels[2].precision, result.labels[2].recall, result.labels[2].f1) == (None, None, None)
    alone = evaluate(probs.rows([0]), [0])
    assert (alone.roc_auc, alone.average_precision, alone.mcc) == (None, None, 0.0)
    without = evaluate([-1, None], [0, 1], TREE)
    assert (without.coverage, without.accuracy, without.covered_accuracy) == (0.0, 0.0, None)
    assert (without.micro_precision, without.macro_f1, without.hierarchical_precision) == (None, 0.0, None)
    assert (without.hierarchical_recall, without.lca_error, without.tree_distance) == (0.0, None, None)


def test_records_without_a_prediction_stand_in_a_column_of_their_own() -> None:
    result = evaluate(["Money", None, "Funding"], ["Funding", "Funding", "Funding"], TREE)
    assert result.confusion.columns == (*TREE.end_labels, "(no prediction)")
    assert result.confusion.counts[1] == (0, 1, 1, 0, 1)
    assert result.tasks[0].confusion.columns == ("Corporate", "Markets", "(no prediction)")
    assert result.tasks[0].confusion.counts == ((1, 1, 1), (0, 0, 0))
    assert result.tasks[1].confusion.columns == ("Performance", "Funding", "(other branch)", "(no prediction)")
    assert result.tasks[1].confusion.counts == ((0, 0, 0, 0), (0, 1, 1, 1))


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


def test_probabilities_come_in_arrays_rows_and_frames() -> None:
    probs, y = random_case(20, 4)
    columns = dict(zip(reversed(TREE.end_labels), probs.end.T[::-1], strict=True))
    for given in (probs.end, probs.end.tolist(), list(probs), pl.DataFrame(columns), pd.DataFrame(columns)):
        assert evaluate(given, y, TREE) == evaluate(probs, y)
    forest = ForestProbabilities({"sector": probs})
    with pytest.raises(VotesError) as caught:
        evaluate(forest, y)
    assert str(caught.value) == "predicted must be of one tree; got 1 trees. Pass probs.roots['sector']."


def test_records_of_unknown_label_are_left_out() -> None:
    probs, y = random_case(20, 1)
    some: list[Any] = y.tolist()
    some[3], some[7] = None, -1
    kept = np.setdiff1d(np.arange(20), [3, 7])
    assert evaluate(probs, some) == evaluate(probs.rows(kept), y[kept])


def test_what_is_known_down_to_an_inner_label_is_compared_down_to_there() -> None:
    probs = mw.TaskProbabilities([[0.1, 0.2, 0.6, 0.1], [0.7, 0.1, 0.1, 0.1], [0, 0, 1, 0]], TREE)
    result = evaluate(probs, ["Markets", "Markets", "Commodity"])
    assert (result.n_points, result.n_exact, result.accuracy) == (3, 1, 1 / 3)
    assert result.task_accuracy == {"sector": 2 / 3, "corporate": None, "markets": 0.0}
    assert [task.n_points for task in result.tasks] == [3, 0, 1]
    assert [row.n_points for row in result.labels] == [0, 0, 0, 1]
    # Markets of Markets (Money is left out); none of Corporate and Performance; Markets of Markets and Money.
    assert result.hierarchical_precision == 2 / 5
    assert result.hierarchical_recall == 2 / 4
    assert result.lca_error == (0 + 2 + 1) / 3
    assert result.tree_distance == (0 + 3 + 2) / 3
    coarse = evaluate(probs, ["Markets", None, "Markets"])
    assert (coarse.n_exact, coarse.accuracy, coarse.macro_f1, coarse.mcc) == (0, 1.0, None, None)
    assert coarse.calibration is None


def test_metrics_print_and_become_a_frame() -> None:
    result = evaluate(["Money", "Funding"], ["Funding", "Funding"], TREE)
    lines = str(result).splitlines()
    assert lines[0] == "Predictions on 2 records of known label"
    assert "accuracy                0.500" in lines
    assert "hierarchical f1         0.500" in lines
    frame = result.to_frame()
    assert frame.columns[:5] == ["label", "n_points", "n_predicted", "precision", "recall"]
    assert frame.row(1)[:6] == ("Funding", 2, 1, 1.0, 0.5, pytest.approx(2 / 3))
    assert result.confusion.to_frame().row(1) == ("Funding", 0, 1, 1, 0)


def test_metrics_in_a_notebook_escape_names() -> None:
    schema = mw.TaskSchema.flat(["<b>a", "b"])
    page = evaluate([0, 1], [0, 1], schema)._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;a" in page


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
    assert str(caught.value) == "y must hold one label a record (3); got 2."
    with pytest.raises(VotesError) as caught:
        evaluate(probs, [None] * 3)
    assert str(caught.value) == "y must hold at least one known label; got none."
    with pytest.raises(VotesError) as caught:
        evaluate(y, y)
    assert str(caught.value) == "schema must be given with predictions that carry none; got None. Pass schema=."
    with pytest.raises(VotesError) as caught:
        evaluate(probs, y, mw.TaskSchema.flat(["a", "b"]))
    assert str(caught.value) == "schema must be the one of the probabilities; it differs. Leave it out."
    with pytest.raises(ConfigError, match=r"^n_bins must be a whole number of at least 1; got 0\.$"):
        evaluate(probs, y, n_bins=0)


def test_metrics_in_a_line() -> None:
    found = evaluate(["Money", None], ["Money", "Funding"], TREE)
    assert repr(found) == "Metrics(n_points=2, coverage=0.500, accuracy=0.500, macro_f1=0.500)"
