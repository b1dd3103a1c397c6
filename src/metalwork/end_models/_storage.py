"""A trained end model in one safetensors file: weights, and a JSON header. Nothing in it is executed."""

import json
import os
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from metalwork._files import atomic_write
from metalwork.errors import DataError

_FORMAT = "metalwork end model 1"


def save_model(path: str | os.PathLike[str], header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write header and tensors under ``path``, whole or not at all."""
    text = json.dumps({"format": _FORMAT, **header}, ensure_ascii=False, sort_keys=True, allow_nan=False)
    stored = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}  # unties
    data = save(stored, metadata={"metalwork": text})
    with atomic_write(path) as stream:
        stream.write(data)


def load_model(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header and tensors of a file that :func:`save_model` wrote.

    Raises
    ------
    DataError
        When the file is missing, damaged, or of another kind.
    """
    try:
        with safe_open(os.fspath(path), framework="pt") as stored:
            header = json.loads((stored.metadata() or {})["metalwork"])
            if not isinstance(header, dict) or header.get("format") != _FORMAT:
                raise DataError(f"{path}: must be a {_FORMAT!r} file; it is something else.")
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (not a mapping)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file.") from None
    except DataError:
        raise
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError, RecursionError) as error:
        raise DataError(
            f"{path}: must be a {_FORMAT!r} file; it is damaged or something else ({error})."
        ) from None
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise DataError(f"{path}: weights must be finite; {name!r} is not. Train the model again.")
    return header, tensors
