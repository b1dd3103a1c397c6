"""Gathering what was found on the shards."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN
from metalwork._opened import OPENED
from metalwork.errors import DataError, LabelingError
from metalwork.labeling._behaviour import Behaviour
from metalwork.labeling._checks import check_functions
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._labeler import Part, numberings
from metalwork.labeling._returns import Spaces
from metalwork.labeling._text_traps import Look, warn_of_text
from metalwork.labeling._votes import Failures
from metalwork.votes import MOST_INCIDENTS, Incident, LabelMatrix, votes_in

Codes = npt.NDArray[np.int32]
_ENOUGH: Final = 1000


class VoteTotal:
    """What labeling functions gave so far, shard after shard: all but the votes themselves.

    :func:`apply_shards` adds to it as it goes. What :meth:`pack` says of it is enough to go on later, in another
    process, with the shards that are left.

    Parameters
    ----------
    lfs : sequence of LabelingFunction
    schema : TaskSchema, TaskForest or FeasibleLabels
    facts : dict, optional
        What :meth:`pack` gave, of the same LFs and schema.

    Attributes
    ----------
    n_points, n_shards : int
        Records and shards so far.

    Raises
    ------
    LabelingError
        For LFs that do not fit the schema.
    """

    def __init__(
        self, lfs: Iterable[LabelingFunction], schema: Spaces, facts: Mapping[str, Any] | None = None
    ) -> None:
        self.functions = tuple(lf.knowing(schema) for lf in check_functions(lfs, schema))
        self.space = schema
        self.columns = [(j, *named) for j, lf in enumerate(self.functions) for named in lf.columns(schema.tasks)]
        self.n_points = self.n_shards = 0
        self._origin, self._start = "", 0
        self._numbers = numberings(self.functions, schema)
        self._failures = [Failures() for _ in self.functions]
        self._incidents: list[list[Incident]] = [[] for _ in self.functions]
        self._behaviour = Behaviour()
        self._looks: dict[str, Look] = {}
        self._n_votes = np.zeros(len(self.columns), np.int64)
        if facts is not None:
            self._unpack(facts)

    def add(self, part: Part) -> Codes:
        """Take up what was found on the next shard; its codes (n_points, n_columns), numbered as all are."""
        if part.origin != self._origin:
            self._origin, self._start = part.origin, self.n_points
        if part.wrong is not None:
            j, wrong = part.wrong
            row = self.n_points + wrong.row - self._start
            raise LabelingError(str(Incident(self.functions[j].name, row, part.origin, wrong.reason)))
        for j, new in part.failures.items():
            room = MOST_INCIDENTS - len(self._incidents[j])
            self._incidents[j] += [
                Incident(self.functions[j].name, self.n_points + row - self._start, part.origin, reason)
                for row, reason in new.first[:room]
            ]
            self._failures[j].merge(new, self.n_points)
        for column, (known_numbers, own) in enumerate(zip(self._numbers, part.numbers, strict=True)):
            if own.others:
                part.codes[:, column] = known_numbers.of(own)[part.codes[:, column]]
        for name, look in part.looks.items():
            self._looks[name] = self._looks.get(name, Look()) + look
        for path, callers in part.opened.items():
            sys.audit(OPENED, path, callers)  # for whoever listens to what is opened in this process
        self._behaviour.warn(self.functions, part, self.n_points - self._start)
        self._n_votes += (part.codes >= 0).sum(axis=0)
        self.n_points += len(part.codes)
        self.n_shards += 1
        return part.codes

    def counts(self) -> Iterator[tuple[str, int, int]]:
        """Of each column so far: its name, how many votes it holds, and on how many records its LF failed."""
        for (j, name, _), n_votes in zip(self.columns, self._n_votes.tolist(), strict=True):
            yield name, n_votes, self._failures[j].count

    def check(self, max_error_rate: float) -> None:
        """Raise where there were no records, or an LF failed on a larger part of them than this."""
        if self.n_points == 0:
            raise DataError("records must hold at least one record; got none.")
        self._check_failures(max_error_rate, max_error_rate * self.n_points)

    def check_early(self, max_error_rate: float, n_points: int | None) -> None:
        """Raise where it is certain that :meth:`check` will, or an LF failed on all that came so far.

        Some records must have come, so that all LFs that fail are likely to be named. ``n_points`` is how many
        there are, where that is known.
        """
        if self.n_points >= _ENOUGH and max_error_rate < 1:
            most = self.n_points - 1 if n_points is None else min(max_error_rate * n_points, self.n_points - 1)
            self._check_failures(max_error_rate, most)

    def complaints(self, max_error_rate: float) -> list[str]:
        """What :meth:`check` would say of each LF that failed on a larger part of the records than this."""
        most = max_error_rate * self.n_points
        return [self._complaint(j, max_error_rate) for j, f in enumerate(self._failures) if f.count > most]

    @property
    def incidents(self) -> list[Incident]:
        """The first failures of each LF."""
        return [incident for own in self._incidents for incident in own]

    def _check_failures(self, max_error_rate: float, most: float) -> None:
        failing = [j for j, f in enumerate(self._failures) if f.count > most]
        if failing:
            raise LabelingError("\n".join(self._complaint(j, max_error_rate) for j in failing))

    def matrix(self, codes: Codes, incidents: bool = True) -> Any:
        """The label matrix (by root for a forest) of codes that :meth:`add` gave, some or all of them.

        Its alphabets are those of all that came up so far, in an order that depends on content alone.
        """
        found, outcomes = np.array(codes, dtype=np.int32), {}
        for column, ((_, name, _), numbers) in enumerate(zip(self.columns, self._numbers, strict=True)):
            if numbers.others:
                outcomes[name], code_of = numbers.alphabet()
                found[:, column] = code_of[found[:, column]]
        tasks, names = [task for _, _, task in self.columns], [name for _, name, _ in self.columns]
        known = self.incidents if incidents else []
        return votes_in(self.space, found, tasks, names, outcomes=outcomes, incidents=known)

    @property
    def _spoke(self) -> set[str]:
        """The columns in which a vote stands."""
        return {self.columns[column][1] for column in np.flatnonzero(self._n_votes)}

    def every_outcome(self) -> Codes:
        """Codes (n_rows, n_columns) in which everything that came up beside labels stands once."""
        most = max((len(numbers.others) for numbers in self._numbers), default=0)
        codes = np.full((most, len(self.columns)), ABSTAIN, np.int32)
        for column, numbers in enumerate(self._numbers):
            codes[: len(numbers.others), column] = list(numbers.others.values())
        return codes

    def warn_of_text(self, like: Any = None) -> None:
        """Warn of LFs that take text for numbers; ``like`` is what their votes on other records are in."""
        spoke = self._spoke | (like._spoke if isinstance(like, VoteTotal) else _voting(like))
        silent = [
            not {name for name, _ in lf.columns(self.space.tasks)} & spoke and not failures.count
            for lf, failures in zip(self.functions, self._failures, strict=True)
        ]
        warn_of_text(self.functions, self._looks, silent)

    def pack(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return {
            "n_points": self.n_points,
            "n_shards": self.n_shards,
            "origin": [self._origin, self._start],
            "outcomes": [numbers.pack() for numbers in self._numbers],
            "failures": [failures.count for failures in self._failures],
            "incidents": [[astuple(incident) for incident in own] for own in self._incidents],
            "looks": {name: look.pack() for name, look in self._looks.items()},
            "n_votes": self._n_votes.tolist(),
        }

    def _unpack(self, facts: Mapping[str, Any]) -> None:
        self.n_points, self.n_shards = facts["n_points"], facts["n_shards"]
        self._origin, self._start = facts["origin"]
        for numbers, packed in zip(self._numbers, facts["outcomes"], strict=True):
            numbers.unpack(packed)
        self._failures = [Failures(count) for count in facts["failures"]]
        self._incidents = [[Incident(*incident) for incident in own] for own in facts["incidents"]]
        self._looks = {name: Look.unpack(packed) for name, packed in facts["looks"].items()}
        self._n_votes = np.array(facts["n_votes"], np.int64)

    def _complaint(self, j: int, max_error_rate: float) -> str:
        failures, lf, first = self._failures[j], self.functions[j], self._incidents[j][0]
        owner = "the tree" if lf.task is None else f"task {lf.task!r}"
        return (
            f"LF {lf.name!r} failed on {failures.count} of {self.n_points} records, more than max_error_rate "
            f"({max_error_rate:g}) allows; first at {first.place}: {first.message}. "
            f"It must return a label of {owner}, or mw.ABSTAIN; mend it or raise max_error_rate."
        )


def _voting(like: Any) -> set[str]:
    """The columns in which a vote stands."""
    known = like.values() if isinstance(like, Mapping) else [like]
    return {
        votes.names[column]
        for votes in known
        if isinstance(votes, LabelMatrix)
        for column in np.flatnonzero((votes.codes >= 0).any(axis=0))
    }
