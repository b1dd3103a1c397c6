"""From what labeling functions return to label codes; errors are kept apart from abstains."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import count, repeat
from typing import Any, Final, Protocol, Self

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, FAILED, FloatArray
from metalwork.data import Kind
from metalwork.errors import LabelingError
from metalwork.labeling._alphabets import Numbering, Soft, States
from metalwork.labeling._async import AsyncRule, Raised
from metalwork.labeling._batch import BatchRule, read_batch
from metalwork.labeling._chunk import Chunk
from metalwork.labeling._declared import YES, ColumnRule, Reading
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._guard import Guard, Task, Watch, calls_functions, describe, shorten
from metalwork.labeling._returns import Not, Reader, WrongReturn, soft_votes
from metalwork.labeling._soft import ProbabilityRule
from metalwork.votes import MOST_INCIDENTS, Alphabet

Codes = npt.NDArray[np.int32]


class _Failure:
    """Stands in the place of a value that an LF failed to return."""


_FAILED: Final = _Failure()
_NOT_CALLED: Final = "it was not called"
_MOST_SAID: Final = 2000
_LASTING: Final = (
    "column ",
    "it returned ",
    *(f"{name}Error" for name in ("Value", "Type", "Key", "Index", "Lookup", "Attribute", "ZeroDivision")),
    *(f"{name}Error" for name in ("Overflow", "Arithmetic", "Assertion", "UnicodeDecode", "UnicodeEncode")),
)
"""Reasons of failures that depend on the record alone: not on a file that is not there, or a service."""
_PLAIN: Final = frozenset({str, np.str_, int, type(None), _Failure})


@dataclass(frozen=True)
class WrongLabel:
    """An LF returned a text that is no label of its task: a mistake in the LF, not in a record."""

    row: int
    reason: str


@dataclass
class Failures:
    """On how many records an LF failed, and row and reason of the first of them."""

    count: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)
    lasting: bool = True
    """Whether all come of the records alone, and would come again."""

    @classmethod
    def of(cls, why: Mapping[int, str]) -> Self:
        """Of the rows and their reasons."""
        rows = sorted(why, key=lambda row: (why[row].startswith(_NOT_CALLED), row))  # causes come first
        first = [(row, why[row]) for row in rows[:MOST_INCIDENTS]]
        return cls(len(why), first, all(reason.startswith(_LASTING) for reason in why.values()))

    def merge(self, later: "Failures", offset: int) -> None:
        """Add the failures of a batch whose first record is record ``offset`` here."""
        room = MOST_INCIDENTS - len(self.first)
        self.first += [(row + offset, reason) for row, reason in later.first[:room]]
        self.count += later.count


@dataclass(frozen=True)
class Votes:
    """One LF's outcomes (n_points, n_columns) on a chunk, by their numbering; its failures; what ended it."""

    codes: Codes
    numbers: list[Numbering]
    failures: Failures = field(default_factory=Failures)
    wrong: WrongLabel | None = None
    differs: int | None = None
    """A row on which the LF answered differently when it was asked again."""

    @classmethod
    def of(cls, codes: Codes, numbers: list[Numbering], why: Mapping[int, str]) -> Self:
        """With the rows on which the LF failed, and why, marked in ``codes``."""
        codes[list(why)] = FAILED
        return cls(codes, numbers, Failures.of(why))


def vote(lf: LabelingFunction, reading: Reading, reader: Reader, guard: Guard, task: Task) -> Votes:
    """The LF's votes on every record of a chunk."""
    chunk = reading.chunk
    numbers = _numberings(reader)
    if isinstance(lf.function, ColumnRule):
        said = lf.function.verdicts(reading, lf.fields)
        codes = np.where(said.truth == YES, reader.label(lf.function.labels[0])[1], ABSTAIN)
        return Votes.of(_one_column(codes), numbers, {**said.why, **chunk.failed(lf.fields)})
    if isinstance(lf.function, ProbabilityRule):
        return _vote_softly(lf, lf.function, chunk, reader, numbers)
    if isinstance(lf.function, BatchRule):
        with guard.around(task, len(chunk)) as watch:
            return _vote_at_once(lf, lf.function, chunk, reader, numbers, watch)
    if isinstance(lf.function, AsyncRule):
        with guard.around(replace(task, again=False), len(chunk)) as watch:  # a service may cost something
            return _vote_one_by_one(lf, chunk, reader, numbers, watch)
    with guard.around(task) as watch:
        return _vote_one_by_one(lf, chunk, reader, numbers, watch)


def _vote_one_by_one(
    lf: LabelingFunction, chunk: Chunk, reader: Reader, numbers: list[Numbering], watch: Watch
) -> Votes:
    try:
        values, why = call_all(lf, chunk, watch)
    except Stopped as stopped:
        return Votes(_silence(len(chunk), reader), numbers, wrong=stopped.wrong)
    sample = watch.n_to_repeat(len(values))
    votes = _encode_all(lf, values, reader, numbers, why, watch)
    if not sample or votes.wrong is not None:
        return votes
    known = _numberings(reader)  # what comes up only here is no outcome of the run's
    failed = {row: reason for row, reason in why.items() if row < sample}
    first = _encode_all(lf, values[:sample], reader, known, failed, watch)
    try:
        returned, failed = call_all(lf, chunk.head(sample), watch)
    except Stopped:
        return votes
    again = _encode_all(lf, returned, reader, known, failed, watch)
    other = np.flatnonzero((first.codes != again.codes).any(axis=1))
    return replace(votes, differs=int(other[0])) if other.size else votes


class Stopped(LabelingError):
    def __init__(self, wrong: WrongLabel) -> None:
        super().__init__(wrong.reason)
        self.wrong = wrong


def _vote_softly(
    lf: LabelingFunction, rule: ProbabilityRule, chunk: Chunk, reader: Reader, numbers: list[Numbering]
) -> Votes:
    """Votes of a rule whose columns hold probabilities."""
    why: dict[int, str] = {}
    rows = np.full((len(chunk), reader.n_labels(0)), np.nan)
    for name, label in zip(lf.fields, rule.labels, strict=True):
        column, unreadable = chunk.numbers(name)
        rows[:, reader.label(label)[1]] = column.to_numpy()
        why |= unreadable
    return _all_soft(lf, rows, numbers, why)


@calls_functions
def _vote_at_once(
    lf: LabelingFunction, rule: BatchRule, chunk: Chunk, reader: Reader, numbers: list[Numbering], watch: Watch
) -> Votes:
    """Votes of a function that takes all records of the chunk; one with an unreadable value is a failure."""
    columns, why = arguments(lf, chunk)
    for reason in watch.task.skip.values():
        return _all_failed(len(chunk), reader, numbers, reason)
    watch.mark(0)
    try:
        with watch.timing(()):
            returned = rule(*map(list, columns))
            found = read_batch(returned, len(chunk), reader)
    except (LabelingError, WrongReturn) as error:
        if not watch.limits.goes_on:
            return Votes(_silence(len(chunk), reader), numbers, wrong=WrongLabel(0, str(error)))
        return _all_failed(len(chunk), reader, numbers, str(error), why)
    except BaseException as error:
        if watch.is_interrupt(error):
            raise
        return _all_failed(len(chunk), reader, numbers, watch.reason(error), why)
    if isinstance(found, np.ndarray):
        return _all_soft(lf, found, numbers, why)
    for row in why:
        found[row] = _FAILED
    return _encode_all(lf, found, reader, numbers, why, watch)


class Called(Protocol):
    """What is called on each record: an LF, or a preprocessor."""

    @property
    def fields(self) -> tuple[str, ...]: ...
    @property
    def kinds(self) -> tuple[Kind | None, ...]: ...
    @property
    def function(self) -> Callable[..., Any]: ...


def arguments(lf: Called, chunk: Chunk) -> tuple[list[list[Any]], dict[int, str]]:
    """The columns that an LF is called with, and by row why a value is none."""
    read = [chunk.values(name, kind) for name, kind in zip(lf.fields, lf.kinds, strict=True)]
    return [values for values, _ in read], {row: why for _, own in reversed(read) for row, why in own.items()}


def _all_failed(
    n_points: int, reader: Reader, numbers: list[Numbering], reason: str, why: Mapping[int, str] | None = None
) -> Votes:
    """A failure on every record, for one reason where it has none of its own."""
    return Votes.of(_silence(n_points, reader), numbers, dict.fromkeys(range(n_points), reason) | dict(why or {}))


def not_called(n_points: int, reader: Reader, reason: str, why: Mapping[int, str]) -> Votes:
    """The votes of an LF that is not called, with a reason, and those of rows that have another."""
    return _all_failed(n_points, reader, _numberings(reader), reason, why)


@calls_functions
def call_all(lf: Called, chunk: Chunk, watch: Watch) -> tuple[list[Any], dict[int, str]]:
    """What the LF returns on each record, and by row why it failed; a map goes on after its function raised."""
    columns, why = arguments(lf, chunk)
    why |= watch.task.skip
    function, values = lf.function, list[Any]()
    if isinstance(function, AsyncRule):
        function = _resolved(function, columns, why, watch)
    if why or watch.task.careful:
        function = _one_by_one(function, why.copy(), watch)
    calls = map(function, *columns)
    while len(values) < len(chunk):
        try:
            watch.arm(values)
            try:
                values.extend(calls)
            finally:
                watch.disarm()
            if len(values) == len(chunk):
                break
            reason = "RuntimeError: it raised StopIteration"
        except _UnreadableError as unreadable:
            reason = str(unreadable)
        except BaseException as error:
            if watch.is_interrupt(error):
                raise
            if isinstance(error, LabelingError) and not watch.limits.goes_on:
                raise Stopped(WrongLabel(len(values), str(error))) from None
            reason = watch.reason(error)
            if isinstance(error, TypeError | ValueError) and "str" in reason:
                reason += chunk.hint(lf.fields, lf.kinds, len(values))
        why[len(values)] = reason
        values.append(_FAILED)
        if (rest := watch.why_not(len(why))) is not None:
            why |= dict.fromkeys(range(len(values), len(chunk)), rest)
            values += [_FAILED] * (len(chunk) - len(values))
    return values, why


class _UnreadableError(Exception):
    """Why a value is not of the type that an LF's argument asks for."""


def _one_by_one(function: Callable[..., Any], why: Mapping[int, str], watch: Watch) -> Callable[..., Any]:
    """The function, not called on records with an unreadable value; each record is told before it begins."""
    rows = count()

    def call(*values: Any) -> Any:
        row = next(rows)
        if (reason := why.get(row)) is not None:
            raise _UnreadableError(reason)
        watch.mark(row)
        return function(*values)

    return call


def _resolved(
    rule: AsyncRule, columns: Sequence[list[Any]], why: Mapping[int, str], watch: Watch
) -> Callable[..., Any]:
    """A function that gives, record after record, what a rule gives on all of them at once."""
    rows = [values for row, values in enumerate(zip(*columns, strict=True)) if row not in why]
    watch.mark(0)
    try:
        with watch.timing(()):
            outcomes = iter(rule.outcomes(rows, watch.limits.max_seconds))
    except BaseException as error:
        if watch.is_interrupt(error):
            raise
        outcomes = repeat(Raised(error))

    def call(*_: Any) -> Any:
        found = next(outcomes)
        if isinstance(found, Raised):
            raise found.error
        return found

    return call


def _encode_all(
    lf: LabelingFunction,
    values: list[Any],
    reader: Reader,
    numbers: list[Numbering],
    why: dict[int, str],
    watch: Watch,
) -> Votes:
    plain = _encode_plain(values, reader)
    if plain is not None:
        return Votes.of(plain, numbers, why)
    codes = _silence(len(values), reader)
    soft: dict[tuple[int, int], list[float]] = {}
    if (wrong := _read_all(values, reader, numbers, codes, soft, why, watch)) is not None:
        return Votes(codes, numbers, wrong=wrong)
    for column in sorted({column for _, column in soft}):
        rows = [row for row, there in soft if there == column]
        found, bad = _soft_codes(lf, np.array([soft[row, column] for row in rows]), numbers[column])
        codes[rows, column] = found
        why |= {rows[at]: reason for at, reason in bad.items()}
    return Votes.of(codes, numbers, why)


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


def _read_all(
    values: list[Any],
    reader: Reader,
    numbers: list[Numbering],
    codes: Codes,
    soft: dict[tuple[int, int], list[float]],
    why: dict[int, str],
    watch: Watch,
) -> WrongLabel | None:
    """Read values into ``codes``, probabilities into ``soft``, failures into ``why``; what ends it, if any does.

    A value may be of a class of the user's: all that is asked of it may fail, or take for ever.
    """
    known: dict[Hashable, tuple[int, States] | None] = {}
    rows, begun = iter(enumerate(values)), list[int]()
    while len(begun) < len(values):
        try:
            watch.arm(begun)
            try:
                for row, value in rows:
                    begun.append(row)
                    if value is None or value is _FAILED:
                        continue
                    watch.mark(row)
                    if _is_abstain(value):
                        continue
                    for first, own, part in reader.parts(value):
                        _read(part, row, first, own, numbers, codes, soft, known)
            finally:
                watch.disarm()
        except WrongReturn as wrong:
            if not watch.limits.goes_on:
                return WrongLabel(begun[-1], shorten(str(wrong), _MOST_SAID))
            why[begun[-1]] = shorten(str(wrong), _MOST_SAID)
        except (TypeError, ValueError):
            value = values[begun[-1]]
            is_error = BaseException in type(value).__mro__
            why[begun[-1]] = describe(value) if is_error else f"it returned {_short(value, watch)}"
        except BaseException as error:
            if watch.is_interrupt(error):
                raise
            why[begun[-1]] = f"it returned {_short(values[begun[-1]], watch)}: {watch.reason(error)}"
    return None


def _read(
    part: Any,
    row: int,
    first: int,
    reader: Reader,
    numbers: list[Numbering],
    codes: Codes,
    soft: dict[tuple[int, int], list[float]],
    known: dict[Hashable, tuple[int, States] | None],
) -> None:
    """Read what was said of the tasks of ``reader``, whose columns begin at ``first``."""
    if part is None or _is_abstain(part):
        return
    if isinstance(part, Mapping):
        column, shares = reader.soft(part)
        soft[row, first + column] = shares
        return
    if (key := (first, _key(part))) not in known:
        known[key] = _states(key[1], reader)
    if (said := known[key]) is not None:
        codes[row, first + said[0]] = numbers[first + said[0]].number(said[1])


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


def _all_soft(lf: LabelingFunction, shares: FloatArray, numbers: list[Numbering], why: dict[int, str]) -> Votes:
    """Soft votes of all records (n_points, n_labels), but those on which it failed."""
    shares[list(why)] = np.nan
    codes, bad = _soft_codes(lf, shares, numbers[0])
    return Votes.of(_one_column(codes), numbers, why | bad)


def _soft_codes(lf: LabelingFunction, shares: FloatArray, numbers: Numbering) -> tuple[Codes, dict[int, str]]:
    """Numbers (n_rows,) of soft votes, and by row why it holds no probabilities."""
    codes, bad = soft_votes(shares, lf.name)
    why = {int(row): f"it returned the probabilities {_short(shares[row].tolist())}" for row in bad}
    table = np.full(len(Alphabet.of_soft_votes(numbers.n_labels)) + 1, ABSTAIN, np.int32)
    for code in np.unique(codes[codes != ABSTAIN]).tolist():
        table[code] = numbers.number(Soft(code))
    return table[codes], why


def _silence(n_points: int, reader: Reader) -> Codes:
    return np.full((n_points, len(reader.tasks)), ABSTAIN, np.int32)


def _one_column(codes: npt.NDArray[Any]) -> Codes:
    return codes.astype(np.int32, copy=False).reshape(-1, 1)


def _is_abstain(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value == ABSTAIN


def _short(value: Any, watch: Watch | None = None) -> str:
    """What a value looks like; one of the user's classes may not want to be looked at."""
    try:
        with nullcontext() if watch is None else watch.timing(()):
            text = repr(value)
    except BaseException as error:
        if watch is not None and watch.is_interrupt(error):
            raise
        text = f"an object of type {type(value).__name__}"
    return shorten(text, 80)


def _numberings(reader: Reader) -> list[Numbering]:
    return [Numbering(reader.n_labels(column)) for column in range(len(reader.tasks))]
