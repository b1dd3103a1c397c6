"""What a project's settings make of its records."""

import polars as pl

from metalwork.features import NumericColumns, WordCounts
from metalwork.pipeline._features import build_featurizer
from metalwork.pipeline._settings import FeatureSettings


def test_text_is_counted() -> None:
    featurizer = build_featurizer(FeatureSettings(text="text", min_df=2, max_features=9))
    assert isinstance(featurizer, WordCounts)
    assert repr(featurizer) == "WordCounts(max_features=9, field='text')"
    counts = featurizer.fit_transform(pl.DataFrame({"id": [1, 2, 3], "text": ["red fox", "red hen", None]}))
    assert counts.toarray().tolist() == [[1], [1], [0]]


def test_columns_are_taken_as_they_are() -> None:
    featurizer = build_featurizer(FeatureSettings(columns=["b", "a"]))
    assert isinstance(featurizer, NumericColumns)
    assert featurizer.columns == ("b", "a")
