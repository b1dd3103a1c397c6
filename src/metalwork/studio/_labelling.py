"""Labels given by hand: written at once, taken back again, and never over somebody else's."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from metalwork.editing import DevFile, Labelled
from metalwork.errors import ChangedError
from metalwork.inspection import Inspection
from metalwork.pipeline import Project
from metalwork.suggestions import suggest_to_label

Place = tuple[str, int]
"""A split, and a row of it."""

_AT_ONCE = 20


@dataclass(frozen=True)
class Next:
    """A record to label, and why."""

    split: str
    row: int
    reason: str = ""


class Labelling:
    """One person's labelling of dev records, or that of several in as many tabs.

    Parameters
    ----------
    project : Project
    """

    def __init__(self, project: Project) -> None:
        self._lock = threading.RLock()
        self._file = DevFile(project)
        self._given: dict[Place, str | None] = {}
        self._order: list[tuple[Place, str | None]] = []
        self._waiting: list[Next] = []
        self._asked: set[Place] = set()
        self._drawn = 0

    @property
    def n_labelled(self) -> int:
        """How many records of dev have a label."""
        return sum(label is not None for label in self._file.labels)

    @property
    def n_given(self) -> int:
        """How many were given here and stand."""
        return sum(label is not None for label in self._given.values())

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._order)

    def label_of(self, place: Place, known: str | None) -> str | None:
        """The label of a record as it is now; ``known`` is what it was when the run was read."""
        with self._lock:
            if place in self._given:
                return self._given[place]
            split, row = place
            labels = self._file.labels
            return labels[row] if split == "dev" and row < len(labels) else known

    def give(self, place: Place, label: str | None, before: str | None) -> Labelled:
        """Give a record a label, where it has the one now that the page showed.

        Raises
        ------
        ChangedError
            When it has another one: somebody else was there first. Nothing is changed.
        ConfigError
            As for :meth:`metalwork.editing.DevFile.set`.
        """
        with self._lock:
            if label is None and place[0] == "train" and self._given.get(place) is None:
                return Labelled(place[1], None, None)
            self._file.refresh()
            found = self._file.set(place, label)
            if (found.before or None) != (before or None):
                self._file.undo()
                self._given[place] = found.before
                raise ChangedError(
                    f"{place[0]} {place[1]} must be as this page showed it ({before or 'no label'}); somebody has "
                    f"given it the label {found.before!r} since. Nothing was changed: look at it again."
                )
            self._order.append((place, before))
            self._given[place] = label
            return found

    def undo(self) -> Place | None:
        """Take back the last label; returns its record."""
        with self._lock:
            if not self._order:
                return None
            self._file.undo()
            place, before = self._order.pop()
            self._given[place] = before
            return place

    def skip(self, place: Place) -> None:
        """Do not ask for a record again."""
        self._asked.add(place)

    def next(self, inspection: Inspection, reasons: Mapping[Place, str] | None = None) -> Next | None:
        """The record to label next: those of dev without a label, then what would teach most."""
        with self._lock:
            for row, label in enumerate(self._file.labels):
                if label is None and ("dev", row) not in self._asked and row < _n_dev(inspection):
                    return Next("dev", row, "It is a dev record that has no label yet.")
            while True:
                while self._waiting:
                    found = self._waiting[0]
                    if (found.split, found.row) in self._asked or self._given.get(
                        (found.split, found.row)
                    ) is not None:
                        self._waiting.pop(0)
                        continue
                    return found
                drawn = suggest_to_label(inspection, _AT_ONCE + len(self._asked), random_state=self._drawn)
                self._drawn += 1
                taken = self._asked | {place for place, label in self._given.items() if label is not None}
                self._waiting = [
                    Next(one.split, one.row, one.reason) for one in drawn if (one.split, one.row) not in taken
                ]
                if not self._waiting:
                    return None


def _n_dev(inspection: Inspection) -> int:
    return inspection.n_points("dev") if "dev" in inspection.splits else 0
