"""Requests that wait together are predicted together."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from metalwork.errors import MetalworkError
from metalwork.probabilities import TaskProbabilities

Records = Sequence[Mapping[str, Any]]
Predict = Callable[[Records], TaskProbabilities]


class BusyError(Exception):
    """More records wait than may."""


@dataclass(frozen=True)
class _Waiting:
    records: Records
    answer: "asyncio.Future[TaskProbabilities]"


class Batcher:
    """Predicts in one thread; what arrives while it is at work makes the next batch, so that nothing waits idly.

    Parameters
    ----------
    predict : callable
        From records to probabilities; ``MetalworkError`` where they are at fault.
    most_records : int
        Records of a batch at most, but for a single request of more.
    most_waiting : int
        Records that may wait.
    on_batch : callable
        Told the size of each batch.
    """

    def __init__(
        self, predict: Predict, most_records: int, most_waiting: int, on_batch: Callable[[int], object]
    ) -> None:
        self._predict, self._on_batch = predict, on_batch
        self._most_records, self._most_waiting = most_records, most_waiting
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._pool = ThreadPoolExecutor(1, "predict")
        self._worker: asyncio.Task[None] | None = None
        self.n_waiting = 0

    def start(self) -> None:
        """Begin to work, in the event loop that runs."""
        self._worker = asyncio.get_running_loop().create_task(self._work())

    async def stop(self) -> None:
        """Answer what waits, and end."""
        await self._queue.join()
        if self._worker is not None:
            self._worker.cancel()
            with suppress(asyncio.CancelledError):
                await self._worker
        self._pool.shutdown()

    async def ask(self, records: Records) -> TaskProbabilities:
        """Probabilities of some records.

        Raises
        ------
        BusyError
            When too many records wait.
        MetalworkError
            When these records are at fault.
        """
        if self.n_waiting + len(records) > self._most_waiting and self.n_waiting:
            raise BusyError
        answer: asyncio.Future[TaskProbabilities] = asyncio.get_running_loop().create_future()
        self.n_waiting += len(records)
        self._queue.put_nowait(_Waiting(records, answer))
        return await answer

    async def run(self, act: Callable[[], Any]) -> Any:
        """What else the models are asked, in the same thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, act)

    async def _work(self) -> None:
        while True:
            batch = [await self._queue.get()]
            size = len(batch[0].records)
            while size < self._most_records and not self._queue.empty():
                batch.append(self._queue.get_nowait())
                size += len(batch[-1].records)
            self._on_batch(size)
            found = await self.run(partial(self._answers, [one.records for one in batch]))
            self.n_waiting -= size
            for one, answer in zip(batch, found, strict=True):
                self._queue.task_done()
                if one.answer.done():  # who asked has gone
                    continue
                if isinstance(answer, Exception):
                    one.answer.set_exception(answer)
                else:
                    one.answer.set_result(answer)

    def _answers(self, requests: Sequence[Records]) -> list[TaskProbabilities | Exception]:
        """An answer a request: one of faulty records gets their error, and the others theirs."""
        try:
            probs = self._predict([record for records in requests for record in records])
        except MetalworkError as error:
            return [error] if len(requests) == 1 else [self._answers([records])[0] for records in requests]
        except Exception as error:
            return [error] * len(requests)
        starts = [0]
        for records in requests:
            starts.append(starts[-1] + len(records))
        return [probs.rows(slice(start, stop)) for start, stop in pairwise(starts)]
