"""Trained models as labeling functions."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

import metalwork as mw
from metalwork.errors import LabelingError

SCHEMA = mw.TaskSchema.flat(["Tea", "Coffee", "Juice"], task="kind")
TEXTS = ["green tea", "oolong tea", "black coffee", "mocha coffee", "orange juice", "apple juice"]
KINDS = ["Tea", "Tea", "Coffee", "Coffee", "Juice", "Juice"]
RECORDS = [{"text": "tea"}, {"text": "coffee"}, {"text": None}, {"text": " "}, {"text": "juice"}]


def _shares(lf: mw.LabelingFunction, records: Any = RECORDS, schema: mw.TaskSchema = SCHEMA) -> list[list[float]]:
    votes = mw.apply([lf], records, schema)
    return [votes.alphabets[0].rows[code, :-1].tolist() if code >= 0 else [] for code in votes.codes[:, 0]]


def _tops(lf: mw.LabelingFunction, records: Any = RECORDS) -> list[str | None]:
    return [SCHEMA.labels("kind")[int(np.argmax(row))] if row else None for row in _shares(lf, records)]


def _fault(model: Any, records: Any = RECORDS, **options: Any) -> str:
    with pytest.raises(LabelingError) as caught:
        mw.apply([mw.from_model("kind", model, **options)], records, SCHEMA)
    return str(caught.value)


def _fitted(model: Any) -> Any:
    return make_pipeline(CountVectorizer(), model).fit(TEXTS, KINDS)


def test_a_pipeline_over_texts_gives_soft_votes() -> None:
    lf = mw.from_model("kind", _fitted(MultinomialNB()))
    assert (lf.name, lf.fields) == ("kind model", ("text",))
    assert _tops(lf) == ["Tea", "Coffee", None, None, "Juice"]
    row = _shares(lf)[0]
    assert 0.4 < row[0] < 1
    assert row[1] == pytest.approx(row[2], abs=0.06)


def test_a_model_without_probabilities_votes() -> None:
    lf = mw.from_model("kind", _fitted(LinearSVC()))
    assert mw.apply([lf], RECORDS, SCHEMA).codes[:, 0].tolist() == [0, 1, -1, -1, 2]


def test_classes_are_matched_by_name_or_by_what_is_said_of_them() -> None:
    numbered = make_pipeline(CountVectorizer(), MultinomialNB()).fit(TEXTS, [0, 0, 1, 1, 2, 2])
    by_dict = mw.from_model("kind", numbered, labels={0: "Tea", "1": "Coffee", 2.0: "Juice"})
    in_order = mw.from_model("kind", numbered, labels=["Tea", "Coffee", "Juice"])
    assert _shares(by_dict) == _shares(in_order) == _shares(mw.from_model("kind", _fitted(MultinomialNB())))
    digits = mw.TaskSchema.flat(["2", "1", "0"], task="kind")
    assert _shares(mw.from_model("kind", numbered), schema=digits)[0] == _shares(in_order)[0][::-1]


def test_classes_of_one_label_add_up_and_a_silent_one_is_shared_out() -> None:
    def model(texts: list[str]) -> np.ndarray[Any, Any]:
        return np.array([[0.5, 0.2, 0.3]] * len(texts))

    lf = mw.from_model("kind", model, labels={"green": "Tea", "black": "Tea", "none": None})
    assert _shares(lf)[0] == pytest.approx([0.8, 0.1, 0.1], abs=0.03)
    silent = mw.from_model("kind", lambda texts: ["none"] * len(texts), labels={"none": mw.ABSTAIN}, name="m")
    assert _shares(silent) == [[]] * 5


def test_a_table_of_numbers_is_read_from_text() -> None:
    rng = np.random.default_rng(0)
    values, kinds = rng.normal(size=(60, 2)), np.repeat([0, 1], 30)
    values[kinds == 1] += 5
    model = LogisticRegression().fit(values, kinds)
    records = [{"a": "0", "b": "0"}, {"a": "5", "b": "5"}, {"a": "5", "b": ""}]
    lf = mw.from_model("kind", model, ["a", "b"], labels=["Tea", "Coffee"])
    assert _tops(lf, records) == ["Tea", "Coffee", None]
    gaps = HistGradientBoostingClassifier(min_samples_leaf=5).fit(values, kinds)
    assert _tops(mw.from_model("kind", gaps, ["a", "b"], labels=["Tea", "Coffee"]), records)[2] == "Coffee"


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_model_fitted_on_a_frame_reads_the_columns_of_that_frame(frame: Any) -> None:
    records = {"price": [1.0, 1.5, 3.0, 3.5, 2.0, 2.2], "cup": ["s", "s", "m", "m", "l", "l"]}
    steps = make_column_transformer((OneHotEncoder(), ["cup"]), remainder="passthrough")
    model = make_pipeline(steps, LogisticRegression()).fit(frame(records), KINDS)
    lf = mw.from_model("kind", model)
    assert lf.fields == ("price", "cup")
    assert _tops(lf, frame(records)) == KINDS


def _pipeline(top_k: bool) -> Any:
    """What a Hugging Face text-classification pipeline returns."""

    def call(texts: list[str]) -> list[Any]:
        full = [
            [("Tea", 0.8), ("Coffee", 0.1), ("Juice", 0.1)] if "tea" in text else [("Juice", 0.6), ("Tea", 0.4)]
            for text in texts
        ]
        found = [[{"label": label, "score": score} for label, score in row] for row in full]
        return found if top_k else [row[0] for row in found]

    return call


def test_a_hugging_face_pipeline() -> None:
    assert _shares(mw.from_model("kind", _pipeline(top_k=True), name="hf"))[0] == pytest.approx([0.8, 0.1, 0.1])
    best = _shares(mw.from_model("kind", _pipeline(top_k=False), name="hf"))
    assert best[0] == pytest.approx([0.8, 0.1, 0.1])
    assert best[4] == pytest.approx([0.2, 0.2, 0.6])
    assert best[2:4] == [[], []]


def test_a_callable_of_several_columns() -> None:
    def model(texts: list[str], sizes: list[str]) -> list[Any]:
        return [
            {"Tea": 0.9} if size == "1" else "Juice" if text == "juice" else None
            for text, size in zip(texts, sizes, strict=True)
        ]

    lf = mw.from_model("kind", model, ["text", "size"])
    records = [{"text": "juice", "size": 1}, {"text": "juice", "size": 2}, {"text": "tea", "size": 3}]
    assert _shares(lf, records) == [pytest.approx([0.9, 0.05, 0.05]), [0, 0, 1], []]


def test_wrong_classes_are_named_before_anything_is_read() -> None:
    seen: list[str] = []

    class Config:
        id2label: ClassVar = {0: "NEG", 1: "POS"}

    class Pipeline:
        model = type("Model", (), {"config": Config})

        def __call__(self, texts: list[str]) -> list[Any]:
            seen.extend(texts)
            return []

    assert _fault(Pipeline()) == (
        "classes of the model of LF 'kind model' must be labels of task 'kind': 'Tea', 'Coffee', 'Juice'; "
        "got 'NEG', 'POS'. Pass labels={...} from its classes to labels, None for a class that says nothing."
    )
    assert seen == []
    assert _fault(Pipeline(), labels={"NEG": "Tea"}) == (
        "classes of the model of LF 'kind model' must be the keys of labels; got 'POS'. "
        "Pass labels={...} from its classes to labels, None for a class that says nothing."
    )
    assert _fault(Pipeline(), labels={"NEG": "Tee"}) == (
        "labels of the model of LF 'kind model': 'Tee' is no label of task 'kind'. Did you mean 'Tea'?"
    )
    assert _fault(_fitted(MultinomialNB()), labels=["Tea"]) == (
        "labels of the model of LF 'kind model' must name a label for each of its 3 classes; got 1. "
        "Its classes are 'Coffee', 'Juice', 'Tea'."
    )


def test_wrong_returns_stop_the_run() -> None:
    assert "must give a vote a record; got 0 for 3." in _fault(lambda texts: [])
    assert "got shape (3, 2). Pass labels=[...] in the order" in _fault(lambda texts: np.zeros((3, 2)))
    assert "must be labels of task 'kind': 'Tea', 'Coffee', 'Juice'; got 'Milk'." in _fault(
        lambda texts: [{"label": "Milk", "score": 1.0}] * 3
    )


@pytest.mark.parametrize("model", [LogisticRegression, "model.pkl", 3, mw.keywords("kind", "Tea", ["tea"])])
def test_what_is_no_model_is_refused(model: Any) -> None:
    with pytest.raises(LabelingError, match=r"^model of LF 'kind model' must be a fitted classifier, "):
        mw.from_model("kind", model)


def test_a_model_that_is_not_fitted_is_refused() -> None:
    assert _fault(LogisticRegression()) == (
        "model of LF 'kind model' must be fitted, and tell the classes of one target (classes_); got "
        "LogisticRegression. Fit it, or pass a callable and labels=[...]."
    )


def test_wrong_arguments() -> None:
    with pytest.raises(LabelingError, match=r"^fields of LF 'kind model' must be a column name or a list of them"):
        mw.from_model("kind", len, fields=[])
    with pytest.raises(LabelingError, match=r"^task must be a text; got None\.$"):
        mw.from_model(None, len)  # type: ignore[arg-type]
    lf = mw.from_model("kind", len)
    with pytest.raises(LabelingError, match=r"^LF 'kind model' must know the labels of its task\. Run it with mw"):
        lf("tea")


def test_workers_give_the_same() -> None:
    lf = mw.from_model("kind", _fitted(MultinomialNB()))
    serial = mw.apply([lf], RECORDS * 20, SCHEMA)
    spawned = mw.apply([lf], RECORDS * 20, SCHEMA, backend="processes", n_jobs=2, chunk_size=30)
    assert serial.codes.tolist() == spawned.codes.tolist()
