"""A trained end model in one safetensors file: weights, and a JSON header. Nothing in it is executed.

What a file holds depends on the fit alone, so equal fits give equal files. Reading checks the digest, the whole
header, and every tensor's name, shape, type and values, before a model is made of them.
"""

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np
import torch
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    model_validator,
)
from torch import Tensor

from metalwork._arrays import reading
from metalwork.end_models._arguments import MODULES, check_arguments, pick_device, plain_arguments
from metalwork.end_models._blocks import restore_scaling
from metalwork.end_models._building import build, input_module_of
from metalwork.end_models._featurized import PREFIX, as_tensors, from_tensors
from metalwork.end_models._inputs import Columns
from metalwork.end_models._scaling import Scaler
from metalwork.end_models._sealed import read_sealed, write_sealed
from metalwork.end_models._training import seeded
from metalwork.end_models._watching import Record
from metalwork.end_models.network import EndNetwork
from metalwork.end_models.plan import compile_plan
from metalwork.errors import ConfigError, DataError
from metalwork.features import Featurizer
from metalwork.schema import TaskSchema

_FORMAT: Final = "metalwork end model 1"
_MODULE: Final = "input_module."
_Path = str | os.PathLike[str]


_Kind = Literal["counts", "rows", "standard", "none"]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Epoch(_Strict):
    epoch: PositiveInt
    loss: FiniteFloat
    dev_loss: FiniteFloat | None = None
    dev_accuracy: NonNegativeFloat | None = None


class _Block(_Strict):
    kind: _Kind
    n_features: PositiveInt
    dense: bool


class _Header(_Strict):
    format: Literal["metalwork end model 1"]
    tree: Any = Field(alias="schema")
    arguments: dict[str, Any]
    modules: list[Literal["input_module", "intermediate_module", "head_module"]]
    n_features: PositiveInt
    n_features_in: PositiveInt | None
    feature_names: list[str] | None
    scaling: _Kind | list[_Block]
    history: list[_Epoch]
    best_epoch: PositiveInt
    power: PositiveFloat
    named: bool = False

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.feature_names is not None and len(set(self.feature_names)) != self.n_features_in:
            raise ValueError("feature_names must name each feature once")
        if [record.epoch for record in self.history] != list(range(1, len(self.history) + 1)):
            raise ValueError("history must have one entry an epoch")
        if self.best_epoch > len(self.history):
            raise ValueError("best_epoch must be one of history")
        return self


@dataclass(frozen=True)
class Fitted:
    """What ``fit`` found, apart from the arguments."""

    network: EndNetwork
    scaler: Scaler
    columns: Columns
    history: list[Record]
    best_epoch: int
    featurizer: Featurizer | None = None
    named: bool = False
    """Whether it learned from known labels by name."""


def save_model(path: _Path, model: Any, fitted: Fitted) -> None:
    """Write what ``fit`` found and the arguments under ``path``, whole or not at all; seconds are left out."""
    header = {
        "format": _FORMAT,
        "schema": model.schema.to_dict(),
        "arguments": plain_arguments(model),
        "modules": [name for name in MODULES if getattr(model, name) is not None],
        "n_features": fitted.network.plan.n_features,
        "n_features_in": fitted.columns.number,
        "feature_names": fitted.columns.names,
        "scaling": fitted.scaler.header,
        "history": [{k: v for k, v in record.items() if k != "seconds"} for record in fitted.history],
        "best_epoch": fitted.best_epoch,
        "power": fitted.network.power,
        "named": fitted.named,
    }
    tensors = {f"network.{name}": tensor for name, tensor in fitted.network.state_dict().items()}
    tensors |= {f"scaling.{name}": torch.from_numpy(array) for name, array in fitted.scaler.arrays.items()}
    if fitted.featurizer is not None:
        tensors |= as_tensors(fitted.featurizer)
    write_sealed(path, header, tensors)


def load_model(path: _Path, kind: Any, modules: Mapping[str, Any], device: str) -> tuple[Any, Fitted]:
    """A model of class ``kind`` with these modules, and what it found, from a file of :func:`save_model`.

    Raises
    ------
    DataError
        When the file is missing, damaged, of another kind, or does not fit the modules.
    ConfigError
        When the modules are not those that the model was fitted with, or the device is not there.
    """
    pick_device(device)
    with reading(path, _FORMAT):
        header, tensors = _read(path)
    _check_modules(header.modules, modules, path)
    with reading(path, _FORMAT):
        schema = TaskSchema.from_dict(header.tree)
        model = kind(schema, **_arguments(header.arguments, kind(schema)), **modules, device=device)
        check_arguments(model)
        fitted = _restore(model, header, tensors)
        model.featurizer = copy.deepcopy(fitted.featurizer)  # what set_params changes is not what predicts
        return model, fitted


def _read(path: _Path) -> tuple[_Header, dict[str, Tensor]]:
    header, tensors = read_sealed(path, _FORMAT)
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not name.startswith(PREFIX) and not bool(torch.isfinite(tensor).all()):
            raise DataError(f"{path}: weights must be finite; {name!r} is not. Train the model again.")
    return _Header.model_validate(header), tensors


def _check_modules(stored: list[Any], given: Mapping[str, Any], path: _Path) -> None:
    """The modules given must be those the model was fitted with."""
    for name in MODULES:
        if name in stored and given[name] is None:
            raise ConfigError(
                f"{path}: the model was fitted with an {name} of its own, and files hold no code. "
                f"Pass it: EndModel.load(path, {name}=...)."
            )
        if name not in stored and given[name] is not None:
            raise ConfigError(f"{path}: the model was fitted without an {name}. Leave {name} out.")


def _arguments(stored: dict[str, Any], like: Any) -> dict[str, Any]:
    """Stored arguments, which must be all that a model has; lists of sizes as tuples."""
    if set(stored) != set(plain_arguments(like)) or not isinstance(stored["hidden_sizes"], list | None):
        raise ValueError("its arguments are not those of an end model")
    sizes = stored["hidden_sizes"]
    return {**stored, "hidden_sizes": None if sizes is None else tuple(sizes)}


def _restore(model: Any, header: _Header, tensors: dict[str, Tensor]) -> Fitted:
    scaling = {n.removeprefix("scaling."): t for n, t in tensors.items() if n.startswith("scaling.")}
    weights = {n.removeprefix("network."): t for n, t in tensors.items() if n.startswith("network.")}
    packed = {name: tensor for name, tensor in tensors.items() if name.startswith(PREFIX)}
    if len(scaling) + len(weights) + len(packed) < len(tensors):
        raise ValueError("it holds tensors of something else")
    plan = compile_plan(model.schema, model.architecture, header.n_features, model.hidden_sizes)
    columns = Columns(header.n_features_in, None if header.feature_names is None else tuple(header.feature_names))
    featurizer = from_tensors(packed) if packed else None
    reads_columns = model.input_module is None and (featurizer is None or not featurizer.has_module)
    if reads_columns and columns.number != plan.n_features:
        raise ValueError(f"n_features_in is {columns.number}")
    if featurizer is not None and featurizer.n_features != columns.number:
        raise ValueError(f"the featurizer makes {featurizer.n_features} features")
    own = model.intermediate_module is not None or model.head_module is not None
    if not own and plan.n_parameters > sum(tensor.numel() for tensor in weights.values()):
        raise ValueError("there are fewer weights than the plan has")  # before memory is set aside for them
    arrays = {name: _as_float32(name, tensor) for name, tensor in scaling.items()}
    scaler = restore_scaling(header.scaling, arrays, columns.number)
    device = pick_device(model.device)
    with seeded(0, device):
        if featurizer is not None and featurizer.has_module:
            _check_module(featurizer, weights)
        network = build(model, plan, scaler, input_module_of(model, featurizer, True)).to(device)
    _check_tensors(weights, network.state_dict())
    network.load_state_dict(weights)
    network.power = header.power
    history = [record.model_dump(exclude_none=True) for record in header.history]
    return Fitted(network.eval(), scaler, columns, history, header.best_epoch, featurizer, header.named)


def _check_module(featurizer: Featurizer, weights: Mapping[str, Tensor]) -> None:
    """The weights must be those of the featurizer's module, before memory is set aside for it."""
    with torch.device("meta"):
        module = featurizer.module(blank=True)
    assert module is not None
    own = {name.removeprefix(_MODULE): w for name, w in weights.items() if name.startswith(_MODULE)}
    _check_tensors(own, module.state_dict())


def _as_float32(name: str, tensor: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    if tensor.dtype != torch.float32:
        raise ValueError(f"{name} is {tensor.dtype}")
    return np.asarray(tensor.numpy(), dtype=np.float32)


def _check_tensors(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """The same names, each of the same shape and type."""
    if set(found) != set(expected):
        raise ValueError(f"weights are missing or left over: {', '.join(sorted(set(found) ^ set(expected)))}")
    for name, tensor in expected.items():
        if (found[name].shape, found[name].dtype) != (tensor.shape, tensor.dtype):
            raise ValueError(f"{name} is {found[name].dtype} {tuple(found[name].shape)}")
