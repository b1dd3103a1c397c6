"""The steps of a run with progress on stderr and results on stdout."""

from rich.console import Console
from rich.text import Text

from metalwork.cli._app import EXIT_FAILURES, fail
from metalwork.cli._progress import Meter, say_kept, step
from metalwork.cli._show import (
    out,
    show_incidents,
    show_labels,
    show_lfs,
    show_rows,
    show_scores,
    show_space,
    show_tuned,
)
from metalwork.pipeline import STEPS, Event, Job, Progress, Run, RunFolder, check_job, dry_run


def run_all(job: Job, folder: RunFolder) -> None:
    """Every step, then all results."""
    run = _do(job, folder, *STEPS, again=False)
    console = out()
    console.print()
    show_space(console, job.space)
    show_lfs(console, run.lfs, run.gold_lfs, run.notes_on_lfs)
    show_labels(console, run.label_shares["train"], job.schema)
    show_tuned(console, run.tuned)
    show_incidents(console, run.incidents)
    show_scores(console, run.metrics)
    _say_where(console, "Report", str(folder.path / "report.html"))
    _end_with_failures(run)


def run_check(job: Job) -> None:
    """Check a job; say what it consists of, as nothing is wrong."""
    check_job(job)
    console, known = out(), {split: job.split(split).n_known for split in job.splits if split != "train"}
    show_space(console, job.space)
    console.print(f"{len(job.labeling_functions)} labeling functions, {job.schema.n_end_labels} end labels")
    for split, count in known.items():
        console.print(f"{split}: {count:,} records with a known label")
    console.print("Nothing is wrong with this project, as far as can be told without running it.")


def run_apply(job: Job, folder: RunFolder) -> None:
    """The step ``apply``, and the LF tables."""
    run, console = _do(job, folder, "apply"), out()
    show_space(console, job.space)
    show_lfs(console, run.lfs, run.gold_lfs)
    show_incidents(console, run.incidents)
    _say_where(console, "Run folder", str(folder.path))
    _end_with_failures(run)


def run_dry(job: Job) -> None:
    """What the language models would be asked on each split."""
    check_job(job)
    console, rows, total = out(), list[list[str]](), 0.0
    for name, split, needs in dry_run(job):
        cost = "" if needs.cost is None else f"{needs.cost:,.2f}"
        counts = (needs.n_records, needs.n_kept, needs.n_calls, needs.prompt_tokens, needs.answer_tokens)
        rows.append([name, split, *(f"{count:,}" for count in counts), cost])
        total += needs.cost or 0.0
    if not rows:
        console.print("No labeling function asks a language model.")
        return
    heads = ["LF", "split", "records", "answered", "calls", "tokens of prompts", "of answers", "cost"]
    show_rows(console, "Language models", heads, rows)
    console.print(f"Nothing was sent. Tokens are estimates; cost {total:,.2f} where prices are given.")


def run_fit(job: Job, folder: RunFolder) -> None:
    """The step ``fit``, the LF tables with learned accuracies, and the shares of the labels."""
    run, console = _do(job, folder, "fit"), out()
    show_lfs(console, run.lfs, run.gold_lfs, run.notes_on_lfs)
    show_labels(console, run.label_shares["train"], job.schema)
    show_tuned(console, run.tuned)
    show_scores(console, run.dev_metrics)
    _say_where(console, "Run folder", str(folder.path))


def run_train(job: Job, folder: RunFolder) -> None:
    """The step ``train``, and the compiled network."""
    run, console = _do(job, folder, "train"), out()
    if job.end_model.is_none:
        console.print("No end model is trained, as the project says (end_model: none).")
    else:
        console.print(Text(str(run.end_model.plan_)))
    _say_where(console, "Run folder", str(folder.path))


def run_evaluate(job: Job, folder: RunFolder) -> None:
    """The step ``evaluate``, and the scores."""
    run, console = _do(job, folder, "evaluate"), out()
    show_scores(console, run.metrics)
    _say_where(console, "Run folder", str(folder.path))


def run_report(job: Job, folder: RunFolder) -> None:
    """The step ``report``."""
    _do(job, folder, "report")
    _say_where(out(), "Report", str(folder.path / "report.html"))


def _do(job: Job, folder: RunFolder, *steps: str, again: bool = True) -> Run:
    """Do these steps in the folder, each with a spinner of its own; earlier ones must be done.

    Without ``again``, those that are done and whose inputs are as they were stay as they are.
    """
    meters: list[Meter] = []

    def listen(event: Event) -> None:
        if isinstance(event, Progress) and meters:
            meters[-1](event)

    run = Run(job, folder, listen)
    with folder.writing():
        for earlier in STEPS[: STEPS.index(steps[0])]:
            folder.require(earlier)
        for name in steps:
            if not again and run.is_kept(name):
                say_kept(_title(job, name))
                continue
            with step(_title(job, name)) as meter:
                meters.append(meter)
                getattr(run, name)()
    return run


def _end_with_failures(run: Run) -> None:
    """End with a code of its own where labeling functions failed too often, and the run went on."""
    if run.complaints:
        fail("\n".join(run.complaints), EXIT_FAILURES)


def _title(job: Job, name: str) -> str:
    return {
        "apply": f"Applying {len(job.labeling_functions)} labeling functions",
        "fit": f"Fitting the label model ({job.label_model.name})"
        if job.tune is None
        else "Trying settings on dev, and fitting the label model",
        "train": "No end model to train"
        if job.end_model.is_none
        else f"Training the end model ({job.end_model.architecture if job.tune is None else 'as chosen'})",
        "evaluate": "Predicting and scoring",
        "report": "Writing the report",
    }[name]


def _say_where(console: Console, what: str, path: str) -> None:
    console.print(Text(f"{what}: {path}"), soft_wrap=True)
