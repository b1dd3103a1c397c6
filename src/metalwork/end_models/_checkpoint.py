"""A file from which a fit that was ended goes on, to the bit."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from metalwork._arrays import reading
from metalwork.end_models._sealed import read_sealed, write_sealed
from metalwork.errors import CheckpointError, DataError

_FORMAT: Final = "metalwork checkpoint 1"
_SOON: Final = 5.0  # seconds between two writings, at least
_SHARE: Final = 0.03  # of the time that writing may take


class Checkpoint:
    """Where a fit keeps its state now and then; taken away once it is done.

    Parameters
    ----------
    path : path
    fit : dict
        What the fit is of, as JSON has it: a checkpoint of another one is refused by the first part that differs.
    """

    def __init__(self, path: str | os.PathLike[str], fit: Mapping[str, Any]) -> None:
        self._path, self._fit = Path(path), dict(fit)
        self._written, self._took = time.perf_counter(), 0.0

    def read(self) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """What was kept last: facts, and tensors by name. None where there is no file.

        Raises
        ------
        CheckpointError
            When it is of another fit, damaged or something else.
        """
        if not self._path.exists():
            return None
        try:
            with reading(self._path, _FORMAT):
                header, tensors = read_sealed(self._path, _FORMAT)
                if header["format"] != _FORMAT:
                    raise DataError(f"its format is {header['format']!r}")
        except DataError as error:
            raise CheckpointError(f"{error} Delete it to start anew.") from None
        for name, expected in self._fit.items():
            if (found := header["fit"].get(name)) != expected:
                raise CheckpointError(self._differs(name, found, expected))
        return header["state"], tensors

    @property
    def is_due(self) -> bool:
        """Whether so much time has passed that writing takes a small share of it."""
        return time.perf_counter() - self._written >= max(_SOON, self._took / _SHARE)

    def write(self, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Keep facts, as JSON has them, and tensors, in the place of those before."""
        start = time.perf_counter()
        write_sealed(self._path, {"format": _FORMAT, "fit": self._fit, "state": state}, tensors)
        self._written = time.perf_counter()
        self._took = self._written - start

    def remove(self) -> None:
        """Take the file away."""
        self._path.unlink(missing_ok=True)

    def _differs(self, name: str, found: Any, expected: Any) -> str:
        what = {
            "schema": "another task schema",
            "records": "other records, labels or weights",
            "dev": "other dev records",
            "inputs": "another featurizer",
        }.get(name, f"{name} {found!r} in place of {expected!r}")
        return (
            f"{self._path}: must be a checkpoint of this fit; it is of one with {what}. "
            "Give what was given then, or another path, or delete the file to start anew."
        )
