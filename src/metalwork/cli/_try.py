"""Labeling functions tried on a part of the records, or on one."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from rich.console import Console

from metalwork._visible import visible
from metalwork.analysis import LFRow, Share
from metalwork.cli._progress import step
from metalwork.cli._show import out, show_rows
from metalwork.cli._streams import plain, say
from metalwork.errors import ConfigError
from metalwork.pipeline import Job, Progress, Tried, explain_lf, find_lf, record_of, try_lfs

_EXAMPLES: Final = 5
_LONGEST: Final = 90


def show_tried(job: Job, names: Sequence[str], split: str, sample: int | None) -> None:
    """How labeling functions do on a split or a sample of it; of a single one, some records that it votes on."""
    with step(f"Trying {_counted(len(names) or len(job.labeling_functions))}") as meter:
        tried = try_lfs(
            job, names, split, sample, lambda done, of: meter(Progress("apply", f"{split} records", done, of))
        )
    console, n_points = out(), tried.votes.n_points
    known = f", {tried.n_known:,} of them with a known label" if tried.n_known else ""
    heads = ["LF", "votes for", "votes on", "conflict", "errors", *(["precision (95 %)"] if tried.n_known else [])]
    rows = [_cells(row, bool(tried.n_known)) for row in tried.summary.rows]
    show_rows(console, f"{n_points:,} {split} records{known}", heads, rows)
    for incident in tried.votes.incidents[:_EXAMPLES]:
        console.print(plain(str(incident)), soft_wrap=True)
    if len(names) == 1:
        _show_examples(console, job, names[0], split, tried)
    say("Nothing was written.", err=True)


def show_test(job: Job, name: str, text: str | None, values: Sequence[str], split: str, row: int | None) -> None:
    """The vote of a labeling function on one record, and why."""
    lf = find_lf(job, name)
    record: dict[str, Any] = {} if row is None else record_of(job, split, row)
    if text is not None:
        field = "text" if "text" in lf.fields or len(lf.fields) != 1 else lf.fields[0]
        record[field] = text
    for pair in values:
        column, equals, value = pair.partition("=")
        if not equals or not column:
            raise ConfigError(f"--value must be COLUMN=VALUE; got {pair!r}.")
        record[column] = value
    if not record:
        raise ConfigError(
            f"LF {name!r} reads {', '.join(map(repr, lf.fields))}; got no value. "
            "Give --text, --value COLUMN=VALUE, or --row."
        )
    out().print(plain(str(explain_lf(job, name, record))), soft_wrap=True)


def _show_examples(console: Console, job: Job, name: str, split: str, tried: Tried) -> None:
    """Some records that the labeling function votes on, each with what it found."""
    voted = np.flatnonzero((tried.votes.codes >= 0).any(axis=1))[:_EXAMPLES]
    lf = find_lf(job, name)
    for row in tried.rows[voted].tolist():
        record = record_of(job, split, row)
        explanation = explain_lf(job, name, record)
        read = " | ".join(visible(str(record[field])) for field in lf.fields if record.get(field) is not None)
        console.print()
        console.print(plain(f"row {row}: {_shortened(read, explanation.matches)}"), soft_wrap=True)
        console.print(plain(f"  {explanation}"), soft_wrap=True)


def _shortened(text: str, matches: Sequence[Any]) -> str:
    """The text, or of a long one what stands around the first match."""
    if len(text) <= _LONGEST:
        return " ".join(text.split())
    start = max(0, matches[0].start - _LONGEST // 2) if matches else 0
    piece = " ".join(text[start : start + _LONGEST].split())
    return "..." * (start > 0) + piece + "..." * (start + _LONGEST < len(text))


def _cells(row: LFRow, known: bool) -> list[str]:
    cells = [row.name, ", ".join(row.polarity) or "(never votes)"]
    cells += [f"{row.coverage:.1%}", f"{row.conflict:.1%}", f"{row.n_errors:,}" if row.n_errors else ""]
    return [*cells, *([str(Share.of(row.precision, row.n_scored) or "-")] if known else [])]


def _counted(count: int) -> str:
    return "1 labeling function" if count == 1 else f"{count} labeling functions"
