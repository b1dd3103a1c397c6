"""What a worker process is at, in memory that its parent reads."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

N_BYTES: Final = 5 * 8
_IDLE: Final = -1
_UNIT, _STEP, _ROW, _SINCE, _LIMIT = range(5)


@dataclass(frozen=True)
class Position:
    """Unit (-1: none) and step of an item, the last row begun (-1: not said), since when, and its limit in s."""

    unit: int
    step: int
    row: int
    since: float
    limit: float | None

    @property
    def overdue(self) -> float:
        """Seconds beyond the limit."""
        if self.unit == _IDLE or self.limit is None:
            return 0.0
        return time.monotonic() - self.since - self.limit


class Desk:
    """Says what this process is at. Where it is no worker nobody reads it.

    Parameters
    ----------
    memory : writable buffer of ``N_BYTES`` bytes, optional
        Shared with the parent.
    keep : callable, optional
        Takes key and value of a piece that is done, for the parent.
    check : callable, optional
        Ends the process where its parent cannot be reached any more.
    """

    def __init__(
        self,
        memory: Any = None,
        keep: Callable[[Any, Any], None] | None = None,
        check: Callable[[], None] | None = None,
    ) -> None:
        self.is_watched = memory is not None
        self._cells = memoryview(memory if memory is not None else bytearray(N_BYTES)).cast("q")
        self._keep, self._check, self._process = keep, check, os.getpid()
        self.end()

    def begin(self, unit: int, step: int, limit: float | None) -> None:
        """Work on a unit begins; a row of it may take ``limit`` seconds."""
        cells, self._process = self._cells, os.getpid()  # a process that was forked before is no fork of ours
        cells[_LIMIT] = 0
        cells[_STEP], cells[_ROW] = step, -1
        cells[_SINCE] = time.monotonic_ns()
        cells[_UNIT] = unit
        cells[_LIMIT] = 0 if limit is None else max(1, int(limit * 1e9))

    def mark(self, row: int) -> None:
        """A row begins."""
        self._cells[_ROW] = row

    def touch(self) -> None:
        """Rows went by."""
        self._cells[_SINCE] = time.monotonic_ns()

    def end(self) -> None:
        """Work on the unit is done. Where a fork of this process comes by, it ends here."""
        if os.getpid() != self._process:
            os._exit(0)
        if self._check is not None:
            self._check()
        self._cells[_LIMIT], self._cells[_UNIT] = 0, _IDLE

    def keep(self, key: Any, value: Any) -> None:
        """Hand a piece of the item to the parent, which gives it back should this process be lost."""
        if self._keep is not None:
            self._keep(key, value)

    def read(self) -> Position:
        """What stands on it."""
        unit, step, row, since, limit = self._cells.tolist()
        return Position(unit, step, row, since / 1e9, limit / 1e9 if limit else None)


_own = Desk()


def own_desk() -> Desk:
    """The desk of this process."""
    return _own


def sit_down(desk: Desk) -> None:
    """Make ``desk`` the one of this process."""
    global _own
    _own = desk
