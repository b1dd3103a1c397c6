"""What turns records into the arrays that end models read, and keeps what it learned in a file."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

from metalwork._arrays import load_arrays, reading, save_arrays
from metalwork._estimators import Estimator
from metalwork.errors import DataError
from metalwork.features._records import joined, read_rows

if TYPE_CHECKING:
    from torch import nn

Array = npt.NDArray[Any]
_FORMAT = "metalwork features 2"
_KINDS: dict[str, type["Featurizer"]] = {}


class Learner(Protocol):
    """What fits a featurizer to records that come in parts."""

    def add(self, records: Any) -> None:
        """See one part of the records."""

    def finish(self) -> None:
        """Fit the featurizer to all that were seen."""


class Block(NamedTuple):
    """The features of one featurizer among several.

    Attributes
    ----------
    n_features : int
    sparse : bool or None
        Whether they come as a sparse matrix; None where that is not known.
    has_module : bool
        Whether the end model reads them through a module that the featurizer brings; then it does not scale them.
    """

    n_features: int
    sparse: bool | None
    has_module: bool = False


class _KeepAll:
    """Fits any featurizer: keeps every part until the last one."""

    def __init__(self, featurizer: "Featurizer") -> None:
        self._featurizer = featurizer
        self._parts: list[Any] = []

    def add(self, records: Any) -> None:
        self._parts.append(self._featurizer.read(records))

    def finish(self) -> None:
        self._featurizer.fit(joined(self._parts))


class Featurizer(Estimator, ABC):
    """Turns records into a float array or CSR matrix (n_points, n_features).

    Records are what LFs take: a data frame (polars, pandas and others), a list of dicts, or files; or the
    values of the one column that it reads, such as a list of texts.

    A kind of one's own is a subclass with a ``kind``, the name by which files know it. Its ``state`` is plain
    JSON and arrays; ``restored`` checks it, for a file may come from anywhere. One whose features mean nothing
    before a network has read them (tokens, pixels) brings a :meth:`module`, and says so by ``has_module``.
    """

    _estimator_type = "transformer"
    _called_before = "it transforms. Call fit(records) first."
    kind: ClassVar[str] = ""
    """The name by which files know this kind of featurizer."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.kind:
            _KINDS[cls.kind] = cls

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns of records that it reads."""

    sparse: ClassVar[bool | None] = None
    """Whether :meth:`transform` gives a sparse matrix; None where that is not known."""

    @property
    def parts(self) -> "tuple[Featurizer, ...]":
        """The featurizers that it is made of, each alone: itself, or those of a combination."""
        return (self,)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The features of each featurizer that stands alone."""
        return (Block(self.n_features, self.sparse, self.has_module),)

    @property
    def reads(self) -> Literal["text", "image", "tabular"]:
        """What kind of records it reads."""
        return "tabular"

    has_named_features: ClassVar[bool] = True
    """Whether a single feature means something to a reader: a word, a column; not a number of a vector."""

    @property
    def has_module(self) -> bool:
        """Whether it has a :meth:`module`."""
        return False

    def module(self, blank: bool = False) -> "nn.Module | None":
        """What the end model reads the features through, and trains with the network; None: as they are.

        It is called once the featurizer is fitted, or restored from a file. The module turns a float32 tensor
        (n_rows, n_features) of what :meth:`transform` gives into a float tensor (n_rows, n_outputs). A part of it
        with an attribute ``learning_rate`` is trained at that rate, in place of the model's ``lr``; the model's
        ``max_epochs`` is by default what an attribute ``usual_epochs`` says.

        Parameters
        ----------
        blank : bool
            Its weights are about to be replaced, by those of a file: none need be looked up.
        """
        return None

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Number of columns of what :meth:`transform` returns."""

    @abstractmethod
    def fit(self, records: Any, y: Any = None) -> Self:
        """Learn from training records (n_points,); ``y`` is there for scikit-learn's pipelines."""

    def fit_parts(self, parts: Iterable[Any]) -> Self:
        """:meth:`fit` on records that come in parts, each read once; the result is that of all of them at once.

        Featurizers of this package hold one part at a time in memory, and a number a value where they look for
        medians; a kind of one's own holds all, unless it has a :meth:`learner`.
        """
        learner = self.learner()
        for records in parts:
            learner.add(records)
        learner.finish()
        return self

    def learner(self) -> Learner:
        """What :meth:`fit_parts` hands the parts to: by default it keeps them all, and then calls :meth:`fit`."""
        return _KeepAll(self)

    @abstractmethod
    def transform(self, records: Any) -> Any:
        """Float array or CSR matrix (n_points, n_features)."""

    @abstractmethod
    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """What the columns count or hold: object array of str (n_features,)."""

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Arguments and what was learned: plain JSON, and arrays by name."""

    @classmethod
    @abstractmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """A featurizer from its :meth:`state`; ``DataError`` where that is damaged."""

    def fit_transform(self, records: Any, y: Any = None) -> Any:
        """:meth:`fit`, then :meth:`transform` of the same records."""
        rows = records if hasattr(records, "__len__") or hasattr(records, "columns") else list(records)
        return self.fit(rows).transform(rows)

    def read(self, records: Any) -> Any:
        """The records in memory, to be read more than once and picked from.

        A polars frame of the columns that it reads (all, where it names none), or a list of the values of its
        only one.

        Raises
        ------
        DataError
            When they are no records, or a column is not there.
        """
        return read_rows(records, self.columns)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as one ``.npz`` file, arrays and a JSON header, whole or not at all.

        Raises
        ------
        ConfigError
            When it holds code that no file can: a tokenizer of one's own.
        NotFittedError
        """
        save_arrays(path, _FORMAT, *self.pack())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what :meth:`save` wrote: ``Featurizer.load`` takes any kind, a subclass its own.

        Raises
        ------
        DataError
            When the file is missing, damaged, or of another kind. Nothing in it is run.
        """
        header, arrays = load_arrays(path, _FORMAT)
        with reading(path, _FORMAT):
            if sorted(arrays) != sorted(checked_names(header["arrays"])):
                raise DataError("Its arrays are missing or left over.")
            found = Featurizer.unpack(header, arrays)
        if not isinstance(found, cls):
            raise DataError(f"{path}: must hold {cls.__name__}; it holds {type(found).__name__}.")
        return found

    def pack(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Its kind, facts and names of arrays, as plain JSON, and the arrays: what any file can hold."""
        facts, arrays = self.state()
        return {"kind": self.kind, "facts": facts, "arrays": sorted(arrays)}, arrays

    @staticmethod
    def unpack(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> "Featurizer":
        """A featurizer of any kind from what :meth:`pack` gave.

        Raises
        ------
        MetalworkError
            When its kind is not known, or its state is damaged.
        """
        kind = header["kind"]
        if not isinstance(kind, str) or kind not in _KINDS:
            raise DataError(
                f"The kind of a featurizer must be known; got {kind!r}. Import the module that defines it."
            )
        if not isinstance(header["facts"], dict):
            raise DataError("The facts of a featurizer must be a mapping.")
        return _KINDS[kind].restored(header["facts"], {n: arrays[n] for n in checked_names(header["arrays"])})


def checked_names(names: Any) -> list[str]:
    """Names of arrays as a file lists them."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError("The arrays of a featurizer must have names.")
    return names
