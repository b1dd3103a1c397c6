"""TF-IDF: scikit-learn's figures, learned from parts, kept in files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from metalwork._arrays import save_arrays
from metalwork.errors import ConfigError, DataError
from metalwork.features import Featurizer, TfIdf, WordCounts

TEXTS = ["no acute disease now now", "acute pain", "an acute acute pain", "12 zz"]


@pytest.mark.parametrize("sublinear", [True, False])
@pytest.mark.parametrize("ngrams", [(1, 1), (1, 2)])
def test_it_is_that_of_scikit_learn(sublinear: bool, ngrams: tuple[int, int]) -> None:
    ours = TfIdf(min_df=1, ngrams=ngrams, sublinear=sublinear).fit(TEXTS)
    theirs = TfidfVectorizer(sublinear_tf=sublinear, ngram_range=ngrams).fit(TEXTS)
    unseen = [*TEXTS, "acute acute acute zz", "nothing of it", ""]
    np.testing.assert_allclose(ours.transform(unseen).toarray(), theirs.transform(unseen).toarray(), atol=1e-6)
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()


def test_parts_teach_the_same_weights() -> None:
    whole, parts = TfIdf().fit(TEXTS), TfIdf().fit_parts([TEXTS[:1], TEXTS[1:]])
    assert parts.vocabulary_ == whole.vocabulary_ == ("acute", "pain")
    assert np.array_equal(parts.idf_, whole.idf_)


def test_characters() -> None:
    chars = TfIdf(min_df=1, tokenizer="chars", ngrams=(2, 3)).fit(["abc", "bcd"])
    assert chars.vocabulary_ == ("ab", "abc", "bc", "bcd", "cd")


@pytest.mark.parametrize(
    "idf",
    [np.ones(2, np.float32), np.ones(3), np.full(3, 0.5, np.float32), np.array([1, 1, np.inf], np.float32)],
)
def test_damaged_weights_are_refused(idf: Any, tmp_path: Path) -> None:
    path = tmp_path / "f.npz"
    facts, _ = TfIdf(min_df=1).fit(["aa bb cc"]).state()
    save_arrays(path, "metalwork features 2", {"kind": "tf-idf", "facts": facts, "arrays": ["idf"]}, {"idf": idf})
    with pytest.raises(DataError, match=r"The weights of words must be"):
        Featurizer.load(path)


def test_counts_and_weights_are_told_apart(tmp_path: Path) -> None:
    TfIdf(min_df=1).fit(TEXTS).save(tmp_path / "f.npz")
    with pytest.raises(DataError, match=r"must hold WordCounts; it holds TfIdf\.$"):
        WordCounts.load(tmp_path / "f.npz")
    with pytest.raises(ConfigError, match=r"^sublinear must be True or False; got 'yes'\.$"):
        TfIdf(sublinear="yes").fit(TEXTS)  # type: ignore[arg-type]
