"""How weights follow gradients: optimiser, schedule of the rate, clipping, precision."""

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn

from metalwork.end_models._tasks import Batch
from metalwork.end_models._touched import TouchedRows, wide_first_layer
from metalwork.end_models.network import EndNetwork, SparseRows

OPTIMIZERS: Final = ("adamw", "adam", "sgd")
SCHEDULES: Final = ("cosine", "linear", "constant")
PRECISIONS: Final = ("float32", "bf16", "auto")
_MOMENTUM: Final = 0.9  # of SGD


class Schedule(NamedTuple):
    """The rate at each step: up to ``lr`` over a share ``warmup`` of them, then along a curve to 0, or flat."""

    lr: float
    kind: str = "cosine"
    warmup: float = 0.0

    def at(self, step: int, n_steps: int) -> float:
        """The rate of a step, counted from 0."""
        rising = round(self.warmup * n_steps)
        if step < rising:
            return self.lr * (step + 1) / (rising + 1)
        done = (step - rising) / max(n_steps - rising, 1)
        if self.kind == "cosine":
            return self.lr * 0.5 * (1.0 + math.cos(math.pi * done))
        return self.lr * (1.0 - done) if self.kind == "linear" else self.lr


@dataclass(frozen=True)
class Optimisation:
    """An end model's arguments on the matter; ``bf16`` is whether mini-batches are computed in bfloat16."""

    schedule: Schedule
    optimizer: str = "adamw"
    weight_decay: float = 0.01
    max_grad_norm: float | None = None
    bf16: bool = False

    def computing(self, device: torch.device) -> AbstractContextManager[Any]:
        """In which the network and its loss are computed; weights and their updates stay float32."""
        return torch.autocast(device.type, dtype=torch.bfloat16) if self.bf16 else nullcontext()

    def over(self, parameters: list[nn.Parameter], rates: Mapping[nn.Parameter, float]) -> torch.optim.Optimizer:
        """torch's optimiser; parameters with a rate of their own follow the schedule up to that."""
        common: dict[str, Any] = {"lr": self.schedule.lr, "weight_decay": self.weight_decay, "fused": True}
        by_rate: dict[float, list[nn.Parameter]] = {}
        for parameter in parameters:
            by_rate.setdefault(rates.get(parameter, self.schedule.lr), []).append(parameter)
        groups = [{"params": own, "share": rate / self.schedule.lr} for rate, own in by_rate.items()]
        if self.optimizer == "sgd":
            return torch.optim.SGD(groups, momentum=_MOMENTUM, **common)
        kind = torch.optim.AdamW if self.optimizer == "adamw" else torch.optim.Adam
        return kind(groups, **common)


class Updates:
    """A network's weights under an optimiser, step by step; what a checkpoint keeps of it."""

    def __init__(self, network: EndNetwork, how: Optimisation, n_steps: int, sparse: bool) -> None:
        self._how, self._n_steps, self.done = how, n_steps, 0
        wide = wide_first_layer(network) if sparse and how.optimizer == "adamw" else None
        self._rows = None if wide is None else TouchedRows(wide, how.weight_decay)
        self._rest = [p for p in network.parameters() if wide is None or p is not wide.weight]
        self._optimizer = how.over(self._rest, _own_rates(network))

    def prepare(self, batch: Batch) -> Batch:
        """The mini-batch in terms of the weights that it reads, where only those are updated."""
        if self._rows is None or not isinstance(batch.rows, SparseRows):
            return batch
        return batch._replace(rows=self._rows.take(batch.rows))

    def clear(self) -> None:
        """Forget the gradients of the step before."""
        self._optimizer.zero_grad()

    def gradients(self) -> list[Tensor]:
        """Those that the last backward pass left."""
        rest = [p.grad for p in self._rest if p.grad is not None]
        return rest if self._rows is None else [*rest, self._rows.gradient()]

    def step(self) -> None:
        """Follow the gradients."""
        lr = self._how.schedule.at(self.done, self._n_steps)
        if self._how.max_grad_norm is not None:
            _clip(self.gradients(), self._how.max_grad_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = lr * group["share"]
        self._optimizer.step()
        if self._rows is not None:
            self._rows.update(lr)
        self.done += 1

    def settle(self) -> None:
        """Bring all weights up to date."""
        if self._rows is not None:
            self._rows.settle()

    def state(self) -> dict[str, Tensor]:
        """All but the weights: tensors by name."""
        found = {f"rows.{name}": tensor for name, tensor in (self._rows.state() if self._rows else {}).items()}
        for i, parameter in enumerate(self._rest):
            kept = self._optimizer.state.get(parameter, {})
            found |= {f"{i}.{name}": value for name, value in kept.items() if isinstance(value, Tensor)}
        return found

    def restore(self, state: Mapping[str, Tensor], done: int) -> None:
        """Go on from the state of another one of the same network and arguments."""
        self.done = done
        if self._rows is not None:
            self._rows.restore({n.removeprefix("rows."): t for n, t in state.items() if n.startswith("rows.")})
        for name, tensor in state.items():
            which, _, kind = name.partition(".")
            if which != "rows":
                parameter = self._rest[int(which)]
                self._optimizer.state[parameter][kind] = tensor.to(parameter.device)


def _own_rates(network: nn.Module) -> dict[nn.Parameter, float]:
    """The highest rates of parameters whose module has one: pretrained ones that the model's would undo."""
    found: dict[nn.Parameter, float] = {}
    for module in network.modules():
        if isinstance(rate := getattr(module, "learning_rate", None), float):
            found |= dict.fromkeys(module.parameters(), rate)
    return found


def _clip(gradients: list[Tensor], most: float) -> None:
    """Scale gradients down together where their common norm is above ``most``."""
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
    factor = (most / (norm + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor)
