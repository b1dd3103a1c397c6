"""The ``reproduce`` command."""

from collections.abc import Callable
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from metalwork.cli._show import out, show_rows
from metalwork.cli._streams import SafeConsole
from metalwork.experiments import TREES, Results, compare_architectures, reproduce

ProgressTo = Callable[[int, int, str], None]


def run_reproduce(experiment: str, trials: int, folder: Path, seed: int) -> None:
    """Run one experiment with a progress bar; print and write its tables."""
    _show(_with_bar(lambda progress: reproduce(experiment, trials=trials, seed=seed, progress=progress)), folder)


def run_architectures(data: str | None, trials: int, folder: Path, seed: int) -> None:
    """Compare architectures on one data set, or on each."""
    for name in TREES if data is None else (data,):
        _show(
            _with_bar(lambda progress, name=name: compare_architectures(name, trials, seed, progress)),  # type: ignore[misc]
            folder,
        )


def _show(results: Results, folder: Path) -> None:
    written = results.write(folder)
    console = out()
    for name, fact in results.facts.items():
        console.print(Text(f"{name}: {fact}"))
    for table in results.tables:
        console.print()
        show_rows(console, f"{table.name}: {table.title}", table.header, table.cells())
        if table.note:
            console.print(Text(table.note, style="dim"))
    console.print()
    for note in results.notes:
        console.print(Text(f"- {note}"))
    console.print(f"\n{results.trials} trials in {results.seconds:.0f} s.")
    for path in written:
        console.print(Text(str(path)), soft_wrap=True)


def _with_bar(work: Callable[[ProgressTo], Results]) -> Results:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=SafeConsole(stderr=True), transient=True) as bar:
        task = bar.add_task("reading the records", total=None)

        def progress(done: int, total: int, text: str) -> None:
            bar.update(task, completed=done, total=total, description=text)

        return work(progress)
