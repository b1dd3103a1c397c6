"""Records that an end model turns into numbers itself, by a featurizer of its own."""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from metalwork._arrays import as_json
from metalwork.end_models._inputs import Columns, Inputs, read_inputs
from metalwork.errors import ConfigError, DataError, MetalworkError
from metalwork.features import Combined, Featurizer, Learner

PREFIX: Final = "featurizer/"
"""What the names of a featurizer's tensors in a model's file start with."""

_HEADER: Final = f"{PREFIX}header"
_ARRAY: Final = f"{PREFIX}array/"


def check_featurizer(given: Any, input_module: Any) -> None:
    """Check the argument ``featurizer``: one, a list of them, or None."""
    if given is None:
        return
    several = isinstance(given, Sequence) and not isinstance(given, str)
    wrong = [part for part in (given if several else [given]) if not isinstance(part, Featurizer)]
    if wrong or (several and not given):
        found = wrong[0] if wrong else given
        got = f"the class {found.__name__}" if isinstance(found, type) else repr(found)
        raise ConfigError(
            f"featurizer must be a Featurizer of metalwork.features or a list of them; got {got}. "
            "Transformers of scikit-learn go before the model, in a Pipeline."
        )
    if input_module is not None:
        raise ConfigError(
            f"featurizer must be None beside an input_module, which reads the records itself; got {given!r}. "
            "Leave one of them out."
        )


def brings_module(given: Featurizer | Sequence[Featurizer] | None) -> bool:
    """Whether one of them has a module, through which the network reads its features."""
    if given is None:
        return False
    return any(part.has_module for part in ([given] if isinstance(given, Featurizer) else given))


def one_copy(given: Featurizer | Sequence[Featurizer] | None) -> Featurizer | None:
    """A copy to be fitted; several side by side."""
    if given is None:
        return None
    return copy.deepcopy(given if isinstance(given, Featurizer) else Combined(list(given)))


class RawRecords:
    """Records before their featurizer turns them into features."""

    def __init__(self, featurizer: Featurizer, records: Any, n_left_out: int = 0) -> None:
        self._featurizer, self._records, self._n_left_out = featurizer, records, n_left_out

    @classmethod
    def open(cls, featurizer: Featurizer, records: Any) -> Self:
        """Records of any form that the featurizer reads."""
        return cls(featurizer, featurizer.read(records))

    def __len__(self) -> int:
        return len(self._records)

    def rows(self, index: npt.NDArray[np.int64]) -> "RawRecords":
        """The records at positions ``index`` alone."""
        records = self._records
        kept = [records[i] for i in index] if isinstance(records, list) else records[index]
        return RawRecords(self._featurizer, kept, len(self) - len(index))

    def teach(self, learner: Learner) -> None:
        """Let the featurizer's learner see them."""
        with self._counting():
            learner.add(self._records)

    def features(self, what: str, expected: Columns | None = None) -> Inputs:
        """What the fitted featurizer makes of them."""
        with self._counting():
            features = self._featurizer.transform(self._records)
        return read_inputs(features, what, False, expected)

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """Say of a faulty record how rows are counted, where some were left out."""
        try:
            yield
        except DataError as error:
            if not self._n_left_out:
                raise
            n = self._n_left_out
            left_out = f"{n} record{'s' * (n > 1)} of weight 0 or without a known label"
            raise DataError(f"{error} Rows are counted without {left_out}.") from error


def as_tensors(featurizer: Featurizer) -> dict[str, Tensor]:
    """A fitted featurizer for a model's file: its facts as bytes of JSON, and its arrays.

    Raises
    ------
    ConfigError
        When it holds code, or an array that is not of numbers.
    """
    header, arrays = featurizer.pack()
    text = np.frombuffer(as_json(header).encode("utf-8"), dtype=np.uint8).copy()
    tensors = {_HEADER: torch.from_numpy(text)}
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            raise ConfigError(
                f"Arrays of a featurizer must hold numbers to be saved with the model; {name!r} of "
                f"{featurizer.kind!r} is {array.dtype}. Put it among the facts."
            )
        native = np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
        tensors[f"{_ARRAY}{name}"] = torch.from_numpy(native)
    return tensors


def from_tensors(tensors: Mapping[str, Tensor]) -> Featurizer:
    """The featurizer of :func:`as_tensors`; ``ValueError`` where that is damaged."""
    header = json.loads(tensors[_HEADER].numpy().tobytes().decode("utf-8"))
    arrays = {n.removeprefix(_ARRAY): np.asarray(t.numpy()) for n, t in tensors.items() if n != _HEADER}
    if sorted(arrays) != header["arrays"]:
        raise ValueError("the arrays of the featurizer are missing or left over")
    try:
        return Featurizer.unpack(header, arrays)
    except MetalworkError as error:
        raise ValueError(str(error)) from None
