"""Labeling functions written for Snorkel, as they are."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Self

import numpy as np

from metalwork._checks import ABSTAIN
from metalwork.errors import LabelingError
from metalwork.labeling import AsksSchema, LabelingFunction, ReadsRecords, Spaces
from metalwork.sources._classes import Classes, Labels
from metalwork.sources._source import check_fields, check_text


class Record(SimpleNamespace):
    """One record as Snorkel's labeling functions take it: ``x.text``, or ``x["text"]``."""

    def __getitem__(self, column: str) -> Any:
        return self.__dict__[column]

    def __contains__(self, column: object) -> bool:
        return column in self.__dict__

    def get(self, column: str, default: Any = None) -> Any:
        """The value of a column, ``default`` where there is no such column."""
        return self.__dict__.get(column, default)


def from_snorkel(
    lfs: Any,
    task: str,
    labels: Labels | None = None,
    fields: str | Sequence[str] | None = None,
) -> list[LabelingFunction]:
    """Labeling functions of labeling functions written for Snorkel, as they are.

    Parameters
    ----------
    lfs : sequence of snorkel.labeling.LabelingFunction
        Or one of them. Their names, resources and preprocessors stay theirs.
    task : str
    labels : dict or sequence of str, optional
        From the numbers that they return to labels of the task, or the labels in the order of the numbers 0, 1, 2
        and so on. By default the labels in the order of the schema. -1 abstains.
    fields : str or sequence of str, optional
        The columns that ``x`` has; all by default.

    Returns
    -------
    list of LabelingFunction
        In a project's Python file, give the list a name: its functions are found there.

    Notes
    -----
    ``x`` has the values of a record as attributes and items; a missing one is None, where pandas has NaN. In CSV
    files, values are text: say which are numbers, with ``types`` of ``metalwork.data.open_records`` or of the
    project file.
    """
    given = [lfs] if callable(lfs) else list(lfs) if isinstance(lfs, Iterable) else []
    check_text("task", task)
    if not given or isinstance(lfs, str):
        raise LabelingError(f"lfs must be labeling functions of Snorkel's; got {lfs!r}. Pass them in a list.")
    found = []
    for lf in given:
        name = getattr(lf, "name", None)
        if isinstance(lf, LabelingFunction) or not callable(lf) or not isinstance(name, str):
            raise LabelingError(
                f"lfs must be labeling functions of Snorkel's; got {lf!r}. "
                "Put @snorkel.labeling.labeling_function() above it."
            )
        columns = () if fields is None else check_fields(fields, name)
        rule = _SnorkelRule(name, lf, labels)
        found.append(LabelingFunction(task, name, columns, rule.reading(columns) if columns else rule))
    return found


class _SnorkelRule(AsksSchema, ReadsRecords):
    """Calls one of Snorkel's labeling functions with a record, and names the label of what it returns."""

    def __init__(self, name: str, lf: Any, given: Labels | None) -> None:
        self.name, self.lf, self.given = name, lf, given
        self._columns: tuple[str, ...] = ()
        self._labels: dict[int, str | None] | None = None

    def knowing(self, space: Spaces, task: str | None) -> Self:
        """The same with the labels of its numbers."""
        known, labels = copy.copy(self), space.labels(str(task))
        known.name = ""  # from here on it tells LFs from each other no more
        numbers = list(self.given) if isinstance(self.given, Mapping) else list(range(len(self.given or labels)))
        own = Classes(f"LF {self.name!r}", str(task), labels, labels if self.given is None else self.given)
        known._labels = {
            int(number): labels[code] if code >= 0 else None
            for number, code in zip(numbers, own.codes(numbers), strict=True)
        }
        return known

    def reading(self, columns: tuple[str, ...]) -> Self:
        """The same for records of these columns."""
        told = copy.copy(self)
        told._columns = columns
        return told

    def __call__(self, *values: Any) -> str | None:
        if self._labels is None:
            raise LabelingError(f"LF {self.name!r} must know the labels of its task. Run it with mw.apply.")
        returned = self.lf(Record(**dict(zip(self._columns, values, strict=True))))
        if isinstance(returned, int | np.integer | np.bool_):
            number = int(returned)
            if number == ABSTAIN:
                return None
            if number in self._labels:
                return self._labels[number]
        raise LabelingError(
            f"it must return a number of {', '.join(map(str, self._labels))}, or -1; got {returned!r}. "
            "Pass labels={...} from its numbers to labels."
        )
