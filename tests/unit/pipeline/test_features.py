"""Features: the same numbers after saving, and clear errors."""

from pathlib import Path

import polars as pl
import pytest

from metalwork.errors import ConfigError, DataError
from metalwork.pipeline._features import Features
from metalwork.pipeline._settings import FeatureSettings

TEXTS = pl.DataFrame({"text": ["red fox", "red hen", None]})
NUMBERS = pl.DataFrame({"a": [1, 2, 3], "b": [5.0, 5.0, 5.0], "c": ["x", "y", "z"]})


def test_word_counts_survive_saving(tmp_path: Path) -> None:
    features = Features(FeatureSettings(text="text", min_df=2)).fit(TEXTS)
    features.save(tmp_path / "features.json")
    loaded = Features.load(tmp_path / "features.json")
    assert loaded.transform(TEXTS).toarray().tolist() == [[1.0], [1.0], [0.0]]


def test_numbers_are_taken_as_they_are(tmp_path: Path) -> None:
    features = Features(FeatureSettings(columns=["b", "a"])).fit(NUMBERS)
    features.save(tmp_path / "features.json")
    loaded = Features.load(tmp_path / "features.json")
    assert loaded.transform(NUMBERS).tolist() == [[5.0, 1.0], [5.0, 2.0], [5.0, 3.0]]


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        Features(FeatureSettings(text="body")).fit(TEXTS)
    assert str(caught.value) == (
        "features.text must name a column of the records; got 'body'. They have: text. "
        "Correct the name in the project file."
    )


def test_text_that_is_written_like_a_number_is_one() -> None:
    frame = pl.DataFrame({"a": ["1.10", " -2e3"]})
    assert Features(FeatureSettings(columns=["a"])).transform(frame).tolist() == [[1.1], [-2000.0]]


def test_other_text_is_no_number() -> None:
    with pytest.raises(DataError) as caught:
        Features(FeatureSettings(columns=["a", "c"])).transform(NUMBERS)
    assert str(caught.value) == (
        "features.columns must hold numbers; column 'c' has 'x' in record 0. "
        "Correct the record, or name other columns."
    )


def test_a_missing_number_is_located() -> None:
    frame = pl.DataFrame({"a": [1.0, None]})
    with pytest.raises(DataError) as caught:
        Features(FeatureSettings(columns=["a"])).transform(frame)
    assert str(caught.value) == (
        "features.columns must hold finite numbers; column 'a' has none in record 1. Fill or drop such records."
    )


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "metalwork features 1"}'])
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "features.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"must be a 'metalwork features 1' file; it is damaged"):
        Features.load(path)
