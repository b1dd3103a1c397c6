"""The ``label`` command: dev labels by keys, down the tree."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import typer
from rich.console import Console

from metalwork.cli._records import marked
from metalwork.cli._show import out
from metalwork.cli._streams import plain, say
from metalwork.editing import DevFile
from metalwork.errors import ChangedError, ConfigError
from metalwork.inspection import InspectedRecord, Inspection, Segment
from metalwork.pipeline import Job, Run, load_project
from metalwork.suggestions import suggest_to_label

_MOST_KEYS: Final = 9
"""Labels of a task that have a digit each; with more, one types the beginning of a name."""
_SHOWN: Final = 60
_HELP: Final = "enter: as far as this  s: skip  b: back  u: undo  /: find a label  q: quit"

Command = Literal["skip", "undo", "quit"]


@dataclass(frozen=True)
class Choice:
    """What was typed for a record: a label (its path, from the root on), or what to do instead."""

    label: str | None = None
    command: Command | None = None


class Keys:
    """Single keys of a terminal, or characters of a pipe; what is typed is shown where it would not be."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdin.isatty()

    def key(self) -> str:
        """One key; "" at the end of a pipe."""
        if not self.is_terminal:
            return sys.stdin.read(1)
        try:
            return "\n" if (key := typer.getchar()) == "\r" else key
        except EOFError:
            return ""

    def line(self, asked: str) -> str | None:
        """A line; None at the end of a pipe."""
        if self.is_terminal:
            try:
                return input(asked)
            except EOFError:
                return None
        found = sys.stdin.readline()
        return found.rstrip("\r\n") if found else None


def run_label(path: Path, n: int, labels_of: Sequence[str]) -> None:
    """Ask for labels of ``n`` records, one after the other, until there are no more or it is enough."""
    project = load_project(path)
    dev = DevFile(project)
    for file in project.code:
        say(f"Running the project's own Python file {file}", err=True)
    run = Run(Job.of_project(project))
    if run.job.labeling_functions:
        say("Applying labeling functions, to see which labels would teach most", err=True)
        run.fit()
    n_given = Labelling(run.inspection, dev, Keys(), out()).ask(n, labels_of)
    n_known = sum(label is not None for label in dev.labels)
    given = "1 label given" if n_given == 1 else f"{n_given:,} labels given"
    say(f"{given}; {n_known:,} records of {dev.path} have one now.")


class Labelling:
    """Labels asked for and written, one record after the other."""

    def __init__(self, inspection: Inspection, dev: DevFile, keys: Keys, console: Console) -> None:
        self._inspection, self._dev, self._keys, self._console = inspection, dev, keys, console
        self._schema = inspection.schema
        self._paths = {"/".join(path): path for path in self._below(self._schema.tasks[0], [])}
        self._given: list[tuple[str, int]] = []

    def ask(self, n: int, named: Sequence[str] = ()) -> int:
        """Ask for ``n`` records; how many labels were given."""
        waiting = [_place(name) for name in named] or [*self._suggested(n)]
        number, total = 0, len(waiting)
        while 0 <= number < total:
            (split, row), reason = waiting[number]
            try:
                choice = self._asked(self._inspection.record(split, row), f"{number + 1} of {total}")
            except KeyboardInterrupt:
                choice = Choice(command="quit")
            if choice.command == "quit":
                break
            if choice.command == "undo":
                number = self._undo(waiting, number)
                continue
            if choice.label is not None and not self._write((split, row), choice.label, reason):
                continue  # somebody else has changed it: asked again
            number += 1
        return len(self._given)

    def _suggested(self, n: int) -> Iterator[tuple[tuple[str, int], str]]:
        unlabelled = (row for row, label in enumerate(self._dev.labels) if label is None)
        for row, _ in zip(unlabelled, range(n), strict=False):
            yield ("dev", row), "It is a dev record without a label."
            n -= 1
        if n > 0:
            for one in suggest_to_label(self._inspection, n=n, random_state=len(self._dev.labels)):
                yield (one.split, one.row), one.reason

    def _write(self, record: tuple[str, int], label: str, reason: str) -> bool:
        """Write a label, and only then say why it was asked for, which may name what the models think."""
        try:
            done = self._dev.set(record, label)
        except ChangedError as error:
            say(str(error), err=True)
            self._dev.refresh()
            return False
        self._given.append(record)
        was = f" (was {done.before})" if done.before is not None else ""
        self._console.print(plain(f"  {label}{was} -> {self._dev.path}", style="green"), soft_wrap=True)
        self._console.print(plain(f"  Asked because: {reason}", style="dim"), soft_wrap=True)
        return True

    def _undo(self, waiting: Sequence[tuple[tuple[str, int], str]], number: int) -> int:
        """Take the last label back; the number of its record, which is asked for again."""
        if not self._given:
            self._console.print(plain("  Nothing to undo."))
            return number
        try:
            self._dev.undo()
        except ChangedError as error:
            say(str(error), err=True)
            self._dev.refresh()
            return number
        record = self._given.pop()
        self._console.print(plain("  Taken back."))
        return next(i for i, (place, _) in enumerate(waiting) if place == record)

    def _below(self, task: str, above: list[str]) -> Iterator[list[str]]:
        """The path of every label of a task, and of those under it."""
        for label in self._schema.labels(task):
            yield [*above, label]
            if (child := self._schema.child(task, label)) is not None:
                yield from self._below(child, [*above, label])

    # --- one record ---------------------------------------------------------------------------------------------

    def _asked(self, record: InspectedRecord, count: str) -> Choice:
        head = f"\n{count}  {record.split} {record.id}" + (f"  now: {record.known}" if record.known else "")
        self._console.print(plain(head, style="bold"))
        for column, value in record.fields.items():
            if value is not None:
                text = marked([Segment(str(value), ())], self._console.is_terminal)
                self._console.print(plain(f"  {column}: ") + text, soft_wrap=True)
        path: list[str] = []
        while (task := self._task_below(path)) is not None:
            found = self._choose(task, path)
            if isinstance(found, Choice):
                return found
            path = found
        return Choice(self._name(path))

    def _name(self, path: Sequence[str]) -> str:
        """What a label is called in the file: by its name where that is unique."""
        places, whole = self._schema.label_names.places, "/".join(path)
        return path[-1] if places.get(path[-1]) == places[whole] else whole

    def _task_below(self, path: Sequence[str]) -> str | None:
        """The task that a path opens; None where it has come to an end label."""
        task: str | None = self._schema.tasks[0]
        for label in path:
            task = self._schema.child(str(task), label)
        return task

    def _choose(self, task: str, path: list[str]) -> Choice | list[str]:
        """What is typed at one task: a longer path, a shorter one, or an end of it."""
        labels = self._schema.labels(task)
        few = len(labels) <= _MOST_KEYS
        shown = "  ".join(f"{i}: {label}" for i, label in enumerate(labels[:_SHOWN], 1))
        more = f"  and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
        self._console.print(plain(f"  {task}?  {shown}{more}"), soft_wrap=True)
        self._console.print(plain(f"  {_HELP}", style="dim"))
        while True:
            typed = self._keys.key() if few else self._keys.line("  number or name: ")
            if typed is None or (few and typed in ("", "\x04")):
                return Choice(command="quit")
            typed = typed.strip(" ")
            if typed in ("\n", ""):
                return Choice(self._name(path)) if path else Choice(command="skip")
            if typed in _COMMANDS and typed not in labels:
                return Choice(command=_COMMANDS[typed])
            if typed == "b":
                return path[:-1]
            if typed.startswith("/") and (found := self._find(typed[1:])) is not None:
                return found
            if (label := self._label(labels, typed, few)) is not None:
                return [*path, label]

    def _label(self, labels: Sequence[str], typed: str, few: bool) -> str | None:
        """The label of a number, or the only one whose name has what was typed; says why there is none."""
        if typed.isdecimal() and 1 <= int(typed) <= len(labels):
            return labels[int(typed) - 1]
        if few:
            if typed.isprintable() and typed != "/":
                self._console.print(plain(f"  {typed!r} is no key here. {_HELP}"))
            return None
        fitting = _fitting(labels, typed)
        if len(fitting) == 1:
            return fitting[0]
        self._say_several(fitting, typed)
        return None

    def _find(self, typed: str) -> list[str] | None:
        """The path of a label anywhere in the tree, by part of its name."""
        text = typed or self._keys.line("  find: ")
        if not text:
            return None
        fitting = _fitting([*self._paths], text)
        if len(fitting) == 1:
            return self._paths[fitting[0]]
        self._say_several(fitting, text)
        return None

    def _say_several(self, fitting: Sequence[str], typed: str) -> None:
        said = ", ".join(fitting[:12]) + (" ..." if len(fitting) > 12 else "")
        self._console.print(plain(f"  {typed!r} fits {said or 'no label'}."), soft_wrap=True)


_COMMANDS: Final[dict[str, Command]] = {"s": "skip", "u": "undo", "q": "quit"}


def _fitting(names: Sequence[str], typed: str) -> list[str]:
    """Names that are what was typed, else begin with it, else hold it."""
    text = typed.strip().lower()
    tests: list[Callable[[str], bool]] = [
        lambda name: name.lower() == text,
        lambda name: name.rsplit("/", 1)[-1].lower() == text,
        lambda name: name.rsplit("/", 1)[-1].lower().startswith(text),
        lambda name: text in name.lower(),
    ]
    return next((found for test in tests if (found := [name for name in names if test(name)])), [])


def _place(name: str) -> tuple[tuple[str, int], str]:
    split, _, row = name.partition(":")
    if split not in ("train", "dev") or not row.isdecimal():
        raise ConfigError(f"--record must be split:row, such as train:17 or dev:3; got {name!r}.")
    return (split, int(row)), "You named it."
