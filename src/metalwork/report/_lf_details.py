"""What stands behind the table of labeling functions: pairs of them, and examples of what they match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np

from metalwork.inspection import InspectedRecord, LFPairs, Segment
from metalwork.report._charts import interval
from metalwork.report._data import LFExamples, ReportData
from metalwork.report._text import shorten

_MOST_OF_A_KIND: Final = 10
MOST_DRAWN: Final = 60
_CELL: Final = 13.0
_AROUND: Final = 70
_LONGEST: Final = 420
_KINDS: Final = {
    "wrong": "wrong by a dev label",
    "right": "right by a dev label",
    "conflict": "in conflict with another",
    "other": "vote",
}


@dataclass(frozen=True)
class PairLine:
    """Two LFs: on how many records both vote, in conflict, and how far they repeat each other."""

    first: str
    second: str
    overlap: int
    conflict: int
    dependence: float

    @property
    def share(self) -> float:
        """Of the records on which both vote, the share in conflict."""
        return self.conflict / max(self.overlap, 1)


@dataclass(frozen=True)
class PairMatrix:
    """A square a pair of LFs: below the diagonal where they vote together, above it where they conflict."""

    size: float
    margin: float
    names: tuple[tuple[float, str], ...]
    shades: tuple[tuple[bool, float, str], ...]


def pair_lines(pairs: LFPairs) -> list[PairLine]:
    """The pairs that conflict on most records, then those that repeat each other most; the worst of each first."""
    found = [
        PairLine(
            pairs.names[i],
            pairs.names[j],
            int(pairs.overlap[i, j]),
            int(pairs.conflict[i, j]),
            float(pairs.dependence[i, j]),
        )
        for i, j in zip(*np.nonzero(np.triu(pairs.overlap, 1)), strict=True)
    ]
    told = sorted((line for line in found if line.conflict), key=lambda line: -line.conflict)[:_MOST_OF_A_KIND]
    repeated = sorted((line for line in found if line.dependence > 0), key=lambda line: -line.dependence)
    return [*told, *(line for line in repeated[:_MOST_OF_A_KIND] if line not in told)]


def pair_matrix(pairs: LFPairs) -> PairMatrix | None:
    """A drawing of all pairs; None of too many LFs, or one."""
    n = len(pairs.names)
    if not 2 <= n <= MOST_DRAWN:
        return None
    names = [shorten(name, 24) for name in pairs.names]
    margin = 12 + 5.6 * max(map(len, names))
    paths: dict[tuple[bool, int], list[str]] = {}
    for i in range(n):
        for j in range(n):
            both = int(pairs.overlap[i, j])
            if i == j or not both:
                continue
            above = j > i
            rarer = max(int(min(pairs.overlap[i, i], pairs.overlap[j, j])), 1)
            conflict = int(pairs.conflict[i, j])
            share = interval(conflict / both, both)[0] if above else both / rarer
            if round(10 * share):
                paths.setdefault((above, round(10 * share)), []).append(f"M{j} {i}h1v1h-1z")
    return PairMatrix(
        size=_CELL,
        margin=margin,
        names=tuple((margin + (i + 0.5) * _CELL, name) for i, name in enumerate(names)),
        shades=tuple((above, 0.08 + 0.092 * tenth, "".join(path)) for (above, tenth), path in paths.items()),
    )


@dataclass(frozen=True)
class Example:
    """One record: why it is shown, what it is called, its text cut to what matters, and what is known of it."""

    kind: str
    key: str
    segments: tuple[tuple[str, bool, bool], ...]
    said: str


def examples_of(data: ReportData) -> list[tuple[str, list[Example]]]:
    """By LF: a few records of each kind."""
    return [(name, _examples(name, own)) for name, own in data.examples.items()]


def _examples(name: str, own: LFExamples) -> list[Example]:
    by_kind: Mapping[str, Sequence[InspectedRecord]] = {kind: getattr(own, kind) for kind in _KINDS}
    return [
        Example(_KINDS[kind], f"{record.split} {record.id}", _cut(record, name), _said(record, name))
        for kind, records in by_kind.items()
        for record in records
    ]


def _said(record: InspectedRecord, name: str) -> str:
    votes = {lf: vote for cast in record.votes.values() for lf, vote in cast}
    own = {lf: vote for lf, vote in votes.items() if lf == name or lf.startswith(f"{name}[")}
    parts = [f"votes {', '.join(own.values())}"] if own else []
    if record.known is not None:
        parts.append(f"known {record.known}")
    others = [f"{lf}: {vote}" for lf, vote in votes.items() if lf not in own]
    if others:
        parts.append(f"others: {', '.join(others[:4])}" + f" and {len(others) - 4} more" * (len(others) > 4))
    return "; ".join(parts)


def _cut(record: InspectedRecord, name: str) -> tuple[tuple[str, bool, bool], ...]:
    """The text around what the LF found, or its start: (text, marked, negated)."""
    column = next((s.field for s in record.spans if s.lf == name), next(iter(record.fields), None))
    if column is None:
        return ()
    found = _joined([_own(segment, name) for segment in record.segments(column)])
    if not any(marked for _, marked, _ in found):
        return ((shorten("".join(text for text, *_ in found), 240), False, False),)
    cut: list[tuple[str, bool, bool]] = []
    for i, (text, marked, negated) in enumerate(found):
        if sum(len(part) for part, *_ in cut) > _LONGEST:
            return (*cut, (" …", False, False))
        if marked or len(text) <= 2 * _AROUND:
            cut.append((text, marked, negated))
            continue
        head = text[:_AROUND] if i else ""
        tail = text[-_AROUND:] if i + 1 < len(found) else ""
        cut.append((f"{head} … {tail}", False, False))
    return tuple(cut)


def _joined(parts: Sequence[tuple[str, bool, bool]]) -> list[tuple[str, bool, bool]]:
    """The same with neighbours of a kind in one: other LFs' matches do not count here."""
    groups = groupby(parts, key=lambda part: part[1:])
    return [("".join(text for text, *_ in group), *kind) for kind, group in groups]


def _own(segment: Segment, name: str) -> tuple[str, bool, bool]:
    spans = [span for span in segment.spans if span.lf == name]
    return segment.text, bool(spans), bool(spans) and all(span.negated_by is not None for span in spans)
