"""A trained end model as an ONNX file: from features to probabilities of end labels, checked as it is written."""

import json
import logging
import os
import tempfile
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from metalwork._checks import FloatArray
from metalwork._files import atomic_write
from metalwork.end_models._blocks import BlockScaler
from metalwork.end_models._inputs import DenseInputs, Float32Array, Inputs, SparseInputs
from metalwork.end_models._scaling import LENGTH, Scaler
from metalwork.end_models.network import EndNetwork
from metalwork.errors import ConfigError, MissingExtraError

FORMAT: Final = "metalwork onnx 1"
_TOLERANCE: Final = 1e-5
_CHECKED: Final = 256  # rows
_MADE_UP: Final = 30  # features above 0 in a row of a sparse model
_QUIET: Final = ("torch.onnx", "onnxscript", "onnx_ir", "onnxruntime", "root")


class OnnxCheck(NamedTuple):
    """How an ONNX file compares with the model it was written from.

    ``difference`` is the largest of two probabilities, ``agreement`` the share of records with the same end label,
    ``n_points`` how many were compared, and ``n_bytes`` the size of the file.
    """

    difference: float
    agreement: float
    n_points: int
    n_bytes: int


class _Whole(nn.Module):
    """Scaling, network and the product along the tree, of dense rows of features."""

    def __init__(self, scaler: Scaler, network: EndNetwork) -> None:
        super().__init__()
        self._network = network
        parts = scaler.parts if isinstance(scaler, BlockScaler) else ()
        self._widths = [width for width, _, _ in parts]
        self._scaling = nn.ModuleList(_Scaling(own) for own in ([part for _, _, part in parts] or [scaler]))

    def forward(self, features: Tensor) -> Tensor:
        """float tensor (n_rows, n_end_labels): rows sum to 1."""
        blocks = torch.split(features, self._widths, dim=1) if self._widths else [features]
        scaled = [own(block) for own, block in zip(self._scaling, blocks, strict=True)]
        rows = torch.cat(scaled, dim=1) if len(scaled) > 1 else scaled[0]
        return F.softmax(self._network.end_log_proba(self._network(rows)), dim=1)


class _Scaling(nn.Module):
    """A scaler of one kind, of dense rows."""

    def __init__(self, scaler: Scaler) -> None:
        super().__init__()
        self._kind = scaler.kind
        for name, array in scaler.arrays.items():
            self.register_buffer(name, torch.from_numpy(np.asarray(array, np.float32)))

    def forward(self, features: Tensor) -> Tensor:
        """float tensor (n_rows, n_features)."""
        if self._kind == "standard":
            return (features - self.get_buffer("mean")) / self.get_buffer("deviation")
        if self._kind == "none":
            return features
        changed = torch.log1p(features) if self._kind == "counts" else features
        norms = changed.square().sum(dim=1, keepdim=True).sqrt()
        return changed * (LENGTH / norms.clamp_min(1e-12))


def write_onnx(path: str | os.PathLike[str], model: Any, X: Any, quantise: bool) -> OnnxCheck:
    """What :meth:`EndModel.export_onnx` does."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        try:
            import_module(package)
        except ImportError:
            raise MissingExtraError(package, "onnx", "An ONNX file") from None
    if model.input_module is not None:
        raise ConfigError(
            "input_module must be None for an ONNX file, which holds what goes from features to probabilities; "
            f"got {type(model.input_module).__name__}. Export that module yourself."
        )
    read = _some_features(model) if X is None else model._read(X)
    told, expected = dense_rows(read), model._proba(read)
    with tempfile.TemporaryDirectory(prefix="metalwork-") as folder, _quiet():
        whole = _exported(model, Path(folder) / "whole.onnx", told[:2])
        _check(whole, told, expected, _TOLERANCE)
        content = _quantised(whole, Path(folder) / "quantised.onnx") if quantise else whole
        found = _check(content, told, expected, None if quantise else _TOLERANCE)
    with atomic_write(path) as stream:
        stream.write(content)
    return found


def dense_rows(read: Inputs) -> FloatArray:
    """Features as an ONNX file takes them: float32 (n_points, n_features)."""
    if isinstance(read, SparseInputs):
        return np.asarray(read.matrix.toarray(), dtype=np.float32)
    assert isinstance(read, DenseInputs)
    return np.asarray(read.array, dtype=np.float32)


def _exported(model: Any, path: Path, rows: FloatArray) -> bytes:
    import onnx

    network = model.network_.eval()
    device = next(network.parameters()).device
    whole = _Whole(model._scaler, network).to(device).eval()
    example = torch.from_numpy(np.resize(rows, (2, rows.shape[1])).astype(np.float32)).to(device)
    program = torch.onnx.export(
        whole,
        (example,),
        dynamo=True,
        input_names=["features"],
        output_names=["probabilities"],
        dynamic_shapes={"features": {0: torch.export.Dim("n_points", min=1)}},
        verbose=False,
    )
    assert program is not None
    proto = program.model_proto
    facts = {"format": FORMAT, "schema": json.dumps(model.schema.to_dict(), ensure_ascii=False)}
    onnx.helper.set_model_props(proto, facts)
    path.write_bytes(proto.SerializeToString())
    return path.read_bytes()


def _quantised(whole: bytes, path: Path) -> bytes:
    """The same with weights of 8 bits, whose products are scaled as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    source = path.with_name("source.onnx")
    source.write_bytes(whole)
    quantize_dynamic(source, path, weight_type=QuantType.QInt8)
    return path.read_bytes()


def _check(content: bytes, rows: FloatArray, expected: FloatArray, tolerance: float | None) -> OnnxCheck:
    """Compare with PyTorch, by batches of several sizes; ``ConfigError`` where the file says something else."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    sizes = [1, min(3, len(rows)), len(rows)]
    differences = []
    for size in sizes:
        (found,) = session.run(None, {"features": rows[:size]})
        differences.append(float(np.abs(found - expected[:size]).max()))
    if tolerance is not None and max(differences) > tolerance:
        raise ConfigError(
            f"The ONNX file must give the model's probabilities to {tolerance:g}; they differ by "
            f"{max(differences):.2g}. Nothing was written; use the model itself."
        )
    agreement = float(np.mean(found.argmax(axis=1) == expected.argmax(axis=1)))
    return OnnxCheck(max(differences), agreement, len(rows), len(content))


def _some_features(model: Any) -> Inputs:
    """Features like those of the fit in kind: about their means, or a few of them at all."""
    rng, scaler = np.random.default_rng(0), model._scaler
    if isinstance(scaler, BlockScaler):
        return DenseInputs(np.hstack([_like(own, width, rng) for width, _, own in scaler.parts]))
    return DenseInputs(_like(scaler, model.n_features_in_, rng))


def _like(scaler: Scaler, n_features: int, rng: np.random.Generator) -> Float32Array:
    if scaler.kind == "standard":
        noise = rng.normal(size=(_CHECKED, n_features))
        return (scaler.arrays["mean"] + scaler.arrays["deviation"] * noise).astype(np.float32)
    array = np.zeros((_CHECKED, n_features), np.float32)
    columns = rng.integers(n_features, size=(_CHECKED, min(_MADE_UP, n_features)))
    np.put_along_axis(array, columns, rng.integers(1, 4, size=columns.shape).astype(np.float32), axis=1)
    return array


class _quiet:
    """Keep what exporters say of their progress to themselves."""

    def __enter__(self) -> None:
        self._caught = warnings.catch_warnings()
        self._caught.__enter__()
        warnings.simplefilter("ignore")
        self._levels = {name: logging.getLogger(name).level for name in _QUIET}
        for name in _QUIET:
            logging.getLogger(name).setLevel(logging.ERROR)

    def __exit__(self, *error: object) -> None:
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)
        self._caught.__exit__(None, None, None)
