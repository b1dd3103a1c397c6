"""Constants, array types and the argument checks that every layer shares."""

from numbers import Integral, Real
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from metalwork.errors import ConfigError

ABSTAIN: Final = -1
"""The vote of a labeling function that does not vote."""

NOT_APPLICABLE: Final = -2
"""The label of a task that does not apply to a record (the paper's null label)."""

FAILED: Final = -3
"""What label matrices store where a labeling function failed, which is no abstain."""

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.floating[Any]]
BoolArray = npt.NDArray[np.bool_]

Kind = TypeVar("Kind")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    """Return ``value`` when it is one of ``choices``; else say which there are."""
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")
    return value


def check_count(name: str, value: Any, least: int = 1, remedy: str = "", most: int | None = None) -> int:
    """Return ``value`` as an int when it is a whole number of at least ``least``, and at most ``most``."""
    if not _is_a(Integral, value) or not least <= value <= (np.iinfo(np.int64).max if most is None else most):
        rule = (
            f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most:,}"
        )
        raise _wrong(name, rule, value, remedy)
    return int(value)


def check_number(name: str, value: Any, remedy: str = "") -> Any:
    """Return ``value`` when it is a finite number."""
    if not _is_finite(value):
        raise _wrong(name, "a finite number", value, remedy)
    return value


def check_positive(name: str, value: Any, remedy: str = "") -> Any:
    """Return ``value`` when it is a finite number above zero."""
    if not _is_finite(value) or value <= 0:
        raise _wrong(name, "a finite number above 0", value, remedy)
    return value


def check_not_negative(name: str, value: Any, remedy: str = "") -> Any:
    """Return ``value`` when it is a finite number of at least zero."""
    if not _is_finite(value) or value < 0:
        raise _wrong(name, "a finite number of at least 0", value, remedy)
    return value


def check_fraction(name: str, value: Any, bounds: str = "[]", remedy: str = "") -> Any:
    """Return ``value`` when it is a number from 0 to 1; ``bounds`` are "[" or "(", "]" or ")"."""
    low, high = bounds[0], bounds[1]
    inside = _is_finite(value) and (value >= 0 if low == "[" else value > 0)
    if not inside or not (value <= 1 if high == "]" else value < 1):
        raise _wrong(name, f"a number in {low}0, 1{high}", value, remedy)
    return value


def check_instance(name: str, value: Kind, kind: type[Any], remedy: str = "") -> Kind:
    """Return ``value`` when it is an instance of ``kind``."""
    if not isinstance(value, kind):
        got = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        raise ConfigError(f"{name} must be {_a(kind.__name__)}; got {got}.{remedy and f' {remedy}'}")
    return value


def check_callable(name: str, value: Any, remedy: str = "") -> Any:
    """Return ``value`` when it can be called."""
    if not callable(value):
        raise _wrong(name, "something to call", value, remedy)
    return value


def check_numbers(name: str, value: Any, remedy: str = "") -> npt.NDArray[np.float64]:
    """``value`` as a float64 array, when it holds numbers."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConfigError(
            f"{name} must hold numbers; got {type(value).__name__}.{remedy and f' {remedy}'}"
        ) from None


def check_pair(name: str, value: Any, parts: str) -> tuple[Any, Any]:
    """The two parts of ``value``."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ConfigError(f"{name} must be a pair {parts}; got {type(value).__name__}.")
    return value[0], value[1]


def check_names(name: str, value: Any, of: str) -> tuple[str, ...]:
    """``value`` as a tuple, when it is a sequence of texts."""
    if (
        isinstance(value, str)
        or not hasattr(value, "__iter__")
        or not all(isinstance(text, str) for text in value)
    ):
        raise ConfigError(f"{name} must be a list of {of}; got {value!r}.")
    return tuple(value)


def _is_a(kind: type[Any], value: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, (bool, np.bool_))


def _is_finite(value: Any) -> bool:
    return _is_a(Real, value) and bool(np.isfinite(float(value)))


def _wrong(name: str, rule: str, value: Any, remedy: str) -> ConfigError:
    return ConfigError(f"{name} must be {rule}; got {value!r}.{remedy and f' {remedy}'}")


def _a(noun: str) -> str:
    if noun.endswith("s"):  # TaskProbabilities
        return noun
    return f"{'an' if noun[0] in 'AEIOU' else 'a'} {noun}"
