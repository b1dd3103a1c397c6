"""A question about records, as it was asked and as it is meant."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from metalwork._checks import check_choice, check_count, check_pair
from metalwork.errors import ConfigError
from metalwork.schema import TaskSchema, unknown_name

Place = tuple[int, int]
"""Position of a task, and code of one of its labels."""


@dataclass(frozen=True)
class Query:
    """What records are asked for; all that is said must hold of them. See :meth:`Inspection.records`."""

    split: str | None = None
    lf: tuple[str, ...] = ()
    vote: str | None = None
    wrong: bool = False
    right: bool = False
    conflict: bool | tuple[str, str] = False
    uncovered: bool = False
    tied: bool = False
    uncertain: bool = False
    differ: bool = False
    network_wrong: bool = False
    suspect: bool = False
    near: tuple[str, int] | None = None
    task: str | None = None
    label: str | None = None
    known: str | bool | None = None
    search: str | None = None

    @classmethod
    def of(cls, splits: tuple[str, ...], schema: TaskSchema, lfs: Sequence[str], asked: dict[str, Any]) -> Self:
        """The question in ``asked``, checked against what there is.

        Raises
        ------
        ConfigError
            For an unknown split, LF, task or label, a pattern that is none, and a test split.
        """
        if asked["split"] is not None:
            check_choice("split", asked["split"], splits)
        if asked["task"] is not None:
            check_choice("task", asked["task"], schema.tasks)
        asked["lf"] = _names("lf", asked["lf"], lfs)
        if not isinstance(asked["conflict"], bool):
            asked["conflict"] = pair = _names("conflict", asked["conflict"], lfs)
            if len(pair) != 2:
                raise ConfigError(f"conflict must be True or the names of two LFs; got {pair!r}.")
        if asked["near"] is not None:
            asked["near"] = _near(asked["near"], splits)
        for name in ("label", "known"):
            if isinstance(asked[name], str):
                place_of(schema, name, asked[name])
        if asked["search"] is not None:
            pattern_of(asked["search"])
        return cls(**asked)

    def __str__(self) -> str:
        said = [(field.name, getattr(self, field.name)) for field in fields(self) if self.asks(field.name)]
        parts = [name if value is True else f"{name}={_said(value)}" for name, value in said]
        return ", ".join(parts) or "all records"

    def asks(self, *names: str) -> bool:
        """Whether any of these is asked."""
        return any(getattr(self, name) not in (None, (), *([False] if name != "known" else [])) for name in names)


def place_of(schema: TaskSchema, what: str, name: str) -> Place:
    """Where the label of this name, or path, stands."""
    found = schema.label_names.find(name)
    if found is None:
        raise ConfigError(f"{what}: {unknown_name('label', name, [*schema.label_names.places])}")
    return found


def pattern_of(search: str) -> re.Pattern[str]:
    """The pattern of a search, in any case."""
    try:
        return re.compile(search, re.IGNORECASE)
    except (re.error, TypeError) as error:
        raise ConfigError(f"search must be a regular expression; got {search!r} ({error}).") from None


def _names(what: str, given: str | Iterable[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    names = () if given is None else (given,) if isinstance(given, str) else tuple(given)
    return tuple(name if name in known else _begun(what, name, known) for name in names)


def _begun(what: str, name: str, known: Sequence[str]) -> str:
    """The one name that begins so: rules without a name are called by their pattern, which may be long."""
    start = name.removesuffix("...") if isinstance(name, str) else ""  # as tables cut it
    begun = [own for own in known if start and own.startswith(start)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        some = ", ".join(map(repr, begun[:5]))
        raise ConfigError(
            f"{what} must be a labeling function, or how the name of one alone begins; got {name!r}, as begin "
            f"{len(begun)}: {some}{', ...' if len(begun) > 5 else ''}. Write more of the name."
        )
    raise ConfigError(f"{what}: {unknown_name('labeling function', name, known)}")


def _near(given: Any, splits: tuple[str, ...]) -> tuple[str, int]:
    split, row = check_pair("near", given, "(split, row)")
    return check_choice("split of near", split, splits), check_count("row of near", row, least=0)


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
