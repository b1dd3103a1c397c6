"""Flat votes and probabilities, said in the tasks of a tree over the same end labels."""

import numpy as np

from metalwork._checks import ABSTAIN, IntArray
from metalwork.errors import VotesError
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix


def places_of(labels: tuple[str, ...], tree: TaskSchema) -> IntArray:
    """int64 array (n_end_labels,): the code in ``labels`` of each end label of ``tree``, a schema of any shape.

    Raises
    ------
    VotesError
        When they are not the same labels.
    """
    if set(labels) != set(tree.end_labels):
        odd = sorted(set(labels) ^ set(tree.end_labels))
        raise VotesError(f"votes must be on the same end labels as the tree; {odd[0]!r} is in only one of them.")
    code = {label: position for position, label in enumerate(labels)}
    return np.array([code[label] for label in tree.end_labels], dtype=np.int64)


def votes_in_tree(votes: LabelMatrix, tree: TaskSchema) -> LabelMatrix:
    """Votes for end labels, each as a vote on the task of the tree that decides on its label.

    A labeling function (LF) that votes for labels of several tasks becomes one LF a task, ``"name[task]"``.
    """
    votes.check_plain("a tree")
    ends = places_of(votes.schema.labels(votes.schema.root), tree)
    codes, tasks, names = [], [], []
    for position, name in enumerate(votes.names):
        by_task = _by_task(votes.codes[:, position], ends, tree)
        for task, column in by_task.items():
            codes.append(column)
            tasks.append(task)
            names.append(name if len(by_task) == 1 else f"{name}[{task}]")
    matrix = np.stack(codes, axis=1) if codes else np.empty((votes.n_points, 0), np.int64)
    return LabelMatrix(matrix, tree, tasks, names, record_ids=votes.record_ids)


def _by_task(codes: IntArray, ends: IntArray, tree: TaskSchema) -> dict[str, IntArray]:
    """The codes of one LF, task by task; all of them abstentions where it never votes."""
    found: dict[str, IntArray] = {}
    voted = np.isin(ends, codes)
    last = (tree.task_codes >= 0).cumsum(axis=1).argmax(axis=1)  # the task that decides on each end label
    for position, task in enumerate(tree.tasks):
        own = (last == position) & voted
        if own.any():
            recoded = np.full(len(ends) + 1, ABSTAIN, dtype=np.int64)  # the last one is what -1 picks
            recoded[ends[own]] = tree.task_codes[own, position]
            found[task] = recoded[codes]
    return found or {tree.root: np.full(len(codes), ABSTAIN, dtype=np.int64)}


def probabilities_in_tree(probabilities: TaskProbabilities, tree: TaskSchema) -> TaskProbabilities:
    """Probabilities of the same end labels, in the order of the tree, which sums them up its tasks."""
    return TaskProbabilities(probabilities.end[:, places_of(probabilities.schema.end_labels, tree)], tree)
