"""End models that take records: a featurizer of their own turns these into features."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV, cross_val_score
from torch import nn

from metalwork import EndModel, TaskProbabilities, TaskSchema, WordCounts
from metalwork.errors import ConfigError, DataError, NotFittedError
from metalwork.features import Combined, Featurizer, NumericColumns
from tests.unit.end_models.samples import FLAT

OF_NAME = {"ham": ["tea at noon", "see you at home"], "spam": ["win cash now", "cash prize now"]}
NAMES = ["ham", "spam"] * 20
TEXTS = [f"{OF_NAME[name][i % 3 % 2]} {i % 5}x" for i, name in enumerate(NAMES)]
ROWS = [{"note": text, "n_links": i % 2, "other": [i]} for i, text in enumerate(TEXTS)]
PROBS = TaskProbabilities.from_labels(NAMES, FLAT)


def model(featurizer: Any = None, schema: TaskSchema = FLAT, **options: Any) -> EndModel:
    given = WordCounts(min_df=1) if featurizer is None else featurizer
    arguments: dict[str, Any] = {"hidden_sizes": (8,), "max_epochs": 10, "lr": 0.02} | options
    return EndModel(schema, featurizer=given, **arguments)


class Lengths(Featurizer):
    """How long a text is, over the longest one: a featurizer with an array of its own."""

    kind = "lengths of texts"
    longest_: np.ndarray[Any, Any]

    def __init__(self, dtype: str = "float64") -> None:
        self.dtype = dtype

    @property
    def columns(self) -> tuple[str, ...]:
        return ()

    @property
    def n_features(self) -> int:
        return 1

    def fit(self, records: Any, y: Any = None) -> Self:
        self.longest_ = np.array([max(map(len, records)), np.nan]).astype(self.dtype)
        return self

    def transform(self, records: Any) -> Any:
        return np.array([[len(text) / float(self.longest_[0])] for text in records])

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        return np.array(["length"], dtype=object)

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"dtype": self.dtype}, {"longest": self.longest_}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> Self:
        found = cls(**facts)
        found.longest_ = arrays["longest"]
        return found


def both() -> list[Featurizer]:
    return [WordCounts(min_df=1, field="note"), NumericColumns(["n_links"])]


@pytest.mark.parametrize(
    ("featurizer", "records"),
    [
        (WordCounts(), TEXTS),
        (WordCounts(), pl.Series(TEXTS)),
        (WordCounts(), pd.Series(TEXTS)),
        (WordCounts(), np.array(TEXTS)),
        (WordCounts(), pd.DataFrame({"any": TEXTS})),
        (WordCounts(field="note"), ROWS),
        (WordCounts(field="note"), pl.DataFrame({"note": TEXTS})),
        (both(), ROWS),
        (both(), pd.DataFrame(ROWS)),
        (Combined(both()), pl.DataFrame(ROWS)),
        ([WordCounts(), WordCounts(tokenizer="chars", ngrams=(2, 3))], TEXTS),
        (NumericColumns(["n_links"]), ROWS),
    ],
)
def test_it_takes_records_as_its_featurizer_does(featurizer: Any, records: Any) -> None:
    end = model(featurizer)
    assert end.fit(records, PROBS, dev=(records, NAMES), sample_weight=np.ones(40)) is end
    assert end.score(records, NAMES) == 1.0
    assert end.predict(records).tolist() == [0, 1] * 20
    assert end.predict_proba(records[:3]).end.shape == (3, 2)
    assert end.n_features_in_ == end.featurizer_.n_features
    assert not hasattr(end, "feature_names_in_")


def test_iterators_are_read_once() -> None:
    end = model().fit(iter(TEXTS), NAMES, dev=(iter(TEXTS), NAMES))
    assert end.score(iter(TEXTS), NAMES) == 1.0
    assert model(both()).fit(iter(ROWS), NAMES).score(iter(ROWS), NAMES) == 1.0


def test_files_are_records(tmp_path: Path) -> None:
    pl.DataFrame(ROWS).drop("other").write_csv(tmp_path / "notes.csv")
    path = tmp_path / "notes.csv"
    for featurizer in (both(), WordCounts(field="note"), NumericColumns(["n_links"])):
        end = model(featurizer).fit(path, NAMES)
        assert end.score(path, NAMES) == end.score(str(path), NAMES) == 1.0
        assert np.array_equal(end.predict_proba(path), clone(end).fit(str(path), NAMES).predict_proba(path))


def test_it_is_the_same_as_features_made_before() -> None:
    counts = WordCounts(min_df=1).fit(TEXTS)
    features = counts.transform(TEXTS)
    apart = EndModel(FLAT, hidden_sizes=(8,), max_epochs=10, lr=0.02).fit(features, PROBS)
    assert np.array_equal(apart.predict_proba(features), model().fit(TEXTS, PROBS).predict_proba(TEXTS))


def test_the_featurizer_given_is_left_alone() -> None:
    given = both()
    end = model(given).fit(ROWS, NAMES)
    assert end.featurizer is given
    assert isinstance(end.featurizer_, Combined)
    assert not any(part.__sklearn_is_fitted__() for part in given[:1])
    end.set_params(featurizer=WordCounts(min_df=9))
    assert end.score(ROWS, NAMES) == 1.0
    assert not hasattr(end.set_params(featurizer=None).fit(np.eye(40), NAMES), "featurizer_")


@pytest.mark.parametrize("records", [[*TEXTS, "lucky zebra"], pl.DataFrame({"note": [*TEXTS, "lucky zebra"]})])
@pytest.mark.parametrize(("names", "weight"), [([*NAMES, "ham"], 0), ([*NAMES, None], 1)])
def test_records_that_do_not_count_teach_it_nothing(records: Any, names: list[str | None], weight: int) -> None:
    end = model().fit(records, names, sample_weight=[1] * 40 + [weight])
    assert end.featurizer_.get_feature_names_out().tolist() == list(WordCounts(min_df=1).fit(TEXTS).vocabulary_)
    assert np.array_equal(end.predict_proba(TEXTS), model().fit(TEXTS, NAMES).predict_proba(TEXTS))


def test_dev_records_without_a_label_are_left_out() -> None:
    end = model(NumericColumns(["n"])).fit(
        [{"n": i % 2} for i in range(40)], NAMES, dev=([{"n": 0}, {"n": "none"}, {"n": 1}], ["ham", None, "spam"])
    )
    assert end.history_[-1]["dev_accuracy"] == 1.0


def test_coarse_labels_and_trees_are_taken() -> None:
    tree = TaskSchema.from_dict(
        {"task": "kind", "labels": ["ham", {"spam": {"task": "sort", "labels": ["cash", "prize"]}}]}
    )
    assert model(schema=tree, max_epochs=40).fit(TEXTS, NAMES).score(TEXTS, NAMES) == 1.0


@pytest.mark.parametrize("make", [lambda: WordCounts().set_params(min_df=np.int64(1)), both, Lengths])
def test_a_file_holds_it(make: Callable[[], Any], tmp_path: Path) -> None:
    records = TEXTS if make is not both else ROWS
    first, second = (model(make()).fit(records, NAMES) for _ in range(2))
    first.save(tmp_path / "a.safetensors")
    second.save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    again = EndModel.load(tmp_path / "a.safetensors")
    assert np.array_equal(again.predict_proba(records), first.predict_proba(records))
    assert repr(again.featurizer_) == repr(first.featurizer_).replace("np.int64(1)", "1")
    again.save(tmp_path / "c.safetensors")
    assert (tmp_path / "c.safetensors").read_bytes() == (tmp_path / "a.safetensors").read_bytes()
    assert np.array_equal(clone(again).fit(records, NAMES).predict_proba(records), first.predict_proba(records))


def test_a_loaded_model_predicts_by_what_it_was_fitted_with(tmp_path: Path) -> None:
    model().fit(TEXTS, NAMES).save(tmp_path / "end.safetensors")
    again = EndModel.load(tmp_path / "end.safetensors").set_params(featurizer__min_df=30)
    assert again.featurizer_.get_params()["min_df"] == 1
    assert again.score(TEXTS, NAMES) == 1.0


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "end.safetensors"
    model(Lengths()).fit(TEXTS, NAMES).save(path)
    data = path.read_bytes()
    for place in (data.index(b'"facts"'), data.index(np.array([18.0, np.nan]).tobytes())):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(DataError, match=f"^{re.escape(str(path))}: must be as it was saved; it has changed"):
            EndModel.load(path)


@pytest.mark.parametrize(
    ("featurizer", "message"),
    [
        (
            WordCounts(min_df=1, tokenizer=str.split),
            "tokenizer must be 'words' or 'chars' in featurizers that are saved; a file holds no functions. "
            "Fit it anew from the training texts, or save it with cloudpickle where you trust the file.",
        ),
        (
            Lengths("U9"),
            "Arrays of a featurizer must hold numbers to be saved with the model; 'longest' of 'lengths of texts' "
            "is <U9. Put it among the facts.",
        ),
    ],
)
def test_what_no_file_can_hold_is_named(featurizer: Featurizer, message: str, tmp_path: Path) -> None:
    end = model(featurizer).fit(TEXTS, NAMES)
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        end.save(tmp_path / "end.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_damaged_featurizers_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "end.safetensors"
    begins = re.escape(f"{path}: must be a 'metalwork end model 1' file; it is damaged or something else (")
    end = model(Lengths()).fit(TEXTS, NAMES)
    changes: list[tuple[dict[str, Any], str]] = [
        ({"kind": "none such"}, "The kind of a featurizer must be known; got 'none such'. Import the module"),
        ({"arrays": []}, "the arrays of the featurizer are missing or left over"),
        ({"facts": {"field": 1}}, "Lengths.__init__() got an unexpected keyword argument 'field'"),
    ]
    for change, reason in changes:
        header, arrays = end.featurizer_.pack()
        monkeypatch.setattr(Lengths, "pack", lambda self, found=(header | change, arrays): found)
        end.save(path)
        monkeypatch.undo()
        with pytest.raises(DataError, match=f"^{begins}.*{re.escape(reason)}"):
            EndModel.load(path)
    end.featurizer_ = WordCounts(min_df=1).fit(TEXTS)
    end.save(path)
    with pytest.raises(DataError, match=rf"^{begins}the featurizer makes \d+ features\)\.$"):
        EndModel.load(path)
    save_file({**load_file(path), "stray": np.zeros(1)}, path)
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}: must be a 'metalwork end model 1' file; it is"):
        EndModel.load(path)


def test_its_arguments_are_searched() -> None:
    assert model(WordCounts(min_df=3)).get_params()["featurizer__min_df"] == 3
    given = model(WordCounts(min_df=1), max_epochs=4)
    texts = [" ".join(f"{name}{'ab'[i % 2]}" for i in range(2)) for name in ["x", "y"] * 20]
    search = GridSearchCV(given, {"featurizer__ngrams": [(1, 1), (1, 2)]}, cv=2, error_score="raise")
    search.fit(texts, NAMES)
    assert search.best_score_ == search.score(texts, NAMES) == 1.0
    assert given.get_params()["featurizer__ngrams"] == (1, 1)
    hidden = ["to be or not", "not to be or"] * 20  # the same words: only pairs of them tell
    pairs = GridSearchCV(model(max_epochs=20), {"featurizer__ngrams": [(1, 1), (1, 2)]}, cv=2, error_score="raise")
    assert pairs.fit(hidden, NAMES).best_params_ == {"featurizer__ngrams": (1, 2)}
    assert cross_val_score(model(both()), pd.DataFrame(ROWS), NAMES, cv=2, error_score="raise").tolist() == [1, 1]


def test_clones_have_a_featurizer_of_their_own() -> None:
    first = model()
    again = clone(first).set_params(featurizer__min_df=5)
    assert first.get_params()["featurizer__min_df"] == 1
    with pytest.raises(NotFittedError, match=r"^EndModel must be fitted before it predicts or is saved\."):
        again.predict(TEXTS)


@pytest.mark.parametrize(
    ("featurizer", "got"),
    [
        (TfidfVectorizer(), "TfidfVectorizer()"),
        ([WordCounts(), "words"], "'words'"),
        (WordCounts, "the class WordCounts"),
        ("words", "'words'"),
        ([], "[]"),
    ],
)
def test_what_is_no_featurizer_is_refused(featurizer: Any, got: str) -> None:
    with pytest.raises(ConfigError) as caught:
        model(featurizer).fit(TEXTS, NAMES)
    assert str(caught.value) == (
        f"featurizer must be a Featurizer of metalwork.features or a list of them; got {got}. "
        "Transformers of scikit-learn go before the model, in a Pipeline."
    )


def test_records_are_read_by_one_thing() -> None:
    with pytest.raises(ConfigError) as caught:
        model(WordCounts(), input_module=nn.Identity()).fit(TEXTS, NAMES)
    assert str(caught.value) == (
        "featurizer must be None beside an input_module, which reads the records itself; got WordCounts(). "
        "Leave one of them out."
    )


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (
            "win cash now",
            "records must be several; got the single text 'win cash now'. "
            "Wrap it in a list, or pass a file as pathlib.Path.",
        ),
        (7, "records must be a frame, a list, an iterator or a file; got int."),
        ({"note": TEXTS}, "records must be a frame, a list, an iterator or a file; got dict."),
        (TEXTS[:4], "probs must have one entry a row of X (4); got 40."),
        (
            [None, *TEXTS[1:]],
            "texts must be text; got None at row 0. Fill missing texts with '' or drop the record.",
        ),
    ],
)
def test_what_are_no_records_are_refused(records: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        model().fit(records, NAMES)


def test_a_dict_is_no_column_of_texts() -> None:
    end = model().fit(TEXTS, NAMES)
    with pytest.raises(DataError, match=r"^texts must be a sequence of texts; got dict\.$"):
        end.predict({"note": TEXTS})
    with pytest.raises(DataError, match=r"^texts must be a sequence of texts; got the single text 'a'\."):
        end.predict("a")


def test_rows_of_faults_say_how_they_are_counted() -> None:
    rows: list[dict[str, Any]] = [{"n": 1.0}] * 38 + [{"n": "many"}, {"n": 2}]

    def message(weights: Iterable[float]) -> str:
        with pytest.raises(DataError) as caught:
            model(NumericColumns(["n"])).fit(rows, NAMES, sample_weight=list(weights))
        return str(caught.value)

    whole = message([1] * 40)
    assert whole == (
        "column 'n' must hold numbers; got 'many' at row 38. Correct the value, or leave the column out."
    )
    assert message([0, *[1] * 39]) == (
        whole.replace("38", "37") + " Rows are counted without 1 record of weight 0 or without a known label."
    )
