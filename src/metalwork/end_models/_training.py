"""The training loop: mini-batches in an order drawn from a seed, the best epoch by dev loss."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from metalwork._checks import BoolArray, FloatArray
from metalwork.end_models._batches import batches, n_batches
from metalwork.end_models._checkpoint import Checkpoint
from metalwork.end_models._choice import EpochChoice
from metalwork.end_models._inputs import Inputs, move
from metalwork.end_models._optimisation import Optimisation, Updates
from metalwork.end_models._processes import Processes
from metalwork.end_models._tasks import Task
from metalwork.end_models._watching import Callback, Record, Watch
from metalwork.end_models.losses import noise_aware_loss
from metalwork.end_models.network import EndNetwork
from metalwork.errors import ConfigError

_MIN_EPOCHS: Final = 20
_MIN_STEPS: Final = 300
_MIN_STEPS_AFTER: Final = 100  # of weights that were trained before


@dataclass(frozen=True)
class Dev:
    """Records to choose the epoch by, and which end labels their labels admit: bool (n_dev, n_end_labels)."""

    inputs: Inputs
    admitted: BoolArray


@dataclass
class _Place:
    """How far an epoch is: mini-batches done, their summed loss, and the order's generator at its start."""

    epoch: int
    order: Tensor
    total: Tensor
    batch: int = 0
    seconds: float = 0.0  # of an earlier attempt


class Trainer:
    """Fits a network in place. ``history`` has one record an epoch; ``best_epoch`` counts from 1."""

    def __init__(
        self,
        network: EndNetwork,
        task: Task,
        how: Optimisation,
        batch_size: int,
        max_epochs: int | None,
        seed: int,
        processes: Processes | None = None,
    ) -> None:
        self.network, self.task, self.batch_size = network, task, batch_size
        self.steps_an_epoch = n_batches(len(task), batch_size)
        self.max_epochs = max_epochs or _usual_epochs(network, self.steps_an_epoch)
        self.history: list[Record] = []
        self.best_epoch = 0
        self._how, self._processes = how, processes or Processes()
        self._device = next(network.parameters()).device
        self._order = torch.Generator().manual_seed(seed)
        self._updates = Updates(network, how, self.max_epochs * self.steps_an_epoch, task.is_sparse)
        self._choice = EpochChoice()
        self._place = self._start(1)

    def fit(
        self,
        dev: Dev | None,
        patience: int | None,
        callbacks: Sequence[Callback],
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """Run the epochs that are left; with ``dev``, end on the epoch that :class:`EpochChoice` keeps."""
        if checkpoint is not None and (kept := checkpoint.read()) is not None:
            self._restore(*kept)
        watch = Watch(callbacks, self.max_epochs, self.max_epochs * self.steps_an_epoch, self._updates.done)
        while not self._is_over(dev, patience):
            start = time.perf_counter() - self._place.seconds
            for _ in self.steps():
                self._place.seconds = time.perf_counter() - start
                watch.after_step(self._place.epoch, self._updates.done, self._mean_loss, self.history)
                if checkpoint is not None and not self._processes.are_several and checkpoint.is_due:
                    self._keep(checkpoint)
            record = self._close_epoch(dev)
            self.history.append(record | {"seconds": time.perf_counter() - start})
            watch.after_epoch(self.history[-1], self._updates.done)
            if checkpoint is not None and self._processes.are_several:
                self._keep(checkpoint)
        self.best_epoch = len(self.history) if dev is None else self._choice.epoch
        if self._choice.state:
            self.network.load_state_dict(self._choice.state)

    def steps(self) -> Iterator[Tensor]:
        """The rest of the epoch, a mini-batch each: its loss before the step."""
        self.network.train()
        place = self._place
        self._order.set_state(place.order)
        for index in islice(batches(len(self.task), self.batch_size, self._order), place.batch, None):
            loss = self.train_step(index)
            place.total += loss * len(index)
            place.batch += 1
            yield loss

    def train_step(self, index: npt.NDArray[np.int64]) -> Tensor:
        """One update on the records at positions ``index``; their mean loss before it."""
        updates, processes = self._updates, self._processes
        batch, part = updates.prepare(self.task.batch(index)), 1.0
        if processes.are_several:
            mine, part = processes.share(len(index))
            batch = batch.part(mine)
        weights = None if batch.weights is None else batch.weights.to(self._device)
        with self._how.computing(self._device):
            outputs = self._forward(move(batch.rows, self._device), len(batch.targets))
            loss = noise_aware_loss(outputs, batch.targets.to(self._device), weights)
        if part != 1.0:
            loss = loss * part
        updates.clear()
        loss.backward()  # type: ignore[no-untyped-call]
        if processes.are_several:
            processes.add_up(updates.gradients())
        updates.step()
        return loss.detach()

    def evaluate(self, dev: Dev) -> tuple[FloatArray, FloatArray]:
        """Negative log probability of what each dev label admits (n_dev,), and errors (n_dev,): 0 or 1."""
        log_proba = predict_log_proba(self.network, dev.inputs, self.batch_size)
        losses: FloatArray = -np.logaddexp.reduce(np.where(dev.admitted, log_proba, -np.inf), axis=1)
        right = np.take_along_axis(dev.admitted, log_proba.argmax(axis=1)[:, None], axis=1)[:, 0]
        return losses, (~right).astype(np.float64)

    def _close_epoch(self, dev: Dev | None) -> Record:
        """What an epoch comes to, once all its steps are done; ``ConfigError`` when its loss is not finite."""
        place = self._place
        self._updates.settle()
        self._processes.add_up([place.total])
        self._processes.share_state(self.network, buffers_only=True)
        loss = float(place.total) / len(self.task)
        if not math.isfinite(loss):
            raise ConfigError(
                f"The training loss must stay finite; got {loss} at epoch {place.epoch}. "
                f"Lower lr (now {self._how.schedule.lr:g})."
            )
        record: Record = {"epoch": place.epoch, "loss": loss}
        if dev is not None:
            losses, errors = self.evaluate(dev)
            record |= {"dev_loss": float(losses.mean()), "dev_accuracy": 1.0 - float(errors.mean())}
            self._choice.offer(place.epoch, losses, errors, self.network)
        self._place = self._start(place.epoch + 1)
        return record

    def _start(self, epoch: int) -> _Place:
        return _Place(epoch, self._order.get_state(), torch.zeros((), device=self._device))

    def _is_over(self, dev: Dev | None, patience: int | None) -> bool:
        if len(self.history) == self.max_epochs:
            return True
        late = len(self.history) - self._choice.least_epoch
        return dev is not None and patience is not None and late >= patience and bool(self.history)

    def _mean_loss(self) -> float:
        """Of the epoch so far; where others compute shares of it, by this one's."""
        seen = min(self._place.batch * self.batch_size, len(self.task))
        return float(self._place.total) * self._processes.number / seen

    def _keep(self, checkpoint: Checkpoint) -> None:
        """Write down all that the rest of the fit depends on."""
        rng = self._processes.from_each(torch.get_rng_state())
        cuda = self._device.type == "cuda"
        cuda_rng = self._processes.from_each(torch.cuda.get_rng_state(self._device)) if cuda else None
        if self._processes.rank:
            return
        place = self._place
        tensors = {"order": place.order, "total": place.total, "rng": rng}
        if cuda_rng is not None:
            tensors["cuda_rng"] = cuda_rng
        for group, state in (
            ("network", self.network.state_dict()),
            ("updates", self._updates.state()),
            ("chosen", self._choice.state),
        ):
            tensors |= {f"{group}.{name}": tensor for name, tensor in state.items()}
        facts = {"epoch": place.epoch, "batch": place.batch, "seconds": place.seconds}
        state = facts | {"done": self._updates.done, "history": self.history, "choice": self._choice.facts()}
        checkpoint.write(state, tensors)

    def _restore(self, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Go on from what :meth:`_keep` wrote."""

        def group(name: str) -> dict[str, Tensor]:
            return {n.removeprefix(name): t for n, t in tensors.items() if n.startswith(name)}

        self.network.load_state_dict(group("network."))
        self._updates.restore(group("updates."), state["done"])
        self._choice.restore(state["choice"], {n: t.to(self._device) for n, t in group("chosen.").items()})
        self.history = list(state["history"])
        total = tensors["total"].to(self._device)
        self._place = _Place(state["epoch"], tensors["order"], total, state["batch"], state["seconds"])
        self._order.set_state(tensors["order"])
        torch.set_rng_state(tensors["rng"][self._processes.rank].clone())
        if "cuda_rng" in tensors and self._device.type == "cuda":
            torch.cuda.set_rng_state(tensors["cuda_rng"][self._processes.rank].clone(), self._device)

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


def _usual_epochs(network: EndNetwork, steps_an_epoch: int) -> int:
    """Of networks that learn from scratch, or fewer: what a module says that was trained before."""
    told = [n for module in network.modules() if isinstance(n := getattr(module, "usual_epochs", None), int)]
    least, steps = (min(told), _MIN_STEPS_AFTER) if told else (_MIN_EPOCHS, _MIN_STEPS)
    return max(least, math.ceil(steps / steps_an_epoch))


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
