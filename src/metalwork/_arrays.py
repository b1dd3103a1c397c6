"""Arrays and a JSON header in one ``.npz`` file: written atomically, read without pickle."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork._files import atomic_write
from metalwork.errors import ConfigError, DataError

Array = npt.NDArray[Any]


def save_arrays(
    path: str | os.PathLike[str], kind: str, header: Mapping[str, Any], arrays: Mapping[str, Array]
) -> None:
    """Write ``arrays`` and ``header`` under ``path``; ``kind`` tells a later reader what the file is."""
    text = as_json({"format": kind, **header})
    fields: dict[str, Any] = {**arrays, "header": np.frombuffer(text.encode("utf-8"), dtype=np.uint8)}
    with atomic_write(path) as stream:
        np.savez_compressed(stream, **fields)


def as_json(header: Mapping[str, Any]) -> str:
    """``header`` as JSON, equal for equal ones; NumPy's numbers, which a search hands out, are plain ones."""
    return json.dumps(header, ensure_ascii=False, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise ConfigError(f"What is saved must be what JSON can hold; got {value!r}. Keep arrays apart.")


def load_arrays(
    path: str | os.PathLike[str], kind: str, names: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read the header and the named arrays of a file of this ``kind``.

    Raises
    ------
    DataError
        When the file is missing, damaged, or of another kind.
    """
    with reading(path, kind), open(os.fspath(path), "rb") as stream, np.load(stream, allow_pickle=False) as stored:
        header = json.loads(bytes(stored["header"]).decode("utf-8"))
        if not isinstance(header, dict) or header.get("format") != kind:
            raise DataError(f"{path}: must be a {kind!r} file; it is something else.")
        return header, {name: stored[name] for name in names}


@contextmanager
def reading(path: str | os.PathLike[str], kind: str) -> Iterator[None]:
    """Whatever goes wrong inside is a ``DataError`` that names the file: its contents may come from anywhere."""
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file.") from None
    except Exception as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
        raise DataError(f"{path}: must be a {kind!r} file; it is damaged or something else ({reason}).") from None
