"""AdamW of a wide first layer, at the cost of the rows that a mini-batch of sparse records reads."""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.optim.adamw import adamw

from metalwork.end_models.network import EndNetwork, InputLinear, SparseRows

BETAS: Final = (0.9, 0.999)
EPS: Final = 1e-8
_LEAST_WEIGHTS: Final = 2**22  # below, a pass over all of them costs no more than picking some
_SETTLE_EVERY: Final = 1024  # steps, so that tables by step stay short
_BLOCK: Final = 4096  # rows at a time when all are settled
_NOTHING: Final = 1e-12  # what is left of a mean of gradients, below which numbers would become slow subnormals

Table = npt.NDArray[np.float64]


def wide_first_layer(network: EndNetwork) -> InputLinear | None:
    """The first layer where it reads sparse rows, has many weights, and stands on the CPU."""
    first = network.first_linear
    if first is None or first.weight.numel() < _LEAST_WEIGHTS or first.weight.device.type != "cpu":
        return None
    return first


class TouchedRows:
    """The weights of a first layer (n_features, size) under AdamW, kept up to date where they are read.

    A row that no record of a step reads has gradients of zero. AdamW moves it all the same: its mean gradient
    fades by ``beta1`` a step, its mean square by ``beta2``, and the weights follow the ratio of the two. After
    ``k`` such steps that is, up to how ``eps`` fades, ``w D - C m / (sqrt(v) + eps)``, with ``D`` the product of
    the decays and ``C`` a sum over the steps' rates, both the same for all rows last read at one step. So rows are
    caught up when they are read again, and all of them by :meth:`settle`: the weights are those of dense AdamW but
    for rounding, and a step costs what its records hold, without a gradient of the size of the layer, which the
    system would map and clear anew each time.
    """

    def __init__(self, layer: InputLinear, weight_decay: float) -> None:
        self._layer, self._decay = layer, weight_decay
        n_rows, size = layer.weight.shape
        self._weights = _memory((n_rows, size), layer.weight)
        layer.weight.data = self._weights.copy_(layer.weight.detach())
        self._means, self._squares = (_memory((n_rows, size), self._weights) for _ in range(2))
        self._last = np.zeros(n_rows, dtype=np.int64)  # the step after which a row was last up to date
        self._places = np.empty(n_rows, dtype=np.int64)
        self._step = self._settled = 0
        self._shift, self._shrink = np.zeros(_SETTLE_EVERY + 1), np.ones(_SETTLE_EVERY + 1)  # C and D by last step
        ages = np.arange(_SETTLE_EVERY + 1.0)
        self._fade = [np.where(beta**ages > _NOTHING, beta**ages, 0.0) for beta in BETAS]
        self._scratch = _memory((4, 0, size), self._weights)
        self._columns = torch.empty(0, dtype=torch.int64)

    def take(self, rows: SparseRows) -> SparseRows:
        """Bring up to date what ``rows`` read, and give it to the layer; the same rows, in terms of that."""
        indices = rows.indices.numpy()
        columns = self._distinct(indices)
        self._columns = torch.from_numpy(columns)
        weights, means, squares, spare = self._scratch_for(len(columns))
        for source, target in ((self._weights, weights), (self._means, means), (self._squares, squares)):
            np.take(source.numpy(), columns, axis=0, out=target.numpy(), mode="clip")  # faster than index_select
        self._catch_up(self._last[columns], weights, means, squares, spare)
        self._layer.taken = weights.requires_grad_()
        return rows._replace(indices=torch.from_numpy(self._places[indices]), n_features=len(columns))

    def gradient(self) -> Tensor:
        """Of the rows taken: float tensor (n_taken, size)."""
        assert self._layer.taken is not None
        if self._layer.taken.grad is None:  # no record was read
            self._layer.taken.grad = torch.zeros_like(self._layer.taken)
        return self._layer.taken.grad

    def update(self, lr: float) -> None:
        """One step of AdamW on the rows taken, and of the tables for all others."""
        gradient, (weights, means, squares, _) = self.gradient(), self._scratch_for(len(self._columns))
        with torch.no_grad():
            adamw(
                [weights],
                [gradient],
                [means],
                [squares],
                [],
                [torch.tensor(float(self._step))],
                fused=True,
                amsgrad=False,
                beta1=BETAS[0],
                beta2=BETAS[1],
                lr=lr,
                weight_decay=self._decay,
                eps=EPS,
                maximize=False,
            )
        columns = self._columns.numpy()
        for target, source in ((self._weights, weights), (self._means, means), (self._squares, squares)):
            target.numpy()[columns] = source.numpy()  # faster than index_copy_
        self._layer.taken = None
        self._count(lr)
        self._last[columns] = self._step
        if self._step - self._settled == _SETTLE_EVERY:
            self.settle()

    def settle(self) -> None:
        """Bring all rows up to date."""
        for start in range(0, len(self._weights), _BLOCK):
            rows = slice(start, start + _BLOCK)
            blocks = self._weights[rows], self._means[rows], self._squares[rows]
            self._catch_up(self._last[rows], *blocks, torch.empty_like(blocks[0]))
        self._last[:] = self._settled = self._step
        self._shift[:], self._shrink[:] = 0.0, 1.0

    def state(self) -> dict[str, Tensor]:
        """All but the weights, from which :meth:`restore` goes on to the bit."""
        return {
            "means": self._means,
            "squares": self._squares,
            "last": torch.from_numpy(self._last),
            "steps": torch.tensor([self._step, self._settled]),
            "shift": torch.from_numpy(self._shift),
            "shrink": torch.from_numpy(self._shrink),
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up the state of another one, whose weights the layer has."""
        self._means.copy_(state["means"])
        self._squares.copy_(state["squares"])
        self._last[:], self._shift[:], self._shrink[:] = (state[n].numpy() for n in ("last", "shift", "shrink"))
        self._step, self._settled = (int(number) for number in state["steps"])

    def _distinct(self, indices: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The columns among ``indices``, each once; ``_places`` then says where each of them stands."""
        order = np.arange(len(indices))
        self._places[indices] = order
        columns: npt.NDArray[np.int64] = indices[self._places[indices] == order].astype(np.int64)
        self._places[columns] = order[: len(columns)]
        return columns

    def _scratch_for(self, n_rows: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Four tensors (n_rows, size) of memory that every step uses again."""
        if n_rows > self._scratch.shape[1]:
            self._scratch = _memory((4, n_rows + n_rows // 4, self._weights.shape[1]), self._weights)
        weights, means, squares, spare = (part[:n_rows] for part in self._scratch)
        return weights, means, squares, spare

    def _catch_up(
        self, last: npt.NDArray[np.int64], weights: Tensor, means: Tensor, squares: Tensor, spare: Tensor
    ) -> None:
        """Apply to rows, in place, the steps without gradients since they were ``last`` up to date."""
        table, age = last - self._settled, self._step - last
        eps = EPS * np.sqrt(-np.expm1(last * math.log(BETAS[1])))
        torch.sqrt(squares, out=spare)
        torch.div(means, spare.add_(_column(np.maximum(eps, 1e-30), spare)), out=spare)  # never read: 0 / 1e-30
        weights.mul_(_column(self._shrink[table], spare)).addcmul_(spare, _column(-self._shift[table], spare))
        means.mul_(_column(self._fade[0][age], spare))
        squares.mul_(_column(self._fade[1][age], spare))

    def _count(self, lr: float) -> None:
        """Enter one more step into the tables of rows that it did not read."""
        self._step += 1
        done = self._step - self._settled
        decay = 1.0 - lr * self._decay
        first, second = (1.0 - beta**self._step for beta in BETAS)
        ratio = BETAS[0] / math.sqrt(BETAS[1])
        move = lr * math.sqrt(second) / first
        self._shift[:done] *= decay
        self._shift[:done] += move * ratio ** np.arange(done, 0, -1.0)
        self._shrink[:done] *= decay


def _memory(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Zeros from NumPy, which asks the system for large pages: rows here and there are read a quarter faster."""
    return torch.from_numpy(np.zeros(shape, dtype=str(like.dtype).removeprefix("torch.")))


def _column(values: Table, like: Tensor) -> Tensor:
    return torch.from_numpy(values).to(like.dtype)[:, None]
