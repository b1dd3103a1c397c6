"""scikit-learn's conventions, kept by label models, end models and feature extractors alike."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

import metalwork as mw
from metalwork import features
from metalwork._estimators import Estimator
from metalwork.errors import ConfigError, NotFittedError

SCHEMA = mw.TaskSchema.flat(["ham", "spam"])
FOREST = mw.TaskForest([SCHEMA])
VOTES = mw.LabelMatrix(np.array([[0, 1, 0], [1, 1, -1], [0, -1, 0], [1, 1, 1]] * 5), SCHEMA)
X, CODES = np.arange(40.0).reshape(20, 2), np.array([0, 1] * 10)
PROBS = mw.TaskProbabilities.from_labels(CODES, SCHEMA)

RECORDS = [{"t": "one word", "n": 1.5}, {"t": "two words", "n": 2.0}]

UNFITTED: dict[str, Estimator] = {
    "hierarchical": mw.HierarchicalLabelModel(SCHEMA, precision={"lf_0": 0.7}, max_iter=3),
    "log-linear": mw.LogLinearLabelModel(SCHEMA, l2=2.0),
    "majority": mw.MajorityVote(SCHEMA, mode="soft"),
    "forest": mw.ForestLabelModel(FOREST, mw.MajorityVote),
    "end": mw.EndModel(SCHEMA, hidden_sizes=[4], max_epochs=1),
    "end of texts": mw.EndModel(SCHEMA, hidden_sizes=[4], max_epochs=1, featurizer=mw.WordCounts(min_df=1)),
    "words": mw.WordCounts(max_features=7),
    "numbers": features.NumericColumns(["n"]),
    "combined": features.Combined([mw.WordCounts(field="t", min_df=1), features.NumericColumns(["n"])]),
}
FITTED = {
    "hierarchical": lambda model: model.fit(VOTES),
    "log-linear": lambda model: model.fit(VOTES),
    "majority": lambda model: model.fit(VOTES),
    "forest": lambda model: model.fit({"label": VOTES}),
    "end": lambda model: model.fit(X, PROBS),
    "end of texts": lambda model: model.fit(["a word", "two words"], ["ham", "spam"]),
    "words": lambda model: model.fit(["a word", "another word"]),
    "numbers": lambda model: model.fit(RECORDS),
    "combined": lambda model: model.fit(RECORDS),
}
PREDICT = {
    "end": lambda model: model.predict(X),
    "end of texts": lambda model: model.predict_proba(["two words"]).end,
    "words": lambda model: model.transform(["word"]).toarray(),
    "numbers": lambda model: model.transform(RECORDS),
    "combined": lambda model: model.transform(RECORDS).toarray(),
}


@pytest.fixture(params=sorted(UNFITTED))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_clone_copies_arguments_alone(name: str) -> None:
    model = FITTED[name](copy.deepcopy(UNFITTED[name]))
    again = clone(model)
    assert repr(again) == repr(model)
    assert repr(again.get_params()) == repr(model.get_params())
    check_is_fitted(model)
    if name != "numbers":  # which has nothing to learn
        with pytest.raises(NotFittedError):
            again._check_fitted()


def test_arguments_stay_as_given_and_fit_returns_the_model(name: str) -> None:
    model = copy.deepcopy(UNFITTED[name])
    before = model.get_params(deep=False)
    assert FITTED[name](model) is model
    after = model.get_params(deep=False)
    assert all(after[key] is before[key] for key in before)


def test_an_unknown_argument_changes_nothing(name: str) -> None:
    model = copy.deepcopy(UNFITTED[name])
    known = next(iter(model.get_params()))
    with pytest.raises(ConfigError, match=rf"^'{known}x' is no argument of {type(model).__name__}\. Did you mean"):
        model.set_params(**{known: None, f"{known}x": 1})
    assert repr(model.get_params()) == repr(UNFITTED[name].get_params())


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        (mw.HierarchicalLabelModel(SCHEMA), "HierarchicalLabelModel(schema)"),
        (
            mw.HierarchicalLabelModel(SCHEMA, "rules", tol=1e-4),
            "HierarchicalLabelModel(schema, kind='rules', tol=0.0001)",
        ),
        (mw.MajorityVote(SCHEMA, random_state=1), "MajorityVote(schema, random_state=1)"),
        (mw.WordCounts(), "WordCounts()"),
        (mw.EndModel(SCHEMA, scaling=np.str_("auto")), "EndModel(schema, scaling=np.str_('auto'))"),
    ],
)
def test_repr_shows_what_was_changed(model: Any, shown: str) -> None:
    assert repr(model) == shown


def test_arguments_of_arguments_are_reached_by_name() -> None:
    class Outer(Estimator):
        def __init__(self, inner: Any = None) -> None:
            self.inner = inner

    outer = Outer(mw.WordCounts(min_df=3))
    assert outer.get_params()["inner__min_df"] == 3
    assert list(outer.get_params(deep=False)) == ["inner"]
    assert outer.set_params(inner__min_df=4).inner.min_df == 4
    assert outer.set_params(inner=mw.WordCounts(), inner__min_df=5).inner.min_df == 5
    with pytest.raises(ConfigError, match=r"^'other__min_df' is no argument of Outer\. Known: 'inner'\.$"):
        outer.set_params(other__min_df=4)
    with pytest.raises(ConfigError, match=r"^'inner__min_df' is no argument of Outer\. Known: 'inner'\.$"):
        Outer().set_params(inner__min_df=4)


def test_classifiers_name_their_classes() -> None:
    for name in ("hierarchical", "log-linear", "majority", "end"):
        model = FITTED[name](copy.deepcopy(UNFITTED[name]))
        assert is_classifier(model)
        assert model.classes_.tolist() == ["ham", "spam"]
        assert model.n_features_in_ == (2 if name == "end" else 3)
    assert not hasattr(UNFITTED["majority"], "n_features_in_")
    assert get_tags(UNFITTED["words"]).estimator_type == "transformer"


def test_fitted_models_can_be_copied_and_pickled(name: str) -> None:
    model = FITTED[name](copy.deepcopy(UNFITTED[name]))
    predict: Any = PREDICT.get(name, lambda model: model.predict({"label": VOTES} if name == "forest" else VOTES))
    expected = predict(model)
    for again in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        found = predict(again)
        assert found.keys() == expected.keys() if name == "forest" else np.array_equal(found, expected)


def test_objects_of_the_wrong_kind_are_one_kind_of_error() -> None:
    with pytest.raises(ConfigError) as caught:
        mw.MajorityVote(SCHEMA).fit(VOTES.codes)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "votes must be a LabelMatrix; got ndarray. "
        "Use mw.apply, or mw.LabelMatrix(codes, schema, tasks=...) for codes of your own."
    )
    for fit in (lambda s: mw.MajorityVote(s).fit(VOTES), lambda s: mw.EndModel(s).fit(X, PROBS)):
        with pytest.raises(ConfigError, match=r"^schema must be a TaskSchema; got list\.$"):
            fit(["ham", "spam"])
