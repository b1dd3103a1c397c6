"""Worker processes: what goes wrong is told in one clear error."""

import os
import signal
import threading
import time
from types import ModuleType
from typing import Any

import pytest

from metalwork.backends import Backend, ProcessesBackend, SerialBackend, get_backend
from metalwork.errors import ConfigError, MetalworkError


def test_backends_have_names() -> None:
    assert isinstance(get_backend("serial"), SerialBackend)
    processes = get_backend("processes", 3)
    assert isinstance(processes, ProcessesBackend)
    assert processes.n_jobs == 3
    assert get_backend(processes) is processes
    with pytest.raises(
        ConfigError, match=r"^backend must be one of 'serial', 'processes', 'ray'; got 'threads'\.$"
    ):
        get_backend("threads")


@pytest.mark.parametrize("n_jobs", [0, -1, 1.5, True, "2"])
def test_n_jobs_is_a_whole_number(n_jobs: Any) -> None:
    with pytest.raises(ConfigError, match=r"^n_jobs must be a whole number from 1, or None for one a core; got "):
        ProcessesBackend(n_jobs)


def test_what_cannot_travel_is_named() -> None:
    lock = threading.Lock()
    backend: Backend = ProcessesBackend(1)
    with pytest.raises(MetalworkError, match=r"must be picklable; got cannot pickle '_thread.lock' object\."):
        list(backend.map(lambda x: lock.locked(), [1]))


def test_a_worker_that_dies_is_told() -> None:
    with pytest.raises(MetalworkError, match=r"^A worker process ended abruptly: .*Use backend='serial'"):
        list(ProcessesBackend(1).map(lambda code: os._exit(code), [3]))


def test_a_function_with_a_cache_travels_from_a_module_that_workers_cannot_import() -> None:
    module = ModuleType("cached_rules")
    exec("from functools import lru_cache\n@lru_cache(maxsize=8)\ndef twice(n): return 2 * n\n", vars(module))
    backend = ProcessesBackend(n_jobs=1)
    assert list(backend.map(lambda n: module.twice(n) + 1, [1, 2])) == [3, 5]


def process(_: int) -> int:
    return os.getpid()


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_live_on_within_a_with_statement() -> None:
    with ProcessesBackend(1) as backend:
        (first,) = backend.map(process, [0])
        assert list(backend.map(lambda n: (os.getpid(), n + 1), [1, 2])) == [(first, 2), (first, 3)]
        with backend:
            assert list(backend.map(process, [0])) == [first]
        assert is_there(first)
    assert not is_there(first)
    (second,) = backend.map(process, [0])
    assert second != first
    assert not is_there(second)


def test_maps_under_way_at_once_share_no_workers() -> None:
    with ProcessesBackend(1) as backend:
        outer, inner = backend.map(lambda n: -n, range(9)), backend.map(lambda n: n, range(9))
        assert list(zip(outer, inner, strict=True)) == [(-n, n) for n in range(9)]


def test_workers_of_a_map_that_was_broken_off_are_not_used_again() -> None:
    with ProcessesBackend(1) as backend:
        results = backend.map(lambda n: (os.getpid(), 1 / n), [1, 0])
        first, _ = next(results)
        with pytest.raises(ZeroDivisionError):
            next(results)
        assert not is_there(first)
        (second,) = backend.map(process, [0])
        assert second != first


def test_a_worker_that_ended_without_work_is_replaced() -> None:
    with ProcessesBackend(1) as backend:
        (first,) = backend.map(process, [0])
        os.kill(first, signal.SIGKILL)
        time.sleep(2.5)  # until it is noticed
        (second,) = backend.map(process, [0])
        assert second != first
