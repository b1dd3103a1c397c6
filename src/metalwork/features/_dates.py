"""Columns of dates and times."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork._checks import FloatArray
from metalwork.data import as_text, read_records
from metalwork.errors import DataError
from metalwork.features._featurizer import Array, Featurizer, Learner
from metalwork.features._records import checked_fields

_NAMES: Final = ("years", "year sin", "year cos", "week sin", "week cos", "day sin", "day cos", "missing")
_DAY: Final = 86_400.0
_YEAR: Final = 365.2425 * _DAY
_START: Final = 946_684_800.0  # 2000-01-01
_ISO: Final = (
    r"^(?<day>\d{4}-\d{2}-\d{2})(?:[Tt ](?<clock>\d{2}:\d{2})(?::(?<second>\d{2}(?:\.\d+)?))?"
    r"(?:[Zz]|(?<sign>[+-])(?<hours>\d{2}):?(?<minutes>\d{2}))?)?$"
)


class Dates(Featurizer):
    """Columns of dates or times: years since 2000, where in the year, the week and the day, and whether missing.

    Where in a cycle is a point on a circle, so that December is near January. A missing value has the years of
    the median training record, 0 for the cycles, and 1 for missing. Times without a zone are taken as UTC, a date
    is its midnight.

    Parameters
    ----------
    fields : sequence of str
        The columns: dates or times, or texts as ISO 8601 writes them, such as 2024-05-31 or 2024-05-31T18:30:00Z.
    """

    sparse = False
    kind = "dates"
    medians_: npt.NDArray[np.float64]

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = fields

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of records that it reads."""
        return checked_fields(self.fields)

    @property
    def n_features(self) -> int:
        """Eight a column."""
        return len(_NAMES) * len(self.columns)

    def fit(self, records: Any, y: Any = None) -> Self:
        """Find the median of each column.

        Raises
        ------
        DataError
            Naming column and row, for what is no date; for a column without one.
        """
        return self.fit_parts([records])

    def learner(self) -> Learner:
        """Keeps a number a value, for the medians."""
        return _Medians(self)

    def transform(self, records: Any) -> FloatArray:
        """float64 array (n_points, n_features).

        Raises
        ------
        DataError
            Naming column and row, for what is no date.
        """
        self._check_fitted()
        seconds = self._seconds(records)
        missing = np.isnan(seconds)
        since = np.where(missing, self.medians_, seconds) - _START
        parts = [since / _YEAR]
        for cycle in (_YEAR, 7 * _DAY, _DAY):
            angle = 2.0 * np.pi * since / cycle
            parts += [np.where(missing, 0.0, np.sin(angle)), np.where(missing, 0.0, np.cos(angle))]
        table = np.stack([*parts, missing.astype(np.float64)], axis=2)
        return np.ascontiguousarray(table.reshape(len(seconds), -1))

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """``"column years"`` and so on: object array of str (n_features,)."""
        return np.array([f"{column} {name}" for column in self.columns for name in _NAMES], dtype=object)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """The columns, and the medians in seconds since 1970."""
        self._check_fitted()
        return {"fields": list(self.columns)}, {"medians": self.medians_}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From its :meth:`state`."""
        featurizer = cls(tuple(facts["fields"]))
        medians = arrays["medians"]
        if medians.shape != (len(featurizer.columns),) or medians.dtype != np.float64:
            raise DataError("The medians of dates must be one number a column.")
        if not np.isfinite(medians).all():
            raise DataError("The medians of dates must be finite.")
        featurizer.medians_ = medians
        return featurizer

    def _seconds(self, records: Any) -> FloatArray:
        """Seconds since 1970 (n_points, n_fields), NaN where missing."""
        frame = read_records(records, columns=list(self.columns))
        return np.stack([_seconds(frame[name]) for name in self.columns], axis=1)


class _Medians:
    """Finds the median of each column in records that come in parts."""

    def __init__(self, featurizer: Dates) -> None:
        self._featurizer, self._parts = featurizer, list[FloatArray]()

    def add(self, records: Any) -> None:
        self._parts.append(self._featurizer._seconds(records))

    def finish(self) -> None:
        found = np.concatenate(self._parts) if self._parts else np.empty((0, len(self._featurizer.columns)))
        for name, column in zip(self._featurizer.columns, found.T, strict=True):
            if np.isnan(column).all():
                raise DataError(f"column {name!r} must hold at least one date; got none. Leave the column out.")
        self._featurizer.medians_ = np.nanmedian(found, axis=0)


def _seconds(column: pl.Series) -> FloatArray:
    """Seconds since 1970 of a column, NaN where missing."""
    if column.dtype == pl.Date or column.dtype == pl.Datetime:
        return column.cast(pl.Datetime("us")).dt.timestamp("us").cast(pl.Float64).to_numpy() / 1e6
    texts = as_text(column).str.strip_chars()
    texts = texts.set(texts == "", None)
    parts = pl.DataFrame({"given": texts}).select(pl.col("given").str.extract_groups(_ISO)).unnest("given")
    moment = pl.concat_str("day", pl.col("clock").fill_null("00:00"), separator=" ")
    zone = pl.col("hours").cast(pl.Float64) * 3600 + pl.col("minutes").cast(pl.Float64) * 60
    found = parts.select(
        moment.str.to_datetime("%Y-%m-%d %H:%M", strict=False, time_unit="us").dt.timestamp("us") / 1e6
        + pl.col("second").cast(pl.Float64).fill_null(0.0)
        - pl.when(pl.col("sign") == "-").then(-zone).otherwise(zone).fill_null(0.0)
    ).to_series()
    bad = texts.is_not_null() & found.is_null()
    if bad.any():
        row = int(bad.arg_max() or 0)
        raise DataError(
            f"column {column.name!r} must hold dates as 2024-05-31, or times as 2024-05-31T18:30:00Z; got "
            f"{column[row]!r} at row {row}. Rewrite the value, or leave the column out."
        )
    return found.to_numpy()
