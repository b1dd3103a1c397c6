"""Coarse labels: heads whose labels few records tell count as much as if all told them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from metalwork._checks import FloatArray
from metalwork.end_models._digest import Digest
from metalwork.end_models._inputs import Index
from metalwork.end_models._labels import Labels
from metalwork.end_models._tasks import Batch, BlockSum, Task
from metalwork.end_models.plan import Plan
from metalwork.schema import TaskSchema

_MOST: Final = 100.0  # above it, single records would set the pace of every weight they reach


class HeadBalance:
    """Counts the records to which each task applies, and those whose label of it is known.

    Their ratio weighs the loss of the task's head, times that of the task above: then the loss is what it is
    expected to be with all labels known, where it is left to chance within a branch which ones are. Probabilities,
    and labels that all go down to end labels, leave every head at 1.
    """

    def __init__(self, schema: TaskSchema) -> None:
        self._schema = schema
        self._mass = BlockSum()

    def add(self, labels: Labels, weights: npt.NDArray[np.float64] | None) -> None:
        """Count some records, by their weights."""
        mass = labels.mass()
        self._mass.add(mass if weights is None else mass * weights[:, None, None])

    def head_weights(self) -> FloatArray:
        """float64 array (n_tasks,): at least 1, at most 100."""
        applies, known = self._mass.total()
        ratios = np.divide(applies, known, out=np.ones_like(known), where=known > 0)
        for position, task in enumerate(self._schema.tasks):  # parents before children
            if (above := self._schema.parent(task)) is not None:
                ratios[position] *= ratios[self._schema.task_index(above[0])]
        weights: FloatArray = ratios.clip(max=_MOST)
        return weights

    def over(self, task: Task, plan: Plan) -> Task:
        """The same records, their targets weighed by head; as they are for one head over end labels."""
        weights = self.head_weights()
        if plan.heads[0].task is None or (weights == 1.0).all():
            return task
        columns = np.repeat(weights, [head.size for head in plan.heads])
        return Balanced(task, torch.from_numpy(columns.astype(np.float32)))


@dataclass(frozen=True)
class Balanced:
    """Training records whose targets are multiplied by ``columns`` (sum of n_labels,)."""

    task: Task
    columns: Tensor

    def __len__(self) -> int:
        return len(self.task)

    @property
    def is_sparse(self) -> bool:
        """Whether mini-batches hold sparse rows."""
        return self.task.is_sparse

    def digest(self) -> str:
        """Of records, targets and weights."""
        return Digest().add(self.task.digest(), self.columns).hex()

    def batch(self, index: Index) -> Batch:
        """The records at these positions."""
        batch = self.task.batch(index)
        return batch._replace(targets=batch.targets * self.columns)
