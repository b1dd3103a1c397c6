"""The linear end model: no layers, so its loss is convex, and one optimum is found by L-BFGS instead of epochs."""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
from scipy.special import log_softmax

from metalwork._checks import FloatArray
from metalwork.end_models._tasks import Task
from metalwork.end_models._training import Dev, predict_log_proba
from metalwork.end_models._watching import Callback, Record
from metalwork.end_models.network import EndNetwork, InputLinear, SparseRows
from metalwork.errors import MetalworkWarning

_MAX_ITER: Final = 500
_TOLERANCE: Final = 1e-4  # of the gradient's largest entry, as in scikit-learn's logistic regression
_BLOCK: Final = 2**22  # scores that are worked on at once
_MOST_HELD: Final = 2**28  # bytes of records that are held between evaluations; others are read anew


class _Block(NamedTuple):
    """Some records: features, targets (n_rows, sum of n_labels), and weights (n_rows, 1)."""

    rows: Any
    targets: FloatArray
    weights: FloatArray


class LinearTrainer:
    """Fits a network without layers in place, as :class:`Trainer` fits others. An iteration stands for an epoch.

    The objective is the mean noise-aware loss, plus ``l2 / 2n`` times the sum of the squared weights, which is
    that of scikit-learn's ``LogisticRegression(C=1 / l2)`` for known labels. It has one minimum, so that neither
    order nor seed matters, and dev labels choose nothing.
    """

    def __init__(self, network: EndNetwork, task: Task, l2: float, max_iter: int | None) -> None:
        self.network = network
        self.history: list[Record] = []
        self._blocks = _Blocks(task, sum(head.size for head in network.plan.heads))
        self._l2, self._max_iter = l2 / len(task), max_iter
        ends = np.cumsum([0, *(head.size for head in network.plan.heads)]).tolist()
        self._heads = [slice(start, stop) for start, stop in pairwise(ends)]
        self._loss = 0.0

    @property
    def best_epoch(self) -> int:
        """The last iteration."""
        return len(self.history)

    def fit(self, dev: Dev | None, callbacks: Sequence[Callback]) -> None:
        """Find the minimum; ``dev`` is scored after every iteration."""
        from scipy.optimize import minimize

        n_features, n_outputs = self.network.plan.n_features, self._heads[-1].stop
        found = minimize(
            self.objective,
            np.zeros((n_features + 1) * n_outputs),
            jac=True,
            method="L-BFGS-B",
            callback=self._noting(dev, callbacks),
            options={"maxiter": self._max_iter or _MAX_ITER, "maxls": 50, "gtol": _TOLERANCE, "ftol": 1e-14},
        )
        self._keep(found.x)
        if not self.history:  # it starts at the minimum
            self._note(0.0, dev, callbacks)
        if found.status == 1 and self._max_iter is None:
            warnings.warn(
                f"The linear end model has not converged after {_MAX_ITER} iterations: its features may differ "
                "much in size. Scale them alike, or raise l2.",
                MetalworkWarning,
                stacklevel=4,
            )

    def objective(self, flat: FloatArray) -> tuple[float, FloatArray]:
        """Value at weights and biases, flattened, and its gradient."""
        table = flat.reshape(-1, self._heads[-1].stop)
        weights, biases = table[:-1], table[-1]
        gradient = np.zeros_like(table)
        total, n_points = 0.0, 0
        for block in self._blocks:
            scores = block.rows @ weights
            scores += biases
            for head in self._heads:
                own, targets = scores[:, head], block.targets[:, head]
                logs = log_softmax(own, axis=1)
                total -= float(np.sum(block.weights * targets * logs))
                own[:] = block.weights * (np.exp(logs) * targets.sum(axis=1, keepdims=True) - targets)
            gradient[:-1] += block.rows.T @ scores
            gradient[-1] += scores.sum(axis=0)
            n_points += len(scores)
        gradient /= n_points
        gradient[:-1] += self._l2 * weights
        self._loss = total / n_points
        return self._loss + 0.5 * self._l2 * float(np.vdot(weights, weights)), gradient.ravel()

    def _noting(self, dev: Dev | None, callbacks: Sequence[Callback]) -> Callable[[FloatArray], None]:
        start = time.perf_counter()

        def note(flat: FloatArray) -> None:
            nonlocal start
            if dev is not None:
                self._keep(flat)
            self._note(time.perf_counter() - start, dev, callbacks)
            start = time.perf_counter()

        return note

    def _note(self, seconds: float, dev: Dev | None, callbacks: Sequence[Callback]) -> None:
        record: Record = {"epoch": len(self.history) + 1, "loss": self._loss}
        if dev is not None:
            record |= _scores(self.network, dev)
        self.history.append(record | {"seconds": seconds})
        for callback in callbacks:
            callback(self.history[-1])

    def _keep(self, flat: FloatArray) -> None:
        """Put weights and biases into the network."""
        table = torch.from_numpy(flat.reshape(-1, self._heads[-1].stop))
        with torch.no_grad():
            for layer, head in zip(self.network.heads, self._heads, strict=True):
                assert isinstance(layer, InputLinear)
                layer.weight.copy_(table[:-1, head])
                layer.bias.copy_(table[-1, head])


class _Blocks:
    """The records of a task in blocks that are cut alike wherever they are kept; the first ones are held."""

    def __init__(self, task: Task, n_outputs: int) -> None:
        self._task = task
        self._size = max(1, _BLOCK // n_outputs)
        self._held: list[_Block] = []
        self._left = _MOST_HELD

    def __iter__(self) -> Iterator[_Block]:
        for number, start in enumerate(range(0, len(self._task), self._size)):
            if number < len(self._held):
                yield self._held[number]
                continue
            block = self._read(np.arange(start, min(start + self._size, len(self._task))))
            if number == len(self._held) and self._left > 0:
                self._held.append(block)
                self._left -= _n_bytes(block.rows) + block.targets.nbytes
            yield block

    def _read(self, index: Any) -> _Block:
        rows, targets, weights = self._task.batch(index)
        given = torch.ones(len(index)) if weights is None else weights
        return _Block(_as_matrix(rows), targets.double().numpy(), given.double().numpy()[:, None])


def _as_matrix(rows: Any) -> Any:
    if isinstance(rows, SparseRows):
        parts = rows.values.double().numpy(), rows.indices.numpy(), rows.offsets.numpy()
        return sp.csr_array(parts, shape=(len(rows.offsets) - 1, rows.n_features))
    return rows.double().numpy()


def _n_bytes(rows: Any) -> int:
    return int(rows.data.nbytes + rows.indices.nbytes if sp.issparse(rows) else rows.nbytes)


def _scores(network: EndNetwork, dev: Dev) -> Record:
    log_proba = predict_log_proba(network, dev.inputs, 1024)
    losses = -np.logaddexp.reduce(np.where(dev.admitted, log_proba, -np.inf), axis=1)
    right = np.take_along_axis(dev.admitted, log_proba.argmax(axis=1)[:, None], axis=1)
    return {"dev_loss": float(losses.mean()), "dev_accuracy": float(right.mean())}
