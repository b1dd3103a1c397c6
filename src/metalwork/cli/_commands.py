"""The commands: read arguments, call, print."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metalwork.cli._app import app as app
from metalwork.cli._streams import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metalwork.pipeline import Job, Project, RunFolder

_STEPS = "The steps of a run, one by one"
_DATA = "Data and experiments"

ProjectArgument = Annotated[Path, typer.Argument(metavar="PROJECT", help="The project file, e.g. project.yaml.")]
RunOption = Annotated[
    str | None,
    typer.Option("--run", metavar="NAME", help="The run folder to work in, below the project's output folder."),
]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Start anew, whatever is there already.")]


@app.command()
def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The folder to make; it must not exist yet.")],
    example: Annotated[
        str | None,
        typer.Option("--example", metavar="NAME", help="Copy an example instead: digits, openi, rcv1 or reuters."),
    ] = None,
) -> None:
    """Make a small, complete project to start from.

    It holds a task tree, labeling functions, invented support tickets and a
    project file, and runs as it is. The examples are the projects that `demo`
    and `reproduce` run.

    Examples:
      metalwork init tickets
      metalwork run tickets/project.yaml
      metalwork init xrays --example openi
    """
    from metalwork.cli._scaffold import write_project

    folder = Path(name)
    for path in write_project(folder, example):
        say(str(path))
    say(f"\nNow run: metalwork run {folder / 'project.yaml'}")


@app.command()
def run(project: ProjectArgument, name: RunOption = None, fresh: FreshOption = False) -> None:
    """Run a whole project: labels, trained model, metrics and report.

    Does the steps apply, fit, train, evaluate and report, and writes what each
    finds into a new folder below the project's output folder (runs/ by default).
    --run names that folder; else its name is the time.

    The same command goes on where the last run was killed, or had no more disk:
    what it had written, and whose inputs are as they were, is not done again.

    A project may name a Python file with labeling functions. It is run, and
    only from the project's own folder: run no project that you do not trust.

    Examples:
      metalwork run project.yaml
      metalwork run project.yaml --run baseline
    """
    from metalwork.cli._run import run_all
    from metalwork.pipeline import STEPS

    run_all(*_begin(project, name, fresh, STEPS))


@app.command()
def check(project: ProjectArgument) -> None:
    """Look for mistakes in a project, and run nothing but its own Python files.

    Checks the project file, the task tree, the labeling functions, the columns
    and known labels of the records, and the models' options, and lists all that
    is wrong with its place. `metalwork run` and `apply` check the same first.

    Example:
      metalwork check project.yaml
    """
    from metalwork.cli._run import run_check
    from metalwork.pipeline import load_project

    run_check(_job_of(load_project(project)))


@app.command(rich_help_panel=_STEPS)
def apply(
    project: ProjectArgument,
    name: RunOption = None,
    fresh: FreshOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count the calls of language models; run and send nothing.")
    ] = False,
    lfs: Annotated[
        list[str] | None, typer.Option("--lf", metavar="NAME", help="Try this one alone; may be repeated.")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Try them on train, dev or test; train by default.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, help="Try them on so many records, drawn at random.")
    ] = None,
) -> None:
    """Step 1: run the labeling functions and show how each does.

    Writes the votes into a new run folder, or goes on where the same command was
    killed. With --lf, --split or --sample it writes nothing, and shows how some
    labeling functions do on some records: the quickest loop while you write one.

    Examples:
      metalwork apply project.yaml
      metalwork apply project.yaml --lf refunds --split train --sample 1000
    """
    from metalwork.cli._run import run_apply, run_dry

    if lfs or split or sample:
        from metalwork.cli._try import show_tried
        from metalwork.pipeline import load_project

        show_tried(_job_of(load_project(project)), lfs or [], split or "train", sample)
        return
    if dry_run:
        from metalwork.pipeline import load_project

        run_dry(_job_of(load_project(project)))
        return
    run_apply(*_begin(project, name, fresh, ["apply"]))


@app.command(rich_help_panel=_STEPS)
def fit(project: ProjectArgument, name: RunOption = None) -> None:
    """Step 2: fit the label model and write probabilistic labels.

    Works in the newest run folder unless --run names another.

    Example:
      metalwork fit project.yaml
    """
    from metalwork.cli._run import run_fit

    run_fit(*_open(project, name))


@app.command(rich_help_panel=_STEPS)
def train(project: ProjectArgument, name: RunOption = None) -> None:
    """Step 3: train the end model on the probabilistic labels.

    Works in the newest run folder unless --run names another.

    Example:
      metalwork train project.yaml
    """
    from metalwork.cli._run import run_train

    run_train(*_open(project, name))


@app.command(rich_help_panel=_STEPS)
def evaluate(project: ProjectArgument, name: RunOption = None) -> None:
    """Step 4: predict every record, and score the models on dev and test.

    Works in the newest run folder unless --run names another.

    Example:
      metalwork evaluate project.yaml
    """
    from metalwork.cli._run import run_evaluate

    run_evaluate(*_open(project, name))


@app.command(rich_help_panel=_STEPS)
def report(project: ProjectArgument, name: RunOption = None) -> None:
    """Step 5: write the HTML report.

    Works in the newest run folder unless --run names another.

    Example:
      metalwork report project.yaml
    """
    from metalwork.cli._run import run_report

    run_report(*_open(project, name))


@app.command(rich_help_panel=_DATA)
def demo(
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the run folder.")] = Path(
        "metalwork-demo"
    ),
    offline: Annotated[bool, typer.Option("--offline", help="Download nothing.")] = False,
) -> None:
    """Show the main job on real data: triage of chest X-ray reports.

    Labels 2,630 reports by rules of thumb, trains a network on these labels, and
    compares. On a machine without the reports (see `metalwork data list`) it
    takes scikit-learn's handwritten digits instead, and says so.

    Examples:
      metalwork demo
      metalwork demo --out /tmp/demo --offline
    """
    from metalwork.cli._demo import run_demo

    run_demo(folder, offline)


@app.command(rich_help_panel=_DATA)
def reproduce(
    experiment: Annotated[
        str, typer.Argument(metavar="EXPERIMENT", help="openi, rcv1, reuters, or architectures.")
    ],
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="Repetitions that differ in seed alone; 20, of architectures 5, by default."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Of architectures: clinc, trec, reuters-topics, openi, rcv1 or reuters; all by default.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write the tables (JSON, Markdown).")] = Path(
        "results"
    ),
    seed: Annotated[int, typer.Option(min=0, help="The seed that all trials are drawn from.")] = 0,
) -> None:
    """Repeat the paper's experiments on one data set, beside the paper's figures.

    The experiment architectures sets the paper's three networks beside plainer
    ones, at several shares of records with coarse labels only: does a hierarchy
    of heads pay, and what does?

    Examples:
      metalwork reproduce openi
      metalwork reproduce rcv1 --trials 3 --seed 7
      metalwork reproduce architectures --data clinc
    """
    from metalwork.cli._reproduce import run_architectures, run_reproduce

    if experiment == "architectures":
        run_architectures(data, trials or 5, out, seed)
    elif data is not None:
        raise typer.BadParameter(
            f"it goes with the experiment architectures, not {experiment}.", param_hint="--data"
        )
    else:
        run_reproduce(experiment, trials or 20, out, seed)


lf_commands = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
app.add_typer(lf_commands, name="lf", help="Labeling functions: skeletons of each kind, and trying one.")


@lf_commands.command("new")
def lf_new(
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="A kind that --list names.")] = None,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="What to call it; my_KIND by default.")
    ] = None,
    project: Annotated[Path, typer.Option("--project", metavar="PROJECT", help="The project file.")] = Path(
        "project.yaml"
    ),
    task: Annotated[str | None, typer.Option("--task", help="The task it votes on; the first by default.")] = None,
    field: Annotated[
        str | None, typer.Option("--field", help="The column it reads; the end model's text by default.")
    ] = None,
    list_kinds: Annotated[bool, typer.Option("--list", help="List the kinds, and write nothing.")] = False,
) -> None:
    """Write the skeleton of a labeling function into the project's Python file.

    It is appended; nothing that stands there is changed. It runs as it is, and
    is there to be changed.

    Examples:
      metalwork lf new --list
      metalwork lf new keywords refunds --task billing
      metalwork lf new zero_shot
    """
    from metalwork.cli._lf import show_kinds, write_skeleton

    if list_kinds:
        show_kinds()
    elif kind is None:
        raise typer.BadParameter("name a kind that --list shows", param_hint="KIND")
    else:
        write_skeleton(project, kind, name, task, field)


@lf_commands.command("test")
def lf_test(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The labeling function.")],
    text: Annotated[str | None, typer.Option("--text", help="The text that it reads.")] = None,
    values: Annotated[
        list[str] | None, typer.Option("--value", metavar="COLUMN=VALUE", help="A value of another column.")
    ] = None,
    row: Annotated[int | None, typer.Option("--row", min=0, help="Take the record of this row instead.")] = None,
    split: Annotated[str, typer.Option("--split", help="Of which split the row is.")] = "train",
    project: Annotated[Path, typer.Option("--project", metavar="PROJECT", help="The project file.")] = Path(
        "project.yaml"
    ),
) -> None:
    """Try a labeling function on one record, and show why it votes as it does.

    Shows which words or patterns it found and where, what negates them, and
    which parts of a composite hold.

    Examples:
      metalwork lf test refunds --text "No refund was asked for."
      metalwork lf test large --value amount=1200
      metalwork lf test refunds --split dev --row 12
    """
    from metalwork.cli._try import show_test
    from metalwork.pipeline import load_project

    show_test(_job_of(load_project(project)), name, text, values or [], split, row)


schema = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
app.add_typer(schema, name="schema", help="Task trees: proposing one for flat labels.")


@schema.command("propose")
def schema_propose(
    source: Annotated[
        Path, typer.Argument(metavar="PROJECT_OR_SCHEMA", help="A project file, or a schema file, of flat labels.")
    ],
    votes: Annotated[
        Path | None, typer.Option("--votes", metavar="FILE", help="Votes that LabelMatrix.save wrote.")
    ] = None,
    groups: Annotated[
        int | None, typer.Option("--groups", min=2, metavar="N", help="How many groups; as fits best by default.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write the schema there; the file must be new.")
    ] = None,
    words: Annotated[
        bool, typer.Option("--words", help="Compare names by the words they share, without a sentence encoder.")
    ] = False,
) -> None:
    """Propose a task tree for flat labels, and say whether votes support it.

    Groups labels by what their names mean (with the extra "text" installed, else
    by the words that they share) and, of a project, by the records that the label
    model gives them. Half of the records makes a tree, the other half judges it
    by its votes. What --output writes is the tree, or the flat labels where the
    votes do not support it.

    Of a project, its labeling functions are run on up to 20,000 training records,
    unless --votes has other votes.

    Examples:
      metalwork schema propose project.yaml --output tree.yaml
      metalwork schema propose labels.yaml --votes votes.npz --groups 6
    """
    from metalwork.cli._schema import propose

    propose(source, votes, groups, words, output)


@app.command(rich_help_panel=_DATA)
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all that is kept.")] = False,
    path: Annotated[
        Path | None, typer.Option("--path", metavar="FILE", help="Another file of votes than the default one.")
    ] = None,
) -> None:
    """Show what is kept of labeling functions' votes, or remove it.

    A labeling function that did not change is not run again on records that did
    not change. What was unused for longest goes when the file is full. Removing
    all of it costs time alone.

    Examples:
      metalwork cache
      metalwork cache --clear
    """
    from metalwork.cli._cache import clear_cache, show_cache

    (clear_cache if clear else show_cache)(path)


data = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
app.add_typer(data, name="data", rich_help_panel=_DATA, help="List and fetch the data sets of the experiments.")


@data.command("list")
def data_list() -> None:
    """List the data sets, and which are on this machine.

    Example:
      metalwork data list
    """
    from metalwork.cli._data import show_datasets

    show_datasets()


@data.command("fetch")
def data_fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set that `metalwork data list` names.")],
) -> None:
    """Download a data set, check it, and keep it.

    Example:
      metalwork data fetch openi
    """
    from metalwork.cli._data import fetch_dataset

    fetch_dataset(name)


def _open(path: Path, name: str | None) -> "tuple[Job, RunFolder]":
    """The project's job and the run folder to work in: by name, else the newest."""
    from metalwork.pipeline import load_project, open_folder

    project = load_project(path)
    folder = open_folder(project, name)
    return _job_of(project), folder


def _begin(path: Path, name: str | None, fresh: bool, steps: "Sequence[str]") -> "tuple[Job, RunFolder]":
    """The project's job, and the run folder to do ``steps`` in: by name, the one left unfinished, or a new one."""
    from metalwork.pipeline import Run, check_job, load_project, open_folder, unfinished_run

    project = load_project(path)
    folder = None if name is None else open_folder(project, name)
    job = _job_of(project)
    if folder is not None:
        if fresh:
            Run(job, folder).clear()
        return job, folder
    check_job(job)  # a new folder is made last, when nothing can be wrong with the project
    folder = None if fresh else unfinished_run(job, steps)
    if folder is None:
        return job, open_folder(project, fresh=True)
    say(f"Going on with {folder.path}, which was not finished (--fresh starts a new run).", err=True)
    return job, folder


def _job_of(project: "Project") -> "Job":
    from metalwork.pipeline import Job

    for file in project.code:
        say(f"Running the project's own Python file {file}", err=True)
    return Job.of_project(project)
