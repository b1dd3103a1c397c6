"""Word counts: the paper's featurizer."""

import re
import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from metalwork.data import find_data, read_records
from metalwork.errors import ConfigError, DataError, MissingExtraError, NotFittedError
from metalwork.features import WordCounts
from metalwork.text import normalised, words_of

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


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["आधुनिक मानक हिन्दी", "हिन्दी"], ("आधुनिक", "मानक", "हिन्दी")),
        (["利率上升", "利率"], ("上升", "利率", "率上")),
        (["cafe\u0301 CAFÉ", "o\ufb03ce"], ("café", "office")),
        (["Straße STRASSE", "re\u00adfund"], ("refund", "strasse")),
    ],
)
def test_words_of_other_scripts_and_spellings(texts: list[str], words: tuple[str, ...]) -> None:
    counter = WordCounts(min_df=1).fit(texts)
    assert counter.vocabulary_ == words
    assert counter.transform(texts).sum() == sum(len(words_of(normalised(text, fold=True))) for text in texts)


def test_the_default_counts_ascii_as_scikit_learn_does() -> None:
    texts = ["Well-known: the U.S. paid 3.5% on $1,000's", "a b_c d2 DON'T\tx", "", "e-mail me@home.org (ASAP)!"]
    reference = CountVectorizer(dtype=np.float32)
    expected = reference.fit_transform(texts)
    counter = WordCounts(min_df=1).fit(texts)
    assert counter.vocabulary_ == tuple(reference.get_feature_names_out())
    assert np.array_equal(counter.transform(texts).toarray(), expected.toarray())


def test_pairs_of_words_and_runs_of_characters() -> None:
    assert WordCounts(min_df=1, ngrams=(2, 2)).fit(["big old cat", "old cat"]).vocabulary_ == (
        "big old",
        "old cat",
    )
    chars = WordCounts(min_df=1, tokenizer="chars", ngrams=(1, 2)).fit(["AB  a"])
    assert chars.vocabulary_ == (" ", " a", "a", "ab", "b", "b ")
    assert chars.transform(["aab"]).toarray().tolist() == [[0, 0, 2, 1, 1, 0]]


def test_a_tokenizer_of_ones_own_sees_the_text_as_it_is() -> None:
    counter = WordCounts(min_df=1, tokenizer=lambda text: text.split("|")).fit(["A b|c", "c"])
    assert counter.vocabulary_ == ("A b", "c")


def test_records_are_read_by_column() -> None:
    rows = [{"id": 1, "text": "red fox"}, {"id": 2, "text": None}, {"id": 3, "text": "fox"}]
    counter = WordCounts(min_df=1, field="text").fit(rows)
    assert counter.columns == ("text",)
    for records in (rows, pl.DataFrame(rows), pd.DataFrame(rows)):
        assert counter.transform(records).toarray().tolist() == [[1, 1], [0, 0], [1, 0]]
    assert counter.transform(["a red one"]).toarray().tolist() == [[0, 1]]
    assert WordCounts(min_df=1).fit(pl.DataFrame({"note": ["fox"]})).vocabulary_ == ("fox",)
    with pytest.raises(ConfigError) as caught:
        WordCounts().fit(rows)
    assert str(caught.value) == (
        "field of WordCounts must name the text column of records that have several; they have: id, text. "
        "Pass WordCounts(field=...)."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tokenizer": "word"}, "tokenizer must be 'words', 'chars' or a function; got 'word'."),
        ({"ngrams": 2}, "ngrams must be a pair (least, most); got 2."),
        ({"ngrams": (2, 1)}, "ngrams must be a pair (least, most); got (2, 1)."),
        ({"ngrams": (0, 1)}, "ngrams[0] must be a whole number of at least 1; got 0."),
        ({"field": ""}, "field must be the name of a column; got ''."),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        WordCounts(**arguments).fit(TEXTS)


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
        WordCounts().fit(texts)


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


def test_the_published_tables_count_the_same_words() -> None:
    try:
        path = find_data("openi", download=False)
    except DataError:
        pytest.skip("the OpenI data set is not on this machine")
    texts = read_records(path, columns=["text"])["text"].to_list()
    reference = CountVectorizer(dtype=np.float32, min_df=2)
    expected = reference.fit_transform(texts)
    counter = WordCounts().fit(texts)
    assert counter.vocabulary_ == tuple(reference.get_feature_names_out())
    assert (counter.transform(texts) != expected).nnz == 0
