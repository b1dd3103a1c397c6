"""Alphabets of what labeling functions returned: the same whatever the batches, workers and order of records."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metalwork._checks import ABSTAIN, FloatArray, IntArray
from metalwork.errors import LabelingError, MetalworkWarning
from metalwork.votes import LabelMatrix, plain_outcomes, soft_outcomes

States = tuple[int, ...]
"""A set of states of a task, ascending: label codes, and the number of labels for 'the task does not apply'."""


@dataclass(frozen=True)
class Soft:
    """A soft vote: its row in the fixed alphabet of soft votes."""

    code: int


Outcome = States | Soft


class Numbering:
    """Numbers outcomes in the order they come up: labels by their code, others from ``n_labels`` on."""

    def __init__(self, n_labels: int) -> None:
        self.n_labels = n_labels
        self.others: dict[Outcome, int] = {}

    def number(self, outcome: Outcome) -> int:
        """The number of an outcome; a new one where it is new."""
        if not isinstance(outcome, Soft) and len(outcome) == 1 and outcome[0] < self.n_labels:
            return outcome[0]
        return self.others.setdefault(outcome, self.n_labels + len(self.others))

    def of(self, other: "Numbering") -> IntArray:
        """The number here of each number there, and last of an abstain."""
        return np.array([*range(self.n_labels), *map(self.number, other.others), ABSTAIN])

    def alphabet(self) -> tuple[FloatArray | None, IntArray]:
        """The outcomes in canonical order, None for plain labels; and the code of each number, last an abstain's.

        Labels come first, or the whole fixed alphabet of soft votes where there is one among the outcomes, then
        sets in ascending order. So the alphabet depends on what was voted, not on the order of records.
        """
        if not self.others:
            return None, np.append(np.arange(self.n_labels), ABSTAIN)
        k = self.n_labels
        soft = any(isinstance(outcome, Soft) for outcome in self.others)
        base = soft_outcomes(k) if soft else plain_outcomes(k)
        sets = sorted(outcome for outcome in self.others if not isinstance(outcome, Soft))
        place = {states: len(base) + i for i, states in enumerate(sets)}
        codes = [int(base[:, code].argmax()) for code in range(k)]
        codes += [outcome.code if isinstance(outcome, Soft) else place[outcome] for outcome in self.others]
        rows = np.concatenate([base, *(_set_row(states, k) for states in sets)])
        return rows, np.array([*codes, ABSTAIN])


def recode(votes: LabelMatrix, like: LabelMatrix) -> LabelMatrix:
    """The votes in the alphabets of ``like``, of the same LFs; what these do not hold abstains, with a warning."""
    if (votes.names, votes.tasks, votes.schema) != (like.names, like.tasks, like.schema):
        raise LabelingError("like must hold the votes of the same LFs on the same schema; it differs.")
    codes, lost = votes.codes.astype(np.int32), []
    for lf, name in enumerate(votes.names):
        if name not in votes.outcomes and name not in like.outcomes:
            continue
        known = {key: code for code, key in enumerate(_keys(like.alphabet(lf)))}
        table = np.array([*(known.get(key, ABSTAIN) for key in _keys(votes.alphabet(lf))), ABSTAIN])
        new = table[votes.codes[:, lf]]
        gone = (new == ABSTAIN) & (votes.codes[:, lf] != ABSTAIN)
        lost += [f"{votes.vote_name(lf, code)!r} of LF {name!r}" for code in np.unique(votes.codes[gone, lf])]
        codes[:, lf] = new
    if lost:
        named = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        warnings.warn(
            f"Votes of a kind that like does not hold were taken for abstains: {named}. "
            "To keep them, apply to these records and those of like at once, and fit on that.",
            MetalworkWarning,
            stacklevel=3,
        )
    return LabelMatrix(codes, votes.schema, votes.tasks, votes.names, votes.errors, like.outcomes)


def _keys(rows: FloatArray) -> list[bytes]:
    return [row.tobytes() for row in np.nan_to_num(rows, nan=-1.0)]


def _set_row(states: Sequence[int], k: int) -> FloatArray:
    row = np.zeros((1, k + 1))
    row[0, k] = np.nan
    row[0, list(states)] = 1.0
    return row
