"""Columns that hold one of several values: a feature a value."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from metalwork._checks import check_count
from metalwork.data import as_text, read_records
from metalwork.errors import DataError
from metalwork.features._featurizer import Array, Featurizer, Learner
from metalwork.features._records import checked_fields


class Categories(Featurizer):
    """Columns that hold one of several values: a feature a value seen in training, 1 where the record has it.

    Values are compared as they are written. A missing value, and one that was not seen in training, is 0 in all
    features of its column, so that a model predicts such records from what else they hold.

    Parameters
    ----------
    fields : sequence of str
        The columns.
    min_df : int, default 1
        Values of fewer training records than this count as not seen.

    Attributes
    ----------
    values_ : tuple of tuple of str
        The values of each column, sorted; set by :meth:`fit`.

    Examples
    --------
    >>> import metalwork as mw
    >>> made = mw.Categories(["plan"]).fit([{"plan": "free"}, {"plan": "team"}])
    >>> made.transform([{"plan": "team"}, {"plan": "unknown"}]).toarray()
    array([[0., 1.],
           [0., 0.]], dtype=float32)
    """

    sparse = True
    kind = "categories"
    values_: tuple[tuple[str, ...], ...]

    def __init__(self, fields: Sequence[str], min_df: int = 1) -> None:
        self.fields = fields
        self.min_df = min_df

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of records that it reads."""
        return checked_fields(self.fields)

    @property
    def n_features(self) -> int:
        """Number of values of all columns."""
        return sum(map(len, self._values()))

    def fit(self, records: Any, y: Any = None) -> Self:
        """Find the values of each column.

        Raises
        ------
        DataError
            When a column is not there, or no value is left in any.
        """
        return self.fit_parts([records])

    def learner(self) -> Learner:
        """Counts the values of each part."""
        check_count("min_df", self.min_df)
        return _CountValues(self)

    def transform(self, records: Any) -> sp.csr_matrix:
        """float32 CSR matrix (n_points, n_features) of 0 and 1."""
        values, frame = self._values(), read_records(records, columns=list(self.columns))
        blocks = []
        for name, known in zip(self.columns, values, strict=True):
            codes = as_text(frame[name]).replace_strict(
                list(known), list(range(len(known))), default=None, return_dtype=pl.Int64
            )
            rows = np.flatnonzero(codes.is_not_null().to_numpy())
            columns = codes.drop_nulls().to_numpy()
            ones = np.ones(len(rows), np.float32)
            blocks.append(sp.csr_matrix((ones, (rows, columns)), shape=(frame.height, len(known))))
        return sp.hstack(blocks, format="csr")

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """``"column=value"``: object array of str (n_features,)."""
        pairs = zip(self.columns, self._values(), strict=True)
        return np.array([f"{name}={value}" for name, values in pairs for value in values], dtype=object)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Columns and values; no arrays."""
        values = [list(own) for own in self._values()]
        return {"fields": list(self.columns), "min_df": int(self.min_df), "values": values}, {}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From its :meth:`state`."""
        featurizer = cls(tuple(facts["fields"]), facts["min_df"])
        check_count("min_df", featurizer.min_df)
        values = facts["values"]
        if not isinstance(values, list) or len(values) != len(featurizer.columns) or not any(values):
            raise DataError("The values of categories must be a list a column.")
        for own in values:
            if not isinstance(own, list) or not all(isinstance(v, str) for v in own) or own != sorted(set(own)):
                raise DataError("The values of a column must be distinct texts in order.")
        featurizer.values_ = tuple(tuple(own) for own in values)
        return featurizer

    def _values(self) -> tuple[tuple[str, ...], ...]:
        self._check_fitted()
        return self.values_


class _CountValues:
    """Finds the values of columns in records that come in parts."""

    def __init__(self, featurizer: Categories) -> None:
        self._featurizer = featurizer
        self._found: list[dict[str, int]] = [{} for _ in featurizer.columns]

    def add(self, records: Any) -> None:
        frame = read_records(records, columns=list(self._featurizer.columns))
        for name, found in zip(self._featurizer.columns, self._found, strict=True):
            counts = as_text(frame[name]).rename("value").drop_nulls().value_counts(name="n")
            for value, number in counts.iter_rows():
                found[value] = found.get(value, 0) + number

    def finish(self) -> None:
        featurizer = self._featurizer
        kept = [sorted(v for v, n in found.items() if n >= featurizer.min_df) for found in self._found]
        if not any(kept):
            raise DataError(
                f"columns {', '.join(map(repr, featurizer.columns))} must hold values of at least "
                f"min_df={featurizer.min_df} records; got none. Check the columns, or lower min_df."
            )
        featurizer.values_ = tuple(map(tuple, kept))
