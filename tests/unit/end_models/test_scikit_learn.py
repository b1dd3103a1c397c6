"""The end model in scikit-learn's pipelines, searches and cross-validation."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from metalwork import EndModel, TaskProbabilities
from metalwork.end_models import FlatClassifier
from tests.unit.end_models.samples import TRIAGE

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 4, 120)
X = np.eye(4)[CODES] + RNG.normal(0, 0.2, (120, 4))
NAMES = TRIAGE.end_names(CODES)
PROBS = TaskProbabilities.from_labels(CODES, TRIAGE)


def model(**options: Any) -> EndModel:
    arguments: dict[str, Any] = {"hidden_sizes": (16, 8), "max_epochs": 30, "lr": 0.02} | options
    return EndModel(TRIAGE, **arguments)


@pytest.mark.parametrize("y", [PROBS, NAMES, CODES], ids=["probabilities", "names", "codes"])
def test_it_is_the_last_step_of_a_pipeline(y: Any) -> None:
    steps = make_pipeline(StandardScaler(), model()).fit(X, y)
    assert steps.score(X, NAMES) > 0.9
    assert (
        steps.score(X, CODES)
        == steps.score(X, NAMES)
        == np.mean(steps.predict(X) == (NAMES if y is NAMES else CODES))
    )
    assert np.asarray(steps.predict_proba(X)).shape == (120, 4)
    assert steps.classes_.tolist() == list(TRIAGE.end_labels)


def test_frames_go_through_pipelines_by_name() -> None:
    frame = pd.DataFrame(X, columns=list("abcd"))
    steps = make_pipeline(StandardScaler().set_output(transform="pandas"), model()).fit(frame, NAMES)
    assert steps[-1].feature_names_in_.tolist() == list("abcd")
    assert steps.score(frame, NAMES) > 0.9


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro", "balanced_accuracy"])
@pytest.mark.parametrize("y", [NAMES, np.array(NAMES), pd.Series(NAMES)], ids=["list", "array", "series"])
def test_string_scorers_take_names(y: Any, scoring: str) -> None:
    by_name = cross_val_score(model(), X, y, cv=3, scoring=scoring, error_score="raise")
    assert by_name.tolist() == cross_val_score(model(), X, CODES, cv=3, scoring=scoring).tolist()
    assert by_name.mean() > 0.85


def test_scorers_of_probabilities_take_codes() -> None:
    losses = cross_val_score(model(), X, CODES, cv=3, scoring="neg_log_loss", error_score="raise")
    assert losses.mean() > -0.5


def test_names_are_predicted_after_names(tmp_path: Path) -> None:
    named = model().fit(X, NAMES)
    assert np.mean(named.predict(X) == NAMES) > 0.9
    named.save(tmp_path / "m")
    assert EndModel.load(tmp_path / "m").predict(X).tolist() == named.predict(X).tolist()
    mixed = [*NAMES[:60], *([None] * 60)]
    assert set(model().fit(X, mixed).predict(X)) <= set(TRIAGE.end_labels)
    assert model().fit(X, CODES).predict(X).dtype == np.int64
    assert named.fit(X, PROBS).predict(X).dtype == np.int64


@pytest.mark.parametrize(
    "y", [NAMES, CODES, pd.Series(NAMES), np.array(NAMES)], ids=["list", "codes", "series", "array"]
)
def test_it_is_cross_validated(y: Any) -> None:
    scores = cross_val_score(model(), X, y, cv=3, error_score="raise")
    assert scores.mean() > 0.85
    assert scores.tolist() == cross_val_score(model(), X, CODES, cv=3, scoring="accuracy").tolist()


def test_probabilities_are_searched_over_too() -> None:
    soft = TaskProbabilities(PROBS.end * 0.6 + 0.1, TRIAGE)
    scores = cross_val_score(model(), X, soft, cv=3, error_score="raise")
    assert scores.mean() == pytest.approx(0.7, abs=0.1)  # the most that they expect
    search = GridSearchCV(model(max_epochs=5), {"lr": [1e-5, 0.05]}, cv=2, error_score="raise").fit(X, soft)
    assert search.best_params_ == {"lr": 0.05}
    same = model().fit(X, soft.end).predict_proba(X)
    assert np.array_equal(model().fit(X, soft).predict_proba(X).end, same.end)


def test_predictions_are_cross_validated() -> None:
    found = cross_val_predict(model(), X, CODES, cv=2, method="predict_proba")
    assert found.shape == (120, 4)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_its_arguments_are_searched() -> None:
    given = model(max_epochs=5)
    search = GridSearchCV(
        given, {"lr": [1e-5, 0.05], "architecture": ["hier", "single"]}, cv=2, error_score="raise"
    )
    assert search.fit(X, NAMES).best_params_["lr"] == 0.05
    assert search.score(X, NAMES) == search.best_estimator_.score(X, NAMES)
    assert given.lr == 0.02
    inside = GridSearchCV(make_pipeline(StandardScaler(), given), {"endmodel__lr": [1e-5, 0.05]}, cv=2)
    assert inside.fit(X, NAMES).best_params_ == {"endmodel__lr": 0.05}


def test_the_flat_classifier_predicts_classes_as_given() -> None:
    for y in (np.array(NAMES), CODES * 10 - 7, CODES > 1, np.array([1.0, 2, 3, 4])[CODES]):
        found = FlatClassifier((16,), max_epochs=30, lr=0.02).fit(X, y)
        assert found.classes_.tolist() == sorted(set(y.tolist()))
        assert found.predict(X).dtype == y.dtype
        assert found.score(X, y) > 0.9
    with pytest.raises(ValueError, match=r"^y must hold at least 2 classes; got one class, 'a'\.$"):
        FlatClassifier().fit(X[:2], ["a", "a"])
