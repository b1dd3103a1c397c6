"""Alphabets of what labeling functions returned: the same whatever the batches, workers and order of records."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from metalwork._checks import ABSTAIN, IntArray
from metalwork.errors import LabelingError, MetalworkWarning
from metalwork.votes import NO_VOTES, Alphabet, LabelMatrix

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
        """The number here of each number there; at the end, of what is no vote."""
        return np.array([*range(self.n_labels), *map(self.number, other.others), *NO_VOTES])

    def pack(self) -> list[Any]:
        """The outcomes beside labels as JSON holds them, in the order of their numbers."""
        return [outcome.code if isinstance(outcome, Soft) else list(outcome) for outcome in self.others]

    def unpack(self, packed: list[Any]) -> None:
        """Take up what :meth:`pack` gave."""
        for outcome in packed:
            self.number(tuple(outcome) if isinstance(outcome, list) else Soft(outcome))

    def alphabet(self) -> tuple[Alphabet, IntArray]:
        """The outcomes in canonical order, and the code of each number, then those of no votes.

        So the alphabet depends on what was voted, not on the order of records.
        """
        k = self.n_labels
        soft = Alphabet.of_soft_votes(k).rows
        sets = Alphabet.of_states(k, [outcome for outcome in self.others if not isinstance(outcome, Soft)]).rows
        own, rest = Alphabet.of_labels(k), iter(sets)
        rows = [soft[outcome.code] if isinstance(outcome, Soft) else next(rest) for outcome in self.others]
        numbered = Alphabet(np.concatenate([own.rows, *(row[None] for row in rows)])) if rows else own
        found = own.union(numbered)
        return found, numbered.codes_in(found)


def recode(votes: LabelMatrix, like: LabelMatrix, warn: bool = True) -> LabelMatrix:
    """The votes in the alphabets of ``like``, of the same LFs; what these do not hold abstains, with a warning."""
    if (votes.names, votes.tasks, votes.schema) != (like.names, like.tasks, like.schema):
        raise LabelingError("like must hold the votes of the same LFs on the same schema; it differs.")
    codes, lost = votes.stored_codes.astype(np.int32), []
    for lf, name in enumerate(votes.names):
        if votes.alphabets[lf].plain and like.alphabets[lf].plain:
            continue
        new = votes.alphabets[lf].codes_in(like.alphabets[lf])[codes[:, lf]]
        gone = (new == ABSTAIN) & (codes[:, lf] != ABSTAIN)
        lost += [f"{votes.vote_name(lf, code)!r} of LF {name!r}" for code in np.unique(votes.codes[gone, lf])]
        codes[:, lf] = new
    if lost and warn:
        named = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        warnings.warn(
            f"Votes of a kind that like does not hold were taken for abstains: {named}. "
            "To keep them, apply to these records and those of like at once, and fit on that.",
            MetalworkWarning,
            stacklevel=3,
        )
    alphabets = dict(zip(like.names, like.alphabets, strict=True))
    known: dict[str, Any] = {"errors": votes.errors, "outcomes": alphabets, "incidents": votes.incidents}
    return LabelMatrix(codes, votes.schema, votes.tasks, votes.names, **known)
