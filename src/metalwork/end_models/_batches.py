"""The order in which an epoch sees the records, cut into mini-batches."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

Index = npt.NDArray[np.int64]

_WINDOW: Final = 2**18  # records that are shuffled together
_RUN: Final = 16  # neighbours that stay in one window, so that windows of records on disk are read in pieces


def batches(n_points: int, batch_size: int, generator: torch.Generator) -> Iterator[Index]:
    """Positions of every record once, in a random order, a mini-batch at a time."""
    bounds = batch_bounds(n_points, batch_size)
    windows = _windows(n_points, generator)
    held = next(windows)
    for start, stop in pairwise(bounds):
        while len(held) < stop - start:
            held = np.concatenate([held, next(windows)])
        yield held[: stop - start]
        held = held[stop - start :]


def n_batches(n_points: int, batch_size: int) -> int:
    """How many there are."""
    return len(batch_bounds(n_points, batch_size)) - 1


def batch_bounds(n_points: int, batch_size: int) -> list[int]:
    """Where batches start and end; a last one of one record joins the one before: it has no statistics."""
    bounds = [*range(0, n_points, batch_size), n_points]
    if n_points % batch_size == 1 and len(bounds) > 2:
        del bounds[-2]
    return bounds


def _windows(n_points: int, generator: torch.Generator) -> Iterator[Index]:
    """A random order, a window at a time; of many records, runs of neighbours are dealt to windows at random."""
    if n_points <= _WINDOW:
        yield torch.randperm(n_points, generator=generator).numpy()
        return
    runs = torch.randperm(-(-n_points // _RUN), generator=generator).to(torch.int32)
    for start in range(0, len(runs), _WINDOW // _RUN):
        dealt = runs[start : start + _WINDOW // _RUN].long()
        rows = (dealt[:, None] * _RUN + torch.arange(_RUN)).reshape(-1)
        rows = rows[rows < n_points]
        yield rows[torch.randperm(len(rows), generator=generator)].numpy()
