"""Where work runs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Backend(ABC):
    """Runs one function over many items; every backend gives what the serial one gives.

    In a ``with`` statement it may keep from one ``map`` to the next what takes long to start.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:  # noqa: B027 - most keep nothing
        """Let go of what was kept."""

    @abstractmethod
    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results in the order of ``items``; the first exception of ``function`` is raised in its place."""


class SerialBackend(Backend):
    """Runs everything in this process, one item after another."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        return map(function, items)


@dataclass(frozen=True)
class Loss:
    """A worker process that was lost: at which unit, step and (where that is sure) row of its item, and why."""

    unit: int
    step: int
    row: int | None
    reason: str


@dataclass
class Setbacks:
    """What went wrong before with an item: its losses, units that are given up, and the pieces that are done."""

    losses: tuple[Loss, ...] = ()
    given_up: Mapping[int, str] = field(default_factory=dict)
    kept: dict[Any, Any] = field(default_factory=dict)


class Resumable(ABC, Generic[Item, Result]):
    """A function that says on the worker's :class:`Desk` what it is at, and can go on where a worker was lost.

    Attributes
    ----------
    most_losses : int
        A unit of which so many rows have cost a worker is given up.
    """

    @property
    def most_losses(self) -> int:
        return 10

    @abstractmethod
    def __call__(self, item: Item) -> Result:
        """The result of one item."""

    @abstractmethod
    def resume(self, item: Item, setbacks: Setbacks) -> Result:
        """The result of an item on which workers were lost; what did it in is left out."""
