"""Worker processes on this machine."""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self

from metalwork.backends._base import Backend, Item, Loss, Result, Resumable, Setbacks
from metalwork.backends._crew import Crew, Worker
from metalwork.backends._memory import fair_share, read_bytes
from metalwork.backends._packing import pack, unpack
from metalwork.errors import ConfigError, MetalworkError

_IN_VAIN: Final = 3
_MOST_OF_AN_ITEM: Final = 300


class ProcessesBackend(Backend):
    """Spawns worker processes (never forks: a child forked after polars or torch was used hangs).

    Functions and items travel by cloudpickle, so lambdas and functions of a notebook are fine. Workers do not run
    the script that they are started from. One that is lost (it crashed, took too long or too much memory) is
    replaced; where the function is a ``Resumable``, its item is done again without what did it in.

    Workers end with the ``map`` that started them. In a ``with`` statement they live on until it is left, unless
    their ``map`` was broken off, and have what they imported and the environment that they were started in.

    Parameters
    ----------
    n_jobs : int, optional
        Number of workers; the number of CPU cores by default.
    max_memory : int or str, optional
        Memory that a worker may use: a number of bytes, or a text such as ``"2 GB"``; by default three quarters of
        the machine's, shared among the workers. It holds on Linux.
    """

    def __init__(self, n_jobs: int | None = None, max_memory: int | str | None = None) -> None:
        if n_jobs is not None and (isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs < 1):
            raise ConfigError(f"n_jobs must be a whole number from 1, or None for one a core; got {n_jobs!r}.")
        self.n_jobs = n_jobs
        self.max_memory = None if max_memory is None else read_bytes("max_memory", max_memory)
        self._n_entered = 0
        self._kept: list[Crew] = []

    def __enter__(self) -> Self:
        self._n_entered += 1
        return self

    def __exit__(self, *error: object) -> None:
        self._n_entered -= 1
        while self._kept and not self._n_entered:
            self._kept.pop().close()

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        n_workers, packed = self.n_jobs or os.cpu_count() or 1, pack(function)
        with self._crew(n_workers) as crew:
            pool = Pool(crew, packed, losses_of(function), n_workers)
            for item in items:
                pool.add(pack(item))
                if len(pool) > 2 * n_workers:  # bounds what waits in memory
                    yield result_of(pool.next_answer())
            while len(pool):
                yield result_of(pool.next_answer())

    @contextmanager
    def _crew(self, n_workers: int) -> Iterator[Crew]:
        """Workers for one ``map``: those that were kept, else new ones."""
        crew = self._kept.pop() if self._kept else new_crew(n_workers, self.max_memory)
        try:
            yield crew
        except BaseException:
            crew.close()  # some may be at work still
            raise
        if self._n_entered:
            self._kept.append(crew)
        else:
            crew.close()


def new_crew(n_workers: int, max_memory: int | None) -> Crew:
    """Starts workers with the environment that there is now; none so far."""
    environment = dict(os.environ)
    if n_workers > 1:
        environment.setdefault("POLARS_MAX_THREADS", "1")  # the workers share the cores already
    return Crew(lambda events: Worker(environment, events), max_memory or fair_share(n_workers))


def losses_of(function: Any) -> int | None:
    """Rows that may cost a worker before a unit is given up; None where the function knows no units."""
    return function.most_losses if isinstance(function, Resumable) else None


def result_of(answer: tuple[str, bytes]) -> Any:
    """What a worker answered; what was raised there is raised here."""
    kind, packed = answer
    value = unpack(packed)
    if kind == "raised":
        raise value
    return value


@dataclass(eq=False)
class _Task:
    """An item, what happened to it so far, and its answer."""

    item: bytes
    losses: list[Loss] = field(default_factory=list)
    kept: dict[Any, bytes] = field(default_factory=dict)
    n_lost: int = 0
    in_vain: int = 0
    answer: tuple[Any, ...] | None = None


class Pool:
    """The items under way, in their order, and the workers that call one function on them.

    Parameters
    ----------
    crew : Crew
        Workers without work; more are started, and those that are lost replaced.
    packed : bytes
        The function.
    most_losses : int or None
        Of a unit of a ``Resumable`` function; None for another.
    n_workers : int
    """

    def __init__(self, crew: Crew, packed: bytes, most_losses: int | None, n_workers: int) -> None:
        self._crew, self._packed, self._n_workers, self._most_losses = crew, packed, n_workers, most_losses
        self._tasks: deque[_Task] = deque()
        self._waiting: deque[_Task] = deque()
        self._lost: Counter[int] = Counter()
        self._given_up: dict[int, str] = {}
        self._failed_starts = 0
        while not crew.events.empty():  # of workers that ended since they had work
            self._take(*crew.next_event())
        for worker in crew.workers:
            worker.learn(packed)
        if not crew.workers:
            self._start()  # while the first item is being read

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, item: bytes) -> None:
        """Take up an item."""
        task = _Task(item)
        self._tasks.append(task)
        self._waiting.append(task)
        self._assign()

    def close(self) -> None:
        """End the workers at once."""
        self._crew.close()

    def next_answer(self) -> tuple[str, bytes]:
        """The answer to the first item, which is let go: ``"done"`` or ``"raised"``, and with what."""
        while self._tasks[0].answer is None:
            self._assign()
            self._take(*self._crew.next_event())
        kind, packed = self._tasks.popleft().answer or ("", b"")
        return kind, packed

    def _assign(self) -> None:
        while self._waiting and (worker := self._free()) is not None:
            self._order(worker)

    def _free(self) -> Worker | None:
        """A worker without work, a new one where there may be more; None where all that may are at work."""
        if sum(worker.task is not None for worker in self._crew.workers) >= self._n_workers:
            return None
        free = (worker for worker in self._crew.workers if worker.task is None)
        return next(free, None) or self._start()

    def _start(self) -> Worker:
        worker = self._crew.start()
        worker.learn(self._packed)
        return worker

    def _order(self, worker: Worker) -> None:
        task = self._waiting.popleft()
        setbacks = Setbacks(tuple(task.losses), self._given_up, dict(task.kept))
        is_plain = not (task.n_lost or self._given_up)
        worker.order(task, task.item, None if is_plain else pack(setbacks))

    def _take(self, worker: Worker, answer: tuple[Any, ...]) -> None:
        task: _Task | None = worker.task
        if answer[0] == "gone":
            if worker in self._crew.workers:
                position = worker.position
                self._bury(task, worker.is_ready, position.unit, position.step, position.row, worker)
        elif task is not None and answer[0] == "kept":
            task.kept[answer[1]] = answer[2]
            task.in_vain = 0
        elif task is not None:
            task.answer, worker.task = answer, None

    def _bury(self, task: _Task | None, was_ready: bool, unit: int, step: int, row: int, worker: Worker) -> None:
        """A worker is lost; its item, where it had one, comes first again."""
        reason = self._crew.dismiss(worker)
        self._failed_starts = 0 if was_ready else self._failed_starts + 1
        if self._failed_starts >= _IN_VAIN:
            raise MetalworkError(f"Worker processes must start; {self._failed_starts} did not: {reason}.")
        if task is None:
            return
        task.n_lost += 1
        self._start()  # where one was lost another may be: a spare one saves the wait
        known = self._most_losses is not None and unit >= 0
        if known:
            self._note(task, Loss(unit, step, row if row >= 0 else None, reason))
        elif was_ready:
            task.in_vain += 1
        if (self._most_losses is None and was_ready) or task.in_vain >= _IN_VAIN:
            raise MetalworkError(
                f"A worker process ended abruptly: {reason}. It may have been killed, run out of memory, or "
                "crashed. Use backend='serial' to find the cause."
            )
        if task.n_lost > _MOST_OF_AN_ITEM:
            raise MetalworkError(
                f"A worker process was lost {task.n_lost} times on the same records; the last time {reason}. "
                "Leave out labeling functions until it works, to find the one to blame."
            )
        self._waiting.appendleft(task)

    def _note(self, task: _Task, loss: Loss) -> None:
        task.losses.append(loss)
        if loss.row is not None:
            self._lost[loss.unit] += 1
            n_lost = self._lost[loss.unit]
            if self._most_losses is not None and n_lost >= self._most_losses:
                self._given_up[loss.unit] = f"it was not called, as its process was lost {n_lost} times"
