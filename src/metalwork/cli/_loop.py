"""The commands of the loop: look at records, label some, change a labeling function, see what it changes."""

from pathlib import Path
from typing import Annotated, Final

import typer

from metalwork.cli._app import app
from metalwork.cli._commands import ProjectArgument

_LOOP: Final = "The loop: look, label, change, look again"


@app.command(rich_help_panel=_LOOP)
def compare(
    before: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run, e.g. runs/first.")],
    after: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a later one.")],
    n: Annotated[int, typer.Option("-n", min=0, help="How many records whose label changed are shown.")] = 20,
) -> None:
    """Show what differs between two runs.

    Labeling functions that came, went or vote otherwise; coverage; accuracy,
    and recall and precision by end label, with 95 % intervals, paired where the
    dev records are the same; and the training and dev records whose label
    changed. Of test there are figures alone. No code of the runs is run.

    Examples:
      metalwork compare runs/first runs/second
      metalwork compare runs/first runs/second -n 100
    """
    from metalwork.cli._compare import run_compare

    run_compare(before, after, n)


@app.command(rich_help_panel=_LOOP)
def watch(project: ProjectArgument) -> None:
    """Run what changed whenever a file of the project is saved.

    Watches the project file, its Python, word lists, schema and records of train
    and dev. Labeling functions that did not change have their votes from the
    cache, and the label model is fitted only where votes or settings changed;
    a table shows before and after. A mistake is one message, and it goes on.
    Nothing is written. Ctrl-C ends.

    Example:
      metalwork watch project.yaml
    """
    from metalwork.cli._watch import run_watch

    run_watch(project)
