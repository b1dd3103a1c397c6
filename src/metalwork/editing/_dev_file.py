"""Labels of dev records, written where the project keeps them as soon as they are given."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from metalwork.data import as_text
from metalwork.editing._places import Place, new_place, places_of, record_of
from metalwork.editing._project_editor import ProjectEditor
from metalwork.editing._tables import LabelTable, new_file, read_table
from metalwork.editing._written import check_expected, digest_of, read_bytes, write_bytes
from metalwork.errors import ChangedError, ConfigError, DataError, VotesError
from metalwork.pipeline import Project, load_project

_TRIES: Final = 5


@dataclass(frozen=True)
class Labelled:
    """A label that was given, taken back or undone.

    Attributes
    ----------
    row : int
        Which of the dev records it is now; of one that was added and taken away again, which it was.
    label, before : str or None
        What is known of it now, and what was before.
    added : bool
        Whether it is a dev record only since this.
    """

    row: int
    label: str | None
    before: str | None
    added: bool = False


class DevFile:
    """The known labels of a project's dev records; every change is on disk, whole, before the call returns.

    Other records, columns and line ends stay as they are. A training record that is labelled is added to the dev
    records. Where the project has none, a file is made in its folder and named in the project file.

    Parameters
    ----------
    project : Project or path

    Raises
    ------
    ConfigError
        When the records come from a place that is not the project's own: Python, a public data set, another
        machine, a packed file.
    DataError
        When the dev records cannot be read.
    """

    def __init__(self, project: Project | str | os.PathLike[str]) -> None:
        self._project = project if isinstance(project, Project) else load_project(project)
        self._history: list[Labelled] = []
        self.refresh()

    @property
    def project(self) -> Project:
        """The project, as it was when this was made or a dev file was entered in it."""
        return self._project

    @property
    def path(self) -> Path:
        """The file that new labels go to; it need not be there yet."""
        return self._places[-1].path if self._places else new_place(self._project).path

    @property
    def digest(self) -> str:
        """What changes when any of the files does."""
        parts = "".join(digest_of(content) for content in self._contents)
        return hashlib.sha256(parts.encode()).hexdigest()

    @property
    def labels(self) -> tuple[str | None, ...]:
        """The label of each dev record as it is written; None where it has none."""
        return tuple(text for _, _, text in self._rows)

    def refresh(self) -> None:
        """Read the files again."""
        self._places = places_of(self._project)
        self._contents = [read_bytes(place.path) for place in self._places]
        self._tables = [_read(*pair) for pair in zip(self._places, self._contents, strict=True)]
        self._rows: list[tuple[int, int, str | None]] = []
        for number, (place, table) in enumerate(zip(self._places, self._tables, strict=True)):
            self._rows += [(number, row, label) for row, label in _labels(place, table)]

    def set(self, record: tuple[str, int], label: str | None, *, expected: str | None = None) -> Labelled:
        """Give a record a label.

        Parameters
        ----------
        record : (split, row)
            Of the dev or the training records.
        label : str or None
            A label of any task of the tree, an end label or a coarser one; None for none.
        expected : str, optional
            The :attr:`digest` that the caller has seen; where it is not given, a change of other records by
            somebody else is no obstacle.

        Raises
        ------
        ChangedError
            When somebody else has changed this record, or any where a digest is expected. Nothing is written.
        ConfigError
            When there is no such record or label.
        """
        self._check_label(label)
        check_expected(self.path, self._digest_now(), expected)
        split, row = record
        if split == "dev":
            found = self._in_dev(row, label)
        elif split == "train":
            values = record_of(self._project, row)
            known = self._row_with(values)
            if known is None and label is None:
                raise ConfigError(
                    f"a training record must have a label to lose one; got row {row}, which has none."
                )
            found = self._in_dev(known, label) if known is not None else self._add(values, label)
        else:
            raise ConfigError(f"a record to be labelled must be of dev or train; got {split!r}.")
        self._history.append(found)
        return found

    def clear(self, record: tuple[str, int], *, expected: str | None = None) -> Labelled:
        """Take a record's label away; see :meth:`set`."""
        return self.set(record, None, expected=expected)

    def undo(self, *, expected: str | None = None) -> Labelled | None:
        """Take back the last change of this object; None where there is none left.

        A record that was added is taken away again, unless it is the only one of its file: it loses its label.

        Raises
        ------
        ChangedError
            As for :meth:`set`. The change can still be taken back after :meth:`refresh`.
        """
        if not self._history:
            return None
        check_expected(self.path, self._digest_now(), expected)
        last = self._history[-1]
        self._catch_up(last.row)
        number, row, label = self._rows[last.row]
        if label != last.label:
            raise self._changed(number)
        table = self._tables[number]
        if last.added and row == table.n_points - 1 and last.row == len(self._rows) - 1 and row > 0:
            self._write(number, table.without_last())
            found = Labelled(last.row, None, last.label)
        else:
            found = self._in_dev(last.row, last.before)
        self._history.pop()
        return found

    # --- one change ---------------------------------------------------------------------------------------------

    def _in_dev(self, row: int, label: str | None) -> Labelled:
        if not 0 <= row < len(self._rows):
            raise ConfigError(f"row must be that of a dev record, from 0 to {len(self._rows) - 1}; got {row}.")
        for attempt in range(_TRIES):
            self._catch_up(row)
            number, own, before = self._rows[row]
            content = self._tables[number].with_value(own, self._places[number].label, label)
            try:
                self._write(number, content)
            except ChangedError:
                if attempt == _TRIES - 1:
                    raise
                continue
            break
        return Labelled(row, label, before)

    def _add(self, values: Mapping[str, Any], label: str | None) -> Labelled:
        if not self._places:
            return self._make(values, label)
        for attempt in range(_TRIES):
            place, table = self._places[-1], self._tables[-1]
            extra = {} if place.split is None else {place.split: "dev"}
            try:
                self._write(len(self._places) - 1, table.with_record({**values, place.label: label, **extra}))
            except ChangedError:
                if attempt == _TRIES - 1:
                    raise
                self.refresh()
                continue
            break
        return Labelled(len(self._rows) - 1, label, None, added=True)

    def _make(self, values: Mapping[str, Any], label: str | None) -> Labelled:
        """A first dev file, entered in the project file when it is there."""
        place = new_place(self._project)
        columns = list(dict.fromkeys([*values, place.label]))
        record = {**values, place.label: label}
        write_bytes(place.path, new_file(columns, record, place.kind, place.dialect, place.path), None)
        try:
            named = place.path.relative_to(self._project.folder).as_posix()
            ProjectEditor(self._project.path).set("data.dev", named)
        except BaseException:
            place.path.unlink(missing_ok=True)
            raise
        self._project = load_project(self._project.path)
        self.refresh()
        return Labelled(0, label, None, added=True)

    def _write(self, number: int, content: bytes) -> None:
        write_bytes(self._places[number].path, content, digest_of(self._contents[number]))
        self.refresh()

    def _catch_up(self, row: int) -> None:
        """Take over what somebody else has written, where it is not about this record."""
        if self._digest_now() == self.digest:
            return
        number, own, before = self._rows[row]
        values = self._tables[number].record(own)
        self.refresh()
        now = self._rows[row] if row < len(self._rows) else None
        if now is None or now[2] != before or self._tables[now[0]].record(now[1]) != values:
            raise self._changed(number)

    # --- what there is ------------------------------------------------------------------------------------------

    def _digest_now(self) -> str:
        parts = "".join(digest_of(read_bytes(place.path)) for place in self._places)
        return hashlib.sha256(parts.encode()).hexdigest()

    def _changed(self, number: int) -> ChangedError:
        return ChangedError(
            f"{self._places[number].path}: the record must be as it was when it was read; somebody else has "
            "changed it since. Nothing was written: look at it again, then repeat the change."
        )

    def _check_label(self, label: str | None) -> None:
        if label is None:
            return
        try:
            known = self._project.schema.known_codes([label], names=True)
        except VotesError as error:
            text = str(error).removeprefix("Row 0: ")
            raise ConfigError(f"label must be one of the project's: {text}") from None
        if not (known >= 0).any():
            raise ConfigError(f"label must be one of the project's; got {label!r}. To take it away, clear it.")

    def _row_with(self, values: Mapping[str, Any]) -> int | None:
        """The dev record with these values; None where there is none."""
        for number, (place, table) in enumerate(zip(self._places, self._tables, strict=True)):
            shared = [name for name in values if name in table.columns and name not in (place.label, place.split)]
            if not shared:
                continue
            wanted = [as_text(pl.Series([values[name]], dtype=pl.Object))[0] for name in shared]
            frame = table.texts()
            same = [pl.col(name).eq_missing(pl.lit(text)) for name, text in zip(shared, wanted, strict=True)]
            rows = set(frame.select(pl.all_horizontal(same).arg_true()).to_series().to_list())
            for dev_row, (own, row, _) in enumerate(self._rows):
                if own == number and row in rows:
                    return dev_row
        return None


def _read(place: Place, content: bytes) -> LabelTable:
    table = read_table(place.path, content, place.kind, place.dialect)
    if place.label not in table.columns and not place.kind.startswith("json"):
        raise DataError(
            f"{place.path}: must have a column {place.label!r} for known labels (data.label); "
            f"it has: {', '.join(table.columns)}. Add it."
        )
    return table


def _labels(place: Place, table: LabelTable) -> list[tuple[int, str | None]]:
    """The rows of a file that are dev records, and their labels."""
    texts = table.texts()
    labels = texts[place.label].to_list() if place.label in table.columns else [None] * table.n_points
    if place.split is None:
        return [*enumerate(labels)]
    splits = texts[place.split].to_list() if place.split in table.columns else []
    return [(row, labels[row]) for row, split in enumerate(splits) if split == "dev"]
