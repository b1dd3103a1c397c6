"""Outputs of preprocessors as bytes and back, without pickle."""

import json
import struct
import zlib
from typing import Any, Final

import numpy as np

from metalwork.errors import LabelingError

_LENGTH: Final = struct.Struct("<I")
_SIMPLE: Final = frozenset({type(None), bool, int, float, str})


def write_values(output: str, values: list[Any]) -> bytes:
    """The values as bytes.

    Raises
    ------
    LabelingError
        Where one is of a type that cannot be kept, naming it.
    """
    arrays: list[Any] = []
    plain = []
    for row, value in enumerate(values):
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
            plain.append({"array": len(arrays)})
            arrays.append(value)
        elif _is_plain(value):
            plain.append({"value": value})
        else:
            raise LabelingError(
                f"preprocessor {output!r}, which says cache=True, must return texts, numbers, arrays of numbers, "
                f"or lists and dicts of these; got {type(value).__name__} at row {row}. Leave cache=True out."
            )
    kinds = [(array.dtype.str, array.shape, isinstance(array, np.generic)) for array in arrays]
    text = json.dumps({"values": plain, "arrays": kinds}).encode()
    data = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    return _LENGTH.pack(len(text)) + zlib.compress(text + data, 1)


def read_values(content: bytes) -> tuple[list[Any], dict[int, str]]:
    """The values that :func:`write_values` wrote, none of which failed."""
    length, data = _LENGTH.unpack_from(content)[0], zlib.decompress(content[_LENGTH.size :])
    header, place = json.loads(data[:length]), length
    arrays: list[Any] = []
    for kind, shape, single in header["arrays"]:
        count = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(data, kind, count, place).reshape(shape).copy()
        place += array.nbytes
        arrays.append(array[()] if single else array)
    return [arrays[item["array"]] if "array" in item else item["value"] for item in header["values"]], {}


def _is_plain(value: Any) -> bool:
    """Whether JSON gives back exactly this value."""
    if type(value) is list:
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(type(key) is str and _is_plain(item) for key, item in value.items())
    return type(value) in _SIMPLE
