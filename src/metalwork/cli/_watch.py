"""The ``watch`` command."""

import time
from pathlib import Path
from typing import Final

from metalwork.cli._compare import share, show_lf_changes
from metalwork.cli._show import brief, out, show_rows
from metalwork.cli._streams import plain, say
from metalwork.pipeline import Failed, Looked, load_project, watch

_MOST_LFS: Final = 60


def run_watch(project: Path) -> None:
    """Watch until Ctrl-C; ``ConfigError`` where there is nothing to watch."""
    if not project.is_file():
        load_project(project)  # says what is wrong
    say(f"Watching {project} and the files it reads, whose Python is run; Ctrl-C ends.", err=True)
    try:
        watch(project, _show)
    except KeyboardInterrupt:
        say("Stopped watching.", err=True)


def _show(found: Looked | Failed) -> None:
    console = out()
    if found.files:
        names = ", ".join(path.name for path in found.files)
        console.print(plain(f"\n{time.strftime('%H:%M:%S')} {names} saved", style="bold"), soft_wrap=True)
    if isinstance(found, Failed):
        say(f"{found.text}\nStill watching; mend it and save.", "Error: ", "red", err=True)
        return
    if found.coverage[0] is None:
        _show_first(found)
    else:
        show_lf_changes(console, found.lfs)
    _show_label_model(found)
    for text in found.warnings:
        say(text, "Warning: ", "yellow", err=True)


def _show_first(found: Looked) -> None:
    rows = [
        [
            brief(lf.name),
            lf.task,
            f"{found.n_votes[lf.name][1]:,}",
            f"{lf.coverage[1]:.1%}",
            share(lf.precision[1]) or "-",
        ]
        for lf in found.lfs[:_MOST_LFS]
    ]
    show_rows(out(), "Labeling functions", ["LF", "task", "votes", "coverage", "dev precision (95 %)"], rows)
    if len(found.lfs) > _MOST_LFS:
        out().print(plain(f"and {len(found.lfs) - _MOST_LFS:,} more"))


def _show_label_model(found: Looked) -> None:
    was, now = found.coverage
    before = "" if was in (None, now) else f"{was:.1%} -> "
    lines = [f"Training records with a vote: {before}{now:.1%}"]
    accuracy = [share(own) for own in found.accuracy]
    if accuracy[1]:
        before = f"{accuracy[0]} -> " if accuracy[0] and found.fitted else ""
        change = (
            f", {found.paired} on {found.paired.n:,} known alike"
            if found.paired is not None and found.fitted
            else ""
        )
        lines.append(f"Label model on dev: {before}{accuracy[1]}{change}")
    else:
        lines.append("No dev label is known, so nothing says how right the label model is (metalwork label).")
    fitted = "fitted" if found.fitted else "not fitted again: votes and settings are as they were"
    lines.append(f"{fitted}, {found.seconds:.1f} s")
    out().print(plain("\n".join(lines)), soft_wrap=True)
