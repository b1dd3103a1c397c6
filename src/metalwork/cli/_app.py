"""The ``metalwork`` command: its group of commands, and what becomes of errors."""

import errno
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, TextIO

import typer
from typer.core import TyperGroup

from metalwork import __version__
from metalwork.cli._streams import say
from metalwork.errors import MetalworkError, MetalworkWarning

EXIT_MISTAKE: Final = 1
EXIT_FAILURES: Final = 3
EXIT_DRIFT: Final = 4
EXIT_INTERNAL: Final = 70
EXIT_IO: Final = 74
EXIT_INTERRUPTED: Final = 130

_EPILOG = (
    "[bold]Exit codes[/bold]  0: done.  1: a mistake in data, project or arguments (the message says which).  "
    "2: wrong usage.  3: done, but labeling functions failed too often (on_failure: continue).  "
    "4: done, but records drifted (drift --fail-on-drift).  "
    "70: a fault of metalwork's own.  74: reading or writing failed, e.g. a full disk.  130: interrupted."
)


class ErrorGroup(TyperGroup):
    """Turns every error into one message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        debug = bool(ctx.params.get("debug"))
        try:
            with _plain_warnings():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            fail("Interrupted. What finished steps wrote is kept.", EXIT_INTERRUPTED, debug)
        except MetalworkError as error:
            fail(str(error), EXIT_MISTAKE, debug)
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of our output has gone
                raise
            mistakes = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError)
            fail(_describe(error), EXIT_MISTAKE if isinstance(error, mistakes) else EXIT_IO, debug)
        except Exception as error:
            if type(error).__module__.startswith("typer"):  # usage errors and exits are typer's to show
                raise
            text = f"{type(error).__name__}: {error}\nThis is a fault of metalwork. {_HOW_TO_DEBUG}"
            fail(text, EXIT_INTERNAL, debug)


_HOW_TO_DEBUG = "For the traceback, run again with: metalwork --debug ..."


def fail(message: str, code: int, debug: bool = False) -> None:
    """Print an error to stderr and end with ``code``."""
    if debug:
        say(traceback.format_exc(), err=True)
    say(message, "Error: ", "red", err=True)
    raise typer.Exit(code)


def _describe(error: OSError) -> str:
    what = error.strerror or str(error)
    where = f": {error.filename}" if error.filename else ""
    hint = " Free some space and run the command again." if error.errno == errno.ENOSPC else ""
    return f"{what}{where}.{hint}"


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show metalwork's warnings as one line each, and once each."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        say(str(message), "Warning: ", "yellow", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("default", MetalworkWarning)
        warnings.showwarning = show
        yield


app = typer.Typer(
    cls=ErrorGroup,
    rich_markup_mode="rich",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog=_EPILOG,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"metalwork {__version__}")
        raise typer.Exit


@app.callback()
def root(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="METALWORK_DEBUG", help="Print the traceback of an error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Weak supervision for hierarchies of classification tasks.

    From unlabeled records, a tree of tasks, and labeling functions (rules of
    thumb that vote or abstain) to probabilistic labels, a trained network and
    a report.

    Start here:
      metalwork demo                        see it at work on real data
      metalwork init tickets                make a small project to change
      metalwork run tickets/project.yaml    run it
    """
