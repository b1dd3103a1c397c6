"""What type an annotated argument asks of its column."""

import inspect
import re
import types
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final, Union, get_args, get_origin

from metalwork.data import Kind

_OPTIONAL: Final = re.compile(r"(?:\w+\.)?Optional\[(.*)\]")
_LIST: Final = re.compile(r"(?:\w+\.)*(?:list|List|Sequence|Iterable|Collection)\[(.*)\]")
_NAMES: Final[dict[str, Kind]] = {"float": float, "int": int, "bool": bool, "str": str}


def asked_kinds(function: Callable[..., Any], n_fields: int, *, in_lists: bool = False) -> tuple[Kind | None, ...]:
    """The type that each of the first arguments asks for: float, int, bool or str, optional or not; else None.

    With ``in_lists`` arguments take lists of values, ``list[float]``, and ask for the type of these.
    """
    try:
        parameters = _parameters(function)
    except (TypeError, ValueError):  # the callable does not tell
        return (None,) * n_fields
    annotations = [parameter.annotation for parameter in parameters[:n_fields]]
    kinds = [_kind_of(_element_of(asked) if in_lists else asked) for asked in annotations]
    return (*kinds, *[None] * (n_fields - len(kinds)))


def _element_of(annotation: Any) -> Any:
    """What a list or sequence holds; nothing is asked by any other annotation."""
    if isinstance(annotation, str):
        found = _LIST.fullmatch(annotation.strip())
        return found[1] if found else None
    origin, parts = get_origin(annotation), get_args(annotation)
    is_list = isinstance(origin, type) and issubclass(origin, Iterable) and len(parts) == 1
    return parts[0] if is_list else None


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(function, eval_str=True)
    except (NameError, AttributeError, SyntaxError, TypeError):  # an annotation that is for type checkers alone
        signature = inspect.signature(function)
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [parameter for parameter in signature.parameters.values() if parameter.kind not in several]


def _kind_of(annotation: Any) -> Kind | None:
    if isinstance(annotation, str):
        return _named_kind(annotation)
    if get_origin(annotation) is Annotated:
        return _kind_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _common([_kind_of(part) for part in get_args(annotation) if part is not types.NoneType])
    if isinstance(annotation, type):
        return next((kind for kind in (bool, int, float, str) if issubclass(annotation, kind)), None)
    return None


def _named_kind(text: str) -> Kind | None:
    """The type that an annotation names which could not be evaluated."""
    found = _OPTIONAL.fullmatch(text.strip())
    parts = [part.strip() for part in (found[1] if found else text).split("|")]
    return _common([_NAMES.get(part) for part in parts if part != "None"])


def _common(kinds: list[Kind | None]) -> Kind | None:
    """The type of a union: a number where all are; None where one may be text already."""
    if set(kinds) == {int, float}:
        return float
    return kinds[0] if len(set(kinds)) == 1 else None
