"""Worker processes on this machine."""

import io
import multiprocessing
import os
import pickle
from collections import ChainMap, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from typing import Any, ClassVar, Final

import cloudpickle

from metalwork.backends._base import Backend, Item, Result
from metalwork.errors import ConfigError, MetalworkError


class ProcessesBackend(Backend):
    """Spawns worker processes (never forks: a child forked after polars or torch was used hangs).

    Functions and items travel by cloudpickle, so lambdas and functions of a notebook are fine. A script that
    uses it must start its work under ``if __name__ == "__main__":``, as with all spawned processes.

    Parameters
    ----------
    n_jobs : int, optional
        Number of workers; the number of CPU cores by default.
    """

    def __init__(self, n_jobs: int | None = None) -> None:
        if n_jobs is not None and (isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs < 1):
            raise ConfigError(f"n_jobs must be a whole number from 1, or None for one a core; got {n_jobs!r}.")
        self.n_jobs = n_jobs

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        packed = _pack(function)
        workers = self.n_jobs or os.cpu_count() or 1
        executor = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(packed,),
        )
        pending: deque[Future[Any]] = deque()
        try:
            for item in items:
                pending.append(executor.submit(_work, _pack(item)))
                if len(pending) > 2 * workers:  # bounds what waits in memory
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        except BrokenProcessPool:
            raise MetalworkError(
                "A worker process ended abruptly: it was killed, ran out of memory, or crashed. "
                "A script must start its work under `if __name__ == '__main__':`. "
                "Use backend='serial' to find the cause."
            ) from None
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


_Cached: Final = type(lru_cache(len))


def _unwrapped(function: Any) -> tuple[Any, ...]:
    """A cached function as the cache around a plain one: pickle itself would look it up by its module's name."""
    arguments = function.cache_parameters()
    return _cached, (function.__wrapped__, arguments["maxsize"], arguments["typed"])


def _cached(function: Callable[..., Any], maxsize: int | None, typed: bool) -> Any:
    return lru_cache(maxsize, typed)(function)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Cloudpickle's, which also takes functions with a cache out of modules that workers cannot import."""

    dispatch_table: ClassVar[Any] = ChainMap({_Cached: _unwrapped}, cloudpickle.Pickler.dispatch_table)


def _pack(value: Any) -> bytes:
    packed = io.BytesIO()
    try:
        _Pickler(packed).dump(value)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        raise MetalworkError(
            f"What is sent to worker processes must be picklable; got {error}. "
            "Open files, locks and connections inside the function, or use backend='serial'."
        ) from None
    return packed.getvalue()


_packed = b""
_function: Callable[[Any], Any] | None = None


def _start_worker(packed: bytes) -> None:
    """Keep the function for :func:`_work`, which unpacks it: an error here would only break the pool."""
    global _packed
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # the workers share the cores already
    _packed = packed


def _work(item: bytes) -> Any:
    global _function
    if _function is None:
        try:
            _function = cloudpickle.loads(_packed)
        except ImportError as error:
            raise MetalworkError(
                f"A worker process cannot import what a function needs: {error}. "
                "Install the module, or start from the folder that holds it."
            ) from None
    return _function(cloudpickle.loads(item))
