"""Small HTML for notebooks: names are users', so every one is escaped; colours are the notebook's own."""

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

# Control characters, characters that turn the writing direction around, and halves of surrogate pairs: no page
# can show them, and a file of text cannot hold the last.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

MOST_ROWS: Final = 60
"""Of longer tables a notebook shows the first rows and says how many more there are."""

_CELL = "padding:.15em .7em;border:0;text-align:{}"


def showable(value: Any) -> Any:
    """Plain text without characters that no page can show; anything else as it is."""
    return _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value


def escape(value: object) -> str:
    """Text that may stand anywhere in a page."""
    return html.escape(showable(str(value)))


def block(title: str, *parts: str) -> str:
    """A heading, and below it parts that are HTML already."""
    return f"<div><strong>{escape(title)}</strong>{''.join(parts)}</div>"


def lines(text: str) -> str:
    """Text of several lines, as it is."""
    return f'<pre style="margin:.3em 0;background:none">{escape(text)}</pre>'


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], n_text: int = 1) -> str:
    """A table; the first ``n_text`` columns hold text, the others figures. None is a dash."""
    given = list(rows)
    body = "".join(f"<tr>{_cells('td', row, n_text)}</tr>" for row in given[:MOST_ROWS])
    more = f"<p>and {len(given) - MOST_ROWS:,} more</p>" if len(given) > MOST_ROWS else ""
    head = f"<thead><tr>{_cells('th', headings, n_text)}</tr></thead>" if headings else ""
    style = "border-collapse:collapse;margin:.3em 0"
    return f'<table style="{style}">{head}<tbody>{body}</tbody></table>{more}'


def figure(value: float | None, digits: int = 3) -> str:
    """A share or score; a dash where there is none."""
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def _cells(tag: str, row: Sequence[object], n_text: int) -> str:
    sides = ["left"] * n_text + ["right"] * max(len(row) - n_text, 0)
    pairs = zip(row, sides, strict=False)
    return "".join(f'<{tag} style="{_CELL.format(side)}">{_shown(cell)}</{tag}>' for cell, side in pairs)


def _shown(cell: object) -> str:
    if cell is None or isinstance(cell, float):
        return figure(cell)
    return f"{cell:,}" if isinstance(cell, int) else escape(cell)
