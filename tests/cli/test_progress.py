"""What is shown while a step runs."""

import io
from typing import Any

import pytest
from rich.console import Console

from metalwork.cli import _progress
from metalwork.cli._progress import step
from metalwork.pipeline import LFProgress, Progress


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(_progress, "time", found)
    return found


def test_without_a_terminal_a_line_stands_now_and_then(clock: Clock) -> None:
    written = io.StringIO()
    with step("Applying", Console(file=written, width=200)) as meter:
        for second in range(1, 13):
            clock.now = 100.0 + second
            lfs = (LFProgress("fine", 0.2, 0), LFProgress("broken", 0.0, second))
            meter(Progress("apply", "train records", second * 1000, 100_000, lfs))
    assert written.getvalue().splitlines() == [
        "Applying: 5,000 of 100,000 train records, 1,000/s, 2 min left; failed: broken on 5",
        "Applying: 10,000 of 100,000 train records, 1,000/s, 2 min left; failed: broken on 10",
        "✓ Applying (12.0 s)",
    ]


def test_what_was_done_before_says_nothing_of_the_speed(clock: Clock) -> None:
    console = Console(file=io.StringIO(), width=200)
    with step("Applying", console) as meter:
        clock.now += 1
        meter("looking")
        meter(Progress("apply", "train records", 50_000, 60_000))
        clock.now += 10
        meter(Progress("apply", "train records", 51_000, 60_000))
        clock.now += 5
        meter(Progress("apply", "train records", 51_500, 60_000))
    line: Any = console.file
    assert "51,500 of 60,000 train records, 100/s, 85 s left" in line.getvalue()


def test_in_a_terminal_the_lfs_to_look_at_come_first(clock: Clock) -> None:
    written = io.StringIO()
    console = Console(file=written, width=100, force_terminal=True)
    with step("Applying", console) as meter:
        clock.now += 2
        lfs = tuple(LFProgress(f"lf {i:02}", i / 100, int(i == 19)) for i in range(20))
        meter(Progress("apply", "train records", 10, 100, lfs))
        console.print(meter)
    shown = written.getvalue()
    assert shown.index("lf 19") < shown.index("lf 00") < shown.index("lf 13")
    assert "lf 14" not in shown
    assert "and 5 more" in shown
