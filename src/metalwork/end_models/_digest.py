"""A digest of training records, whatever they are."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from torch import Tensor


class Digest:
    """SHA-256 of records: arrays and tensors by type, shape and bytes, other things by what they hold."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, *values: Any) -> "Digest":
        """Add values; of objects of unknown classes, only the class counts."""
        for value in values:
            self._add(value)
        return self

    def hex(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()

    def _add(self, value: Any) -> None:
        if isinstance(value, Tensor):
            value = value.detach().cpu().numpy()
        if isinstance(value, np.ndarray) and value.dtype != object:
            self._hash.update(f"array {value.dtype.descr} {value.shape}".encode())
            self._hash.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
        elif isinstance(value, bytes | str | int | float | np.generic | None):
            self._hash.update(f"{type(value).__name__} {value!r}".encode())
        elif isinstance(value, Mapping):
            items = sorted(value.items(), key=lambda item: repr(item[0]))
            self.add("mapping", len(items), *(part for item in items for part in item))
        elif isinstance(value, Iterable):
            parts = list(value)
            self.add("parts", len(parts), *parts)
        else:
            self.add(type(value).__qualname__)
