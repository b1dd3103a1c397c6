"""Fitting and training: what is done, what is left, and how far it is."""

from typing import Any, Final

from starlette.responses import Response

from metalwork.pipeline import STEPS
from metalwork.studio._asked import Asked
from metalwork.studio._pages import page, part
from metalwork.studio._records_page import wait_for
from metalwork.studio._security import RefusedError
from metalwork.studio._state import ALL, LABEL, Studio

_ASKED: Final = {"label": LABEL, "all": ALL}


def show_work(studio: Studio, asked: Asked) -> Response:
    """What is done, and what can be."""
    shown = wait_for(studio)
    behind = studio.is_behind()
    done = () if shown is None else shown.run.steps
    kept = [step for step in STEPS if shown is not None and (step in done or shown.run.is_kept(step))]
    view: dict[str, Any] = {
        "steps": [(step, step in kept) for step in STEPS],
        "behind": behind,
        "shown": shown,
        "warnings": () if shown is None else shown.run.warnings,
    }
    return page(studio, asked, "work.html.j2", "Train", renews=True, **view)


def show_status(studio: Studio, asked: Asked) -> Response:
    """How far what is being done is; when it is over, the pages are told."""
    over = asked.flag("busy") and not studio.runner.is_busy
    if not over:
        studio.follow()
    return part("status.html.j2", headers={"HX-Trigger": "over"} if over else None, studio=studio)


def start(studio: Studio, asked: Asked) -> Response:
    """Do steps of a run."""
    steps = _ASKED.get(asked.one("steps"))
    if steps is None:
        raise RefusedError(400, f"steps must be one of {', '.join(_ASKED)}; got {asked.one('steps')[:40]!r}.")
    studio.wait(20.0)
    studio.update(steps)
    return part("status.html.j2", studio=studio)


def cancel(studio: Studio, asked: Asked) -> Response:
    """End what is being done."""
    studio.runner.cancel()
    return part("status.html.j2", studio=studio)


ROUTES: Final = (
    ("GET", "/run", show_work),
    ("GET", "/status", show_status),
    ("POST", "/run/start", start),
    ("POST", "/run/cancel", cancel),
)
