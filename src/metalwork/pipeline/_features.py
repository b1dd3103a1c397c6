"""From records to the arrays an end model reads."""

import json
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from metalwork._checks import FloatArray
from metalwork._files import write_text
from metalwork.data import as_text, read_as
from metalwork.errors import ConfigError, DataError
from metalwork.features import WordCounts
from metalwork.pipeline._settings import FeatureSettings

_FORMAT = "metalwork features 1"


class Features:
    """Word counts of a text column, or numeric columns as they are; scaling is the end model's."""

    def __init__(self, settings: FeatureSettings) -> None:
        self.settings = settings

    def fit(self, records: pl.DataFrame) -> Self:
        """Choose the words from the training records; columns need no fitting."""
        if self.settings.text is not None:
            self._words = WordCounts(min_df=self.settings.min_df, max_features=self.settings.max_features)
            self._words.fit(_texts(records, self.settings.text))
        return self

    def transform(self, records: pl.DataFrame) -> Any:
        """float32 CSR matrix of counts, or float64 array of columns (n_points, n_features)."""
        if self.settings.text is not None:
            return self._words.transform(_texts(records, self.settings.text))
        return _numbers(records, self.settings.columns or [])

    def save(self, path: Path) -> None:
        """Write settings and vocabulary as JSON."""
        words = json.loads(self._words.to_json()) if self.settings.text is not None else None
        stored = {"format": _FORMAT, "settings": self.settings.model_dump(), "words": words}
        write_text(path, json.dumps(stored, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["format"] != _FORMAT:
                raise ValueError(f"its format is {stored['format']!r}")
            features = cls(FeatureSettings.model_validate(stored["settings"]))
            if features.settings.text is not None:
                features._words = WordCounts.from_json(json.dumps(stored["words"]))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: must be a {_FORMAT!r} file; it is damaged ({error}).") from None
        return features


def _texts(records: pl.DataFrame, column: str) -> list[str]:
    _check_columns(records, [column], "features.text")
    return as_text(records[column]).fill_null("").to_list()


def _numbers(records: pl.DataFrame, columns: list[str]) -> FloatArray:
    _check_columns(records, columns, "features.columns")
    values: FloatArray = np.stack([_read_numbers(records[name]) for name in columns], axis=1)
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            f"features.columns must hold finite numbers; column {columns[column]!r} has none in record {row}. "
            "Fill or drop such records."
        )
    return values


def _read_numbers(column: pl.Series) -> FloatArray:
    """The column as floats (n_points,), NaN where it holds nothing; text is read as numbers are written."""
    values, unreadable = read_as(column, float)
    if unreadable:
        row = unreadable[0]
        raise DataError(
            f"features.columns must hold numbers; column {column.name!r} has {column[row]!r} in record {row}. "
            "Correct the record, or name other columns."
        )
    return values.cast(pl.Float64).to_numpy()


def _check_columns(records: pl.DataFrame, columns: list[str], key: str) -> None:
    for name in columns:
        if name not in records.columns:
            raise ConfigError(
                f"{key} must name a column of the records; got {name!r}. They have: {', '.join(records.columns)}. "
                "Correct the name in the project file."
            )
