"""Records as they are shown: values, what matched where, votes, probabilities."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from metalwork.inspection import _drawing
from metalwork.inspection._query import Query

if TYPE_CHECKING:
    import polars as pl


class Span(NamedTuple):
    """Characters ``start:stop`` of a column in which a labeling function found something.

    ``vote`` is what the LF says of the record, None where it abstains; ``negated_by`` the words for which this
    match does not count. What a search found has no LF: ``lf`` is then "".
    """

    field: str
    start: int
    stop: int
    lf: str
    vote: str | None
    negated_by: str | None


class Segment(NamedTuple):
    """A stretch of text, and the spans that cover all of it."""

    text: str
    spans: tuple[Span, ...]


class Moved(NamedTuple):
    """A vote, and the log odds that it adds to the label model's prediction."""

    lf: str
    effect: float


@dataclass(frozen=True)
class InspectedRecord:
    """One record, and what is said of it.

    Attributes
    ----------
    split, row : str, int
        Where it stands.
    id : str
        What it is called; its row where it has no id.
    fields : dict of column to value
        What labeling functions and the end model read.
    spans : tuple of Span
        Where LFs found something, and what negates it.
    reasons : dict of LF name to str
        Of LFs that vote and mark no words: what they compared, or which columns they read.
    votes : dict of task to tuple of (LF name, vote)
    posterior : dict of task to dict of label to float
        The label model's P(label, and the task applies); empty before ``fit``.
    end_posterior : dict of task to dict of label to float, or None
        The same of the end model, once it has predicted.
    known : str or None
        The known label, as far down as it is known.
    predicted, end_predicted : str or None
        The most probable end label of the label model, where it has something to go by, and of the end model.
    n_votes : int
    tied : bool
        Whether the votes leave several end labels equal.
    score : float or None
        What the answers are ordered by, the smallest first.
    """

    split: str
    row: int
    id: str
    fields: Mapping[str, Any]
    spans: tuple[Span, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    votes: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    posterior: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    end_posterior: Mapping[str, Mapping[str, float]] | None = None
    known: str | None = None
    predicted: str | None = None
    end_predicted: str | None = None
    n_votes: int = 0
    tied: bool = False
    score: float | None = None
    _explain: Callable[[], tuple[Moved, ...]] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def moved_by(self) -> tuple[Moved, ...]:
        """Which votes moved the label model's prediction, the strongest first; empty before ``fit``."""
        return () if self._explain is None else self._explain()

    def segments(self, column: str) -> tuple[Segment, ...]:
        """The text of a column cut where spans begin and end; joined, the segments are the text."""
        text = self.fields[column]
        text = "" if text is None else str(text)
        own = [span for span in self.spans if span.field == column]
        cuts = sorted({0, len(text), *(min(end, len(text)) for span in own for end in (span.start, span.stop))})
        pairs = pairwise(cuts)
        return tuple(
            Segment(text[start:stop], tuple(s for s in own if s.start <= start and stop <= s.stop))
            for start, stop in pairs
        )

    def _repr_html_(self) -> str:
        return _drawing.page([self], f"{self.split} {self.id}")


@dataclass(frozen=True)
class RecordPage:
    """Some of the records that answer a question.

    Attributes
    ----------
    total : int
        How many answer it.
    offset : int
        Position among these of the first one here.
    records : tuple of InspectedRecord
    query : Query
        What was asked; ``str()`` of it is for people.
    """

    total: int
    offset: int
    records: tuple[InspectedRecord, ...] = field(repr=False)
    query: Query = field(repr=False)

    def to_frame(self) -> "pl.DataFrame":
        """A row a record: split, row, id, known, predicted, end_predicted, votes, and the columns' values."""
        import polars as pl

        rows = []
        for record in self.records:
            votes = [f"{lf}: {vote}" for own in record.votes.values() for lf, vote in own]
            facts = {name: getattr(record, name) for name in _FACTS}
            rows.append(facts | {"votes": votes} | {_column(name): value for name, value in record.fields.items()})
        types: dict[str, Any] = {name: pl.Int64 if name == "row" else pl.String for name in _FACTS}
        return pl.DataFrame(rows, schema_overrides=types | {"votes": pl.List(pl.String)}, strict=False)

    def __len__(self) -> int:
        return len(self.records)

    def __str__(self) -> str:
        return f"{self.total:,} records: {self.query}"

    def _repr_html_(self) -> str:
        last = self.offset + len(self.records)
        return _drawing.page(self.records, str(self), f"{self.offset + 1:,} to {last:,}")


_FACTS = ("split", "row", "id", "known", "predicted", "end_predicted")


def _column(name: str) -> str:
    """The name of a column of values, which is none of the facts'."""
    return f"field {name}" if name in (*_FACTS, "votes") else name
