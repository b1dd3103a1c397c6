"""Snorkel MeTaL's matrices: one a task, labels 1..k, 0 for an abstain, in a hierarchy k+1 for "does not apply"."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from metalwork._checks import IntArray
from metalwork.errors import VotesError
from metalwork.schema import TaskSchema
from metalwork.votes._alphabet import Alphabet


def as_codes(codes: Any) -> IntArray:
    """Codes (n_points, n_lfs) as whole numbers; a sparse matrix is made dense."""
    array = np.asarray(codes.toarray() if hasattr(codes, "toarray") else codes)
    if array.ndim != 2:
        raise VotesError(f"codes must have shape (n_points, n_lfs); got {array.shape}.")
    if array.dtype.kind not in "iu":
        if array.dtype.kind != "f" or not (np.abs(array) < 2**31).all() or (array % 1 != 0).any():
            raise VotesError(f"codes must be whole numbers; got dtype {array.dtype}. Use -1 for an abstain.")
        array = array.astype(np.int64)
    return array


def read_metal(
    matrices: Sequence[Any], schema: TaskSchema, last_is_not_applicable: bool
) -> tuple[IntArray, list[str]]:
    """Codes (n_points, n_lfs) of MeTaL's matrices, one a task, and the task of each LF."""
    if len(matrices) != schema.n_tasks:
        raise VotesError(f"matrices must be a list of one a task ({schema.n_tasks}); got {len(matrices)}.")
    arrays = [as_codes(matrix).astype(np.int64) for matrix in matrices]
    _check(arrays, schema, last_is_not_applicable)
    if len({len(array) for array in arrays}) > 1:
        rows = ", ".join(str(len(array)) for array in arrays)
        raise VotesError(f"matrices must have one row a record each; got {rows} rows.")
    tasks = [task for task, array in zip(schema.tasks, arrays, strict=True) for _ in range(array.shape[1])]
    return np.concatenate(arrays, axis=1) - 1, tasks


def _check(matrices: Sequence[IntArray], schema: TaskSchema, last_is_not_applicable: bool) -> None:
    """Refuse what is no label, and the value for "does not apply", which only a reader that is told takes so."""
    for t, (task, matrix) in enumerate(zip(schema.tasks, matrices, strict=True)):
        k, below = len(schema.labels(task)), task != schema.root
        top = k + 1 if below and last_is_not_applicable else k
        wrong = np.argwhere((matrix < 0) | (matrix > top))
        if len(wrong):
            row, lf = wrong[0]
            raise VotesError(
                f"matrices[{t}] must hold 0 or the labels 1..{top} of {task!r}; "
                f"got {matrix[row, lf]} at row {row}, LF {lf}. {_remedy(matrix[row, lf], k, below)}"
            )


def _remedy(value: int, n_labels: int, below: bool) -> str:
    if value < 0:
        return "Matrices in which -1 abstains and labels start at 0 are for LabelMatrix, or from_snorkel."
    if below and value == n_labels + 1:
        return (
            "Where the last value means 'does not apply', as in MeTaL's task hierarchies, pass "
            "last_is_not_applicable=True."
        )
    return "Give the matrices in the order of schema.tasks."


def metal_alphabets(schema: TaskSchema, tasks: Sequence[str], names: Sequence[str]) -> dict[str, Alphabet]:
    """By LF name the labels of its task, and after them that this does not apply; no LF of the root says that."""
    alphabets = {}
    for task in set(tasks) - {schema.root}:
        k = len(schema.labels(task))
        alphabets[task] = Alphabet.of_labels(k).union(Alphabet.of_states(k, [[k]]))
    return {name: alphabets[task] for name, task in zip(names, tasks, strict=True) if task in alphabets}
