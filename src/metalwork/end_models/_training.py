"""The training loop: mini-batches in an order drawn from a seed, the best epoch by dev loss."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from metalwork._checks import BoolArray, FloatArray
from metalwork.end_models._batches import batches, n_batches
from metalwork.end_models._inputs import Inputs, move
from metalwork.end_models._tasks import Task
from metalwork.end_models.losses import noise_aware_loss
from metalwork.end_models.network import EndNetwork
from metalwork.errors import ConfigError

Record = dict[str, Any]
Callback = Callable[[Record], object]
"""Called after each epoch with its record in ``history_``."""

_MIN_EPOCHS, _MIN_STEPS = 20, 300
_MARGIN = 2.0  # standard errors: the fewest errors of many epochs are few by luck, too


@dataclass(frozen=True)
class Dev:
    """Records to choose the epoch by, and which end labels their labels admit: bool (n_dev, n_end_labels)."""

    inputs: Inputs
    admitted: BoolArray


class _Choice:
    """The epoch to keep: the last whose dev errors are within two standard errors of the fewest."""

    def __init__(self) -> None:
        self.epoch = self.least_epoch = 0
        self.state: dict[str, Tensor] | None = None
        self._fewest = math.inf
        self._least_loss = math.inf

    def offer(self, epoch: int, losses: FloatArray, errors: FloatArray, network: EndNetwork) -> None:
        """Look at one epoch's dev losses and errors (0 or 1), each (n_dev,)."""
        if losses.mean() < self._least_loss:
            self._least_loss, self.least_epoch = float(losses.mean()), epoch
        rate = float(errors.mean())
        self._fewest = min(rate, self._fewest)
        expected = (self._fewest * len(errors) + 1.0) / (len(errors) + 2.0)
        if rate <= self._fewest + _MARGIN * math.sqrt(expected * (1.0 - expected) / len(errors)):
            self.epoch, self.state = epoch, _copy(network)


class Trainer:
    """Fits a network in place. ``history`` has one record an epoch; ``best_epoch`` counts from 1."""

    def __init__(
        self,
        network: EndNetwork,
        task: Task,
        lr: float,
        batch_size: int,
        weight_decay: float,
        max_epochs: int | None,
        seed: int,
    ) -> None:
        self.network = network
        self.task = task
        self.batch_size = batch_size
        self.lr = lr
        self.steps_an_epoch = n_batches(len(task), batch_size)
        self.max_epochs = max_epochs or max(_MIN_EPOCHS, math.ceil(_MIN_STEPS / self.steps_an_epoch))
        self.history: list[Record] = []
        self.best_epoch = 0
        self._step = 0
        self._device = next(network.parameters()).device
        self._order = torch.Generator().manual_seed(seed)
        self._optimizer = torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=weight_decay, fused=True)

    def fit(self, dev: Dev | None, patience: int | None, callbacks: Sequence[Callback]) -> None:
        """Run the epochs; with ``dev``, end on the last epoch that is as good as the best one.

        A few dev records cannot tell epochs apart that differ by less than two standard errors, and the later
        one has seen more: so an epoch counts as good as the best when its dev errors are within that of it.
        """
        choice = _Choice()
        for epoch in range(1, self.max_epochs + 1):
            start = time.perf_counter()
            record: Record = {"epoch": epoch, "loss": self.run_epoch(epoch)}
            if dev is not None:
                losses, errors = self.evaluate(dev)
                record |= {"dev_loss": float(losses.mean()), "dev_accuracy": 1.0 - float(errors.mean())}
                choice.offer(epoch, losses, errors, self.network)
            record["seconds"] = time.perf_counter() - start
            self.history.append(record)
            for callback in callbacks:
                callback(record)
            if dev is not None and patience is not None and epoch - choice.least_epoch >= patience:
                break
        self.best_epoch = len(self.history) if dev is None else choice.epoch
        if choice.state is not None:
            self.network.load_state_dict(choice.state)

    def run_epoch(self, epoch: int) -> float:
        """One pass over the records in a new order; the mean loss.

        Raises
        ------
        ConfigError
            When the loss is no longer finite.
        """
        self.network.train()
        total = torch.zeros((), device=self._device)
        for index in batches(len(self.task), self.batch_size, self._order):
            total += self.train_step(index) * len(index)
        loss = float(total) / len(self.task)
        if not math.isfinite(loss):
            raise ConfigError(
                f"The training loss must stay finite; got {loss} at epoch {epoch}. Lower lr (now {self.lr:g})."
            )
        return loss

    def train_step(self, index: npt.NDArray[np.int64]) -> Tensor:
        """One update on the records at positions ``index``; their mean loss before it."""
        self._set_lr()
        batch = self.task.batch(index)
        weights = None if batch.weights is None else batch.weights.to(self._device)
        outputs = self._forward(move(batch.rows, self._device), len(index))
        targets = batch.targets.to(self._device)
        loss = noise_aware_loss(outputs, targets, weights)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return loss.detach()

    def evaluate(self, dev: Dev) -> tuple[FloatArray, FloatArray]:
        """Negative log probability of what each dev label admits (n_dev,), and errors (n_dev,): 0 or 1."""
        log_proba = predict_log_proba(self.network, dev.inputs, self.batch_size)
        losses: FloatArray = -np.logaddexp.reduce(np.where(dev.admitted, log_proba, -np.inf), axis=1)
        right = np.take_along_axis(dev.admitted, log_proba.argmax(axis=1)[:, None], axis=1)[:, 0]
        return losses, (~right).astype(np.float64)

    def _forward(self, rows: Any, n_rows: int) -> list[Tensor]:
        try:
            outputs: list[Tensor] = self.network(rows)
        except ValueError as error:
            if n_rows > 1 or "more than 1 value" not in str(error):
                raise
            remedy = "Raise batch_size." if len(self.task) > 1 else "Train on more, or normalise by layer."
            raise ConfigError(
                f"Modules that normalise over a batch must have at least 2 records in it; got 1. {remedy}"
            ) from None
        return outputs

    def _set_lr(self) -> None:
        """Half a cosine from ``lr`` down to 0 over the epochs."""
        done = self._step / (self.max_epochs * self.steps_an_epoch)
        for group in self._optimizer.param_groups:
            group["lr"] = self.lr * 0.5 * (1.0 + math.cos(math.pi * done))
        self._step += 1


def predict_log_proba(network: EndNetwork, inputs: Inputs, batch_size: int) -> FloatArray:
    """float64 array (n_points, n_end_labels) of log P(end label)."""
    network.eval()
    device = next(network.parameters()).device
    parts = []
    with torch.no_grad():
        for start in range(0, len(inputs), batch_size):
            index = np.arange(start, min(start + batch_size, len(inputs)))
            outputs = network(move(inputs.batch(index), device))
            parts.append(network.end_log_proba([output.double() for output in outputs]).cpu().numpy())
    return np.concatenate(parts) if parts else np.empty((0, len(network._paths)))


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's own generators, and put them back."""
    cuda = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.default_generator.manual_seed(seed)
        if cuda:
            torch.cuda.manual_seed(seed)
        yield


@contextmanager
def threads(n_threads: int) -> Iterator[None]:
    """Let torch use this many threads, and put the number back."""
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _copy(network: EndNetwork) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
