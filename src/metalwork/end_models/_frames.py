"""Data frames as an end model reads them: numbers, with columns known by name."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
from narwhals.exceptions import DuplicateError

from metalwork.errors import DataError

Names = tuple[str, ...]


def is_frame(X: Any) -> bool:
    """Whether ``X`` is a data frame of any library that narwhals knows."""
    return nw.dependencies.is_into_dataframe(X) or nw.dependencies.is_into_lazyframe(X)


def read_frame(X: Any, what: str, expected: Names | None) -> tuple[npt.NDArray[np.float64], Names | None]:
    """Numbers (n_points, n_features), missing ones as NaN, and the columns' names; None where they have none.

    With ``expected``, the columns stand in that order, whatever theirs.

    Raises
    ------
    DataError
        For a column without numbers; for columns that are not ``expected``, or that are and are not there.
    """
    try:
        frame = nw.from_native(X, eager_only=True)
        columns = frame.columns
    except DuplicateError as error:
        name = str(error).partition("- ")[2].partition("\n")[0]
        raise DataError(f"{what} must have distinct column names; got {name}. Rename columns.") from None
    except TypeError:
        raise DataError(f"{what} must be a frame in memory; got a lazy one. Call its collect() first.") from None
    named = [isinstance(name, str) for name in columns]
    if any(named) and not all(named):
        odd = columns[named.index(False)]
        raise DataError(
            f"{what} must have column names that are all text, or none that is; got {odd!r} beside texts. "
            "Rename columns."
        )
    names = tuple(columns) if columns and all(named) else None
    if names is not None and expected is not None:
        columns = list(_aligned(names, what, expected))
    arrays = [_numbers(frame.get_column(name), what) for name in columns]
    array = np.stack(arrays, axis=1) if arrays else np.empty((len(frame), 0))
    return array, None if names is None else tuple(columns)


def _aligned(names: Names, what: str, expected: Names) -> Names:
    missing = [name for name in expected if name not in set(names)]
    unknown = [name for name in names if name not in set(expected)]
    if missing or unknown:
        lacks = [f"without {_listed(missing)}"] * bool(missing) + [f"with {_listed(unknown)}"] * bool(unknown)
        raise DataError(
            f"{what} must have the columns of fit, in any order; got a frame {' and '.join(lacks)}. "
            "Select those that feature_names_in_ lists."
        )
    return expected


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join([*map(repr, names[:most]), *more])


def _numbers(column: Any, what: str) -> npt.NDArray[np.float64]:
    kind = column.dtype
    if kind.is_numeric() or kind in (nw.Boolean, nw.Object, nw.Unknown):
        with suppress(Exception):  # each library has errors of its own for objects that are no numbers
            return np.asarray(column.cast(nw.Float64).to_numpy(), dtype=np.float64)
    raise DataError(
        f"{what} must hold numbers; column {column.name!r} is {kind}. Leave it out, or turn it into numbers first."
    )
