"""The command line."""

from metalwork.cli._commands import app

__all__ = ["app", "main"]


def main() -> None:
    """Entry point of the ``metalwork`` command."""
    app(prog_name="metalwork")
