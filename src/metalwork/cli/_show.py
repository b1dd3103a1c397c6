"""Results as tables on stdout."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from metalwork.analysis import LFRow, LFSummary, Metrics, Share
from metalwork.cli._streams import SafeConsole, plain
from metalwork.pipeline import LabelShares, Tuned
from metalwork.schema import TaskSchema
from metalwork.votes import Incident, Space

_PLAIN_WIDTH = 110
_MOST_TASKS = 20
_LONGEST_NAME = 48
_MOST_LABELS = 40


def out() -> Console:
    """A console on stdout; wide enough for the tables where stdout is no terminal."""
    console = SafeConsole(highlight=False)
    return console if console.is_terminal else SafeConsole(highlight=False, width=_PLAIN_WIDTH)


def show_space(console: Console, space: Space) -> None:
    """The task tree, or the label vectors; of a wide one a line a task."""
    console.print(plain("Tasks", style="bold"))
    if sum(len(space.labels(task)) for task in space.tasks) <= _MOST_LABELS:
        console.print(plain(space))
    else:
        for task in space.tasks:
            console.print(plain(f"{task}: {', '.join(space.labels(task))}"))
    console.print()


def show_lfs(
    console: Console, summary: LFSummary, gold: Mapping[str, LFSummary], notes: Sequence[str] = ()
) -> None:
    """One table a task: how often each labeling function votes, and how often it is right."""
    learned = any(row.learned_accuracy is not None for row in summary.rows)
    known = {name: {row.name: row for row in other.rows} for name, other in gold.items() if name == "dev"}
    for task in summary.tasks:
        covered = f"they vote on {task.coverage:.1%} of the training records"
        console.print(plain(f"Labeling functions of task {task.task} ({covered})", style="bold"))
        table = _table()
        table.add_column("name", overflow="fold")
        table.add_column("votes for", overflow="fold")
        headings = ["coverage", "conflict", *(["learned accuracy"] if learned else [])]
        for name in known:  # what is off the branch counts as wrong, and is named beside
            headings += [
                f"{name} precision (95 %)",
                *(["off-branch"] if task.task != summary.tasks[0].task else []),
            ]
        for heading in headings:
            table.add_column(plain(heading), justify="right")
        for row in (row for row in summary.rows if row.task == task.task):
            cells = [f"{row.coverage:.1%}", f"{row.conflict:.1%}"]
            cells += [_percent(row.learned_accuracy)] if learned else []
            for rows in known.values():
                cells += [_scored(rows[row.name])]
                cells += [_percent(rows[row.name].off_branch)] if task.task != summary.tasks[0].task else []
            table.add_row(plain(brief(row.name)), plain(", ".join(row.polarity) or "(never votes)"), *cells)
        console.print(table)
        console.print()
    failed = [row for row in summary.rows if row.n_errors]
    for row in failed:
        console.print(plain(f"{row.name} failed on {row.n_errors:,} records; it has no vote there."))
    for note in notes:
        console.print(plain(note))


def show_incidents(console: Console, incidents: Iterable[Incident]) -> None:
    """The first failure of each labeling function."""
    seen: set[str] = set()
    for incident in incidents:
        if incident.lf not in seen:
            seen.add(incident.lf)
            console.print(plain(str(incident)))


def show_labels(console: Console, shares: LabelShares, schema: TaskSchema) -> None:
    """How the label model shares the training records among the end labels; those it cannot decide apart."""
    console.print(plain("Probabilistic labels of the training records", style="bold"))
    table = _table()
    table.add_column("end label")
    table.add_column("share", justify="right")
    table.add_column("most probable for", justify="right")
    codes = list(range(len(schema.end_labels)))
    if len(codes) > _MOST_LABELS:  # the ends of the list are what to look at
        codes.sort(key=lambda code: (-int(shares.leads[code]), -float(shares.shares[code])))
        codes[_MOST_LABELS // 4 : -_MOST_LABELS // 4] = []
    for code in codes:
        table.add_row(
            plain(schema.end_labels[code]), f"{shares.shares[code]:.1%}", f"{int(shares.leads[code]):,} records"
        )
    console.print(table)
    if len(codes) < len(schema.end_labels):
        between = len(schema.end_labels) - len(codes)
        console.print(plain(f"{between:,} end labels between the most and the least frequent are left out."))
    for note in shares.notes():
        console.print(plain(note))
    console.print()


def show_tuned(console: Console, tuned: Tuned | None) -> None:
    """The settings that were tried on dev, and what that found."""
    if tuned is None:
        return
    show_rows(console, "Settings tried on dev", tuned.HEADS, tuned.rows())
    for note in tuned.notes():
        console.print(plain(note))
    console.print()


def show_scores(console: Console, results: Mapping[str, Mapping[str, Metrics]]) -> None:
    """Accuracy of every model on every split of known end labels."""
    splits = list(next(iter(results.values()), {}))
    if not splits:
        console.print("No known labels here, so nothing to score.\n")
        return
    console.print(plain("Accuracy on end labels", style="bold"))
    table = _table()
    table.add_column("model")
    for split in splits:
        size = next(iter(results.values()))[split].n_points
        table.add_column(f"{split} ({size:,} records)", justify="right")
    for model, by_split in results.items():
        table.add_row(plain(model), *(f"{by_split[split].accuracy:.1%}" for split in splits))
    console.print(table)
    _show_tasks(console, results, splits[-1])
    measured = [metrics for by_split in results.values() for metrics in by_split.values()]
    if any(metrics.n_exact < metrics.n_points for metrics in measured):
        note = "Records known down to an inner label only are right where the prediction is right down to there."
        console.print(plain(note, style="dim"))
    if "dev" in splits and "test" in splits:
        console.print(plain("dev guided the models, so read the figures on test.", style="dim"))
    console.print()


def _show_tasks(console: Console, results: Mapping[str, Mapping[str, Metrics]], split: str) -> None:
    """Accuracy of every model on every task on one split, where there are several tasks."""
    tasks = next(iter(results.values()))[split].tasks
    if len(tasks) < 2:
        return
    console.print()
    console.print(plain(f"Accuracy by task on {split}, where the task applies", style="bold"))
    table = _table()
    table.add_column("task", overflow="fold")
    table.add_column("records", justify="right")
    for model in results:
        table.add_column(model, justify="right")
    for t, task in enumerate(tasks[:_MOST_TASKS]):
        found = [by_split[split].tasks[t].accuracy for by_split in results.values()]
        table.add_row(plain(task.task), f"{task.n_points:,}", *map(_percent, found))
    console.print(table)
    if len(tasks) > _MOST_TASKS:
        console.print(plain(f"The other {len(tasks) - _MOST_TASKS:,} tasks stand in the report.", style="dim"))


def show_rows(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Any small table."""
    console.print(plain(title, style="bold"))
    table = _table()
    for column in columns:
        table.add_column(plain(column), overflow="fold")
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    console.print(table)


def brief(name: str) -> str:
    """A labeling function's name in a table: a rule without one is called by its pattern, which may be long."""
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3].rstrip()}..."


def _table() -> Table:
    return Table(box=None, pad_edge=False, header_style="bold")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _scored(row: LFRow) -> str:
    return str(Share.of(row.precision, row.n_scored) or "-")
