"""Copies of what records hold, so that a function which changes its arguments changes nobody else's."""

import copy
from collections import deque
from contextlib import suppress
from typing import Any, Final

import numpy as np

_MUTABLE: Final = (dict, list, set, bytearray, deque, np.ndarray)
_NESTED: Final = (*_MUTABLE, tuple)


def own_copies(values: list[Any]) -> list[Any]:
    """The values, each that can be changed in place as a copy; themselves where there are none."""
    kinds = set(map(type, values))
    if not any(issubclass(kind, _NESTED) for kind in kinds):
        return values
    return [own_copy(value) if isinstance(value, _NESTED) else value for value in values]


def own_copy(value: Any) -> Any:
    """A copy of a container and of the containers in it; other objects are shared."""
    kind = type(value)
    if kind is dict:
        return {key: own_copy(item) if isinstance(item, _NESTED) else item for key, item in value.items()}
    if kind is list or kind is tuple:
        return kind([own_copy(item) if isinstance(item, _NESTED) else item for item in value])
    if kind is set or kind is bytearray:
        return kind(value)
    with suppress(Exception):  # of a class of its own, it may not be to be copied
        return copy.deepcopy(value)
    return value
