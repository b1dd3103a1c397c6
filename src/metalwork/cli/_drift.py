"""The ``drift`` command."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from metalwork._files import write_text
from metalwork.cli._app import EXIT_DRIFT
from metalwork.cli._predict import named
from metalwork.cli._progress import step
from metalwork.cli._show import out as console_out
from metalwork.cli._show import show_rows
from metalwork.cli._streams import plain, say
from metalwork.delivery import Drift, Predictor, Shift, find_drift

_MOST_OUTCOMES = 3
_HEADS = ("", "what", "effect", "q", "moved most: before, after")


def run_drift(
    run: Path,
    files: Sequence[str],
    out: Path | None,
    model: str | None,
    run_code: bool,
    fail: bool,
    how: Mapping[str, Any],
) -> None:
    """Compare, show what moved, and end with a code of its own where it is asked for."""
    if run_code:
        say(f"Running the labeling functions that {run} keeps", err=True)
    predictor = Predictor.load(run, model=model, run_code=run_code)  # type: ignore[arg-type]
    with step("Comparing with the run's records"):
        found = find_drift(predictor, named(files), **how)
    if out is not None:
        write_text(out, json.dumps(found.to_dict(), indent=2, ensure_ascii=False) + "\n")
    _show(found)
    if fail and found.moved:
        raise typer.Exit(EXIT_DRIFT)


def _show(found: Drift) -> None:
    console = console_out()
    sizes = f"{found.n_after:,} new records beside {found.n_before:,} of {found.against}"
    n_votes = sum(shift.kind == "votes" for shift in found.shifts)
    console.print(plain(f"{sizes}: {len(found.shifts)} comparisons, {n_votes} of labeling functions"))
    if found.moved:
        show_rows(console, "What moved", _HEADS, map(_row, found.moved))
    else:
        console.print("Nothing moved.")
    for note in found.notes:
        console.print(plain(note))


def _row(shift: Shift) -> list[str]:
    kinds = {"labels": "labels of task", "votes": "votes of LF", "confidence": ""}
    most = [f"{name} {before:.1%}, {after:.1%}" for name, before, after in shift.largest[:_MOST_OUTCOMES]]
    q = "<0.0001" if shift.q < 1e-4 else f"{shift.q:.4f}"
    return [kinds[shift.kind], shift.name, f"{shift.effect:.1%}", q, "; ".join(most)]
