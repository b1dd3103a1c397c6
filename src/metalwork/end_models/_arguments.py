"""Arguments of the end model: their checks, and what a file keeps of them."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from metalwork._checks import (
    check_callable,
    check_choice,
    check_count,
    check_fraction,
    check_instance,
    check_not_negative,
    check_numbers,
    check_positive,
)
from metalwork.end_models._featurized import check_featurizer
from metalwork.end_models._optimisation import OPTIMIZERS, PRECISIONS, SCHEDULES, Optimisation, Schedule
from metalwork.end_models._scaling import SCALINGS
from metalwork.end_models.plan import ARCHITECTURES
from metalwork.errors import ConfigError, DataError
from metalwork.schema import TaskSchema

MODULES: Final = ("input_module", "intermediate_module", "head_module")
_MOST_THREADS: Final = 1024  # each is one of the system's, which has no room for a million
_LR: Final = 1e-3
_WIDE: Final = 250
_MOST_TIMES: Final = 10.0
_DEVICES: Final = ("cpu", "cuda", "auto")


def check_arguments(model: Any) -> None:
    """Check every argument but those that ``compile_plan`` checks; ``ConfigError`` names the first at fault."""
    check_instance("schema", model.schema, TaskSchema)
    if model.input_module is not None:
        check_instance("input_module", model.input_module, nn.Module, "Pass one, not its class.")
    for name in ("intermediate_module", "head_module"):
        if getattr(model, name) is not None:
            check_callable(name, getattr(model, name), "Pass a function make(in_size, out_size).")
    check_featurizer(model.featurizer, model.input_module)
    check_choice("architecture", model.architecture, ARCHITECTURES)
    check_choice("scaling", model.scaling, SCALINGS)
    check_choice("device", model.device, _DEVICES)
    check_count("batch_size", model.batch_size)
    for name in ("max_epochs", "patience"):
        if getattr(model, name) is not None:
            check_count(name, getattr(model, name))
    if model.n_threads is not None:
        check_count("n_threads", model.n_threads, most=_MOST_THREADS)
    if model.random_state is not None:
        check_count("random_state", model.random_state, least=0)
    check_instance("balance_levels", model.balance_levels, bool)
    check_choice("unsupervised", model.unsupervised, ("error", "warn"))
    if model.lr is not None:
        check_positive("lr", model.lr)
    check_choice("optimizer", model.optimizer, OPTIMIZERS)
    check_choice("schedule", model.schedule, SCHEDULES)
    check_choice("precision", model.precision, PRECISIONS)
    check_fraction("warmup", model.warmup, "[)")
    if model.max_grad_norm is not None:
        check_positive("max_grad_norm", model.max_grad_norm)
    check_positive("l2", model.l2)
    check_not_negative("weight_decay", model.weight_decay)
    check_fraction("dropout", model.dropout, "[)")
    if model.input_dropout is not None:
        check_fraction("input_dropout", model.input_dropout, "[)")


def check_rows(what: str, found: int, expected: int) -> None:
    """``what`` must have one entry a row of X."""
    if found != expected:
        raise DataError(f"{what} must have one entry a row of X ({expected}); got {found}.")


def read_weights(sample_weight: Any, n_points: int) -> npt.NDArray[np.float64] | None:
    """Weights (n_points,): finite and at least 0."""
    if sample_weight is None:
        return None
    weights = check_numbers("sample_weight", sample_weight)
    if weights.shape != (n_points,):
        raise DataError(f"sample_weight must have one weight a row of X ({n_points}); got shape {weights.shape}.")
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(f"sample_weight must be finite and at least 0; got {weights[row]} at row {row}.")
    return weights


def pick_device(device: str) -> torch.device:
    """The device of that name; ``"auto"`` is a GPU where there is one."""
    check_choice("device", device, _DEVICES)
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "device must be one that torch can use; got 'cuda', which it cannot. Use 'cpu' or 'auto'."
        )
    return torch.device(device)


def optimisation(model: Any, width: int, device: torch.device) -> Optimisation:
    """What a model's arguments say on optimiser, schedule and precision; ``width`` is of the first layer."""
    supported = device.type == "cuda" and torch.cuda.is_bf16_supported()
    bf16 = model.precision == "bf16" or (model.precision == "auto" and supported)
    lr = usual_lr(width) if model.lr is None else model.lr
    schedule = Schedule(lr, model.schedule, model.warmup)
    return Optimisation(schedule, model.optimizer, model.weight_decay, model.max_grad_norm, bf16)


def usual_lr(width: int) -> float:
    """The rate for a first layer of this many units: 1e-3 from 250 on, ten times that from 25 down.

    A step of AdamW moves each weight by about the rate, so what a layer puts out moves in proportion to the units
    below. A few units would not get far in 300 steps.
    """
    return _LR * min(_MOST_TIMES, max(1.0, _WIDE / width))


def pick_seed(random_state: int | None) -> int:
    """The seed itself, or a new one for None."""
    return int(np.random.SeedSequence().generate_state(1)[0] if random_state is None else random_state)


def plain_arguments(model: Any) -> dict[str, Any]:
    """The arguments that JSON can hold: all but schema, featurizer, modules and device."""
    left_out = {"schema", "featurizer", "device", *MODULES}
    plain = {name: _plain(value) for name, value in model.get_params(deep=False).items() if name not in left_out}
    sizes = model.hidden_sizes
    return plain | {"hidden_sizes": None if sizes is None else [int(size) for size in sizes]}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
