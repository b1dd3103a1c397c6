"""The machines of a Ray cluster."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from metalwork.backends._base import Backend, Item, Result
from metalwork.backends._memory import read_bytes
from metalwork.backends._packing import pack
from metalwork.backends._processes import Pool, losses_of, new_crew, result_of
from metalwork.errors import ConfigError, MetalworkError, MissingExtraError

_RETRIES: Final = 5
"""How often an item is done again whose machine or process is lost."""

_pool: tuple[bytes, Pool] | None = None


class RayBackend(Backend):
    """Runs each item as a Ray task, on the cluster that ``RAY_ADDRESS`` names, else on this machine.

    Each task has the guarded worker process that :class:`ProcessesBackend` has, kept from one task to the next. An
    item whose machine or process is lost is done again elsewhere, so that the results are the same. metalwork must
    be installed on all machines, and files must lie where all of them can read them.

    Parameters
    ----------
    n_jobs : int, optional
        Tasks at a time; as many as the cluster has CPU cores by default.
    max_memory : int or str, optional
        Memory that a worker may use, as for :class:`ProcessesBackend`.

    Raises
    ------
    MissingExtraError
        When Ray is not installed.
    """

    def __init__(self, n_jobs: int | None = None, max_memory: int | str | None = None) -> None:
        if n_jobs is not None and (isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs < 1):
            raise ConfigError(f"n_jobs must be a whole number from 1, or None for one a core; got {n_jobs!r}.")
        self.n_jobs = n_jobs
        self.max_memory = None if max_memory is None else read_bytes("max_memory", max_memory)
        _ray()

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        ray = _started()
        n_workers = self.n_jobs or max(int(ray.cluster_resources().get("CPU", 1)), 1)
        task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_do)
        packed, most_losses = ray.put(pack(function)), losses_of(function)
        pending: deque[Any] = deque()
        try:
            for item in items:
                if len(pending) >= 2 * n_workers:  # bounds what waits in memory
                    yield _result(ray, pending.popleft())
                pending.append(task.remote(packed, most_losses, self.max_memory, pack(item)))
            while pending:
                yield _result(ray, pending.popleft())
        finally:
            for waiting in pending:
                with suppress(Exception):
                    ray.cancel(waiting)


def _do(packed: bytes, most_losses: int | None, max_memory: int | None, item: bytes) -> tuple[str, bytes]:
    """One task: its answer. The worker process is kept for the next task of the same function."""
    global _pool
    if _pool is None or _pool[0] != packed:
        if _pool is not None:
            _pool[1].close()
        _pool = packed, Pool(new_crew(1, max_memory), packed, most_losses, 1)
    try:
        _pool[1].add(item)
        return _pool[1].next_answer()
    except MetalworkError as error:
        _pool[1].close()
        _pool = None
        return "raised", pack(error)


def _result(ray: Any, task: Any) -> Any:
    try:
        answer = ray.get(task)
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[0]
        raise MetalworkError(
            f"The Ray cluster could not do a part of the work, which was tried {_RETRIES + 1} times: {reason} "
            "Look at its state with `ray status`, and run again."
        ) from None
    return result_of(answer)


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise MissingExtraError("ray", "ray", "The backend 'ray'") from None
    return ray


def _started() -> Any:
    """Ray, connected to the cluster that there is, or to one of its own on this machine."""
    ray = _ray()
    if not ray.is_initialized():
        try:
            ray.init(logging_level="ERROR", log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ConfigError(f"RAY_ADDRESS must name a Ray cluster that answers; got {reason}") from None
    return ray
