"""Known labels as they come, read as what is known of each task.

A known label stands for the end labels under it, ``start:stop``; what these agree on is known.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, NOT_APPLICABLE, BoolArray
from metalwork._names import as_written, is_code, is_missing, plain_name, plain_path, unknown_name
from metalwork.errors import VotesError

Int64Array = npt.NDArray[np.int64]
Place = tuple[int, int]
Span = tuple[int, int]


class LabelNames:
    """What the labels of a tree are called: by their name where that is unique, and by their path.

    Attributes
    ----------
    places : dict of name to (task index, label code)
    twice : dict of name to paths
        The names that are not unique.
    """

    def __init__(
        self, tasks: Sequence[str], labels: Mapping[str, Sequence[str]], child: Mapping[tuple[str, str], str]
    ) -> None:
        by_path: dict[str, Place] = {}
        paths: dict[str, list[str]] = {}
        above = {tasks[0]: ""}
        for t, task in enumerate(tasks):
            for code, label in enumerate(labels[task]):
                path = above[task] + label
                by_path[path] = (t, code)
                paths.setdefault(label, []).append(path)
                if (opened := child.get((task, label))) is not None:
                    above[opened] = path + "/"
        unique = {label: by_path[own[0]] for label, own in paths.items() if len(own) == 1}
        self.places = unique | by_path
        self.twice = {label: own for label, own in paths.items() if len(own) > 1}
        loose = [plain_path(name) for name in self.places]
        count = Counter(loose)
        self._loose = {n: p for n, p in zip(loose, self.places.values(), strict=True) if count[n] == 1}

    def find(self, name: str) -> Place | None:
        """Task index and label code of a name or path as it may be written; None where it is none."""
        plain = plain_name(name)
        return self.places.get(plain) or (self._loose.get(plain_path(plain)) if "/" in plain else None)


class KnownLabels:
    """Reads names and codes of labels as end labels ``start:stop`` of one tree."""

    def __init__(
        self,
        names: LabelNames,
        end_labels: Sequence[str],
        task_codes: Int64Array,
        spans: Sequence[Sequence[Sequence[int]]],
    ) -> None:
        self._names, self._end_labels, self._task_codes, self._spans = names, end_labels, task_codes, spans
        self._ends = {name: (code, code + 1) for code, name in enumerate(end_labels)}
        n_end = len(end_labels)
        self._all = (0, n_end)
        named = [int(name) for name in names.places if name.isdecimal() and str(int(name)) == name]
        self._numbered = any(n < n_end and self._named(str(n)) != (n, n + 1) for n in named)

    def known(self, labels: Any, by_name: bool) -> Int64Array:
        """int64 array (n_points, n_tasks): what is known of each task, -1 where nothing."""
        if isinstance(labels, np.ndarray) and labels.ndim == 2:
            return self.check(labels)
        found, spans = self._read(labels, by_name, self._label)
        rows = [self._agreed(*span) if span is not None else self._nothing() for span in spans]
        return np.stack(rows)[found] if rows else np.empty((0, self._task_codes.shape[1]), dtype=np.int64)

    def ends(self, labels: Any, allow_missing: bool) -> Int64Array:
        """Codes (n_points,) of end labels; -1 where there is none, if that is allowed."""
        if isinstance(labels, np.ndarray) and labels.ndim == 2:
            return self._ends_of_known(self.check(labels), allow_missing)
        found, spans = self._read(labels, False, self._end_label if allow_missing else self._given_end_label)
        codes = np.array([ABSTAIN if span is None else span[0] for span in spans], dtype=np.int64)
        return codes[found]

    def check(self, known: Any) -> Int64Array:
        """What is known by task, (n_points, n_tasks), with all that follows from it."""
        rows, possible, inverse = self._distinct(known)
        whole = [
            self._nothing() if (row == ABSTAIN).all() else _agreement(self._task_codes[admitted])
            for row, admitted in zip(rows, possible, strict=True)
        ]
        return np.stack(whole)[inverse] if whole else rows.astype(np.int64)

    def admits(self, known: Any) -> BoolArray:
        """bool array (n_points, n_end_labels): which end labels are still possible."""
        _, possible, inverse = self._distinct(known)
        return np.asarray(possible[inverse])

    def end_of(self, known: Any) -> Int64Array:
        """Codes (n_points,) of the end labels of what is known by task, -1 where several are possible."""
        _, possible, inverse = self._distinct(known)
        codes = np.where(possible.sum(axis=1) == 1, possible.argmax(axis=1), ABSTAIN)
        return np.asarray(codes[inverse], dtype=np.int64)

    def _distinct(self, known: Any) -> tuple[npt.NDArray[Any], BoolArray, npt.NDArray[np.intp]]:
        """The distinct rows, the end labels that each leaves possible, and where each row is among them."""
        given, n_tasks = np.asarray(known), self._task_codes.shape[1]
        if given.ndim != 2 or given.dtype.kind not in "iu" or given.shape[1] != n_tasks:
            raise VotesError(
                f"labels by task must be whole numbers of shape (n_points, {n_tasks}); got {given.dtype} of shape "
                f"{given.shape}. Pass end labels in one dimension."
            )
        rows, first, inverse = np.unique(given, axis=0, return_index=True, return_inverse=True)
        possible = self._possible(rows)
        if not (sound := possible.any(axis=1)).all():
            row = int(first[~sound].min())
            raise VotesError(f"Row {row}: the task labels {given[row].tolist()} are those of no end label.")
        return rows, possible, inverse.reshape(-1)

    def _possible(self, rows: npt.NDArray[Any]) -> BoolArray:
        """bool array (n_rows, n_end_labels): in the span of every known label, and of no task that does not apply.

        A comparison with every end label's codes would take n_tasks times as long.
        """
        edges = [np.array(spans) for spans in self._spans]
        first = np.cumsum([0, *map(len, edges)])
        starts, stops = np.concatenate(edges).T
        row, task = np.nonzero(rows >= 0)
        code = rows[row, task]
        wrong = code >= np.diff(first)[task]
        place = np.where(wrong, 0, first[task] + code)
        low, high = np.zeros(len(rows), np.int64), np.full(len(rows), self._all[1])
        np.maximum.at(low, row, starts[place])
        np.minimum.at(high, row, stops[place])
        high[row[wrong]] = 0
        high[(rows < NOT_APPLICABLE).any(axis=1)] = 0
        row, task = np.nonzero(rows == NOT_APPLICABLE)
        closed = np.zeros((len(rows), self._all[1] + 1), dtype=np.int32)
        np.add.at(closed, (row, starts[first[task]]), 1)
        np.add.at(closed, (row, stops[first[task + 1] - 1]), -1)
        ends = np.arange(self._all[1])
        inside = (ends >= low[:, None]) & (ends < high[:, None])
        return np.asarray(inside & (closed.cumsum(axis=1)[:, :-1] == 0))

    def _read(
        self, labels: Any, by_name: bool, reader: Callable[[Any, int, bool], Span | None]
    ) -> tuple[Int64Array, list[Span | None]]:
        """For each value the index of what it was read as; each distinct value is read once."""
        seen: dict[Any, int] = {}
        spans: list[Span | None] = []
        found = []
        for row, value in enumerate(_values(labels)):
            key = _key(value)
            if (index := seen.get(key)) is None:
                index = seen[key] = len(spans)
                spans.append(reader(value, row, by_name))
            found.append(index)
        return np.array(found, dtype=np.int64), spans

    def _label(self, value: Any, row: int, by_name: bool) -> Span | None:
        """End labels under a label, by name or code; None where it is not known."""
        if by_name:
            return self._by_name(value, row)
        if is_code(value):
            return self._code(int(value), row, "label")
        if isinstance(value, str) and (span := self._named(value)) is not None:
            return span
        if is_missing(value):
            return None
        raise self._unknown(value, row, "label", self._all_names())

    def _by_name(self, value: Any, row: int) -> Span | None:
        if not is_missing(value):
            written = as_written(value)
            for name in written:
                if (span := self._named(name)) is not None:
                    return span
            if str(ABSTAIN) not in written:
                raise self._unknown(value, row, "label", self._all_names())
        return None

    def _end_label(self, value: Any, row: int, by_name: bool) -> Span | None:
        if is_code(value):
            return self._code(int(value), row, "end label")
        span = self._named(value) if isinstance(value, str) else None
        if span is None and is_missing(value):
            return None
        if span is None or span[1] - span[0] > 1:
            raise self._unknown(value, row, "end label", self._end_labels)
        return span

    def _given_end_label(self, value: Any, row: int, by_name: bool) -> Span:
        span = self._end_label(value, row, by_name)
        if span is None:
            raise self._unknown(value, row, "end label", self._end_labels)
        return span

    def _code(self, code: int, row: int, what: str) -> Span | None:
        own, in_range = (code, code + 1), 0 <= code < self._all[1]
        named = {self._named(name) for name in (str(code), f"{code}.0")} - {None, own}
        if named or (in_range and self._numbered):
            raise VotesError(
                f"Row {row}: labels named by numbers must be given as text; got {code}, which may be a name or a "
                "code. For names pass list(map(str, labels)), for codes schema.end_names(codes)."
            )
        if not in_range and code != ABSTAIN:
            raise self._unknown(code, row, what, self._end_labels)
        return own if in_range else None

    def _named(self, name: str) -> Span | None:
        """End labels under a label's name; that of an end label comes before those of others."""
        if (own := self._ends.get(plain_name(name))) is not None:
            return own
        if (place := self._names.find(name)) is None:
            return None
        start, stop = self._spans[place[0]][place[1]]
        return start, stop

    def _all_names(self) -> list[str]:
        shortest = dict(reversed([(place, name) for name, place in self._names.places.items()]))
        return list(dict.fromkeys([*self._ends, *sorted(shortest.values())]))

    def _unknown(self, value: Any, row: int, what: str, known: Sequence[str]) -> VotesError:
        name = plain_name(value) if isinstance(value, str) else value
        if isinstance(name, str) and (paths := self._names.twice.get(name)) is not None:
            among = " or ".join(map(repr, paths))
            return VotesError(f"Row {row}: {name!r} is a label of more than one task. Give its path: {among}.")
        if isinstance(name, str) and (span := self._named(name)) is not None:
            below = ", ".join(map(repr, self._end_labels[slice(*span)][:12]))
            return VotesError(f"Row {row}: {name!r} is no end label but stands above some: {below}.")
        return VotesError(f"Row {row}: " + unknown_name(what, value, known))

    def _ends_of_known(self, known: Int64Array, allow_missing: bool) -> Int64Array:
        codes = self.end_of(known)
        open_ = (codes < 0) & ~(allow_missing & (known == ABSTAIN).all(axis=1))
        if open_.any():
            row = int(open_.argmax())
            raise VotesError(
                f"Row {row}: a label must be known down to an end label here; got the task labels "
                f"{known[row].tolist()}. Leave the record out."
            )
        return codes

    def _agreed(self, start: int, stop: int) -> Int64Array:
        return _agreement(self._task_codes[start:stop])

    def _nothing(self) -> Int64Array:
        return np.full(self._task_codes.shape[1], ABSTAIN, dtype=np.int64)


def _key(value: Any) -> Any:
    """What tells a value from others: 1 and 1.0 are written differently; all NaN are one."""
    try:
        hash(value)
    except TypeError:
        return id(value)
    return (value.__class__, value if value.__class__ is not float or value == value else None)


def _agreement(rows: Int64Array) -> Int64Array:
    """What all rows say, -1 where they differ."""
    low = rows.min(axis=0)
    return np.where(low == rows.max(axis=0), low, ABSTAIN)


def _values(labels: Any) -> Iterable[Any]:
    """Labels one by one, from a list, an array or a column of a frame."""
    if isinstance(labels, str):
        raise VotesError(f"labels must be a sequence of labels; got the single text {labels!r}.")
    if isinstance(labels, np.ndarray):
        if labels.ndim != 1:
            raise VotesError(f"labels must be one-dimensional; got shape {labels.shape}.")
        exact = labels.dtype.kind in "Ubi" or labels.dtype == np.float64
        values: Iterable[Any] = labels.tolist() if exact else list(labels)
        return values
    if hasattr(labels, "to_pylist"):  # Arrow, whose own scalars are no texts and numbers
        arrow: list[Any] = labels.to_pylist()
        return arrow
    if isinstance(labels, Mapping) or hasattr(labels, "columns"):
        raise VotesError(
            f"labels must be a sequence of labels; got {type(labels).__name__}. Pass one column of it."
        )
    if not hasattr(labels, "__iter__"):
        raise VotesError(f"labels must be a sequence of labels; got {type(labels).__name__}.")
    return list(labels)
