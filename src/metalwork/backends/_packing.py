"""What travels between processes: functions and items by cloudpickle, in frames of known length."""

import io
import pickle
import struct
from collections import ChainMap
from collections.abc import Callable
from functools import lru_cache
from typing import Any, BinaryIO, ClassVar, Final

import cloudpickle

from metalwork.errors import MetalworkError

_LENGTH: Final = struct.Struct("<Q")
_Cached: Final = type(lru_cache(len))


def _unwrapped(function: Any) -> tuple[Any, ...]:
    """A cached function as the cache around a plain one: pickle itself would look it up by its module's name."""
    arguments = function.cache_parameters()
    return _cached, (function.__wrapped__, arguments["maxsize"], arguments["typed"])


def _cached(function: Callable[..., Any], maxsize: int | None, typed: bool) -> Any:
    return lru_cache(maxsize, typed)(function)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Cloudpickle's, which also takes functions with a cache out of modules that workers cannot import."""

    dispatch_table: ClassVar[Any] = ChainMap({_Cached: _unwrapped}, cloudpickle.Pickler.dispatch_table)


def pack(value: Any) -> bytes:
    """``value`` as bytes; ``MetalworkError`` where it cannot travel."""
    packed = io.BytesIO()
    try:
        _Pickler(packed).dump(value)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        raise MetalworkError(
            f"What is sent to worker processes must be picklable; got {error}. "
            "Open files, locks and connections inside the function, or use backend='serial'."
        ) from None
    return packed.getvalue()


def can_travel(value: Any) -> bool:
    """Whether :func:`pack` takes ``value``."""
    try:
        pack(value)
    except MetalworkError:
        return False
    return True


def unpack(packed: bytes) -> Any:
    """What was packed."""
    return cloudpickle.loads(packed)


def send(stream: BinaryIO, *parts: Any) -> None:
    """Write one frame."""
    packed = pickle.dumps(parts, protocol=5)
    stream.write(_LENGTH.pack(len(packed)))
    stream.write(packed)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[Any, ...]:
    """Read one frame; ``EOFError`` where the other side is gone."""
    (length,) = _LENGTH.unpack(_read(stream, _LENGTH.size))
    parts: tuple[Any, ...] = pickle.loads(_read(stream, length))
    return parts


def _read(stream: BinaryIO, length: int) -> bytes:
    found = stream.read(length)
    if len(found) < length:
        raise EOFError
    return found
