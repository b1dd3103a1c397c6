"""Labeling functions that wait for something else, such as a service, on many records at a time."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import cache
from typing import Any

from metalwork.labeling._guard import TooSlow


class AsyncRule:
    """A coroutine function, called on many records at a time: ``concurrency`` of them wait at once."""

    def __init__(self, function: Callable[..., Coroutine[Any, Any, Any]], concurrency: int) -> None:
        self.function, self.concurrency = function, concurrency

    def __call__(self, *values: Any, **named: Any) -> Any:
        return run(self.function(*values, **named))

    def outcomes(self, rows: Sequence[Sequence[Any]], max_seconds: float | None = None) -> list[Any]:
        """What it returns on each of ``rows``, in their order, or the exception that it raised there."""
        found: list[Any] = [None] * len(rows)
        waiting = iter(enumerate(rows))
        run(self._all(waiting, found, min(self.concurrency, len(rows)), max_seconds))
        return found

    async def _all(
        self,
        waiting: Iterator[tuple[int, Sequence[Any]]],
        found: list[Any],
        n_callers: int,
        max_seconds: float | None,
    ) -> None:
        async def call() -> None:
            for row, values in waiting:
                found[row] = await _outcome(self.function(*values), max_seconds)

        await asyncio.gather(*(call() for _ in range(n_callers)))


async def _outcome(called: Coroutine[Any, Any, Any], max_seconds: float | None) -> Any:
    clock = asyncio.timeout(max_seconds)
    try:
        async with clock:
            return await called
    except BaseException as error:  # SystemExit would end the loop, and leave who waits for it waiting
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return Raised(TooSlow() if clock.expired() else error)


class Raised:
    """Stands for an exception that was raised in the place of a result."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine, also where the caller's own event loop runs, as in a notebook.

    All run in one loop, in a thread of its own: a client that keeps connections serves from call to call.
    """
    future = asyncio.run_coroutine_threadsafe(coroutine, _loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        _loop.cache_clear()  # something may keep it from ever running again
        raise


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="metalwork async", daemon=True).start()
    return loop
