"""The pipeline's steps with progress on stderr and results on stdout."""

from rich.console import Console
from rich.text import Text

from metalwork import pipeline
from metalwork.cli._progress import counter, step
from metalwork.cli._show import out, show_labels, show_lfs, show_schema, show_scores
from metalwork.pipeline import Job, RunFolder


def run_all(job: Job, folder: RunFolder) -> None:
    """Every step, then all results."""
    with folder.writing():
        _apply(job, folder)
        _fit(job, folder)
        _train(job, folder)
        _evaluate(job, folder)
        _report(job, folder)
    console, found = out(), pipeline.summarise(job, folder)
    console.print()
    show_schema(console, job.schema)
    show_lfs(console, found.lfs, found.gold_lfs, found.notes_on_lfs)
    show_labels(console, found.labels["train"])
    show_scores(console, found.results)
    _say_where(console, "Report", str(folder.path / "report.html"))


def run_apply(job: Job, folder: RunFolder) -> None:
    """The step ``apply``, and the LF tables."""
    _apply(job, folder)
    console, found = out(), pipeline.summarise(job, folder)
    show_schema(console, job.schema)
    show_lfs(console, found.lfs, found.gold_lfs, found.notes_on_lfs)
    _say_where(console, "Run folder", str(folder.path))


def run_fit(job: Job, folder: RunFolder) -> None:
    """The step ``fit``, the LF tables with learned accuracies, and the shares of the labels."""
    _fit(job, folder)
    console, found = out(), pipeline.summarise(job, folder)
    show_lfs(console, found.lfs, found.gold_lfs, found.notes_on_lfs)
    show_labels(console, found.labels["train"])
    show_scores(console, found.results)
    _say_where(console, "Run folder", str(folder.path))


def run_train(job: Job, folder: RunFolder) -> None:
    """The step ``train``, and the compiled network."""
    plan = _train(job, folder)
    console = out()
    console.print(Text(plan))
    _say_where(console, "Run folder", str(folder.path))


def run_evaluate(job: Job, folder: RunFolder) -> None:
    """The step ``evaluate``, and the scores."""
    _evaluate(job, folder)
    console = out()
    show_scores(console, pipeline.summarise(job, folder).results)
    _say_where(console, "Run folder", str(folder.path))


def run_report(job: Job, folder: RunFolder) -> None:
    """The step ``report``."""
    _report(job, folder)
    _say_where(out(), "Report", str(folder.path / "report.html"))


def _apply(job: Job, folder: RunFolder) -> None:
    with step(f"Applying {len(job.labeling_functions)} labeling functions") as update:
        pipeline.apply(job, folder, progress=counter(update))


def _fit(job: Job, folder: RunFolder) -> None:
    with step(f"Fitting the label model ({job.label_model.name})"):
        pipeline.fit(job, folder)


def _train(job: Job, folder: RunFolder) -> str:
    with step(f"Training the end model ({job.end_model.architecture})") as update:
        return str(pipeline.train(job, folder, progress=counter(update, "epoch ")).plan_)


def _evaluate(job: Job, folder: RunFolder) -> None:
    with step("Predicting and scoring"):
        pipeline.evaluate(job, folder)


def _report(job: Job, folder: RunFolder) -> None:
    with step("Writing the report"):
        pipeline.report(job, folder)


def _say_where(console: Console, what: str, path: str) -> None:
    console.print(Text(f"{what}: {path}"), soft_wrap=True)
