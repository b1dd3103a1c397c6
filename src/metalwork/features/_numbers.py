"""Numeric columns as they are."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray
from metalwork.errors import ConfigError
from metalwork.features._featurizer import Array, Featurizer, Learner
from metalwork.features._records import number_columns


class NumericColumns(Featurizer):
    """Numeric columns of the records, as they are; the end model scales them.

    Texts, which is what a CSV file holds, are read as numbers.

    Parameters
    ----------
    fields : sequence of str
        The columns, in the order of the features.
    """

    kind = "numeric columns"

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = fields

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of records that it reads."""
        return _checked(self.fields)

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return len(self.columns)

    def fit(self, records: Any, y: Any = None) -> Self:
        """Check the columns; there is nothing to learn."""
        self.transform(records)
        return self

    def learner(self) -> Learner:
        """Checks each part, and keeps nothing."""
        return _Check(self)

    def transform(self, records: Any) -> FloatArray:
        """float64 array (n_points, n_features).

        Raises
        ------
        DataError
            Naming column and row, for what is no finite number.
        """
        return number_columns(records, self.columns)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """The columns' names: object array of str (n_features,)."""
        return np.array(self.columns, dtype=object)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """The columns; no arrays."""
        return {"fields": list(self.columns)}, {}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From its :meth:`state`."""
        featurizer = cls(tuple(facts["fields"]))
        _checked(featurizer.fields)
        return featurizer

    def __sklearn_is_fitted__(self) -> bool:
        return True


class _Check:
    """There is nothing to learn."""

    def __init__(self, columns: NumericColumns) -> None:
        self._columns = columns

    def add(self, records: Any) -> None:
        self._columns.fit(records)

    def finish(self) -> None:
        pass


def _checked(fields: Any) -> tuple[str, ...]:
    if isinstance(fields, str) or not isinstance(fields, Sequence) or not fields:
        raise ConfigError(f"fields must be a list of column names; got {fields!r}.")
    if not all(isinstance(name, str) and name for name in fields) or len(set(fields)) != len(fields):
        raise ConfigError(f"fields must be distinct column names; got {list(fields)!r}.")
    return tuple(fields)
