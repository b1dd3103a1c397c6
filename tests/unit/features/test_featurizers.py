"""What all featurizers share: combination, files without pickle, scikit-learn's conventions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from metalwork._arrays import save_arrays
from metalwork.errors import ConfigError, DataError, NotFittedError
from metalwork.features import Combined, Featurizer, NumericColumns, TfIdf, WordCounts

RECORDS = [{"text": "red fox", "note": "ab", "size": "3"}, {"text": "red hen", "note": "b", "size": "4.5"}]
MAKERS: list[Callable[[], Featurizer]] = [
    lambda: WordCounts(min_df=1, field="text"),
    lambda: WordCounts(min_df=1, field="note", tokenizer="chars", ngrams=(1, 2), max_features=2),
    lambda: TfIdf(min_df=1, field="text", ngrams=(1, 2)),
    lambda: NumericColumns(["size"]),
    lambda: Combined([NumericColumns(["size"]), NumericColumns(["size"])]),
    lambda: Combined([WordCounts(min_df=1, field="text"), Combined([NumericColumns(("size",))])]),
]


def dense(features: Any) -> Any:
    return features.toarray() if sp.issparse(features) else features


@pytest.mark.parametrize("make", MAKERS)
def test_files_restore_the_same_features(make: Callable[[], Featurizer], tmp_path: Path) -> None:
    featurizer = make().fit(RECORDS)
    featurizer.save(tmp_path / "f.npz")
    for loaded in (Featurizer.load(tmp_path / "f.npz"), type(featurizer).load(tmp_path / "f.npz")):
        assert type(loaded) is type(featurizer)
        assert loaded.columns == featurizer.columns
        assert loaded.n_features == featurizer.n_features
        assert loaded.get_feature_names_out().tolist() == featurizer.get_feature_names_out().tolist()
        assert np.array_equal(dense(loaded.transform(RECORDS)), dense(featurizer.transform(RECORDS)))
    first = (tmp_path / "f.npz").read_bytes()
    make().fit(RECORDS).save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == first


@pytest.mark.parametrize("make", MAKERS)
def test_clones_have_the_arguments_and_nothing_learned(make: Callable[[], Featurizer]) -> None:
    featurizer = make().fit(RECORDS)
    copy = clone(featurizer)
    assert repr(copy) == repr(make())
    assert np.array_equal(dense(copy.fit_transform(iter(RECORDS))), dense(featurizer.transform(RECORDS)))


def test_a_combination_is_sparse_where_a_part_is() -> None:
    both = Combined([WordCounts(min_df=1, field="text"), NumericColumns(["size"])])
    features = both.fit_transform(RECORDS)
    assert features.format == "csr"
    assert features.toarray().tolist() == [[1, 0, 1, 3], [0, 1, 1, 4.5]]
    assert both.columns == ("text", "size")
    assert both.get_feature_names_out().tolist() == ["fox", "hen", "red", "size"]
    assert isinstance(Combined([NumericColumns(["size"])]).fit_transform(RECORDS), np.ndarray)
    texts = Combined([WordCounts(min_df=1), WordCounts(min_df=1, tokenizer="chars")])
    assert texts.fit_transform(text for text in ["ab", "b"]).shape == (2, 3)


def test_a_part_of_a_combination_that_names_no_column_sees_all() -> None:
    both = Combined([WordCounts(min_df=1), NumericColumns(["size"])])
    with pytest.raises(ConfigError, match=r"^field of WordCounts must name the text column of records that have"):
        both.fit(RECORDS)


def test_records_are_read_once_and_picked_from() -> None:
    read = NumericColumns(["size"]).read(iter(RECORDS))
    assert (read.columns, len(read)) == (["size"], len(RECORDS))
    assert WordCounts().read(text for text in ["a", "b"]) == ["a", "b"]
    for wrong, got in [("a text", "got the single text 'a text'"), (7, "got int"), ({"a": [1]}, "got dict")]:
        with pytest.raises(DataError, match=rf"^records must be .*; {got}\."):
            WordCounts().read(wrong)


def test_arguments_of_a_search_are_saved(tmp_path: Path) -> None:
    counter = WordCounts(field="text").set_params(min_df=np.int64(1)).fit(RECORDS)
    counter.save(tmp_path / "f.npz")
    assert repr(Featurizer.load(tmp_path / "f.npz")) == "WordCounts(min_df=1, field='text')"


def test_a_combination_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^featurizers must be a list of featurizers; got \[\]\.$"):
        Combined([]).fit(RECORDS)
    with pytest.raises(NotFittedError, match=r"^WordCounts must be fitted before it transforms\."):
        Combined([WordCounts()]).transform(["a"])


def test_functions_are_not_saved(tmp_path: Path) -> None:
    counter = Combined([WordCounts(min_df=1, tokenizer=str.split)]).fit(["a b"])
    with pytest.raises(ConfigError) as caught:
        counter.save(tmp_path / "f.npz")
    assert str(caught.value) == (
        "tokenizer must be 'words' or 'chars' in featurizers that are saved; a file holds no functions. "
        "Fit it anew from the training texts, or save it with cloudpickle where you trust the file."
    )
    assert list(tmp_path.iterdir()) == []


WORDS = {"min_df": 1, "max_features": None, "tokenizer": "words", "ngrams": [1, 1], "field": None}


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("word counts", WORDS),
        ("word counts", WORDS | {"vocabulary": []}),
        ("word counts", WORDS | {"vocabulary": ["b", "a"]}),
        ("word counts", WORDS | {"vocabulary": ["a", "a"]}),
        ("word counts", WORDS | {"vocabulary": ["a", 1]}),
        ("word counts", WORDS | {"vocabulary": ["a"], "min_df": 0}),
        ("word counts", WORDS | {"vocabulary": ["a"], "tokenizer": "os.system"}),
        ("word counts", WORDS | {"vocabulary": ["a"], "ngrams": "12"}),
        ("word counts", WORDS | {"vocabulary": ["a"], "more": 1}),
        ("word counts", {"vocabulary": ["a"]}),
        ("numeric columns", {}),
        ("numeric columns", {"fields": []}),
        ("numeric columns", {"fields": [1]}),
        ("combined", {"parts": []}),
        ("combined", {"parts": [{"kind": "combined"}]}),
        ("combined", {"parts": [{"kind": "numeric columns", "facts": {"fields": ["a"]}, "arrays": ["x"]}]}),
        ("no such kind", {}),
        (["word counts"], {}),
        ("word counts", [1]),
    ],
)
def test_damaged_files_are_refused(kind: Any, facts: Any, tmp_path: Path) -> None:
    path = tmp_path / "f.npz"
    save_arrays(path, "metalwork features 2", {"kind": kind, "facts": facts, "arrays": []}, {})
    with pytest.raises(DataError, match=json.dumps(str(path))[1:-1]):
        Featurizer.load(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.npz"
    with pytest.raises(DataError, match=r"f\.npz: there is no such file\.$"):
        Featurizer.load(path)
    path.write_text("{}")
    with pytest.raises(DataError, match=r"f\.npz: must be a 'metalwork features 2' file; it is damaged"):
        Featurizer.load(path)
    NumericColumns(["size"]).save(path)
    with pytest.raises(DataError, match=r"f\.npz: must hold WordCounts; it holds NumericColumns\.$"):
        WordCounts.load(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"f\.npz: "):
        Featurizer.load(path)
