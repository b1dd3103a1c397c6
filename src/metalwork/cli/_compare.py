"""Two runs side by side, as tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from metalwork.analysis import Share
from metalwork.cli._show import brief, out, show_rows
from metalwork.cli._streams import plain
from metalwork.pipeline import Comparison, LFChange, ScoreChange, compare

_LFS: Final = {"added": "+", "gone": "-", "changed": "~"}


def run_compare(before: Path, after: Path, n: int) -> None:
    """Compare two run folders, and show what differs."""
    show_comparison(out(), compare(before, after), n)


def show_comparison(console: Console, found: Comparison, n: int) -> None:
    """What differs between two runs; ``n`` records of those whose label changed."""
    console.print(plain(f"Before: {found.names[0]}\nAfter:  {found.names[1]}"), soft_wrap=True)
    console.print()
    show_lf_changes(console, found.lfs)
    was, now = found.coverage
    console.print(plain(f"Training records with a vote: {was:.1%} before, {now:.1%} after."))
    console.print()
    show_accuracies(console, [score for score in found.scores if score.label is None])
    _show_labels(console, found.scores)
    _show_records(console, found, n)
    for note in found.notes:
        console.print(plain(note))


def show_lf_changes(console: Console, lfs: Sequence[LFChange]) -> None:
    """A row for each labeling function that is not what it was."""
    rows = [
        [
            f"{_LFS[lf.kind]} {brief(lf.name)}",
            lf.task,
            lf.kind if lf.n_changed is None else f"{lf.n_changed:,} votes changed",
            _pair(*(None if own is None else f"{own:.1%}" for own in lf.coverage)),
            _pair(*map(share, lf.precision)),
        ]
        for lf in lfs
        if lf.kind != "same"
    ]
    n_same = sum(lf.kind == "same" for lf in lfs)
    if not rows:
        console.print(plain(f"Labeling functions: all {n_same:,} vote as they did."))
        return
    title = f"Labeling functions ({n_same:,} vote as they did)"
    show_rows(console, title, ["LF", "task", "", "coverage", "dev precision (95 %)"], rows)


def show_accuracies(console: Console, scores: Sequence[ScoreChange]) -> None:
    """Accuracy of each model, and of the same dev records by how much it moved."""
    rows = []
    for score in scores:
        change = "" if score.paired is None else str(score.paired)
        rows.append([score.model, score.split, *(share(own) or "-" for own in score.shares), change])
    if rows:
        heads = ["model", "on", "before (95 %)", "after (95 %)", "same records, change (95 %)"]
        show_rows(console, "Accuracy", heads, rows)
        console.print()


def _show_labels(console: Console, scores: Sequence[ScoreChange]) -> None:
    """Recall and precision of each end label of the last model, where either has changed."""
    of_labels = [score for score in scores if score.label is not None]
    if not of_labels:
        return
    model = of_labels[-1].model
    rows = []
    for score in of_labels:
        if score.model == model and score.shares[0] != score.shares[1]:
            change = "" if score.paired is None else str(score.paired)
            cells = [str(score.label), score.figure, score.split, *(share(own) or "-" for own in score.shares)]
            rows.append([*cells, change])
    if rows:
        heads = ["end label", "", "on", "before (95 %)", "after (95 %)", "same records, change"]
        show_rows(console, f"{model}: end labels that have changed", heads, rows)
        console.print()


def _show_records(console: Console, found: Comparison, n: int) -> None:
    for split, total in found.n_records.items():
        own = found.records.filter(split=split)
        for model in own["model"].unique(maintain_order=True):
            changed = own.filter(model=model)
            rows: list[list[Any]] = [
                [row["id"], row["before"], row["after"], row["known"] or ""]
                for row in changed.head(n).iter_rows(named=True)
            ]
            title = f"{changed.height:,} of {total:,} {split} records have another label by the {model}"
            show_rows(console, title, ["id", "before", "after", "known"], rows)
            if changed.height > n:
                console.print(plain(f"and {changed.height - n:,} more (-n shows more)"))
            console.print()
        if own.is_empty():
            console.print(plain(f"None of {total:,} {split} records has another label."))


def share(found: Share | None) -> str:
    """A share with its number and interval; nothing where there is none."""
    return "" if found is None else str(found)


def _pair(before: str | None, after: str | None) -> str:
    before, after = before or "-", after or "-"
    return after if before == after else f"{before} -> {after}"
