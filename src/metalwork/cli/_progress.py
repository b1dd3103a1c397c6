"""Progress on stderr: a spinner while a step runs, one line when it is done."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from metalwork.cli._streams import SafeConsole

Update = Callable[[str], None]


@contextmanager
def step(title: str, console: Console | None = None) -> Iterator[Update]:
    """Show ``title`` with a spinner; the yielded function adds a note on how far the step is."""
    screen = console or SafeConsole(stderr=True, highlight=False)
    start = time.perf_counter()
    with screen.status(escape(title)) as status:
        yield lambda note: status.update(f"{escape(title)} [dim]{escape(note)}[/dim]")
    screen.print(f"[green]✓[/green] {escape(title)} [dim]({time.perf_counter() - start:.1f} s)[/dim]")


def say_kept(title: str, console: Console | None = None) -> None:
    """One line of a step that was done before."""
    screen = console or SafeConsole(stderr=True, highlight=False)
    screen.print(f"[green]✓[/green] {escape(title)} [dim](done before)[/dim]")
