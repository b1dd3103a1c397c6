"""Labeling functions that wait for something else, such as a service, on many records at a time."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import cache
from typing import Any


class AsyncRule:
    """A coroutine function, called on many records at a time: ``concurrency`` of them wait at once."""

    def __init__(self, function: Callable[..., Coroutine[Any, Any, Any]], concurrency: int) -> None:
        self.function, self.concurrency = function, concurrency

    def __call__(self, *values: Any, **named: Any) -> Any:
        return run(self.function(*values, **named))

    def outcomes(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """What it returns on each of ``rows``, in their order, or the exception that it raised there."""
        found: list[Any] = [None] * len(rows)
        waiting = iter(enumerate(rows))
        run(self._all(waiting, found, min(self.concurrency, len(rows))))
        return found

    async def _all(self, waiting: Iterator[tuple[int, Sequence[Any]]], found: list[Any], n_callers: int) -> None:
        async def call() -> None:
            for row, values in waiting:
                try:
                    found[row] = await self.function(*values)
                except Exception as error:
                    found[row] = Raised(error)

        await asyncio.gather(*(call() for _ in range(n_callers)))


class Raised:
    """Stands for an exception that was raised in the place of a result."""

    def __init__(self, error: Exception) -> None:
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
        raise


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="metalwork async", daemon=True).start()
    return loop
