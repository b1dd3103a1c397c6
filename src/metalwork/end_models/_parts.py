"""Training records and labels, whole or in parts: checked, and without those that do not count."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from metalwork._checks import check_pair
from metalwork.end_models._arguments import check_rows, read_weights
from metalwork.end_models._featurized import RawRecords
from metalwork.end_models._inputs import Columns, Inputs, check_finite, columns_of, read_inputs
from metalwork.end_models._labels import Labels, read_gold, read_labels
from metalwork.end_models._scaling import Scaler
from metalwork.end_models._training import Dev
from metalwork.errors import ConfigError, DataError, VotesError
from metalwork.features import Featurizer
from metalwork.schema import TaskSchema

_NONE_LEFT: Final = "probs must hold a known label for at least one record of weight above 0; got none."

Weights = npt.NDArray[np.float64]


class Reader:
    """Reads records for one fit: the first part says which columns there are, later ones must have them."""

    def __init__(self, schema: TaskSchema, featurizer: Featurizer | None, has_input_module: bool) -> None:
        self.schema, self.featurizer = schema, featurizer
        self._has_module = has_input_module
        self.columns: Columns | None = None
        self.named = False
        """Whether known labels were given by name."""

    def open(self, X: Any, probs: Any, sample_weight: Any, name: str = "") -> "Part":
        """The records that count, with their labels and weights; none need count in a part with a ``name``.

        Raises
        ------
        MetalworkError
            For records, labels or weights that are none, or whose numbers differ.
        """
        given = self._given(X, "X", self.columns)
        labels = read_labels(probs, self.schema)
        self.named |= labels.named
        if len(labels) == 0 and not name:
            raise VotesError("probs must hold at least one record; got none.")
        check_rows("probs", len(labels), len(given))
        weights = read_weights(sample_weight, len(given))
        if weights is not None and not weights.any() and not name:
            raise DataError("sample_weight must be above 0 for at least one record; got 0 for all.")
        used = labels.known if weights is None else labels.known & (weights > 0)
        if used.all():
            return Part(name, given, labels, weights, None)
        rows = np.flatnonzero(used)
        if not rows.size and not name:
            raise VotesError(_NONE_LEFT)
        return Part(name, given.rows(rows), labels.rows(rows), None if weights is None else weights[rows], rows)

    def fit_featurizer(self, parts: Iterable["Part"]) -> None:
        """Fit the featurizer, where there is one, on the records of all parts."""
        if self.featurizer is None:
            return
        learner = self.featurizer.learner()
        for part in parts:
            with naming(part.name):
                if isinstance(part.given, RawRecords):
                    part.given.teach(learner)
        learner.finish()

    @property
    def blocks(self) -> Any:
        """The blocks of features that the fitted featurizer makes; None without one."""
        return None if self.featurizer is None else self.featurizer.blocks

    def features(self, part: "Part") -> Inputs:
        """The finite features of a part, with the columns of the parts before."""
        given = part.given
        inputs = given.features("X", self.columns) if isinstance(given, RawRecords) else given
        self.columns = self.columns or columns_of(inputs)
        return check_finite(inputs, "X", part.rows)

    def dev(self, dev: Any, scaler: Scaler) -> Dev:
        """The records to choose the epoch by, once the others are read."""
        X, y = check_pair("dev", dev, "(X_dev, y_dev)")
        with naming("dev: " if self.featurizer is not None else ""):  # a featurizer blames no X
            read = self._given(X, "X of dev", self.columns)
        admitted, known = read_gold(y, self.schema, "y of dev")
        check_rows("y of dev", len(known), len(read))
        rows = np.flatnonzero(known)
        used = read.rows(rows)
        with naming("dev: " if isinstance(used, RawRecords) else ""):
            inputs = used.features("X of dev", self.columns) if isinstance(used, RawRecords) else used
        return Dev(scaler.transform(check_finite(inputs, "X of dev", rows), "X of dev"), admitted[rows])

    def _given(self, X: Any, what: str, columns: Columns | None) -> Inputs | RawRecords:
        if self.featurizer is not None:
            return RawRecords.open(self.featurizer, X)
        return read_inputs(X, what, self._has_module, columns)


@dataclass(frozen=True)
class Part:
    """Records that count, what is known of them, and where they stand among those given (None: all count)."""

    name: str
    given: Inputs | RawRecords
    labels: Labels
    weights: Weights | None
    rows: npt.NDArray[np.int64] | None


class Parts:
    """Parts of which some record counts, read anew each time; errors name them by their position."""

    def __init__(self, reader: Reader, parts: Iterable[Any]) -> None:
        if not hasattr(parts, "__iter__"):
            raise ConfigError(f"parts must be a sequence of tuples (X, probs); got {type(parts).__name__}.")
        if iter(parts) is parts and reader.featurizer is not None:
            raise ConfigError(
                f"parts must be readable twice, for the featurizer is fitted first; got {type(parts).__name__}. "
                "Pass a list, or an object whose __iter__ starts anew."
            )
        self._reader, self._parts = reader, parts

    def __iter__(self) -> Iterator[Part]:
        """Raises ``VotesError`` at the end when no record counts."""
        n_points = 0
        for position, part in enumerate(self._parts):
            name = f"Part {position}: "
            with naming(name):
                if not isinstance(part, tuple) or len(part) not in (2, 3):
                    raise ConfigError(
                        f"parts must be tuples (X, probs) or (X, probs, sample_weight); got {type(part).__name__}."
                    )
                found = self._reader.open(part[0], part[1], part[2] if len(part) == 3 else None, name)
            if len(found.labels):
                n_points += len(found.labels)
                yield found
        if not n_points:
            raise VotesError(_NONE_LEFT)


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Let errors begin with the name of the part."""
    try:
        yield
    except (ConfigError, DataError, VotesError) as error:
        if not name:
            raise
        raise type(error)(f"{name}{error}") from error
