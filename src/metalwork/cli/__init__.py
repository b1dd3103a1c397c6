"""The command line."""

from metalwork.cli import _delivery as _delivery
from metalwork.cli import _loop as _loop
from metalwork.cli import _studio as _studio
from metalwork.cli._commands import app
from metalwork.cli._streams import lenient_streams

__all__ = ["app", "main"]


def main() -> None:
    """Entry point of the ``metalwork`` command."""
    with lenient_streams():
        app(prog_name="metalwork")
