"""Arrays and a JSON header in one ``.npz`` file: written atomically, read without pickle, checked whole.

A file has a digest of all that it holds, so what is read is what was written. It may have been made to do harm:
nothing in it is run, no name in it is followed, and what it unpacks to is bounded before any of it is.
"""

import hashlib
import json
import math
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from metalwork._files import atomic_write
from metalwork.errors import ConfigError, DataError, MissingExtraError

if TYPE_CHECKING:
    import zipfile

Array = npt.NDArray[Any]

_PACKED: Final = (0, 8)  # stored and deflated
_MOST_UNPACKED: Final = 4 * 2**30
_MOST_HEADER: Final = 2**28
_MOST_ARRAYS: Final = 100_000
_LIMIT: Final = "METALWORK_MAX_UNPACKED"


def save_arrays(
    path: str | os.PathLike[str], kind: str, header: Mapping[str, Any], arrays: Mapping[str, Array]
) -> None:
    """Write ``arrays`` and ``header`` under ``path``; ``kind`` tells a later reader what the file is."""
    told = json.loads(as_json({"format": kind, **header}))
    text = as_json(told | {"sha256": digest(told, arrays)})
    fields: dict[str, Any] = {**arrays, "header": np.frombuffer(text.encode("utf-8"), dtype=np.uint8)}
    with atomic_write(path) as stream:
        np.savez_compressed(stream, **fields)


def as_json(header: Mapping[str, Any]) -> str:
    """``header`` as JSON, equal for equal ones; NumPy's numbers, which a search hands out, are plain ones."""
    return json.dumps(header, ensure_ascii=False, sort_keys=True, default=_plain)


def digest(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    """SHA-256 of a header, as JSON gives it back, and its arrays."""
    found = hashlib.sha256(as_json(header).encode("utf-8"))
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"{name} {array.dtype.str} {np.shape(arrays[name])}".encode())
        found.update(array.reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise ConfigError(f"What is saved must be what JSON can hold; got {value!r}. Keep arrays apart.")


def load_arrays(
    path: str | os.PathLike[str], kind: str, names: Sequence[str] | None = None
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read the header and the arrays of a file of this ``kind``; they must be ``names``, where these are given.

    Raises
    ------
    DataError
        When the file is missing, damaged, changed since it was saved, or of another kind; when it unpacks to more
        than 4 GiB, or the bytes that ``METALWORK_MAX_UNPACKED`` says.
    """
    import zipfile

    most = _most_unpacked()
    with reading(path, kind), open(os.fspath(path), "rb") as stream, zipfile.ZipFile(stream) as stored:
        members = _members(stored)
        _check_size(path, members, most)
        header = json.loads(_read(stored, members.pop("header"), _MOST_HEADER).tobytes().decode("utf-8"))
        if not isinstance(header, dict) or header.get("format") != kind:
            raise DataError(f"{path}: must be a {kind!r} file; it is something else.")
        arrays = {name: _read(stored, member) for name, member in members.items()}
        if header.pop("sha256", None) != digest(header, arrays):
            raise DataError(
                f"{path}: must be as it was saved; it has changed since. Copy it again, or make it again."
            )
        if names is not None and set(arrays) != set(names):
            raise DataError(f"its arrays are {', '.join(sorted(arrays)[:9])}")
        return header, arrays


def _members(stored: "zipfile.ZipFile") -> "dict[str, zipfile.ZipInfo]":
    """The arrays of a file by name, none of which has been read."""
    members = stored.infolist()
    if len(members) > _MOST_ARRAYS:
        raise DataError(f"it has {len(members):,} parts, and {_MOST_ARRAYS:,} are the most")
    names = [member.filename.removesuffix(".npy") for member in members]
    if len(set(names)) < len(names) or "header" not in names:
        raise DataError("a part stands twice" if "header" in names else "it has no header")
    if any(member.compress_type not in _PACKED for member in members):
        raise DataError("a part is packed in another way")
    return dict(zip(names, members, strict=True))


def _most_unpacked() -> int:
    told = os.environ.get(_LIMIT, "").strip()
    if told and not told.isdecimal():
        raise ConfigError(f"{_LIMIT} must be a number of bytes; got {told!r}.")
    return int(told) if told else _MOST_UNPACKED


def _check_size(path: str | os.PathLike[str], members: Mapping[str, "zipfile.ZipInfo"], most: int) -> None:
    total = sum(member.file_size for member in members.values())
    if total > most:
        raise DataError(
            f"{path}: must unpack to at most {most:,} bytes; it says that it does to {total:,}. "
            f"Where you trust it, set {_LIMIT} to that."
        )


def _read(stored: "zipfile.ZipFile", member: "zipfile.ZipInfo", most: float = math.inf) -> Array:
    """One array of numbers, whose header must agree with the size of the part before memory is set aside."""
    if member.file_size > most:
        raise DataError(f"its header has {member.file_size:,} bytes")
    with stored.open(member) as stream:
        layout: Any = np.lib.format
        reads = {(1, 0): layout.read_array_header_1_0, (2, 0): layout.read_array_header_2_0}
        shape, is_fortran, kind = reads[layout.read_magic(stream)](stream)
        if kind.kind not in "biuf" or kind.itemsize > 16:
            raise DataError(f"{member.filename} holds no numbers")
        if stream.tell() + math.prod(shape) * kind.itemsize != member.file_size:
            raise DataError(f"{member.filename} is not as large as it says")
        array = np.empty(shape[::-1] if is_fortran else shape, kind)
        _fill(array.reshape(-1).view(np.uint8), stream)
        return array.T if is_fortran else array


def _fill(array: Any, stream: Any) -> None:
    left = memoryview(array)
    while len(left):
        chunk = stream.read(min(len(left), 2**20))
        if not chunk:
            raise DataError("it is cut off")
        left[: len(chunk)] = chunk
        left = left[len(chunk) :]
    if stream.read(1):  # the checksum is compared at the end
        raise DataError("a part is larger than it says")


@contextmanager
def reading(path: str | os.PathLike[str], kind: str) -> Iterator[None]:
    """Whatever goes wrong inside is a ``DataError`` that names the file: its contents may come from anywhere."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would be waited for
            raise DataError("it is no ordinary file")
        yield
    except DataError as error:
        if str(error).startswith(f"{path}: "):
            raise
        raise DataError(_damaged(path, kind, error)) from None
    except MissingExtraError:  # nothing is wrong with the file
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file.") from None
    except Exception as error:
        raise DataError(_damaged(path, kind, error)) from None


def _damaged(path: str | os.PathLike[str], kind: str, error: Exception) -> str:
    reason = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
    return f"{path}: must be a {kind!r} file; it is damaged or something else ({reason[:300]})."
