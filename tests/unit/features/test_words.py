"""Word counts: the paper's featurizer."""

import json
import re
import sys

import numpy as np
import polars as pl
import pytest

from metalwork.errors import ConfigError, DataError, MissingExtraError, NotFittedError
from metalwork.features import WordCounts

TEXTS = ["No acute disease, no edema.", "Acute edema", "Normal heart; a heart of normal size"]


def test_counts_are_raw_and_columns_are_sorted_words() -> None:
    counter = WordCounts(min_df=1).fit(TEXTS)
    assert counter.vocabulary_ == ("acute", "disease", "edema", "heart", "no", "normal", "of", "size")
    counts = counter.transform(TEXTS)
    assert counts.dtype == np.float32
    assert counts.format == "csr"
    assert counts.toarray().tolist() == [
        [1, 1, 1, 0, 2, 0, 0, 0],
        [1, 0, 1, 0, 0, 0, 0, 0],
        [0, 0, 0, 2, 0, 2, 1, 1],
    ]


def test_rare_words_are_dropped_and_unseen_words_ignored() -> None:
    counter = WordCounts(min_df=2).fit(TEXTS)
    assert counter.vocabulary_ == ("acute", "edema")
    assert counter.n_features == 2
    assert counter.transform(["edema unheard-of EDEMA"]).toarray().tolist() == [[0, 2]]


def test_max_features_keeps_the_most_frequent_words_in_sorted_order() -> None:
    assert WordCounts(min_df=1, max_features=3).fit(TEXTS).vocabulary_ == ("acute", "edema", "heart")


def test_any_column_of_texts_gives_the_same_counts() -> None:
    expected = WordCounts(min_df=1).fit_transform(TEXTS).toarray()
    for column in (pl.Series(TEXTS), np.array(TEXTS), (text for text in TEXTS)):
        assert np.array_equal(WordCounts(min_df=1).fit_transform(column).toarray(), expected)


def test_json_restores_the_same_transform() -> None:
    counter = WordCounts(min_df=2, max_features=5).fit(TEXTS)
    restored = WordCounts.from_json(counter.to_json())
    assert repr(restored) == "WordCounts(max_features=5)"
    assert np.array_equal(restored.transform(TEXTS).toarray(), counter.transform(TEXTS).toarray())


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"format": "metalwork word counts 1", "vocabulary": []}', '{"vocabulary": ["a"]}']
)
def test_other_documents_are_refused(text: str) -> None:
    with pytest.raises(DataError, match="must be a 'metalwork word counts 1' document"):
        WordCounts.from_json(text)


@pytest.mark.parametrize("words", [["heart", "heart"], ["heart", 3]])
def test_a_damaged_vocabulary_is_refused(words: list[object]) -> None:
    text = json.dumps({"format": "metalwork word counts 1", "vocabulary": words})
    with pytest.raises(DataError, match=r"^The vocabulary must hold distinct words; the document is damaged\.$"):
        WordCounts.from_json(text)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["fine", None], "texts must be text; got None at row 1. Fill missing texts with '' or drop the record."),
        ("one text", "texts must be a sequence of texts; got the single text 'one text'. Wrap it in a list."),
        (
            ["", "!"],
            "texts must hold words of two or more letters; none of the 2 texts does. Check the text column.",
        ),
        (
            ["one word", "other"],
            "texts must share words: none stands in at least min_df=2 of the 2 texts. Lower min_df, or check the "
            "text column.",
        ),
    ],
)
def test_bad_texts_are_named(texts: object, message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        WordCounts().fit(texts)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "2"])
def test_bad_settings_are_named(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^min_df must be a whole number of at least 1; got "):
        WordCounts(min_df=value).fit(TEXTS)  # type: ignore[arg-type]


def test_transform_before_fit_says_so() -> None:
    with pytest.raises(NotFittedError, match=r"^WordCounts must be fitted before it transforms\. Call fit"):
        WordCounts().transform(TEXTS)


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.feature_extraction.text", None)
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'metalwork[train]'")):
        WordCounts().fit(TEXTS)
