"""Output that any encoding can hold, and readers that go away."""

import codecs
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

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
