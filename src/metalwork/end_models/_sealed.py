"""Tensors with a JSON header in one safetensors file, sealed by a digest. Nothing in it is executed."""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from metalwork._files import atomic_write
from metalwork.errors import DataError

_Path = str | os.PathLike[str]


def write_sealed(path: _Path, header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write header and tensors under ``path``, whole or not at all."""
    stored, seen = {}, set[int]()
    for name, tensor in tensors.items():
        kept = tensor.detach().cpu().contiguous()
        place = kept.untyped_storage().data_ptr()
        stored[name] = kept.clone() if place in seen else kept  # unties
        seen.add(place)
    data = save(stored, metadata={"metalwork": _as_text({**header, "sha256": digest(header, stored)})})
    with atomic_write(path) as stream:
        stream.write(data)


def read_sealed(path: _Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What :func:`write_sealed` wrote.

    Raises
    ------
    DataError
        When the file is something else, or has changed since.
    """
    with safe_open(os.fspath(path), framework="pt") as stored:
        text = (stored.metadata() or {}).get("metalwork")
        if text is None:
            raise DataError(f"{path}: must be a {kind!r} file; it is something else.")
        header = json.loads(text)
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (not a mapping)
    if header.pop("sha256") != digest(header, tensors):
        raise DataError(f"{path}: must be as it was saved; it has changed since. Copy it again, or train again.")
    return header, tensors


def digest(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of a header and its tensors: one flipped bit of a weight would else pass, and change predictions."""
    found = hashlib.sha256(_as_text(header).encode("utf-8"))
    for name in sorted(tensors):
        tensor = tensors[name]
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _as_text(header: Mapping[str, Any]) -> str:
    return json.dumps(header, ensure_ascii=False, sort_keys=True, allow_nan=False)
