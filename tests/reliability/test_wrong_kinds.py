"""Things of the wrong kind, anywhere in the public interface: one of our own errors, or they are taken."""

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import metalwork as mw

SCHEMA = mw.TaskSchema.flat(["a", "b"])
CODES = np.array([0, 1] * 5)
X = np.arange(20.0).reshape(10, 2)
VOTES = mw.LabelMatrix(np.array([[0, 1], [1, -1]] * 5), SCHEMA)
PROBS = mw.TaskProbabilities.from_labels(CODES, SCHEMA)
WRONG = [
    *(
        None,
        5,
        -1,
        1.5,
        float("nan"),
        True,
        "x",
        b"x",
        [],
        [1],
        ["a"],
        {},
        {"a": 1},
        (1, 2),
        (None, None),
        object(),
    ),
    *(np.ones((2, 2)), np.array(["a"]), np.array([object()]), SCHEMA, VOTES, PROBS),
]
LFS = [mw.keywords("label", "a", ["x"], field="t")]
MODELS: tuple[Any, ...] = (mw.HierarchicalLabelModel, mw.LogLinearLabelModel, mw.MajorityVote)


def end(**arguments: Any) -> mw.EndModel:
    options: dict[str, Any] = {"max_epochs": 1, "hidden_sizes": (2,)} | arguments
    return mw.EndModel(SCHEMA, **options)


END = end().fit(X, CODES)
with warnings.catch_warnings(action="ignore"):  # two LFs teach little
    MIXTURE = mw.HierarchicalLabelModel(SCHEMA).fit(VOTES)

CALLS: dict[str, Callable[[Any], Any]] = {
    "TaskSchema.flat": lambda wrong: mw.TaskSchema.flat(wrong),
    "TaskSchema.from_dict": lambda wrong: mw.TaskSchema.from_dict(wrong),
    "LabelMatrix codes": lambda wrong: mw.LabelMatrix(wrong, SCHEMA),
    "LabelMatrix schema": lambda wrong: mw.LabelMatrix(VOTES.codes, wrong),
    "LabelMatrix tasks": lambda wrong: mw.LabelMatrix(VOTES.codes, SCHEMA, tasks=wrong),
    "LabelMatrix names": lambda wrong: mw.LabelMatrix(VOTES.codes, SCHEMA, names=wrong),
    "LabelMatrix.load": mw.LabelMatrix.load,
    "TaskProbabilities": lambda wrong: mw.TaskProbabilities(wrong, SCHEMA),
    "TaskProbabilities schema": lambda wrong: mw.TaskProbabilities(PROBS.end, wrong),
    "TaskProbabilities labels": lambda wrong: mw.TaskProbabilities.from_labels(wrong, SCHEMA),
    "TaskForest": mw.TaskForest,
    "ForestLabelModel": lambda wrong: mw.ForestLabelModel(wrong).fit({"label": VOTES}),
    "ForestLabelModel votes": lambda wrong: mw.ForestLabelModel(mw.TaskForest([SCHEMA])).fit(wrong),
    "EndModel schema": lambda wrong: mw.EndModel(wrong, max_epochs=1).fit(X, CODES),
    "EndModel X": lambda wrong: end().fit(wrong, CODES),
    "EndModel probs": lambda wrong: end().fit(X, wrong),
    "EndModel dev": lambda wrong: end().fit(X, CODES, dev=wrong),
    "EndModel sample_weight": lambda wrong: end().fit(X, CODES, sample_weight=wrong),
    "EndModel callbacks": lambda wrong: end().fit(X, CODES, callbacks=wrong),
    "EndModel predict": END.predict,
    "EndModel score": lambda wrong: END.score(X, wrong),
    "EndModel.load": mw.EndModel.load,
    "explain row": lambda wrong: MIXTURE.explain(VOTES, wrong),
    "explain label": lambda wrong: MIXTURE.explain(VOTES, 0, wrong),
    "intervals": MIXTURE.intervals,
    "load_label_model": mw.load_label_model,
    "lf_summary": mw.lf_summary,
    "lf_summary y": lambda wrong: mw.lf_summary(VOTES, wrong),
    "evaluate": lambda wrong: mw.evaluate(wrong, CODES, SCHEMA),
    "evaluate y": lambda wrong: mw.evaluate(PROBS, wrong),
    "least_certain": mw.least_certain,
    "least_certain k": lambda wrong: mw.least_certain(PROBS, wrong),
    "least_certain by": lambda wrong: mw.least_certain(PROBS, 2, wrong),
    "apply": lambda wrong: mw.apply(wrong, [{"t": "x"}], SCHEMA),
    "apply records": lambda wrong: mw.apply(LFS, wrong, SCHEMA),
    "apply schema": lambda wrong: mw.apply(LFS, [{"t": "x"}], wrong),
    "WordCounts": lambda wrong: mw.WordCounts(min_df=1).fit(wrong),
    "from_column mapping": lambda wrong: mw.from_column("label", "c", wrong),
}


def calls_of(model: Any) -> dict[str, Callable[[Any], Any]]:
    """What takes arguments of a label model."""

    def argument(name: str) -> Callable[[Any], Any]:
        return lambda wrong: model(SCHEMA, **{name: wrong}).fit(VOTES).predict(VOTES)

    calls: dict[str, Callable[[Any], Any]] = {
        "votes": lambda wrong: model(SCHEMA).fit(wrong),
        "schema": lambda wrong: model(wrong).fit(VOTES),
        "class_prior": lambda wrong: model(SCHEMA).fit(VOTES, class_prior=wrong),
        "dev": lambda wrong: model(SCHEMA).fit(VOTES, dev=wrong),
        "dev labels": lambda wrong: model(SCHEMA).fit(VOTES, dev=(VOTES, wrong)),
        "score": lambda wrong: model(SCHEMA).fit(VOTES).score(VOTES, wrong),
    }
    calls |= {name: argument(name) for name in list(inspect.signature(model).parameters)[1:]}
    return {f"{model.__name__} {name}": call for name, call in calls.items()}


def argument_of_end(name: str) -> Callable[[Any], Any]:
    return lambda wrong: end(**{name: wrong}).fit(X, CODES)


CALLS |= {
    f"EndModel({name})": argument_of_end(name) for name in list(inspect.signature(mw.EndModel).parameters)[1:]
}
CALLS |= {name: call for model in MODELS for name, call in calls_of(model).items()}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.filterwarnings("ignore")
def test_what_is_of_the_wrong_kind_ends_in_our_error(call: str) -> None:
    raw = []
    for wrong in WRONG:
        try:
            CALLS[call](wrong)
        except mw.MetalworkError:
            pass
        except Exception as error:
            raw.append(f"{wrong!r}: {type(error).__name__}: {error}")
    assert raw == []
