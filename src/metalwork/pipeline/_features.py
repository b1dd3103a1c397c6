"""From records to the arrays an end model reads."""

import json
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from metalwork._checks import FloatArray
from metalwork._files import write_text
from metalwork.errors import ConfigError, DataError
from metalwork.features import WordCounts
from metalwork.pipeline._settings import FeatureSettings

_FORMAT = "metalwork features 1"


class Features:
    """Word counts of a text column, or numeric columns scaled to mean 0 and variance 1 on the training records."""

    def __init__(self, settings: FeatureSettings) -> None:
        self.settings = settings

    def fit(self, records: pl.DataFrame) -> Self:
        """Choose the words, or learn the scale, from the training records."""
        if self.settings.text is not None:
            self._words = WordCounts(min_df=self.settings.min_df, max_features=self.settings.max_features)
            self._words.fit(_texts(records, self.settings.text))
        else:
            values = _numbers(records, self.settings.columns or [])
            spread = values.std(axis=0)
            self._mean, self._spread = values.mean(axis=0), np.where(spread > 0, spread, 1.0)
        return self

    def transform(self, records: pl.DataFrame) -> Any:
        """float32 CSR or dense array (n_points, n_features)."""
        if self.settings.text is not None:
            return self._words.transform(_texts(records, self.settings.text))
        values = _numbers(records, self.settings.columns or [])
        return ((values - self._mean) / self._spread).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write settings, and vocabulary or scale, as JSON."""
        stored: dict[str, Any] = {"format": _FORMAT, "settings": self.settings.model_dump()}
        if self.settings.text is not None:
            stored["words"] = json.loads(self._words.to_json())
        else:
            stored |= {"mean": self._mean.tolist(), "spread": self._spread.tolist()}
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
            else:
                features._mean, features._spread = np.asarray(stored["mean"]), np.asarray(stored["spread"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: must be a {_FORMAT!r} file; it is damaged ({error}).") from None
        return features


def _texts(records: pl.DataFrame, column: str) -> list[str]:
    _check_columns(records, [column], "features.text")
    return records[column].cast(pl.String).fill_null("").to_list()


def _numbers(records: pl.DataFrame, columns: list[str]) -> FloatArray:
    _check_columns(records, columns, "features.columns")
    for name in columns:
        if not records[name].dtype.is_numeric() and records[name].dtype != pl.Boolean:
            raise ConfigError(f"features.columns must be numeric; column {name!r} holds {records[name].dtype}.")
    values: FloatArray = records.select(pl.col(name).cast(pl.Float64) for name in columns).to_numpy()
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            f"features.columns must hold finite numbers; column {columns[column]!r} has none in record {row}. "
            "Fill or drop such records."
        )
    return values


def _check_columns(records: pl.DataFrame, columns: list[str], key: str) -> None:
    for name in columns:
        if name not in records.columns:
            raise ConfigError(
                f"{key} must name a column of the records; got {name!r}. They have: {', '.join(records.columns)}. "
                "Correct the name in the project file."
            )
