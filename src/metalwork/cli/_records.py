"""Records of a run on the screen, with the words that labeling functions found marked."""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from metalwork._visible import visible
from metalwork.cli._show import out
from metalwork.cli._streams import plain, say
from metalwork.errors import ConfigError
from metalwork.inspection import InspectedRecord, Segment
from metalwork.pipeline import Run, load_project, open_run

_WHOLE: Final = 500
"""Characters of a text that are shown whole; of longer ones, what stands around the marked words."""
_AROUND: Final = 90
_LEAST: Final = 0.01
"""Probability below which a label is not named."""
_PLACE: Final = re.compile(r"(train|dev|test):(\d+)")


def show_records(path: Path, asked: Mapping[str, Any], n: int, page: int, run_code: bool) -> None:
    """A page of the records that answer a question."""
    run, not_run = opened(path, run_code)
    found = run.inspection.records(**asked, offset=(page - 1) * n, limit=n)
    console = out()
    for record in found.records:
        draw_record(console, record)
    if not found.records:
        where = f" on page {page} (of {_pages(found.total, n)})" if found.total else ""
        console.print(plain(f"No record answers{where}: {found.query}"), soft_wrap=True)
        return
    first, last = found.offset + 1, found.offset + len(found.records)
    more = f"; --page {page + 1} shows more" if last < found.total else ""
    console.print(plain(f"{first:,} to {last:,} of {found.total:,} records: {found.query}{more}"), soft_wrap=True)
    if not_run and any(name in not_run for record in found.records for name in record.reasons):
        say("Where labeling functions in Python found their words is shown with --run-code.", err=True)


def opened(path: Path, run_code: bool) -> tuple[Run, tuple[str, ...]]:
    """The run of a folder or project file; says which Python is run."""
    if path.is_file():
        for file in load_project(path).code:
            say(f"Running the project's own Python file {file}", err=True)
    elif run_code:
        say(f"Running the project's own Python of {path}", err=True)
    return open_run(path, run_code=run_code)


def show_why(run: Run, name: str) -> None:
    """Each labeling function's vote on one record, and what moved the label model."""
    inspection = run.inspection
    split, row = find_record(run, name)
    record, console = inspection.record(split, row), out()
    draw_record(console, record, votes=False)
    voted = {lf: vote for own in record.votes.values() for lf, vote in own}
    moved = dict(record.moved_by)
    for task, own in record.votes.items():
        console.print(plain(f"Votes on {task}", style="bold"))
        for lf, vote in own:
            effect = f"  moved by {moved[lf]:+.2f}" if lf in moved else ""
            console.print(plain(f"  {lf}: {vote}{effect}{_why(record, lf)}"), soft_wrap=True)
    negated = {span.lf for span in record.spans if span.negated_by and span.lf not in voted}
    for lf in sorted(negated):
        console.print(plain(f"  {lf} abstains:{_why(record, lf)}"), soft_wrap=True)
    n_silent = sum(len(lf.columns(run.job.space.tasks)) for lf in inspection.lfs) - len(voted)
    console.print(plain(f"The other {n_silent - len(negated):,} labeling functions abstain."))
    if moved:
        console.print(
            plain(
                f"moved by: log odds added to {record.predicted or 'the prediction'}; 0.7 doubles them.",
                style="dim",
            )
        )
    for task, shares in record.posterior.items():
        console.print(plain(f"{task}: {_leading(shares)}"), soft_wrap=True)


def find_record(run: Run, name: str) -> tuple[str, int]:
    """Split and row of a record: ``split:row``, or its id.

    ``ConfigError`` where there is none, several have the id, or it is one of test.
    """
    if place := _PLACE.fullmatch(name):
        if place[1] not in run.inspection.splits:
            raise ConfigError(f"RECORD must be one of {' or '.join(run.inspection.splits)}; got {name!r}.")
        return place[1], int(place[2])
    found = []
    for split in run.inspection.splits:
        ids = run.split(split).ids
        if ids is not None:
            found += [(split, row) for row in (ids == name).arg_true().to_list()]
    if not found:
        raise ConfigError(
            f"RECORD must be the id of a training or dev record, or split:row such as train:0; got {name!r}."
        )
    if len(found) > 1:
        places = ", ".join(f"{split}:{row}" for split, row in found[:5])
        raise ConfigError(f"RECORD must be one record; {name!r} is the id of several. Say which: {places}.")
    return found[0]


def draw_record(console: Console, record: InspectedRecord, votes: bool = True) -> None:
    """One record: what it is called, what is known and predicted, its text with marks, and its votes."""
    said = [f"known: {record.known}"] if record.known else []
    said += (
        [f"label model: {record.predicted}{_share(record.posterior, record.predicted)}"]
        if record.predicted
        else []
    )
    if record.end_posterior is not None and record.end_predicted:
        said.append(f"network: {record.end_predicted}{_share(record.end_posterior, record.end_predicted)}")
    said += ["tied"] if record.tied else []
    name = f"{record.split} {record.id}" if record.id != str(record.row) else f"{record.split}:{record.row}"
    console.print(plain(f"{name}  {'  '.join(said)}".rstrip(), style="bold"), soft_wrap=True)
    shown = [column for column, value in record.fields.items() if value is not None]
    for column in shown:
        line = marked(record.segments(column), console.is_terminal)
        head = plain(f"  {column}: " if len(shown) > 1 else "  ")
        console.print(head + line, soft_wrap=True)
    for task, own in record.votes.items() if votes else ():
        cast = ", ".join(f"{lf}: {vote}" for lf, vote in own)
        console.print(plain(f"  {task}: {cast}", style="dim"), soft_wrap=True)
    if votes and not record.votes:
        console.print(plain("  no votes", style="dim"))
    console.print()


def marked(segments: Sequence[Segment], is_terminal: bool) -> Text:
    """A text with marks: what was found in reverse or ``[[so]]``, what is negated struck out or ``[-so-]``."""
    pieces = [(kind, "".join(s.text for s in own)) for kind, own in groupby(segments, _kind)]
    length, line = sum(len(text) for _, text in pieces), Text()
    for i, (kind, text) in enumerate(pieces):
        words = visible(" ".join(text.split()))
        before, after = " " * text[:1].isspace(), " " * (text[-1:].isspace() and bool(words))
        if kind == "plain":
            near = _shortened(words, i == 0, i == len(pieces) - 1) if length > _WHOLE else words
            line.append(before + near + after)
        elif is_terminal:
            line.append(before + words + after, style="strike" if kind == "negated" else "bold reverse")
        else:
            left, right = ("[-", "-]") if kind == "negated" else ("[[", "]]")
            line.append(f"{before}{left}{words}{right}{after}")
    return line


def _kind(segment: Segment) -> str:
    if not segment.spans:
        return "plain"
    return "found" if any(span.negated_by is None for span in segment.spans) else "negated"


def _shortened(text: str, is_first: bool, is_last: bool) -> str:
    """What stands beside marked words of a long text; of one without any, its beginning."""
    room = _AROUND * (1 + (is_first and is_last) * 3)
    if len(text) <= 2 * room:
        return text
    head = "" if is_first and not is_last else text[:room]
    tail = "" if is_last else text[-room:]
    return f"{head} ... {tail}".strip() if not is_last else f"{head} ..."


def _why(record: InspectedRecord, lf: str) -> str:
    """What a labeling function found in a record, in words."""
    spans = [span for span in record.spans if span.lf == lf]
    texts = []
    for span in spans:
        word = str(record.fields.get(span.field))[span.start : span.stop]
        texts.append(f"{word!r}" + (f" (negated by {span.negated_by!r})" if span.negated_by else ""))
    reason = record.reasons.get(lf, "")
    return "".join(f"  {text}" for text in [", ".join(dict.fromkeys(texts)), reason] if text)


def _share(posterior: Mapping[str, Mapping[str, float]], label: str | None) -> str:
    name = (label or "").rsplit("/", 1)[-1]
    found = [shares[name] for shares in posterior.values() if name in shares]
    return f" {found[-1]:.0%}" if len(found) == 1 else ""


def _leading(shares: Mapping[str, float]) -> str:
    """The labels of a task by probability, the likeliest first."""
    ranked = sorted(shares.items(), key=lambda pair: -pair[1])
    said = [f"{label} {share:.0%}" for label, share in ranked if share >= _LEAST][:8]
    return ", ".join(said) or "does not apply"


def _pages(total: int, n: int) -> str:
    count = -(-total // n)
    return "1 page" if count == 1 else f"{count:,} pages"
