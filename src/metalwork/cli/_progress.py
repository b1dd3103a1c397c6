"""Progress on stderr: live in a terminal, with how each labeling function does; elsewhere a line now and then."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table

from metalwork.cli._streams import SafeConsole, plain
from metalwork.pipeline import LFProgress, Progress

_EVERY: Final = 5.0
"""Seconds between two lines where there is no terminal."""
_SOON: Final = 1.0
"""Seconds after which labeling functions are shown one by one."""
_MOST_LFS: Final = 15


class Meter:
    """How far a step is; call it with a note, or with a ``Progress``."""

    def __init__(self, title: str, console: Console) -> None:
        self._title, self._console = title, console
        self._spinner = Spinner("dots")
        self._note, self._lfs = "", tuple[LFProgress, ...]()
        self._start = self._said = time.perf_counter()
        self._unit, self._since, self._first = "", self._start, 0  # of the speed

    def __call__(self, news: str | Progress) -> None:
        self._note = news if isinstance(news, str) else self._measured(news)
        now = time.perf_counter()
        if not self._console.is_terminal and now - self._said >= _EVERY:
            self._said = now
            self._console.print(plain(f"{self._title}: {self._note}{_failing(self._lfs)}"), soft_wrap=True)

    @property
    def seconds(self) -> float:
        """How long the step has taken."""
        return time.perf_counter() - self._start

    def __rich__(self) -> RenderableType:
        self._spinner.update(text=f"{escape(self._title)} [dim]{escape(self._note)}[/dim]")
        if not self._lfs or self.seconds < _SOON:
            return self._spinner
        return Group(self._spinner, _lf_table(self._lfs))

    def _measured(self, news: Progress) -> str:
        """How much is done, how fast it goes, and how long it will take if it goes on so."""
        now = time.perf_counter()
        if news.unit != self._unit:  # what was done before an interruption says nothing of the speed
            self._unit, self._since, self._first = news.unit, now, news.done
        self._lfs = news.lfs
        total = "" if news.total is None else f" of {news.total:,}"
        speed = (news.done - self._first) / max(now - self._since, 1e-9)
        note = f"{news.done:,}{total} {news.unit}" + (f" ({news.note})" if news.note else "")
        if speed <= 0 or now - self._since < 0.5:
            return note
        note += f", {speed:,.0f}/s" if speed >= 10 else f", {speed:.1f}/s"
        left = None if news.total is None else (news.total - news.done) / speed
        return note if left is None or left < 1 else f"{note}, {_duration(left)} left"


@contextmanager
def step(title: str, console: Console | None = None) -> Iterator[Meter]:
    """Show ``title`` while a step runs, with what the yielded meter is told, and one line when it is done."""
    screen = console or SafeConsole(stderr=True, highlight=False)
    meter = Meter(title, screen)
    if screen.is_terminal:
        with Live(meter, console=screen, transient=True, refresh_per_second=8):
            yield meter
    else:
        yield meter
    screen.print(f"[green]✓[/green] {escape(title)} [dim]({meter.seconds:.1f} s)[/dim]")


def say_kept(title: str, console: Console | None = None) -> None:
    """One line of a step that was done before."""
    screen = console or SafeConsole(stderr=True, highlight=False)
    screen.print(f"[green]✓[/green] {escape(title)} [dim](done before)[/dim]")


def _lf_table(lfs: Sequence[LFProgress]) -> Table:
    """Those that failed first, then those that vote least: what one would look at."""
    shown = sorted(lfs, key=lambda lf: (-lf.n_errors, lf.coverage))[:_MOST_LFS]
    table = Table(box=None, padding=(0, 2), show_header=True, header_style="dim")
    table.add_column("  LF")
    table.add_column("votes on", justify="right")
    table.add_column("errors", justify="right")
    for lf in shown:
        errors = plain(f"{lf.n_errors:,}", "red") if lf.n_errors else plain("")
        table.add_row(plain(f"  {lf.name}"), plain(f"{lf.coverage:.1%}"), errors)
    if len(lfs) > len(shown):
        table.add_row(plain(f"  and {len(lfs) - len(shown)} more", "dim"), plain(""), plain(""))
    return table


def _failing(lfs: Sequence[LFProgress]) -> str:
    failing = sorted((lf for lf in lfs if lf.n_errors), key=lambda lf: -lf.n_errors)
    named = ", ".join(f"{lf.name} on {lf.n_errors:,}" for lf in failing[:3])
    return f"; failed: {named}" + (" ..." if len(failing) > 3 else "") if failing else ""


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
