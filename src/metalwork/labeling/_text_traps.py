"""Text that a labeling function takes for numbers or truth values: nothing fails, and every vote may be wrong."""

import inspect
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from metalwork.errors import MetalworkWarning
from metalwork.labeling._batch import BatchRule
from metalwork.labeling._function import ColumnVotes, DeclaredLabels, LabelingFunction, written
from metalwork.labeling._soft import ProbabilityRule
from metalwork.labeling._source_uses import Use, uses_of

_SAMPLE: Final = 1000  # records of a chunk that tell what a column holds
_SHORT: Final = 40  # bytes that numbers, dates and truth values have at most
_MOST: Final = 0.9  # of the values: a few may say "n/a"
_NUMBER: Final = r"^\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$"
_LONG: Final = r"^\s*[+-]?[0-9]{16,}\s*$"  # more digits than a float keeps
_ZERO: Final = r"^\s*[+-]?0+(?:\.0*)?\s*$"
_BIT: Final = r"^\s*[01](?:\.0)?\s*$"
_TRUTH: Final = r"(?i)^\s*(?:true|false|yes|no)\s*$"
_FALSE: Final = r"(?i)^\s*(?:false|no)\s*$"
_DATE: Final = r"^\s*[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}"
_TIME: Final = re.compile(r"\b(?:date|datetime|Timestamp)\b")
_REMEDIES: Final = {
    "date": "Read it: date.fromisoformat({name}).",
    "numbers": "Compare it with numbers, or annotate the argument ({name}: str).",
    "truth values": "Compare it with True and False.",
    "dates": "Compare it with dates.",
}


@dataclass(frozen=True)
class Look:
    """What a sample of a text column looks like: of ``n`` distinct values, how many are of each form.

    ``held`` says what a column of another type holds, ``lengths`` how long the texts are.
    """

    n: int = 0
    numbers: int = 0
    long: int = 0
    zeros: int = 0
    bits: int = 0
    truths: int = 0
    falses: int = 0
    dates: int = 0
    held: str = field(default="", kw_only=True)
    lengths: frozenset[int] = field(default=frozenset(), kw_only=True)

    @classmethod
    def at(cls, column: pl.Series) -> "Look":
        """The look of a column."""
        kind = column.dtype
        if kind not in (pl.String, pl.Categorical, pl.Enum):
            what = "numbers" if kind.is_numeric() else "truth values" if kind == pl.Boolean else ""
            return cls(held="dates" if kind.is_temporal() else what)
        values = column.head(_SAMPLE).cast(pl.String).drop_nulls().unique()
        short = values.filter(values.str.len_bytes() <= _SHORT)
        if len(short) < _MOST * len(values):  # prose, mostly: no need to look at it
            return cls(len(values))
        forms = (_NUMBER, _LONG, _ZERO, _BIT, _TRUTH, _FALSE, _DATE)
        counts = [int(short.str.contains(form).sum()) for form in forms]
        return cls(len(values), *counts, lengths=frozenset(short.str.len_bytes().unique().to_list()))

    def pack(self) -> list[Any]:
        """All of it as JSON holds it."""
        return [*self._counts, self.held, sorted(self.lengths)]

    @classmethod
    def unpack(cls, packed: Sequence[Any]) -> "Look":
        """What :meth:`pack` gave."""
        *counts, held, lengths = packed
        return cls(*counts, held=held, lengths=frozenset(lengths))

    def __add__(self, other: "Look") -> "Look":
        counts = (a + b for a, b in zip(self._counts, other._counts, strict=True))
        return Look(*counts, held=self.held or other.held, lengths=self.lengths | other.lengths)

    @property
    def _counts(self) -> tuple[int, ...]:
        counted = (self.n, self.numbers, self.long, self.zeros, self.bits, self.truths, self.falses)
        return (*counted, self.dates)

    @property
    def is_numbers(self) -> bool:
        """Whether nearly all values are written as numbers."""
        return self.numbers > 0 and self.numbers >= _MOST * self.n

    @property
    def is_truths(self) -> bool:
        """Whether nearly all values are words for true and false, or 0 and 1."""
        return max(self.truths, self.bits) > 0 and max(self.truths, self.bits) >= _MOST * self.n

    @property
    def is_of_interest(self) -> bool:
        """Whether it is of any of these forms."""
        return self.is_numbers or self.is_truths or self.is_dates or bool(self.held and not self.n)

    @property
    def is_dates(self) -> bool:
        """Whether nearly all values are written as dates."""
        return self.dates > 0 and self.dates >= _MOST * self.n

    @property
    def number(self) -> str:
        """The type that reads its numbers."""
        return "int" if self.long else "float"


def plain_columns(lfs: Iterable[LabelingFunction]) -> tuple[str, ...]:
    """Columns that some function of the user's reads as they are: by an argument without an annotation."""
    return tuple(dict.fromkeys(column for lf in lfs for column, _ in _plain_arguments(lf)))


def warn_of_defaults(lfs: Sequence[LabelingFunction], columns: Sequence[str]) -> None:
    """A ``MetalworkWarning`` for each LF whose argument looks like an optional column and is none."""
    for lf in lfs:
        for name in optional_columns(lf, columns):
            warnings.warn(
                f"LF {lf.name!r} does not read column {name!r}: the argument of this name has a default, so it is "
                "None on every record. Leave the default out (missing values are None in any case), or rename it.",
                MetalworkWarning,
                stacklevel=3,
            )


def warn_of_text(lfs: Sequence[LabelingFunction], looks: Mapping[str, Look], silent: Sequence[bool]) -> None:
    """A ``MetalworkWarning`` for each LF and column whose text it takes for numbers or truth values.

    ``silent`` says of each LF whether it neither voted nor failed on any record.
    """
    for lf, is_silent in zip(lfs, silent, strict=True):
        for sentence in _findings(lf, looks, is_silent):
            warnings.warn(sentence, MetalworkWarning, stacklevel=3)


def _findings(lf: LabelingFunction, looks: Mapping[str, Look], is_silent: bool) -> Iterator[str]:
    asked = [(column, name) for column, name in _plain_arguments(lf) if looks.get(column, Look()).is_of_interest]
    if not asked:
        return
    batch = isinstance(lf.function, BatchRule)
    function = written(lf.function)
    uses = uses_of(function, [name for _, name in asked], in_lists=batch)
    for column, name in asked:
        found = _finding(looks[column], uses.get(name, Use()), is_silent)
        if found is not None:
            does, kind = found
            if kind in _REMEDIES:
                remedy = _REMEDIES[kind].format(name=name)
                yield f"LF {lf.name!r} {does.format(column=repr(column))} {remedy}"
                continue
            asks = f"{name}: list[{kind}]" if batch else f"{name}: {kind}"
            otherwise = f"{name}: list[str]" if batch else f"{name}: str"
            declared = f"data.types: {{{column}: {kind}}} in a project file, types= of open_records"
            yield (
                f"LF {lf.name!r} {does.format(column=repr(column))} Annotate the argument ({asks}), or declare "
                f"the type of the column ({declared}). Where text is meant, annotate {otherwise}."
            )


def _finding(look: Look, use: Use, is_silent: bool) -> tuple[str, str] | None:
    """What an LF does with a column that looks so, and the type that it should ask for; None where all is well."""
    if look.held and not look.n:
        fits = use.like_text if look.held == "dates" else use.like_numeral
        does = f"compares column {{column}} with text, but the column holds {look.held}, which equal none."
        return (does, look.held) if fits else None
    if use.as_number and look.is_numbers:
        return "compares column {column} with numbers, but the column holds text, which equals none.", look.number
    if use.as_number and look.is_truths:
        return "compares column {column} with numbers, but the column holds text, which equals none.", "bool"
    if use.as_truth and look.is_truths and (look.falses or look.zeros):
        return "takes column {column} for true or false, but the column holds text, which is never false.", "bool"
    if use.as_truth and look.is_numbers and look.zeros:
        return "takes column {column} for true or false, but the column holds text: '0' is true.", look.number
    if use.as_date and look.is_dates:
        return "compares column {column} with dates, but the column holds text, which equals none.", "date"
    if use.as_rank and look.is_numbers and len(look.lengths) > 1:  # of one length they are ordered alike
        return "orders the numbers of column {column} as text, in which '10' stands before '9'.", look.number
    if is_silent and not use.as_text and look.is_numbers and look.n > 1:
        return "never votes, and column {column} holds numbers as text, which equals no number.", look.number
    return None


def _plain_arguments(lf: LabelingFunction) -> list[tuple[str, str]]:
    """Column and name of each argument without an annotation, or one that asks nothing of text: a date."""
    if isinstance(lf.function, (DeclaredLabels, ColumnVotes, ProbabilityRule)):
        return []
    function: Any = written(lf.function)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return [(column, column) for column in lf.fields]
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = [parameter for parameter in parameters if parameter.kind not in several]
    found = zip(lf.fields, named, strict=False)
    return [
        (column, p.name)
        for column, p in found
        if p.annotation is inspect.Parameter.empty or _TIME.search(str(p.annotation))
    ]


def optional_columns(lf: LabelingFunction, columns: Iterable[str]) -> list[str]:
    """Arguments whose default is None and that are called like columns, which the LF does not read."""
    if isinstance(lf.function, (DeclaredLabels, ColumnVotes)):
        return []
    try:
        parameters = inspect.signature(getattr(lf.function, "function", lf.function)).parameters.values()
    except (TypeError, ValueError):
        return []
    known = set(columns) - set(lf.fields)
    return [p.name for p in parameters if p.default is None and p.name in known]
