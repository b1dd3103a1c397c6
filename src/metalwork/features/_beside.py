"""Features that several modules read side by side. Needs torch."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Beside(nn.Module):
    """Blocks of columns, each read by its own module, or as it is.

    Parameters
    ----------
    parts : sequence of (int, nn.Module or None)
        The number of columns of each block, and what reads them.
    """

    def __init__(self, parts: Sequence[tuple[int, nn.Module | None]]) -> None:
        super().__init__()
        self._widths = [width for width, _ in parts]
        self.parts = nn.ModuleList(nn.Identity() if module is None else module for _, module in parts)

    def forward(self, rows: Tensor) -> Tensor:
        """What the modules put out, side by side: float tensor (n_rows, n_outputs)."""
        blocks = torch.split(rows, self._widths, dim=1)
        return torch.cat([part(block) for part, block in zip(self.parts, blocks, strict=True)], dim=1)
