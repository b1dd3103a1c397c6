"""Records in a notebook: their text with what matched marked, votes and predictions. Everything is escaped."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from metalwork import _html

if TYPE_CHECKING:
    from metalwork.inspection._record import InspectedRecord, Segment, Span

_SHOWN: Final = 600
"""Characters of a column that are shown, as far as no match lies beyond."""
_AROUND: Final = 120
"""Characters before and after a match in longer texts."""
_GAP: Final = " … "
_FIRST: Final = "padding:.3em .7em;border:0;vertical-align:top;white-space:nowrap;text-align:left"
_TEXT: Final = (
    "padding:.3em .7em;border:0;vertical-align:top;text-align:left;max-width:48em;overflow-wrap:anywhere"
)
_MARKS: Final = {
    "hit": "background:#ffe08a;color:#222",
    "negated": "background:#e3e3e3;color:#222;text-decoration:line-through",
    "search": "background:#bfe3ff;color:#222",
}


def page(records: "Sequence[InspectedRecord]", title: str, note: str = "") -> str:
    """A table of records."""
    head = "".join(f'<th style="{_FIRST}">{name}</th>' for name in ("record", "text", "votes", "label"))
    body = "".join(f"<tr>{''.join(_cells(record))}</tr>" for record in records)
    table = f'<table style="border-collapse:collapse;margin:.3em 0"><thead><tr>{head}</tr></thead>'
    below = f"<p>{_html.escape(note)}</p>" if note and records else ""
    return _html.block(title, f"{table}<tbody>{body}</tbody></table>", below)


def _cells(record: "InspectedRecord") -> list[str]:
    place = f"{_html.escape(record.split)}<br>{_html.escape(record.id)}"
    texts = "".join(_field(record, name, len(record.fields) > 1) for name in record.fields)
    votes = "<br>".join(
        _html.escape(f"{lf}: {vote}") for own in record.votes.values() for lf, vote in own
    ) or _html.escape("no vote")
    said = {"votes say": record.predicted, "network says": record.end_predicted, "known": record.known}
    labels = "<br>".join(
        f"{name} <b>{_html.escape(label)}</b>" for name, label in said.items() if label is not None
    )
    return [
        f'<td style="{_FIRST}">{place}</td>',
        f'<td style="{_TEXT}">{texts}</td>',
        *(f'<td style="{_FIRST}">{cell}</td>' for cell in (votes, labels or "–")),
    ]


def _field(record: "InspectedRecord", name: str, named: bool) -> str:
    start = f"<i>{_html.escape(name)}</i> " if named else ""
    return f"<div>{start}{''.join(map(_segment, excerpt(record.segments(name))))}</div>"


def excerpt(segments: "Sequence[Segment]") -> "list[Segment]":
    """What to show of a text: its start, or of a long one what is around the matches."""
    if sum(len(segment.text) for segment in segments) <= _SHOWN:
        return list(segments)
    if not any(segment.spans for segment in segments):
        return [segments[0]._replace(text=segments[0].text[:_SHOWN] + _GAP)]
    found, left = [], _SHOWN
    for i, segment in enumerate(segments):
        text = segment.text
        if not segment.spans and len(text) > 2 * _AROUND:
            head = text[:_AROUND] if i else ""
            tail = text[-_AROUND:] if i + 1 < len(segments) else ""
            text = head + _GAP + tail
        found.append(segment._replace(text=text))
        left -= len(text)
        if left < 0:
            return [*found, segment._replace(text=_GAP, spans=())]
    return found


def _segment(segment: "Segment") -> str:
    text = _html.escape(segment.text)
    if not segment.spans:
        return text
    kind = "search" if not any(span.lf for span in segment.spans) else "hit"
    if all(span.negated_by is not None for span in segment.spans if span.lf) and kind == "hit":
        kind = "negated"
    title = _html.escape("; ".join(map(_said, segment.spans)))
    return f'<mark style="{_MARKS[kind]}" title="{title}">{text}</mark>'


def _said(span: "Span") -> str:
    if not span.lf:
        return "found"
    against = f", negated by {span.negated_by}" if span.negated_by is not None else ""
    return f"{span.lf}: {span.vote or 'abstains'}{against}"
