"""Several featurizers at once."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from metalwork.errors import ConfigError
from metalwork.features._featurizer import Array, Block, Featurizer, Learner, checked_names
from metalwork.features._records import read_rows

if TYPE_CHECKING:
    from torch import nn


class Combined(Featurizer):
    """The features of several featurizers, side by side; sparse where one of them is.

    Parameters
    ----------
    featurizers : sequence of Featurizer
        Each reads its own columns of the records.

    Examples
    --------
    >>> from metalwork.features import Combined, NumericColumns, WordCounts
    >>> both = Combined([WordCounts(min_df=1, field="text"), NumericColumns(["stars"])])
    >>> both.fit_transform([{"text": "good book", "stars": 5}, {"text": "bad book", "stars": 1}]).toarray()
    array([[0., 1., 1., 5.],
           [1., 1., 0., 1.]])
    """

    kind = "combined"

    def __init__(self, featurizers: Sequence[Featurizer]) -> None:
        self.featurizers = featurizers

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of records that its featurizers read, each once."""
        return tuple(dict.fromkeys(name for part in self._parts() for name in part.columns))

    @property
    def reads(self) -> Literal["text", "image", "tabular"]:
        """Texts where one of its featurizers does, else pictures where one does."""
        found = {part.reads for part in self._parts()}
        return "text" if "text" in found else "image" if "image" in found else "tabular"

    @property
    def has_module(self) -> bool:
        """Whether one of its featurizers brings a module."""
        return any(part.has_module for part in self._parts())

    @property
    def parts(self) -> tuple[Featurizer, ...]:
        """Those of its featurizers."""
        return tuple(alone for part in self._parts() for alone in part.parts)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Those of its featurizers."""
        return tuple(block for part in self._parts() for block in part.blocks)

    def module(self, blank: bool = False) -> "nn.Module | None":
        """The modules of its featurizers side by side, the features of the others between them."""
        if not self.has_module:
            return None
        from metalwork.features._beside import Beside

        return Beside([(part.n_features, part.module(blank)) for part in self._parts()])

    @property
    def n_features(self) -> int:
        """Number of features of all its featurizers."""
        return sum(part.n_features for part in self._parts())

    def fit(self, records: Any, y: Any = None) -> Self:
        """Fit each featurizer on the records."""
        rows = self.read(records)
        for part in self._parts():
            part.fit(rows)
        return self

    def learner(self) -> Learner:
        """The learners of its featurizers."""
        return _LearnAll(self, [part.learner() for part in self._parts()])

    def transform(self, records: Any) -> Any:
        """CSR matrix where one of the featurizers gives one, else float array (n_points, n_features)."""
        rows = self.read(records)
        blocks = [part.transform(rows) for part in self._parts()]
        if any(map(sp.issparse, blocks)):
            return sp.hstack([b if sp.issparse(b) else _with_zeros(b) for b in blocks], format="csr")
        return np.hstack(blocks)

    def read(self, records: Any) -> Any:
        """The records in memory, with all their columns where one of its featurizers names none."""
        return read_rows(records, self.columns if all(part.columns for part in self._parts()) else ())

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """The names of all its featurizers: object array of str (n_features,)."""
        return np.concatenate([part.get_feature_names_out() for part in self._parts()])

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """The states of its featurizers; their arrays under their positions."""
        parts: list[dict[str, Any]] = []
        arrays: dict[str, Array] = {}
        for i, part in enumerate(self._parts()):
            header, own = part.pack()
            parts.append(header)
            arrays |= {f"{i}/{name}": array for name, array in own.items()}
        return {"parts": parts}, arrays

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From its :meth:`state`."""
        parts = [
            Featurizer.unpack(part, {name: arrays[f"{i}/{name}"] for name in checked_names(part["arrays"])})
            for i, part in enumerate(facts["parts"])
        ]
        combined = cls(parts)
        combined._parts()
        return combined

    def __sklearn_is_fitted__(self) -> bool:
        return all(part.__sklearn_is_fitted__() for part in self._parts())

    def _parts(self) -> Sequence[Featurizer]:
        parts = self.featurizers
        if not isinstance(parts, Sequence) or not parts or not all(isinstance(p, Featurizer) for p in parts):
            raise ConfigError(f"featurizers must be a list of featurizers; got {parts!r}.")
        return parts


def _with_zeros(dense: Array) -> sp.csr_matrix:
    """A dense block as a sparse one with an entry a value, also for 0, so that an end model can scale it."""
    n_rows, width = dense.shape
    columns = np.tile(np.arange(width, dtype=np.int32), n_rows)
    return sp.csr_matrix((dense.ravel(), columns, np.arange(n_rows + 1) * width), shape=dense.shape)


class _LearnAll:
    """Fits several featurizers to the same parts."""

    def __init__(self, combined: Combined, learners: Sequence[Learner]) -> None:
        self._combined, self._learners = combined, learners

    def add(self, records: Any) -> None:
        rows = self._combined.read(records)
        for learner in self._learners:
            learner.add(rows)

    def finish(self) -> None:
        for learner in self._learners:
            learner.finish()
