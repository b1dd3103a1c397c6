"""Templates filled in: every name and every text of a record is escaped, also between marks."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from metalwork._html import escape, showable
from metalwork.inspection import Segment
from metalwork.studio._asked import Asked
from metalwork.studio._state import Studio

Span = tuple[int, int, str, str]
"""Start, stop, the class of the mark, and what it says when one points at it."""

_MOST_TEXT: Final = 20_000
NAV: Final = (
    ("/", "Tree"),
    ("/lfs", "LFs"),
    ("/records", "Records"),
    ("/rules", "Rules"),
    ("/suggestions", "Suggestions"),
    ("/label", "Label"),
    ("/run", "Train"),
    ("/results", "Results"),
    ("/history", "History"),
)

STEPS: Final = {
    "apply": "Applying labeling functions",
    "fit": "Fitting the label model",
    "train": "Training the network",
    "evaluate": "Predicting and scoring",
    "report": "Writing the report",
}


def page(studio: Studio, asked: Asked, template: str, title: str, code: int = 200, **view: Any) -> HTMLResponse:
    """A whole page."""
    found = studio.open()
    text = (
        _environment()
        .get_template(template)
        .render(
            title=title,
            project=found.project,
            fault=found.fault,
            nav=NAV,
            here=asked.here,
            studio=studio,
            asked=asked,
            titles=STEPS,
            **{"renews": False, "waits": False} | view,
        )
    )
    return HTMLResponse(text, code)


def part(template: str, code: int = 200, headers: dict[str, str] | None = None, **view: Any) -> HTMLResponse:
    """A part of a page."""
    return HTMLResponse(_environment().get_template(template).render(titles=STEPS, **view), code, headers)


def marked(text: str, spans: Iterable[Span], most: int = _MOST_TEXT) -> Markup:
    """A text with marks, of pieces that are escaped one by one; where two overlap, the first keeps its place.

    Of a longer text, the first ``most`` characters.
    """
    pieces, place = list[str](), 0
    for start, stop, kind, title in sorted(spans):
        start, stop = max(start, place), min(stop, len(text), most)
        if start >= stop:
            continue
        pieces.append(escape(text[place:start]))
        inner = escape(text[start:stop])
        pieces.append(f'<mark class="{escape(kind)}" title="{escape(title)}">{inner}</mark>')
        place = stop
    pieces.append(escape(text[place:most]))
    more = f'<span class="soft"> … {len(text) - most:,} more characters</span>' if len(text) > most else ""
    return Markup("".join(pieces) + more)


def stretched(segments: Sequence[Segment], most: int) -> Markup:
    """A text with its stretches marked by what was found there; of a longer one, what is about the first mark."""
    start, length = 0, sum(len(segment.text) for segment in segments)
    if length > most:
        place, first = 0, None
        for segment in segments:
            if segment.spans and first is None:
                first = place
            place += len(segment.text)
        start = max(0, min((first or 0) - most // 4, length - most))
    pieces, place = list[str](), 0
    for segment in segments:
        begin, end = max(start - place, 0), min(start + most - place, len(segment.text))
        place += len(segment.text)
        if begin < end:
            pieces.append(_stretch(segment, segment.text[begin:end]))
    before = f'<span class="soft">{start:,} characters … </span>' if start else ""
    rest = length - start - most
    after = f'<span class="soft"> … {rest:,} more characters</span>' if rest > 0 else ""
    return Markup(before + "".join(pieces) + after)


def _stretch(segment: Segment, text: str) -> str:
    if not segment.spans:
        return escape(text)
    said = []
    for span in segment.spans:
        negated = f", negated by {span.negated_by!r}" if span.negated_by is not None else ""
        said.append(f"{span.lf}: {span.vote or 'abstains'}{negated}" if span.lf else "searched for")
    counts = [span for span in segment.spans if span.lf and span.negated_by is None and span.vote is not None]
    searched = any(not span.lf for span in segment.spans)
    kind = "found" if counts else "searched" if searched else "negated"
    return f'<mark class="{kind}" title="{escape("; ".join(said))}">{escape(text)}</mark>'


def percent(value: float | None, digits: int = 0) -> str:
    """A share in per cent; a dash where there is none."""
    return "–" if value is None or value != value else f"{100 * value:.{digits}f} %"


def count(value: int | None) -> str:
    """A count; a dash where there is none."""
    return "–" if value is None else f"{value:,}"


def plural(n: int, what: str) -> str:
    """So and so many of something."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("metalwork.studio", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=showable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "count": count, "plural": plural}
    environment.globals["marked"] = marked
    return environment
