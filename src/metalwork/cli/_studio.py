"""The ``studio`` command."""

from pathlib import Path
from typing import Annotated

import typer

from metalwork.cli._app import app
from metalwork.cli._commands import ProjectArgument
from metalwork.cli._streams import say


@app.command()
def studio(
    project: ProjectArgument,
    port: Annotated[int, typer.Option("--port", metavar="N", help="Of 127.0.0.1; 0 for any free port.")] = 8765,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, and open nothing.")] = False,
) -> None:
    """Write rules, label records and train in the browser.

    A page on this machine alone: see records, write a rule and watch what it
    does as you type, label dev records, fit, train, compare. What it writes goes
    into the project's own files; nothing leaves the machine. The address that it
    prints holds a token: who has it can do what you can.

    The project's own Python files are run: open no project that you do not trust.

    Example:
      metalwork studio project.yaml
    """
    from metalwork.studio import run_studio

    def tell(address: str) -> None:
        say(f"Studio of {project}: {address} (Ctrl+C ends it)")

    run_studio(Path(project), port, browser=not no_browser, on_start=tell)
