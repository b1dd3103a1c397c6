"""Keeps one labeling function from harming this process and the others: limits, shared state, what it prints."""

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sized
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import takewhile
from types import FrameType, TracebackType
from typing import Any, Final, Self, TypeVar

from metalwork._opened import callers_of, listen, path_read, unlisten
from metalwork.backends import Desk, own_desk
from metalwork.labeling._state import Snapshot

Caller = TypeVar("Caller")

_SIGNAL: Final = getattr(signal, "SIGVTALRM", None)
_MOST_STOPS: Final = 10
_MOST_PRINTED: Final = 200
_MOST_OPENED: Final = 1000
_PATIENCE: Final = 5.0
_SAMPLE: Final = 24
_SAMPLE_SECONDS: Final = 0.5


class TooSlow(BaseException):
    """Raised within a labeling function whose record takes too long; not an ``Exception``, which it may catch."""


@dataclass(frozen=True)
class Limits:
    """What a labeling function may do.

    Attributes
    ----------
    max_seconds : float or None
        For one record.
    most_failures : int or None
        Records on which it may fail before it is certain that the run must stop.
    goes_on : bool
        Whether a mistake of the function is a failure on the record, and not the end of the run.
    """

    max_seconds: float | None = None
    most_failures: int | None = None
    goes_on: bool = False


@dataclass(frozen=True)
class Task:
    """One LF on one chunk: its position, the chunk's, and the rows that are not to be called, with the reasons.

    ``careful``: each row is published before it begins, so that whoever finds this process dead knows it.
    ``again``: some records are called a second time, to see whether the answers are the same.
    """

    unit: int = 0
    step: int = 0
    skip: dict[int, str] = field(default_factory=dict)
    careful: bool = False
    again: bool = False


@dataclass(frozen=True)
class Printed:
    """What an LF printed: how many characters, and the first of them."""

    n_chars: int = 0
    first: str = ""

    def __add__(self, later: "Printed") -> "Printed":
        return Printed(self.n_chars + later.n_chars, (self.first + later.first)[:_MOST_PRINTED])


class Guard:
    """Protects this process while labeling functions run on a shard, one after another.

    What they print in a worker process is held back, since nobody watches it there.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits, self.desk = limits, own_desk()
        self.n_stops: dict[int, int] = {}
        self.printed: dict[int, Printed] = {}
        self.opened: dict[str, tuple[str, ...]] = {}
        self._state: Snapshot | None = None
        self._current: Watch | None = None
        self._pulse: _Pulse | None = None

    def __enter__(self) -> Self:
        global _active
        self._before, _active = _active, self
        if self.limits.max_seconds is not None and can_time():
            self._pulse = _Pulse(self.desk)
            self._pulse.start()
        if self.desk.is_watched:
            listen(self._hear)
        self._state = Snapshot()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        global _active
        _active = self._before
        if self.desk.is_watched:
            unlisten(self._hear)
        if self._pulse is not None:
            self._pulse.stop()

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what an LF opens for reading: the parent hears nothing of it."""
        path = path_read(event, arguments) if event == "open" and self._current is not None else None
        if path is not None and len(self.opened) < _MOST_OPENED:
            callers = takewhile(lambda name: name != __file__, dict.fromkeys(callers_of(sys._getframe(2))))
            self.opened.setdefault(os.path.abspath(path), tuple(callers))

    @contextmanager
    def around(self, task: Task, n_rows: int = 1) -> Iterator["Watch"]:
        """While an LF runs on a chunk, or within that a preprocessor; ``n_rows``: records that one call takes."""
        limit = None if self.limits.max_seconds is None else self.limits.max_seconds * max(n_rows, 1)
        stream = _Stream() if self.desk.is_watched else None
        watch, outer = Watch(self, task, limit, stream), self._current
        self._begin(watch)
        try:
            yield watch
        finally:
            if self._state is not None:
                self._state.restore()
            if stream is not None and (found := stream.printed()).n_chars:
                self.printed[task.unit] = self.printed.get(task.unit, Printed()) + found
            self.desk.end()
            self._begin(outer)

    def _begin(self, watch: "Watch | None") -> None:
        """Something runs from now on, or goes on; nothing does where it is None."""
        self._current = watch
        limit = None if watch is None else watch.limit
        if watch is not None:
            self.desk.begin(watch.task.unit, watch.task.step, limit)
            if watch.stream is not None:
                sys.stdout = sys.stderr = watch.stream.text
        if self._pulse is not None:
            self._pulse.set_timer(limit or 0.0)

    def restore_builtins(self) -> None:
        """Put back the built-in names, which our own code is written in."""
        if self._state is not None:
            self._state.restore_builtins()

    def arm(self, watched: "_Watched | None") -> None:
        """What the pulse is to watch."""
        if self._pulse is not None:
            self._pulse.watched = watched


class Watch:
    """Over one LF on one chunk."""

    def __init__(self, guard: Guard, task: Task, limit: float | None, stream: "_Stream | None") -> None:
        self.task, self.limits = task, guard.limits
        self.limit, self.stream = limit, stream
        self._guard = guard
        self._since = time.monotonic()

    @contextmanager
    def timing(self, done: Sized) -> Iterator[None]:
        """While a record is worked on; there is progress as long as ``done`` grows."""
        self.arm(done)
        try:
            yield
        finally:
            self.disarm()

    def arm(self, done: Sized) -> None:
        """Records are worked on from now on; there is progress as long as ``done`` grows."""
        if self.limit is not None:
            self._guard.arm(_Watched(done, self.limit))

    def disarm(self) -> None:
        """None is worked on."""
        self._guard.arm(None)
        self._guard.restore_builtins()

    def mark(self, row: int) -> None:
        """A record begins; only where it is to be careful."""
        if self.task.careful:
            self._guard.desk.mark(row)

    def n_to_repeat(self, n_rows: int) -> int:
        """On how many of the first records it is to be called again, to see whether it answers the same."""
        if not self.task.again or n_rows == 0 or self._guard.n_stops.get(self.task.unit):
            return 0
        a_row = (time.monotonic() - self._since) / n_rows
        return min(_SAMPLE, n_rows, int(_SAMPLE_SECONDS / max(a_row, 1e-9)))

    def is_interrupt(self, error: BaseException) -> bool:
        """Whether an error is the user's wish to end, which no worker process hears of."""
        return isinstance(error, KeyboardInterrupt) and not self._guard.desk.is_watched

    def reason(self, error: BaseException) -> str:
        """What is to be said of an error; counts those of slow records."""
        if isinstance(error, TooSlow):
            self._guard.n_stops[self.task.unit] = self._guard.n_stops.get(self.task.unit, 0) + 1
            return f"it took longer than max_seconds ({self.limits.max_seconds:g} s)"
        return describe(error)

    def why_not(self, n_failures: int) -> str | None:
        """Why it is not to be called on the other records; None where it is."""
        if self._guard.n_stops.get(self.task.unit, 0) >= _MOST_STOPS:
            return f"it was not called, as it had been stopped {_MOST_STOPS} times"
        most = self.limits.most_failures
        if most is not None and n_failures > most and time.monotonic() - self._since > _PATIENCE:
            return "it was not called, as it had failed too often"
        return None


def describe(error: BaseException) -> str:
    """Type and message of an error, on one line and not too long; its class may be as hostile as its origin."""
    try:
        text = f"{type(error).__name__}: {error}"
    except BaseException:
        text = type(error).__name__
    return shorten(" ".join(text.split()).rstrip(": "), 500)


def shorten(text: str, most: int) -> str:
    """The text, or its beginning."""
    return text if len(text) <= most else text[: most - 3] + "..."


def can_time() -> bool:
    """Whether a slow record can be stopped from within: on POSIX, in the main thread."""
    return (
        _SIGNAL is not None
        and hasattr(signal, "pthread_kill")
        and threading.current_thread() is threading.main_thread()
    )


class _Watched:
    """What grows as records go by, and how long it may stay as it is; its length when that was too long."""

    def __init__(self, done: Sized, limit: float) -> None:
        self.done, self.limit = done, limit
        self.expired: int | None = None


class _Pulse:
    """Looks at how far an LF is, now and then; a signal to the main thread stops a slow record.

    A thread does so while the LF waits for something; while it computes, and may keep all threads from running, a
    timer that runs with the processor's time.
    """

    def __init__(self, desk: Desk) -> None:
        self.watched: _Watched | None = None
        self._desk, self._main = desk, threading.get_ident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._before: Any = None
        self._seen: tuple[_Watched, int] | None = None
        self._since = 0.0

    def set_timer(self, limit: float) -> None:
        """Let the timer run while records may take ``limit`` seconds; 0 stops it."""
        tick = _tick(limit) if limit else 0.0
        signal.setitimer(signal.ITIMER_VIRTUAL, tick, tick)

    def start(self) -> None:
        """From here on."""
        if _SIGNAL is not None:
            self._before = signal.signal(_SIGNAL, self._interrupt)
        self._thread.start()

    def stop(self) -> None:
        """Up to here."""
        self.watched = None
        self._done.set()
        self._thread.join()
        if _SIGNAL is not None:
            signal.signal(_SIGNAL, self._before if self._before is not None else signal.SIG_DFL)

    def _run(self) -> None:
        seen: tuple[_Watched, int] | None = None
        since = time.monotonic()
        tick = 0.05
        while not self._done.wait(tick):
            watched = self.watched
            if watched is None:
                seen = None
                continue
            tick = _tick(watched.limit)
            now = (watched, len(watched.done))
            if now != seen:
                seen, since = now, time.monotonic()
                self._desk.touch()
            elif time.monotonic() - since > watched.limit and _SIGNAL is not None:
                watched.expired = now[1]
                signal.pthread_kill(self._main, _SIGNAL)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        watched = self.watched
        if watched is None:
            return
        now, time_now = (watched, len(watched.done)), time.monotonic()
        if now != self._seen:
            self._seen, self._since = now, time_now
        if watched.expired == now[1] or time_now - self._since > watched.limit:
            watched.expired, self._seen = None, None
            raise TooSlow


def _tick(limit: float) -> float:
    return min(max(limit / 10, 0.02), 0.5)


class _Stream(io.RawIOBase):
    """Takes what is printed; keeps the beginning."""

    def __init__(self) -> None:
        self._n_bytes, self._first = 0, b""
        self.text = io.TextIOWrapper(
            io.BufferedWriter(self, 8192), encoding="utf-8", errors="backslashreplace", line_buffering=True
        )

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        taken = bytes(memoryview(data)[: _MOST_PRINTED * 4])
        self._first = (self._first + taken)[: _MOST_PRINTED * 4]
        self._n_bytes += len(data)
        return len(data)

    def printed(self) -> Printed:
        """What was printed so far."""
        with suppress(ValueError):  # closed
            self.text.flush()
        return Printed(self._n_bytes, self._first.decode("utf-8", "replace")[:_MOST_PRINTED])


_active: Guard | None = None
_CALLERS: Final[set[Any]] = set()


def calls_functions(function: Caller) -> Caller:
    """Mark a function of ours that calls LFs: a fork that an LF made must not come back to it."""
    _CALLERS.add(getattr(function, "__code__", None))
    return function


def _in_fork() -> None:
    if _active is not None:
        sys.setprofile(_end_fork)


def _end_fork(frame: FrameType, event: str, _argument: Any) -> None:
    """End a forked process where it comes back to us: it would go on with our work as if it were this one."""
    if event == "return" and frame.f_back is not None and frame.f_back.f_code in _CALLERS:
        os._exit(0)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_fork)
