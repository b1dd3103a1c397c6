"""Work on blocks of rows in threads: how rows are cut and summed never depends on how many threads there are."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from metalwork.errors import ConfigError

Block = TypeVar("Block")
Found = TypeVar("Found")

_MOST = 1024


def n_threads() -> int:
    """``METALWORK_THREADS``, else ``OMP_NUM_THREADS``, else the CPUs that this process may use.

    Raises
    ------
    ConfigError
        For ``METALWORK_THREADS`` that is no whole number from 1 to 1,024.
    """
    given = os.environ.get("METALWORK_THREADS", "").strip()
    if given and not (given.isdecimal() and 0 < int(given) <= _MOST):
        raise ConfigError(f"METALWORK_THREADS must be a whole number from 1 to {_MOST:,}; got {given!r}.")
    usual = os.environ.get("OMP_NUM_THREADS", "").strip()
    chosen = given or (usual if usual.isdecimal() else "")
    return min(max(1, int(chosen)), _MOST) if chosen else _n_cpus()


def _n_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(work: Callable[[Block], Found], blocks: Iterable[Block]) -> Iterator[Found]:
    """Yield what ``work`` finds for each block, in the blocks' order; a few blocks ahead of what was asked for."""
    waiting = list(blocks)
    n_workers = min(n_threads(), len(waiting))
    if n_workers < 2:
        yield from map(work, waiting)
        return
    running: deque[Future[Found]] = deque()
    with ThreadPoolExecutor(n_workers) as pool:
        for block in waiting:
            running.append(pool.submit(work, block))
            if len(running) > 2 * n_workers:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def do_in_threads(work: Callable[[Block], None], blocks: Iterable[Block]) -> None:
    """Let ``work`` write what it finds for each block."""
    for _ in in_threads(work, blocks):
        pass
