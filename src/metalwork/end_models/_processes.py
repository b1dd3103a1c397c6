"""Several processes of ``torch.distributed`` that train one network, a share of each mini-batch each."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from metalwork.errors import ConfigError


class Processes:
    """The group of processes that was initialised, each at the same fit; this one alone where there is none.

    All read the same records in the same order and take the same number of steps, so none waits for another one.
    """

    def __init__(self) -> None:
        on = torch.distributed.is_available() and torch.distributed.is_initialized()
        self.number = torch.distributed.get_world_size() if on else 1
        self.rank = torch.distributed.get_rank() if on else 0

    @property
    def are_several(self) -> bool:
        """Whether there are others."""
        return self.number > 1

    def agree_on(self, seed: int) -> int:
        """The first one's seed."""
        return int(self.from_first(torch.tensor([seed]))[0]) if self.are_several else seed

    def check_same(self, digest: str) -> None:
        """Raises ``ConfigError`` in all processes when records or settings of two of them differ."""
        if not self.are_several:
            return
        found: list[str] = [""] * self.number
        torch.distributed.all_gather_object(found, digest)
        if len(set(found)) > 1:
            odd = next(rank for rank, other in enumerate(found) if other != found[0])
            raise ConfigError(
                f"Processes that train one network must be given the same records and arguments; got others in "
                f"process {odd}. Each takes its share of every mini-batch itself."
            )

    def share(self, n_rows: int) -> tuple[slice, float]:
        """Which rows of a mini-batch this process computes, and by how much its mean counts in that of all.

        No share has one row where that can be (it has no statistics); a process without any takes the first
        rows, which then do not count, so that it has gradients to add up.
        """
        working = min(self.number, max(1, n_rows // 2))
        bounds = np.linspace(0, n_rows, working + 1).astype(int).tolist()
        if self.rank >= working:
            return slice(0, min(2, n_rows)), 0.0
        start, stop = bounds[self.rank : self.rank + 2]
        return slice(start, stop), (stop - start) / n_rows

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Put the sum over all processes in the place of each."""
        if not self.are_several:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        torch.distributed.all_reduce(flat)
        for tensor, part in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def from_first(self, tensor: Tensor) -> Tensor:
        """The tensor of the first process, in the place of this one's."""
        if self.are_several:
            torch.distributed.broadcast(tensor, src=0)
        return tensor

    def from_each(self, tensor: Tensor) -> Tensor:
        """The tensors of all processes, side by side: (number, ...)."""
        found = [torch.empty_like(tensor) for _ in range(self.number)]
        if self.are_several:
            torch.distributed.all_gather(found, tensor)
        else:
            found[0].copy_(tensor)
        return torch.stack(found)

    def share_state(self, network: nn.Module, *, buffers_only: bool = False) -> None:
        """Let all processes have the first one's weights, and statistics of mini-batches."""
        if self.are_several:
            for tensor in network.buffers() if buffers_only else network.state_dict().values():
                self.from_first(tensor)
