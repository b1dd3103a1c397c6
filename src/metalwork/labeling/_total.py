"""Gathering what was found on the shards into one label matrix."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork.errors import DataError, LabelingError
from metalwork.labeling._alphabets import Numbering
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._labeler import Part, numberings
from metalwork.labeling._returns import Spaces
from metalwork.labeling._text_traps import Look
from metalwork.labeling._votes import Failures
from metalwork.votes import MOST_INCIDENTS, Incident, LabelMatrix, votes_in


@dataclass
class Total:
    """Gathers the parts in their order, and keeps account of where each row stood."""

    functions: tuple[LabelingFunction, ...]
    space: Spaces
    n_points: int = 0
    looks: dict[str, Look] = field(default_factory=dict)
    _numbers: list[Numbering] = field(init=False)
    _codes: list[npt.NDArray[np.int32]] = field(default_factory=list)
    _failures: list[Failures] = field(init=False)
    _incidents: list[list[Incident]] = field(init=False)
    _starts: dict[str, int] = field(default_factory=dict)
    _spoke: set[str] = field(default_factory=set)  # columns in which a vote stands

    def __post_init__(self) -> None:
        self._numbers = numberings(self.functions, self.space)
        self._failures = [Failures() for _ in self.functions]
        self._incidents = [[] for _ in self.functions]

    def add(self, part: Part) -> None:
        start = self._starts.setdefault(part.origin, self.n_points)
        if part.wrong is not None:
            j, wrong = part.wrong
            row = self.n_points + wrong.row - start
            raise LabelingError(str(Incident(self.functions[j].name, row, part.origin, wrong.reason)))
        for j, (known, new) in enumerate(zip(self._failures, part.failures, strict=True)):
            room = MOST_INCIDENTS - len(self._incidents[j])
            self._incidents[j] += [
                Incident(self.functions[j].name, self.n_points + row - start, part.origin, reason)
                for row, reason in new.first[:room]
            ]
            known.merge(new, self.n_points)
        for column, (known_numbers, own) in enumerate(zip(self._numbers, part.numbers, strict=True)):
            if own.others:
                part.codes[:, column] = known_numbers.of(own)[part.codes[:, column]]
        for name, look in part.looks.items():
            self.looks[name] = self.looks.get(name, Look()) + look
        self._codes.append(part.codes)
        self.n_points += len(part.codes)

    def matrix(self, max_error_rate: float) -> LabelMatrix | dict[str, LabelMatrix]:
        if self.n_points == 0:
            raise DataError("records must hold at least one record; got none.")
        failing = [j for j, f in enumerate(self._failures) if f.count > max_error_rate * self.n_points]
        if failing:
            raise LabelingError("\n".join(self._complaint(j, max_error_rate) for j in failing))
        columns = [(j, *named) for j, lf in enumerate(self.functions) for named in lf.columns(self.space.tasks)]
        codes, outcomes = np.concatenate(self._codes), {}
        self._spoke = {columns[column][1] for column in np.flatnonzero((codes >= 0).any(axis=0))}
        for column, ((_, name, _), numbers) in enumerate(zip(columns, self._numbers, strict=True)):
            if numbers.others:
                outcomes[name], code_of = numbers.alphabet()
                codes[:, column] = code_of[codes[:, column]]
        tasks, names = [task for _, _, task in columns], [name for _, name, _ in columns]
        incidents = [incident for own in self._incidents for incident in own]
        return votes_in(self.space, codes, tasks, names, outcomes=outcomes, incidents=incidents)

    def silent(self, like: Any) -> list[bool]:
        """Whether each LF neither voted nor failed, here and where ``like`` comes from."""
        known = like.values() if isinstance(like, Mapping) else [like]
        spoke = {name for votes in known if isinstance(votes, LabelMatrix) for name in _voting(votes)}
        own = [{name for name, _ in lf.columns(self.space.tasks)} for lf in self.functions]
        spoke |= self._spoke
        return [not names & spoke and not f.count for names, f in zip(own, self._failures, strict=True)]

    def _complaint(self, j: int, max_error_rate: float) -> str:
        failures, lf, first = self._failures[j], self.functions[j], self._incidents[j][0]
        owner = "the tree" if lf.task is None else f"task {lf.task!r}"
        return (
            f"LF {lf.name!r} failed on {failures.count} of {self.n_points} records, more than max_error_rate "
            f"({max_error_rate:g}) allows; first at {first.place}: {first.message}. "
            f"It must return a label of {owner}, or mw.ABSTAIN; mend it or raise max_error_rate."
        )


def _voting(votes: LabelMatrix) -> list[str]:
    """The columns in which a vote stands."""
    return [votes.names[column] for column in np.flatnonzero((votes.codes >= 0).any(axis=0))]
