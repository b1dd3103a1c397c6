"""Votes as label models learn from them: how often each distinct row stands, which adds up across machines."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from metalwork._checks import FloatArray, check_instance
from metalwork.errors import VotesError
from metalwork.inference import Packing, packing
from metalwork.label_models._counting import RowCounts
from metalwork.schema import TaskSchema
from metalwork.votes import Alphabet, LabelMatrix


class VoteCounts:
    """How often each distinct row of votes stands in some records: all that a label model needs of them.

    :func:`count_votes` makes one of each part of the records, on whatever machine has it; :meth:`merge` adds them
    up, and ``model.fit(counts)`` learns from them what it learns from all votes at once, bit for bit, whatever the
    order of records and however they were cut. It pickles; it holds neither records nor ids. Memory: 8 bytes for
    some 39 LFs of two labels and 8 more, a distinct row; 128 MiB at most, beyond which it keeps a fixed sample.

    Attributes
    ----------
    schema : TaskSchema
    names, tasks : tuple of str (n_lfs,)
        The LFs, and the task each votes on.
    n_points : int
        Records counted.
    """

    schema: TaskSchema
    names: tuple[str, ...]
    tasks: tuple[str, ...]

    def __init__(self, like: "LabelMatrix | VoteCounts", outcomes: dict[str, FloatArray]) -> None:
        self.schema, self.names, self.tasks = like.schema, like.names, like.tasks
        self._outcomes = outcomes
        self._rows = RowCounts(layout_of(self.schema, self.names, self.tasks, outcomes))

    @property
    def n_points(self) -> int:
        """Records counted."""
        return self._rows.n_points

    @property
    def outcomes(self) -> dict[str, FloatArray]:
        """Alphabets of LFs that say more than one label, as those of a :class:`LabelMatrix`."""
        return dict(self._outcomes)

    def __len__(self) -> int:
        return self.n_points

    def __repr__(self) -> str:
        return f"VoteCounts(n_points={self.n_points}, n_lfs={len(self.names)}, tasks={list(self.schema.tasks)})"

    def rows(self) -> tuple[LabelMatrix, FloatArray]:
        """The distinct rows of votes, and how many records each stands for: float array (n_rows,)."""
        codes, weights = self._rows.rows()
        return LabelMatrix(codes, self.schema, self.tasks, self.names, outcomes=self.outcomes), weights

    @classmethod
    def merge(cls, parts: Iterable["VoteCounts"]) -> Self:
        """The counts of all parts together; alphabets that differ are united.

        Raises
        ------
        VotesError
            For parts of other LFs or another schema, or none at all.
        """
        given = [check_instance("each of parts", part, VoteCounts) for part in parts]
        if not given:
            raise VotesError("parts must hold at least one count; got none.")
        first = given[0]
        if any(
            (part.schema, part.names, part.tasks) != (first.schema, first.names, first.tasks) for part in given
        ):
            raise VotesError(
                "parts must be counts of the same LFs on the same schema, in their order; they differ."
            )
        found = cls(first, _united(given))
        for part in given:
            found._rows.add_counts(part._in(found._outcomes))
        return found

    def with_votes(self, votes: LabelMatrix) -> "VoteCounts":
        """These counts with those of a label matrix of the same LFs; added to these where alphabets are alike."""
        if not self._takes(votes):
            return VoteCounts.merge([self, count_votes(votes)])
        self._rows.add(votes.codes)
        return self

    def _takes(self, votes: LabelMatrix) -> bool:
        """Whether votes can be counted as they are."""
        same = (votes.schema, votes.names, votes.tasks) == (self.schema, self.names, self.tasks)
        return same and _alphabets(votes.outcomes) == _alphabets(self._outcomes)

    def _in(self, outcomes: dict[str, FloatArray]) -> RowCounts:
        """The counts in other alphabets, which hold its own."""
        if _alphabets(self._outcomes) == _alphabets(outcomes):
            return self._rows
        return self._rows.recoded(
            layout_of(self.schema, self.names, self.tasks, outcomes),
            {
                lf: _alphabet(self, self._outcomes, name).codes_in(_alphabet(self, outcomes, name))
                for lf, name in enumerate(self.names)
                if name in outcomes
            },
        )


def count_votes(votes: LabelMatrix | Iterable[LabelMatrix]) -> VoteCounts:
    """Count the distinct rows of a label matrix, or of several of the same LFs that come one by one.

    Raises
    ------
    VotesError
        For matrices of other LFs or another schema, or none at all.
    """
    if isinstance(votes, LabelMatrix):
        found = VoteCounts(votes, votes.outcomes)
        found._rows.add(votes.codes)
        return found
    total: VoteCounts | None = None
    for part in votes:
        check_instance("each of votes", part, LabelMatrix)
        total = count_votes(part) if total is None else total.with_votes(part)
    if total is None:
        raise VotesError("votes must hold at least one label matrix; got none.")
    return total


def layout_of(schema: TaskSchema, names: Sequence[str], tasks: Sequence[str], outcomes: dict[str, Any]) -> Packing:
    """How rows of votes of these LFs become words."""
    of_lf = np.array(tasks, dtype=object)
    of_task = [np.flatnonzero(of_lf == task) for task in schema.tasks]
    place = {name: lf for lf, name in enumerate(names)}
    return packing(of_task, schema.n_labels, alphabets={place[name]: rows for name, rows in outcomes.items()})


def _alphabet(counts: VoteCounts, outcomes: dict[str, FloatArray], name: str) -> Alphabet:
    if name in outcomes:
        return Alphabet(outcomes[name])
    return Alphabet.of_labels(len(counts.schema.labels(counts.tasks[counts.names.index(name)])))


def _alphabets(outcomes: dict[str, FloatArray]) -> dict[str, Alphabet]:
    return {name: Alphabet(rows) for name, rows in outcomes.items()}


def _united(parts: Sequence[VoteCounts]) -> dict[str, FloatArray]:
    """The alphabet of each LF that needs one, which holds those of all parts."""
    found = {}
    for name in parts[0].names:
        if any(name in part._outcomes for part in parts):
            first, *others = (_alphabet(part, part._outcomes, name) for part in parts)
            alike = all(other == first for other in others)
            found[name] = (first if alike else first.union(*others)).rows
    return found
