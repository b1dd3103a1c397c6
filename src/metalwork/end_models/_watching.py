"""What a fit tells while it runs: a record an epoch, and how far it is in between."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

Record = dict[str, Any]
Callback = Callable[[Record], object]
"""Called after each epoch with its record in ``history_``. One with ``on_progress`` is told more often."""

_EVERY: Final = 0.2  # seconds between two times that callbacks are told how far it is


@dataclass(frozen=True)
class TrainingProgress:
    """How far a fit is, from its first step on.

    Attributes
    ----------
    epoch, max_epochs : int
        The epoch at work, from 1; of how many.
    step, max_steps : int
        Mini-batches done; of how many in all epochs.
    loss : float
        Mean of this epoch so far.
    dev_accuracy : float or None
        In [0, 1], after the last epoch that is done.
    seconds_left : float
        At the speed so far, for all epochs; ``patience`` may end them earlier.
    """

    epoch: int
    max_epochs: int
    step: int
    max_steps: int
    loss: float
    dev_accuracy: float | None
    seconds_left: float


class Watch:
    """Tells callbacks; ``done`` steps were done by an earlier attempt."""

    def __init__(self, callbacks: Sequence[Callback], max_epochs: int, max_steps: int, done: int) -> None:
        self._callbacks, self._max_epochs, self._max_steps = callbacks, max_epochs, max_steps
        self._listeners = [c.on_progress for c in callbacks if hasattr(c, "on_progress")]
        self._start, self._first, self._said = time.perf_counter(), done, -math.inf

    def after_step(self, epoch: int, step: int, loss: Callable[[], float], history: Sequence[Record]) -> None:
        """Tell how far the fit is, not too often; ``loss`` is only then computed."""
        if not self._listeners:
            return
        if time.perf_counter() - self._said < _EVERY:
            return
        self._tell(epoch, step, loss(), history[-1].get("dev_accuracy") if history else None)

    def after_epoch(self, record: Record, step: int) -> None:
        """Tell what became of an epoch."""
        self._tell(record["epoch"], step, record["loss"], record.get("dev_accuracy"))
        for callback in self._callbacks:
            callback(record)

    def _tell(self, epoch: int, step: int, loss: float, dev_accuracy: float | None) -> None:
        self._said = time.perf_counter()
        left = (self._said - self._start) / max(step - self._first, 1) * (self._max_steps - step)
        news = TrainingProgress(epoch, self._max_epochs, step, self._max_steps, loss, dev_accuracy, left)
        for listener in self._listeners:
            listener(news)
