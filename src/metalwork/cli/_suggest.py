"""The ``suggest`` command."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from metalwork.cli._records import marked, opened
from metalwork.cli._show import out, show_rows
from metalwork.cli._streams import plain, say
from metalwork.editing import ProjectEditor
from metalwork.errors import ConfigError
from metalwork.inspection import Inspection, Segment, Span
from metalwork.pipeline import Run
from metalwork.suggestions import WordSuggestion, suggest_fixes, suggest_to_label, suggest_words

_FEW: Final = 5
_SOURCES: Final = {"dev": "dev labels", "model": "label model", "name": "label's name"}


def run_suggest(
    path: Path, task: str | None, label: str | None, n: int, accept: Sequence[int], run_code: bool
) -> None:
    """Words for rules, records to label, and what to fix; or put some of the words into the project."""
    run, _ = opened(path, run_code)
    if run.job.labeling_functions and "fit" not in run.steps:
        run.fit()
    inspection, console = run.inspection, out()
    words = suggest_words(inspection, task=task, label=label, n=n)
    if accept:
        _accept(run, words, accept, path)
        return
    _show_words(console, inspection, words, path)
    if run.job.labeling_functions and task is None and label is None:
        fixes = suggest_fixes(inspection, n=_FEW)
        if fixes:
            console.print(plain("What to fix, the most harmful first", style="bold"))
            for fix in fixes:
                console.print(plain(f"  - {fix.sentence}"), soft_wrap=True)
            console.print()
    console.print(plain("What to label next (metalwork label)", style="bold"))
    for one in suggest_to_label(inspection, n=_FEW):
        console.print(plain(f"  {one.split}:{one.row}  {one.reason}"), soft_wrap=True)


def _show_words(console: Console, inspection: Inspection, words: Sequence[WordSuggestion], path: Path) -> None:
    if not words:
        console.print(
            plain("No word is expected to put a label right. Label some records first: metalwork label.")
        )
        console.print()
        return
    rows = []
    for number, word in enumerate(words, 1):
        low, high = word.interval
        rows.append(
            [
                str(number),
                ", ".join(word.words),
                f"{word.task}: {word.label}",
                f"{word.n_records:,}",
                f"{word.n_uncovered:,}",
                f"{word.precision:.0%} ({low:.0%} to {high:.0%}; dev {word.n_dev})",
                _SOURCES[word.source],
            ]
        )
    heads = ["", "words", "vote", "records", "of them new", "precision, estimated (95 %)", "by"]
    show_rows(console, "Words that could become rules", heads, rows)
    for number, word in enumerate(words, 1):
        for split, row in word.examples[:1]:
            text = marked(
                _segments(str(inspection.record(split, row).fields[word.field]), word), console.is_terminal
            )
            console.print(plain(f"  {number}. ") + text, soft_wrap=True)
    console.print(plain(f"Accept one: metalwork suggest {path} --accept 1"), soft_wrap=True)
    console.print()


def _segments(text: str, word: WordSuggestion) -> list[Segment]:
    """The text, cut around the suggested words."""
    found = word.lf().explain(text).all_matches
    places = sorted({(match.start, match.stop) for match in found})
    pieces, at = list[Segment](), 0
    for start, stop in places:
        if start >= at:
            span = Span(word.field, start, stop, word.name, word.label, None)
            pieces += [Segment(text[at:start], ()), Segment(text[start:stop], (span,))]
            at = stop
    return [piece for piece in [*pieces, Segment(text[at:], ())] if piece.text]


def _accept(run: Run, words: Sequence[WordSuggestion], accept: Sequence[int], path: Path) -> None:
    project = run.job.project
    assert project is not None  # it was opened by its file
    wrong = [number for number in accept if not 1 <= number <= len(words)]
    if wrong:
        raise ConfigError(
            f"--accept must be the number of a suggestion, from 1 to {len(words)}; got {wrong[0]}. "
            f"See them with: metalwork suggest {path}"
        )
    own = set(ProjectEditor(project.path).rules)
    taken = [lf.name for lf in run.job.labeling_functions if lf.name not in own]
    editor = ProjectEditor(project.path, taken=taken)
    before = editor.text.splitlines()
    for number in dict.fromkeys(accept):
        editor.add_rule(words[number - 1].rule())
        word = words[number - 1]
        say(f"Added to {project.path}: {word.name}, {word.n_records:,} training records of task {word.task}")
    added = [line for line in editor.text.splitlines() if line not in before]
    out().print(plain("\n".join(added)), soft_wrap=True)
    say(f"Now run: metalwork run {project.path}, or watch it: metalwork watch {project.path}")
