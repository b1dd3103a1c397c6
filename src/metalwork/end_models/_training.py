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

from metalwork._checks import FloatArray
from metalwork.end_models._inputs import Inputs, move
from metalwork.end_models.losses import noise_aware_loss
from metalwork.end_models.network import EndNetwork
from metalwork.errors import ConfigError

Record = dict[str, Any]
Callback = Callable[[Record], object]
"""Called after each epoch with its record in ``history_``."""

_MIN_EPOCHS, _MIN_STEPS = 8, 300


@dataclass(frozen=True)
class Task:
    """Records, targets (n_points, sum of n_labels), and weights that are 1 on average (None: 1 each)."""

    inputs: Inputs
    targets: Tensor
    weights: Tensor | None


@dataclass(frozen=True)
class Dev:
    """Records with known end-label codes (n_dev,), to choose the epoch by."""

    inputs: Inputs
    codes: npt.NDArray[np.int64]


def make_task(inputs: Inputs, targets: Tensor, weights: npt.NDArray[np.float64] | None) -> Task:
    """The records to train on: those of weight 0 are left out, the other weights scaled to a mean of 1."""
    if weights is None:
        return Task(inputs, targets, None)
    kept = np.flatnonzero(weights)
    scaled = weights[kept] / weights[kept].mean()
    rows = torch.from_numpy(kept)
    return Task(inputs.rows(kept), targets[rows], torch.from_numpy(scaled).float())


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
        self.steps_an_epoch = math.ceil(len(task.inputs) / batch_size)
        self.max_epochs = max_epochs or max(_MIN_EPOCHS, math.ceil(_MIN_STEPS / self.steps_an_epoch))
        self.history: list[Record] = []
        self.best_epoch = 0
        self._step = 0
        self._device = next(network.parameters()).device
        self._order = torch.Generator().manual_seed(seed)
        self._optimizer = torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=weight_decay, fused=True)

    def fit(self, dev: Dev | None, patience: int | None, callbacks: Sequence[Callback]) -> None:
        """Run the epochs; with ``dev``, end on the weights of the epoch with the least dev loss."""
        best, state = math.inf, None
        for epoch in range(1, self.max_epochs + 1):
            start = time.perf_counter()
            record: Record = {"epoch": epoch, "loss": self.run_epoch(epoch)}
            if dev is not None:
                record |= self.evaluate(dev)
            record["seconds"] = time.perf_counter() - start
            self.history.append(record)
            for callback in callbacks:
                callback(record)
            if record.get("dev_loss", -math.inf) < best:
                self.best_epoch = epoch
                if dev is not None:
                    best, state = record["dev_loss"], _copy(self.network)
            if patience is not None and epoch - self.best_epoch >= patience:
                break
        if state is not None:
            self.network.load_state_dict(state)

    def run_epoch(self, epoch: int) -> float:
        """One pass over the records in a new order; the mean loss.

        Raises
        ------
        ConfigError
            When the loss is no longer finite.
        """
        self.network.train()
        order = torch.randperm(len(self.task.inputs), generator=self._order).numpy()
        total = torch.zeros((), device=self._device)
        for start in range(0, len(order), self.batch_size):
            index = order[start : start + self.batch_size]
            total += self.train_step(index) * len(index)
        loss = float(total) / len(order)
        if not math.isfinite(loss):
            raise ConfigError(
                f"The training loss must stay finite; got {loss} at epoch {epoch}. Lower lr (now {self.lr:g})."
            )
        return loss

    def train_step(self, index: npt.NDArray[np.int64]) -> Tensor:
        """One update on the records at positions ``index``; their mean loss before it."""
        self._set_lr()
        rows = torch.from_numpy(index)
        targets = self.task.targets[rows].to(self._device)
        weights = None if self.task.weights is None else self.task.weights[rows].to(self._device)
        outputs = self.network(move(self.task.inputs.batch(index), self._device))
        loss = noise_aware_loss(outputs, targets, weights)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return loss.detach()

    def evaluate(self, dev: Dev) -> Record:
        """Mean negative log probability of the dev end labels, and accuracy."""
        log_proba = predict_log_proba(self.network, dev.inputs, self.batch_size)
        loss = -log_proba[np.arange(len(dev.codes)), dev.codes].mean()
        return {"dev_loss": float(loss), "dev_accuracy": float(np.mean(log_proba.argmax(axis=1) == dev.codes))}

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
