"""What an end model is trained on: a label model's probabilities, or labels that are known."""

from typing import Any, Final

import numpy as np
from torch import Tensor

from metalwork._checks import ABSTAIN, BoolArray, FloatArray, IntArray
from metalwork.end_models.losses import head_targets, known_targets
from metalwork.end_models.plan import Plan
from metalwork.errors import ConfigError, VotesError
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema

_LEAST: Final = 1e-6
"""The probability from which on a task may apply to a record."""
_SAME: Final = 1e-6


class Labels:
    """Probabilities or known labels of the records that an end model is trained on.

    Attributes
    ----------
    known : bool array (n_points,)
        Whether anything is known of a record.
    named : bool
        Whether they were given by name.
    """

    def __init__(self, schema: TaskSchema, given: TaskProbabilities | IntArray, named: bool = False) -> None:
        self._schema, self._given, self.named = schema, given, named
        known = np.ones(len(given), dtype=bool)
        self.known: BoolArray = known if isinstance(given, TaskProbabilities) else (given != ABSTAIN).any(axis=1)

    def __len__(self) -> int:
        return len(self._given)

    def rows(self, index: Any) -> "Labels":
        """The records at positions ``index`` alone."""
        given = self._given
        return Labels(self._schema, given.rows(index) if isinstance(given, TaskProbabilities) else given[index])

    def targets(self, plan: Plan) -> Tensor:
        """What the loss takes: float32 tensor (n_points, sum of n_labels)."""
        if isinstance(self._given, TaskProbabilities):
            return head_targets(plan, self._given)
        return known_targets(plan, self._schema, self._given)

    def tell(self) -> BoolArray:
        """bool array (n_tasks,): the tasks whose labels they tell apart on some record; all, where they are known.

        Who gives coarse labels alone has left the tasks below to chance.
        """
        if not isinstance(self._given, TaskProbabilities):
            return np.ones(self._schema.n_tasks, dtype=bool)
        return np.array([self._tells(task, self._given) for task in self._schema.tasks])

    def _tells(self, task: str, probs: TaskProbabilities) -> bool:
        """Whether a record's labels are neither equally likely nor in proportion to the end labels below them."""
        sizes = np.diff(self._schema.spans(task), axis=1).ravel()
        shares = probs.conditional(task)[probs[task].sum(axis=1) > _LEAST]
        nothing = [np.abs(shares - said).max(axis=1) < _SAME for said in (1 / len(sizes), sizes / sizes.sum())]
        return len(sizes) == 1 or not (nothing[0] | nothing[1]).all()

    def mass(self) -> FloatArray:
        """float64 array (n_points, 2, n_tasks): how far each task applies, and how far its label is known."""
        given, schema = self._given, self._schema
        if isinstance(given, TaskProbabilities):
            shares = np.stack([given[task].sum(axis=1) for task in schema.tasks], axis=1)
            return np.stack([shares, shares], axis=1)
        applies = np.ones(given.shape, dtype=bool)
        for position, task in enumerate(schema.tasks):
            if (above := schema.parent(task)) is not None:
                applies[:, position] = given[:, schema.task_index(above[0])] == schema.label_code(*above)
        return np.stack([applies, given >= 0], axis=1).astype(np.float64)


def read_labels(given: Any, schema: TaskSchema) -> Labels:
    """Probabilities of this schema, or known labels (names, codes, coarse ones).

    Raises
    ------
    ConfigError
        For anything else.
    VotesError
        For probabilities of another schema, or labels outside of it.
    """
    probs = _probabilities(given, schema)
    if probs is None and not hasattr(given, "__iter__"):
        raise ConfigError(
            f"probs must be TaskProbabilities or known labels; got {type(given).__name__}. "
            "Use a label model's predict_proba, or labels by name or code."
        )
    return Labels(schema, schema.known_codes(given), _are_names(given)) if probs is None else Labels(schema, probs)


def _are_names(labels: Any) -> bool:
    """Whether one of the known labels is a name."""
    values = labels if isinstance(labels, list | tuple) else np.asarray(labels, dtype=object).ravel().tolist()
    return any(isinstance(value, str) and value.strip() for value in values)


def read_gold(y: Any, schema: TaskSchema, what: str) -> tuple[BoolArray, BoolArray]:
    """Which end labels each known label admits (n_points, n_end_labels), and whether it is known (n_points,).

    Raises
    ------
    VotesError
        For a label outside of the schema, or none that is known.
    """
    known = schema.known_codes(y)
    stated = (known != ABSTAIN).any(axis=1)
    if not stated.any():
        raise VotesError(f"{what} must hold at least one known label; got none.")
    return schema.admits(known), stated


def how_right(y: Any, schema: TaskSchema) -> tuple[FloatArray, BoolArray]:
    """:func:`read_gold` of known labels as 0 and 1; of probabilities they themselves, all known."""
    if (probs := _probabilities(y, schema)) is not None:
        return probs.end, np.ones(len(probs), dtype=bool)
    admitted, known = read_gold(y, schema, "y")
    return admitted.astype(np.float64), known


def _probabilities(given: Any, schema: TaskSchema) -> TaskProbabilities | None:
    """Probabilities as they are, as an array, or as its rows (as scikit-learn picks records); else None."""
    if isinstance(given, TaskProbabilities):
        if given.schema != schema:
            raise VotesError("probs must have the model's schema; it differs. Fit both models on one schema.")
        return given
    if isinstance(given, list) and given and all(isinstance(row, np.ndarray) and row.ndim == 1 for row in given):
        given = np.array(given) if len({row.shape for row in given}) == 1 else None
    if isinstance(given, np.ndarray) and given.ndim == 2 and given.dtype.kind == "f":
        return TaskProbabilities(given, schema)
    return None
