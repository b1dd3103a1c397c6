"""What each labeling function says of records of each true label."""

from typing import Any, Final

import numpy as np

from metalwork._checks import NOT_APPLICABLE
from metalwork.analysis._confusion import Confusion, cross
from metalwork.analysis._gold import UNKNOWN, Codes, read_gold
from metalwork.analysis._one_tree import check_votes
from metalwork.votes import LabelMatrix

DOES_NOT_APPLY: Final = "(does not apply)"
"""Row of an LF's confusion table for records to which its task does not apply."""

ABSTAINS: Final = "(abstains)"
"""Its last column."""


def lf_confusion(votes: LabelMatrix, y: Any) -> dict[str, Confusion]:
    """A table an LF, by its name: true labels of its task down the side, what it said across the top.

    Below the labels stands a row for records to which the task does not apply, but for the root; beside what the
    LF says a column for its abstains. Sets and soft votes are named as in ``votes.vote_name``, those alone that
    occur. Records whose label is not known as far down as the LF's task are left out.

    Parameters
    ----------
    votes : LabelMatrix (n_points, n_lfs)
    y : sequence (n_points,)
        Known labels, as ``schema.known_codes`` takes them.

    Raises
    ------
    VotesError
        When ``y`` has the wrong length, or holds what is no label.
    """
    check_votes(votes)
    gold = read_gold(y, votes.schema, votes.n_points)
    return {name: _table(votes, j, gold) for j, name in enumerate(votes.names)}


def _table(votes: LabelMatrix, j: int, gold: Codes) -> Confusion:
    task = votes.tasks[j]
    labels = votes.schema.labels(task)
    truth = gold[:, votes.schema.task_index(task)]
    known = truth != UNKNOWN
    codes, truth = votes.codes[known, j].astype(np.int64), truth[known]
    said = range(len(labels)) if votes.alphabets[j].plain else np.unique(codes[codes >= 0]).tolist()
    names = {code: votes.vote_name(j, code) for code in said}
    columns = list(dict.fromkeys(names.values()))  # soft votes may share a name
    place = np.full(len(votes.alphabets[j]) + 1, len(columns))  # the last is where code -1 points
    at = {name: column for column, name in enumerate(columns)}
    place[list(names)] = [at[name] for name in names.values()]
    rows = labels if task == votes.schema.root else (*labels, DOES_NOT_APPLY)
    return cross(np.where(truth == NOT_APPLICABLE, len(labels), truth), place[codes], rows, (*columns, ABSTAINS))
