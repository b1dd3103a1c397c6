"""Numeric columns as they are."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray, check_choice
from metalwork.errors import DataError
from metalwork.features._featurizer import Array, Featurizer, Learner
from metalwork.features._records import checked_fields, number_columns


class NumericColumns(Featurizer):
    """Numeric columns of the records, as they are; the end model scales them.

    Texts, which is what a CSV file holds, are read as numbers.

    Parameters
    ----------
    fields : sequence of str
        The columns, in the order of the features.
    missing : {"refuse", "median"}, default "refuse"
        ``"median"``: a missing value (None, NaN, an empty text) becomes the median of its column over the training
        records, and each column in which training records lack values has a second feature, 1 where it is missing.

    Attributes
    ----------
    medians_ : float64 array (n_fields,)
        Only there with ``missing="median"``; set by :meth:`fit`.
    told_ : bool array (n_fields,)
        Which columns have that second feature; only there with ``missing="median"``.
    """

    sparse = False
    kind = "numeric columns"
    medians_: npt.NDArray[np.float64]
    told_: npt.NDArray[np.bool_]

    def __init__(self, fields: Sequence[str], missing: str = "refuse") -> None:
        self.fields = fields
        self.missing = missing

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of records that it reads."""
        return checked_fields(self.fields)

    @property
    def n_features(self) -> int:
        """Number of columns, and of those that tell what is missing."""
        return len(self.columns) + (int(self._learned().told_.sum()) if self.missing == "median" else 0)

    def fit(self, records: Any, y: Any = None) -> Self:
        """Check the columns; find their medians, where they are asked for."""
        return self.fit_parts([records])

    def learner(self) -> Learner:
        """Checks each part; keeps a number a value where medians are asked for."""
        check_choice("missing", self.missing, ("refuse", "median"))
        return _Learn(self)

    def transform(self, records: Any) -> FloatArray:
        """float64 array (n_points, n_features).

        Raises
        ------
        DataError
            Naming column and row, for what is no finite number.
        """
        numbers = number_columns(records, self.columns, self.missing == "median")
        if self.missing != "median":
            return numbers
        found = self._learned()
        lacking = np.isnan(numbers)
        told = lacking[:, found.told_].astype(np.float64)
        return np.concatenate([np.where(lacking, found.medians_, numbers), told], axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """The columns' names, and ``"column missing"``: object array of str (n_features,)."""
        names = list(self.columns)
        if self.missing == "median":
            told = self._learned().told_
            names += [f"{name} missing" for name, is_told in zip(names, told, strict=True) if is_told]
        return np.array(names, dtype=object)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """The columns, and what is known of missing values."""
        facts = {"fields": list(self.columns), "missing": self.missing}
        if self.missing != "median":
            return facts, {}
        found = self._learned()
        return facts, {"medians": found.medians_, "told": found.told_}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From its :meth:`state`."""
        featurizer = cls(tuple(facts["fields"]), facts["missing"])
        shape = (len(featurizer.columns),)
        check_choice("missing", featurizer.missing, ("refuse", "median"))
        if featurizer.missing == "median":
            medians, told = arrays["medians"], arrays["told"]
            if medians.shape != shape or told.shape != shape or told.dtype != np.bool_:
                raise DataError("The medians of numeric columns must be one a column.")
            if medians.dtype != np.float64 or not np.isfinite(medians).all():
                raise DataError("The medians of numeric columns must be finite.")
            featurizer.medians_, featurizer.told_ = medians, told
        return featurizer

    def __sklearn_is_fitted__(self) -> bool:
        return self.missing != "median" or "medians_" in vars(self)

    def _learned(self) -> Self:
        self._check_fitted()
        return self


class _Learn:
    """Checks numbers in parts; keeps them where their medians are asked for."""

    def __init__(self, featurizer: NumericColumns) -> None:
        self._featurizer, self._parts = featurizer, list[FloatArray]()

    def add(self, records: Any) -> None:
        keeps = self._featurizer.missing == "median"
        numbers = number_columns(records, self._featurizer.columns, keeps)
        self._parts += [numbers] * keeps

    def finish(self) -> None:
        featurizer = self._featurizer
        if featurizer.missing != "median":
            return
        found = np.concatenate(self._parts) if self._parts else np.empty((0, len(featurizer.columns)))
        lacking = np.isnan(found)
        for name, lacks in zip(featurizer.columns, lacking.T, strict=True):
            if lacks.all():
                raise DataError(f"column {name!r} must hold at least one number; got none. Leave the column out.")
        featurizer.medians_, featurizer.told_ = np.nanmedian(found, axis=0), np.asarray(lacking.any(axis=0))
