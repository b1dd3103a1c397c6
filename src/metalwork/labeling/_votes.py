"""From what labeling functions return to label codes; errors are kept apart from abstains."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork._checks import ABSTAIN, FloatArray
from metalwork.errors import LabelingError
from metalwork.labeling._alphabets import Numbering, Soft, States
from metalwork.labeling._function import ColumnRule, ColumnVotes, Function, LabelingFunction
from metalwork.labeling._returns import Not, Reader, WrongReturn, soft_votes
from metalwork.labeling._soft import ProbabilityRule
from metalwork.votes import Alphabet

Codes = npt.NDArray[np.int32]


class _Failure:
    """Stands in the place of a value that an LF failed to return."""


_FAILED: Final = _Failure()
_PLAIN: Final = frozenset({str, np.str_, int, type(None), _Failure})


@dataclass(frozen=True)
class WrongLabel:
    """An LF returned a text that is no label of its task: a mistake in the LF, not in a record."""

    row: int
    reason: str


@dataclass
class Failures:
    """On how many records an LF failed, and the first of them."""

    count: int = 0
    row: int = -1
    reason: str = ""

    def add(self, row: int, reason: str) -> None:
        if not self.count or row < self.row:
            self.row, self.reason = row, reason
        self.count += 1

    def merge(self, later: "Failures", offset: int) -> None:
        """Add the failures of a batch whose first record is record ``offset`` here."""
        if later.count and not self.count:
            self.row, self.reason = later.row + offset, later.reason
        self.count += later.count


@dataclass(frozen=True)
class Votes:
    """One LF's outcomes (n_points, n_columns) on a batch, by their ``Numbering``; its failures; what ended it."""

    codes: Codes
    failures: Failures = field(default_factory=Failures)
    wrong: WrongLabel | None = None


def vote(lf: LabelingFunction, frame: pl.DataFrame, reader: Reader, numbers: Sequence[Numbering]) -> Votes:
    """The LF's votes on every record of ``frame``; ``numbers``, one a column, takes up new outcomes."""
    columns = [frame[name] for name in lf.fields]
    failures = Failures()
    if isinstance(lf.function, ColumnRule) and lf.function.accepts(*columns):
        labels = lf.function.label_columns(*columns)
        codes = {label: reader.label(label)[1] for label in labels.unique().drop_nulls()}
        return Votes(_one_column(labels.replace_strict(codes, default=ABSTAIN, return_dtype=pl.Int32).to_numpy()))
    if isinstance(lf.function, ProbabilityRule) and lf.function.accepts(*columns):
        places = [reader.label(label)[1] for label in lf.function.labels]
        rows = np.full((len(frame), reader.n_labels(0)), np.nan)
        rows[:, places] = lf.function.shares(*columns)
        return Votes(_one_column(_soft_codes(lf, rows, np.arange(len(frame)), numbers[0], failures)), failures)
    function = lf.function.knowing(reader.places) if isinstance(lf.function, ColumnVotes) else lf.function
    try:
        values = _call_all(function, [column.to_list() for column in columns], len(frame), failures)
    except _Stopped as stopped:
        return Votes(_silence(len(frame), reader), failures, stopped.wrong)
    plain = _encode_plain(values, reader)
    return _encode(lf, values, reader, numbers, failures) if plain is None else Votes(plain, failures)


class _Stopped(Exception):
    def __init__(self, wrong: WrongLabel) -> None:
        self.wrong = wrong


def _call_all(function: Function, columns: Sequence[list[Any]], n_points: int, failures: Failures) -> list[Any]:
    """What the LF returns on each record; a map iterator goes on after its function raised."""
    values: list[Any] = []
    calls = map(function, *columns)
    while len(values) < n_points:
        try:
            values.extend(calls)
            if len(values) < n_points:
                raise RuntimeError("it raised StopIteration")
        except LabelingError as error:
            raise _Stopped(WrongLabel(len(values), str(error))) from None
        except Exception as error:
            failures.add(len(values), f"{type(error).__name__}: {error}".rstrip(": "))
            values.append(_FAILED)
    return values


def _encode_plain(values: list[Any], reader: Reader) -> Codes | None:
    """Codes of labels and abstains; None where a value is anything else."""
    names: dict[Any, int] = {name: i for i, name in enumerate(reader.places)}
    names |= {None: ABSTAIN, ABSTAIN: ABSTAIN, _FAILED: ABSTAIN}
    if not (_PLAIN.issuperset(map(type, values)) and names.keys() >= set(values)):
        return None
    found = np.fromiter(map(names.__getitem__, values), dtype=np.int32, count=len(values))
    if len(reader.tasks) == 1:  # names stand in the order of their codes
        return _one_column(found)
    places = np.array([*reader.places.values(), (0, ABSTAIN)])[found]
    codes = _silence(len(values), reader)
    codes[np.arange(len(values)), places[:, 0]] = places[:, 1]
    return codes


def _encode(
    lf: LabelingFunction, values: list[Any], reader: Reader, numbers: Sequence[Numbering], failures: Failures
) -> Votes:
    codes = _silence(len(values), reader)
    known: dict[Hashable, tuple[int, States] | None] = {}
    soft: dict[int, tuple[int, list[float]]] = {}
    for row, value in enumerate(values):
        if value is None or value is _FAILED or _is_abstain(value):
            continue
        try:
            if isinstance(value, Mapping):
                soft[row] = reader.soft(value)
                continue
            if (key := _key(value)) not in known:
                known[key] = _states(key, reader)
            if (said := known[key]) is not None:
                codes[row, said[0]] = numbers[said[0]].number(said[1])
        except WrongReturn as wrong:
            return Votes(codes, failures, WrongLabel(row, str(wrong)))
        except (TypeError, ValueError):
            failures.add(row, f"it returned {_short(value)}")
    for column in sorted({column for column, _ in soft.values()}):
        rows = [row for row, (there, _) in soft.items() if there == column]
        shares = np.array([soft[row][1] for row in rows])
        codes[rows, column] = _soft_codes(lf, shares, np.array(rows), numbers[column], failures)
    return Votes(codes, failures)


def _key(value: Any) -> str | Not | frozenset[str]:
    """A label, or a set of labels, in a form that can be looked up; ``TypeError`` for anything else."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Not):
        return value
    if isinstance(value, (set, frozenset, list, tuple)) and all(isinstance(name, str) for name in value):
        return frozenset(map(str.__str__, value))
    raise TypeError


def _states(key: str | Not | frozenset[str], reader: Reader) -> tuple[int, States] | None:
    if isinstance(key, str):
        column, code = reader.label(key)
        return column, (code,)
    return reader.states(key.labels, inside=False) if isinstance(key, Not) else reader.states(key, inside=True)


def _soft_codes(
    lf: LabelingFunction, shares: FloatArray, at: npt.NDArray[np.int64], numbers: Numbering, failures: Failures
) -> Codes:
    """Numbers (n_points,) of soft votes; rows that are no probabilities are failures of the records ``at``."""
    codes, bad = soft_votes(shares, lf.name)
    for row in bad:
        failures.add(int(at[row]), f"it returned the probabilities {_short(shares[row].tolist())}")
    table = np.full(len(Alphabet.of_soft_votes(numbers.n_labels)) + 1, ABSTAIN, np.int32)
    for code in np.unique(codes[codes != ABSTAIN]).tolist():
        table[code] = numbers.number(Soft(code))
    return table[codes]


def _silence(n_points: int, reader: Reader) -> Codes:
    return np.full((n_points, len(reader.tasks)), ABSTAIN, np.int32)


def _one_column(codes: npt.NDArray[Any]) -> Codes:
    return codes.astype(np.int32, copy=False).reshape(-1, 1)


def _is_abstain(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value == ABSTAIN


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"an object of type {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."
