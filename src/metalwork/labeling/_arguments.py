"""What a callable says of its arguments, and checks of what is said for it."""

import inspect
from collections.abc import Callable
from typing import Any

from metalwork.errors import LabelingError


def argument_names(function: Callable[..., Any], what: str) -> tuple[str, ...]:
    """The names of a callable's arguments that have no default value."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise LabelingError(f"fields must be given for {what}: its arguments have no readable names.") from None
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    required = [p for p in parameters if p.default is inspect.Parameter.empty]
    if not required or any(p.kind in several for p in required):
        raise LabelingError(
            f"arguments of {what} must name the columns it reads; got ({', '.join(map(str, parameters))}). "
            "Write e.g. def lf(text), or pass fields=['text']."
        )
    return tuple(p.name for p in required)


def check_fields(fields: Any, what: str) -> tuple[str, ...]:
    if isinstance(fields, str) or not fields or not all(isinstance(field, str) for field in fields):
        raise LabelingError(f"fields of {what} must be a list of column names; got {fields!r}.")
    return tuple(fields)


def check_text(what: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise LabelingError(f"{what} must be a text; got {value!r}.")
    return value
