"""Results, the report, and the runs there are side by side."""

from typing import Any, Final

from starlette.responses import HTMLResponse, Response

from metalwork.analysis import Confusion, Share
from metalwork.errors import DataError
from metalwork.pipeline import Comparison, RunFolder, compare
from metalwork.studio._asked import Asked
from metalwork.studio._facts import Facts
from metalwork.studio._pages import page
from metalwork.studio._records_page import link_to_records, wait_for
from metalwork.studio._security import REPORT_POLICY, RefusedError
from metalwork.studio._state import Studio

_SQUARE: Final = 15
"""Labels of a confusion that is shown as a square; of more, the most frequent errors are listed."""
_WORST: Final = 20
_CHANGED: Final = 100


def show_results(studio: Studio, asked: Asked) -> Response:
    """How good labels and models are on dev."""
    shown = wait_for(studio)
    facts = None if shown is None else shown.facts
    models = {} if facts is None else {model: own["dev"] for model, own in facts.metrics.items() if "dev" in own}
    view: dict[str, Any] = {
        "shown": shown,
        "models": [(model, m, Share.of(m.accuracy, m.n_points)) for model, m in models.items()],
        "cards": [] if facts is None else list(facts.label_cards.values()),
        "confusions": [(model, _confusion(m.confusion)) for model, m in reversed(models.items()) if m.n_exact],
        "has_report": shown is not None and "report" in shown.run.steps,
        "links": {} if facts is None else _links(facts),
    }
    return page(studio, asked, "results.html.j2", "Results", renews=True, **view)


def show_report(studio: Studio, asked: Asked) -> Response:
    """The report of the run, for a frame within the page."""
    shown = wait_for(studio)
    if shown is None or shown.run.folder is None or "report" not in shown.run.steps:
        raise RefusedError(404, "There is no report yet.")
    text = shown.run.folder.file("report.html").read_text(encoding="utf-8")
    return HTMLResponse(text, headers={"Content-Security-Policy": REPORT_POLICY, "X-Frame-Options": "SAMEORIGIN"})


def show_history(studio: Studio, asked: Asked) -> Response:
    """The runs there are; two of them side by side where they are named."""
    folders = {folder.path.name: folder for folder in studio.folders()}
    runs = [run for folder in folders.values() if (run := _run(folder)) is not None]
    names = [run["name"] for run in runs]
    after = asked.one("after") or (names[0] if names else "")
    before = asked.one("before") or (names[1] if len(names) > 1 else "")
    for name in {after, before} - {""}:
        if name not in folders:
            raise RefusedError(404, f"There is no run {name[:80]!r}.")
    view: dict[str, Any] = {"runs": runs, "before": before, "after": after, "found": None}
    if asked.one("before") and asked.one("after"):
        view["found"] = _compared(compare(folders[before].path, folders[after].path))
    shown = studio.shown
    return page(studio, asked, "history.html.j2", "History", current="" if shown is None else shown.name, **view)


def _links(facts: Facts) -> dict[str, str]:
    return {name: link_to_records(split="dev", known=name) for name in facts.label_cards}


def _confusion(confusion: Confusion) -> dict[str, Any]:
    """A square of counts where it is small, and the most frequent errors."""
    pairs = [
        (confusion.counts[r][c], true, said)
        for r, true in enumerate(confusion.labels)
        for c, said in enumerate(confusion.columns)
        if c != r and confusion.counts[r][c]
    ]
    square = confusion if len(confusion.labels) <= _SQUARE else None
    return {
        "square": square,
        "worst": sorted(pairs, reverse=True)[:_WORST],
        "n_errors": sum(n for n, _, _ in pairs),
    }


def _run(folder: RunFolder) -> dict[str, Any] | None:
    """One run of the list; None of a folder that holds none."""
    try:
        steps = folder.manifest["steps"]
    except DataError:
        return None
    if not folder.steps:
        return None
    return {
        "name": folder.path.name,
        "steps": folder.steps,
        "finished": str(steps[folder.steps[-1]].get("finished", ""))[:16].replace("T", " "),
    }


def _compared(found: Comparison) -> dict[str, Any]:
    scores = [score for score in found.scores if score.label is None or _moved(score.shares)]
    return {
        "lfs": [change for change in found.lfs if change.kind != "same"],
        "n_same": sum(change.kind == "same" for change in found.lfs),
        "coverage": found.coverage,
        "scores": scores,
        "records": found.records.head(_CHANGED).to_dicts(),
        "n_changed": found.records.height,
        "notes": found.notes,
    }


def _moved(shares: tuple[Share | None, Share | None]) -> bool:
    before, after = shares
    return (None if before is None else before.value) != (None if after is None else after.value)


ROUTES: Final = (
    ("GET", "/results", show_results),
    ("GET", "/report", show_report),
    ("GET", "/history", show_history),
)
