"""Output that any encoding can hold and no record can steer, and readers that go away."""

import codecs
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from metalwork._visible import visible

_HANDLER: Final = "metalwork.plain"

_PLAIN: Final = {
    **dict.fromkeys("│┃║", "|"),
    **dict.fromkeys("─━═╴╶╸╺", "-"),
    **dict.fromkeys("├└┌┐┘┤┬┴┼╭╮╯╰┏┓┗┛┡┩╇╈┠┨", "+"),
    **dict.fromkeys("‘’‚", "'"),
    **dict.fromkeys("“”„", '"'),
    **dict.fromkeys("–—−‑", "-"),
    "✓": "ok",
    "…": "...",
    "→": "->",
    "±": "+-",
    "×": "x",
    "\N{NO-BREAK SPACE}": " ",
}
"""What stands for a character that an encoding lacks; of others, a question mark."""


class SafeConsole(Console):
    """A console on which text of records and names moves no cursor, changes no colour and turns no direction."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def plain(value: Any, style: str = "") -> Text:
    """Text for a table, in which what could steer a terminal takes the room that it is written out in."""
    return Text(visible(str(value)), style=style)


def say(message: str, heading: str = "", colour: str | None = None, *, err: bool = False) -> None:
    """Print a line that is no table, after a heading in bold."""
    typer.echo(typer.style(heading, fg=colour, bold=True) * bool(heading) + visible(message), err=err)


@contextmanager
def lenient_streams() -> Iterator[None]:
    """Let stdout and stderr write what their encoding lacks plainly, and end quietly with their reader."""
    codecs.register_error(_HANDLER, _plainly)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            _flush_quietly(stream)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


def _flush_quietly(stream: object) -> None:
    """Flush; where the reader has gone, what is left goes nowhere, and Python does not complain as it ends."""
    try:
        if hasattr(stream, "flush"):
            stream.flush()
    except (BrokenPipeError, ValueError):
        if hasattr(stream, "fileno"):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
