"""Incidents: what a labeling function did wrong on a record, kept beside the votes."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any, Final

from metalwork.errors import VotesError

MOST_INCIDENTS: Final = 10
"""So many are kept an LF; all are counted."""


@dataclass(frozen=True)
class Incident:
    """A failure of a labeling function (LF) on one record.

    Attributes
    ----------
    lf : str
        Name of the LF.
    row : int
        The record's position in ``origin``, from 0.
    origin : str
        The file that the record is of; ``""`` for records in memory.
    message : str
        What happened.
    """

    lf: str
    row: int
    origin: str
    message: str

    @property
    def place(self) -> str:
        """Where the record is: ``"row 3 of a.csv"``."""
        return f"row {self.row} of {self.origin}" if self.origin else f"row {self.row}"

    def __str__(self) -> str:
        return f"LF {self.lf!r} failed at {self.place}: {self.message}"


def read_incidents(given: Iterable[Any]) -> tuple[Incident, ...]:
    """Incidents as they are, or as :func:`plain_incidents` stored them; the first few of each LF."""
    found: dict[str, list[Incident]] = {}
    for item in given:
        incident = item if isinstance(item, Incident) else _read(item)
        kept = found.setdefault(incident.lf, [])
        if len(kept) < MOST_INCIDENTS:
            kept.append(incident)
    return tuple(incident for kept in found.values() for incident in kept)


def incidents_of(incidents: Iterable[Incident], columns: Iterable[str]) -> list[Incident]:
    """The incidents of the LFs that ``columns`` are of; one of all tasks has columns called ``"name[task]"``."""
    named = tuple(columns)
    return [
        incident
        for incident in incidents
        if any(name == incident.lf or name.startswith(f"{incident.lf}[") for name in named)
    ]


def plain_incidents(incidents: Iterable[Incident]) -> list[tuple[str, int, str, str]]:
    """Incidents as JSON holds them."""
    return [astuple(incident) for incident in incidents]


def _read(item: Any) -> Incident:
    kinds = (str, int, str, str)
    if not isinstance(item, list | tuple) or [type(part) for part in item] != list(kinds):
        raise VotesError(f"incidents must be Incident objects; got {item!r}.")
    return Incident(*item)
