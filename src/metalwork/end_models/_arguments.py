"""Arguments of the end model: scikit-learn's access to them, and their checks."""

import inspect
import os
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import torch

from metalwork.end_models._scaling import SCALINGS
from metalwork.end_models.plan import ARCHITECTURES
from metalwork.errors import ConfigError, DataError, VotesError
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema, unknown_name

MODULES: Final = ("input_module", "intermediate_module", "head_module")
_DEVICES: Final = ("cpu", "cuda", "auto")
_COUNTS: Final = ("batch_size", "max_epochs", "patience", "n_threads")
_OPTIONAL: Final = ("max_epochs", "patience", "n_threads", "input_dropout", "random_state")


class Arguments:
    """scikit-learn's ``get_params`` and ``set_params``, from the constructor's signature."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments; ``deep`` makes no difference."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Change arguments; they count from the next ``fit``.

        Raises
        ------
        ConfigError
            For a name that is no argument.
        """
        known = tuple(inspect.signature(type(self)).parameters)
        for name in params:
            if name not in known:
                raise ConfigError(unknown_name("argument of EndModel", name, known))
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = {name: p.default for name, p in inspect.signature(type(self)).parameters.items()}
        given = {n: v for n, v in self.get_params().items() if n != "schema" and v is not defaults[n]}
        changed = [f"{name}={value!r}" for name, value in given.items() if value != defaults[name]]
        return f"{type(self).__name__}({', '.join(['schema', *changed])})"


def check_arguments(model: Any) -> None:
    """Check every argument but those that ``compile_plan`` checks; ``ConfigError`` names the first at fault."""
    if not isinstance(model.schema, TaskSchema):
        raise ConfigError(f"schema must be a TaskSchema; got {type(model.schema).__name__}.")
    choices = {"architecture": ARCHITECTURES, "scaling": SCALINGS, "device": _DEVICES}
    for name, allowed in choices.items():
        if getattr(model, name) not in allowed:
            options = ", ".join(map(repr, allowed))
            raise ConfigError(f"{name} must be one of {options}; got {getattr(model, name)!r}.")
    for name in _COUNTS:
        _check_number(model, name, Integral, 1, np.inf, "a whole number of at least 1")
    _check_number(model, "random_state", Integral, 0, 2**63 - 1, "a whole number of at least 0")
    _check_number(model, "lr", Real, np.nextafter(0, 1), np.finfo(float).max, "a finite number above 0")
    _check_number(model, "weight_decay", Real, 0, np.finfo(float).max, "a finite number of at least 0")
    for name in ("dropout", "input_dropout"):
        _check_number(model, name, Real, 0, np.nextafter(1, 0), "a number in [0, 1)")


def _check_number(model: Any, name: str, kind: type[Any], low: float, high: float, rule: str) -> None:
    value = getattr(model, name)
    if value is None and name in _OPTIONAL:
        return
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, kind) or not low <= value <= high:
        raise ConfigError(f"{name} must be {rule}; got {value!r}.")


def check_probs(probs: Any, schema: TaskSchema) -> None:
    """``probs`` must be probabilities of this schema, of at least one record."""
    if not isinstance(probs, TaskProbabilities):
        raise VotesError(
            f"probs must be TaskProbabilities; got {type(probs).__name__}. "
            "Use a label model's predict_proba, or TaskProbabilities.from_labels for known labels."
        )
    if probs.schema != schema:
        raise VotesError("probs must have the model's schema; it differs. Fit both models on one schema.")
    if len(probs) == 0:
        raise VotesError("probs must hold at least one record; got none.")


def check_rows(what: str, found: int, expected: int) -> None:
    """``what`` must have one entry a row of X."""
    if found != expected:
        raise DataError(f"{what} must have one entry a row of X ({expected}); got {found}.")


def check_columns(what: str, found: int | None, expected: int | None) -> None:
    """``what`` must have as many columns as the X of ``fit``."""
    if found != expected:
        raise DataError(
            f"{what} must have {_columns(expected)}, as the X of fit; got {_columns(found)}. "
            "Make the features the same way."
        )


def _columns(number: int | None) -> str:
    return "records that are no matrix" if number is None else f"{number} columns"


def read_weights(sample_weight: Any, n_points: int) -> npt.NDArray[np.float64] | None:
    """Weights (n_points,): finite, at least 0, and not all 0."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n_points,):
        raise DataError(f"sample_weight must have one weight a row of X ({n_points}); got shape {weights.shape}.")
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(f"sample_weight must be finite and at least 0; got {weights[row]} at row {row}.")
    if not weights.any():
        raise DataError("sample_weight must be above 0 for at least one record; got 0 for all.")
    return weights


def pick_device(device: str) -> torch.device:
    """The device of that name; ``"auto"`` is a GPU where there is one."""
    if device not in _DEVICES:
        raise ConfigError(f"device must be one of {', '.join(map(repr, _DEVICES))}; got {device!r}.")
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "device must be one that torch can use; got 'cuda', which it cannot. Use 'cpu' or 'auto'."
        )
    return torch.device(device)


def pick_seed(random_state: int | None) -> int:
    """The seed itself, or a new one for None."""
    return int(np.random.SeedSequence().generate_state(1)[0] if random_state is None else random_state)


def plain_arguments(model: Any) -> dict[str, Any]:
    """The arguments that JSON can hold: all but schema, modules and device."""
    left_out = {"schema", "device", *MODULES}
    plain = {name: _plain(value) for name, value in model.get_params().items() if name not in left_out}
    return plain | {"hidden_sizes": [int(size) for size in model.hidden_sizes]}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def check_modules(stored: Any, given: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """The modules given to ``load`` must be those the model was fitted with."""
    if not isinstance(stored, list) or not all(name in MODULES for name in stored):
        raise DataError(f"{path}: must hold a whole end model; its list of modules is damaged. Save it again.")
    for name in MODULES:
        if name in stored and given[name] is None:
            raise ConfigError(
                f"{path}: the model was fitted with an {name} of its own, and files hold no code. "
                f"Pass it: EndModel.load(path, {name}=...)."
            )
        if name not in stored and given[name] is not None:
            raise ConfigError(f"{path}: the model was fitted without an {name}. Leave {name} out.")
