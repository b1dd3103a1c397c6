"""Which epoch's weights are kept."""

import math
from typing import Any, Final

import torch
from torch import Tensor, nn

from metalwork._checks import FloatArray

_MARGIN: Final = 2.0  # standard errors: the fewest errors of many epochs are few by luck, too


class EpochChoice:
    """The epoch to keep: the last whose dev errors are within two standard errors of the fewest.

    A few dev records cannot tell epochs apart that differ by less, and the later one has seen more.
    """

    def __init__(self) -> None:
        self.epoch = self.least_epoch = 0
        self.state: dict[str, Tensor] = {}
        self._fewest = self._least_loss = math.inf

    def offer(self, epoch: int, losses: FloatArray, errors: FloatArray, network: nn.Module) -> None:
        """Look at one epoch's dev losses and errors (0 or 1), each (n_dev,)."""
        if losses.mean() < self._least_loss:
            self._least_loss, self.least_epoch = float(losses.mean()), epoch
        rate = float(errors.mean())
        self._fewest = min(rate, self._fewest)
        expected = (self._fewest * len(errors) + 1.0) / (len(errors) + 2.0)
        if rate <= self._fewest + _MARGIN * math.sqrt(expected * (1.0 - expected) / len(errors)):
            self.epoch = epoch
            self._copy(network)

    def facts(self) -> dict[str, Any]:
        """All but the weights, for a checkpoint."""
        least = [None if math.isinf(value) else value for value in (self._fewest, self._least_loss)]
        return {"epoch": self.epoch, "least_epoch": self.least_epoch, "least": least}

    def restore(self, facts: dict[str, Any], state: dict[str, Tensor]) -> None:
        """Take up what a checkpoint kept."""
        self.epoch, self.least_epoch, self.state = facts["epoch"], facts["least_epoch"], state
        self._fewest, self._least_loss = (math.inf if value is None else value for value in facts["least"])

    def _copy(self, network: nn.Module) -> None:
        """Keep the weights, in the memory of those kept before."""
        with torch.no_grad():
            for name, tensor in network.state_dict().items():
                if name in self.state:
                    self.state[name].copy_(tensor)
                else:
                    self.state[name] = tensor.detach().clone()
