"""The commands of the loop: look at records, label some, change a labeling function, see what it changes."""

from pathlib import Path
from typing import Annotated, Final

import typer

from metalwork.cli._app import app
from metalwork.cli._commands import ProjectArgument, lf_commands

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


RunArgument = Annotated[
    Path, typer.Argument(metavar="RUN", help="The folder of a run, or a project file, whose Python is run.")
]
RunCodeOption = Annotated[
    bool,
    typer.Option("--run-code", help="Run the project's Python, to show what its functions found; trust it first."),
]


@app.command(rich_help_panel=_LOOP)
def show(
    run: RunArgument,
    lf: Annotated[
        list[str] | None,
        typer.Option("--lf", metavar="NAME", help="This labeling function votes; may be repeated."),
    ] = None,
    wrong: Annotated[bool, typer.Option("--wrong", help="A vote is wrong, by the known label.")] = False,
    conflict: Annotated[bool, typer.Option("--conflict", help="Votes that admit no common label.")] = False,
    uncovered: Annotated[bool, typer.Option("--uncovered", help="No labeling function votes.")] = False,
    uncertain: Annotated[bool, typer.Option("--uncertain", help="The least certain labels first.")] = False,
    differ: Annotated[bool, typer.Option("--differ", help="Label model and network differ.")] = False,
    tied: Annotated[bool, typer.Option("--tied", help="The votes leave several labels equal.")] = False,
    suspect: Annotated[bool, typer.Option("--suspect", help="Dev labels that may be wrong.")] = False,
    task: Annotated[str | None, typer.Option("--task", help="Look at this task alone.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="The label model's label, of any level.")] = None,
    known: Annotated[str | None, typer.Option("--known", help="The known label, of any level.")] = None,
    split: Annotated[str | None, typer.Option("--split", help="train or dev; both by default.")] = None,
    search: Annotated[str | None, typer.Option("--search", metavar="RE", help="A regular expression.")] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="Records a page.")] = 20,
    page: Annotated[int, typer.Option("--page", min=1, help="Which page.")] = 1,
    run_code: RunCodeOption = False,
) -> None:
    """Show records of a run, with matched words marked, votes and labels.

    All that is said must hold of a record. Training and dev records are shown,
    never those of test. In a terminal matches are reversed, in a pipe [[so]];
    a match that is negated is struck, or [-so-].

    Examples:
      metalwork show runs/first --uncovered
      metalwork show runs/first --lf "money back" --wrong
      metalwork show project.yaml --uncertain --task billing -n 5
      metalwork show runs/first --search 'charged .* twice' --label Invoice
    """
    from metalwork.cli._records import show_records

    asked = {"wrong": wrong, "conflict": conflict, "uncovered": uncovered, "uncertain": uncertain}
    asked |= {"differ": differ, "tied": tied, "suspect": suspect}
    named = {"lf": lf, "task": task, "label": label, "known": known, "split": split, "search": search}
    show_records(run, {**asked, **named}, n, page, run_code)


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


@app.command(rich_help_panel=_LOOP)
def suggest(
    run: RunArgument,
    task: Annotated[str | None, typer.Option("--task", help="Words for this task alone.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Words for this label alone.")] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="How many words are suggested.")] = 10,
    accept: Annotated[
        list[int] | None,
        typer.Option("--accept", metavar="NUMBER", help="Put this one into the project; may be repeated."),
    ] = None,
    run_code: RunCodeOption = False,
) -> None:
    """Suggest words for new rules, what to fix, and what to label next.

    Words come from dev labels, from what the label model makes of the votes, and
    from the labels' names; each with the training records that hold it, those
    among them without a vote so far, and its estimated precision. --accept puts
    one into the project file as a rule, and changes nothing else there.

    Examples:
      metalwork suggest runs/first
      metalwork suggest project.yaml --label Refund -n 5
      metalwork suggest project.yaml --label Refund -n 5 --accept 2
    """
    from metalwork.cli._suggest import run_suggest

    run_suggest(run, task, label, n, accept or [], run_code)


@app.command(rich_help_panel=_LOOP)
def label(
    project: ProjectArgument,
    n: Annotated[int, typer.Option("-n", min=1, help="How many records are asked for.")] = 20,
    records: Annotated[
        list[str] | None,
        typer.Option("--record", metavar="SPLIT:ROW", help="This record, e.g. dev:3; may be repeated."),
    ] = None,
) -> None:
    """Label records for dev by keys, down the tree of tasks.

    Dev records without a label come first, then training records whose label
    would teach most. A digit chooses a label and opens the task below it; Enter
    stops there, where one knows no more. With many labels one types part of a
    name, and / finds any label. s skips, b goes back, u takes the last label
    back, q or Ctrl-C ends. Each label is in the dev file at once; where there
    is none, one is made and named in the project file.

    Examples:
      metalwork label project.yaml -n 50
      metalwork label project.yaml --record dev:3
    """
    from metalwork.cli._label import run_label

    run_label(project, n, records or [])


@lf_commands.command("why")
def lf_why(
    record: Annotated[str, typer.Argument(metavar="RECORD", help="Its id, or split:row such as dev:3.")],
    project: Annotated[Path, typer.Option("--project", metavar="PROJECT", help="The project file.")] = Path(
        "project.yaml"
    ),
) -> None:
    """Show how each labeling function votes on a record, and what moved its label.

    In the project as it is now: each vote with the words it goes by, also what
    is negated, how far each moved the label model, and the label's probability
    task by task.

    Examples:
      metalwork lf why T0012
      metalwork lf why dev:3 --project tickets/project.yaml
    """
    from metalwork.cli._records import opened, show_why

    show_why(opened(project, True)[0], record)
