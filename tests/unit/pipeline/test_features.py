"""What a project's settings make of its records."""

import re
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

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


def test_characters_and_runs_of_tokens() -> None:
    chars = build_featurizer(FeatureSettings(text="text", min_df=1, tokenizer="chars", ngrams=[2, 3]))
    assert repr(chars) == "WordCounts(min_df=1, tokenizer='chars', ngrams=(2, 3), field='text')"


def test_text_and_numbers_stand_side_by_side() -> None:
    both = build_featurizer(FeatureSettings(text="text", min_df=1, columns=["size"]))
    assert both.columns == ("text", "size")
    frame = pl.DataFrame({"text": ["red fox", "red"], "size": ["1.5", "2"]})
    assert both.fit_transform(frame).toarray().tolist() == [[1, 1, 1.5], [0, 1, 2]]


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "must have the key text, columns, or both"),
        ({"columns": ["a"], "min_df": 3}, "may have the key min_df beside text only"),
        ({"text": "a", "ngrams": [3, 1]}, "must have ngrams from the least to the most, e.g. [1, 2]; got [3, 1]"),
    ],
)
def test_what_settings_must_have(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(fault)):
        FeatureSettings(**settings)
