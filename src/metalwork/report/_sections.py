"""Which sections a report has, and what each shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from metalwork.analysis import Confusion, Metrics
from metalwork.report._charts import (
    Matrix,
    Reliability,
    draw_confusion,
    draw_dots,
    draw_line,
    draw_reliability,
    worst_confusions,
)
from metalwork.report._colours import colours
from metalwork.report._data import ReportData
from metalwork.report._lf_details import examples_of, pair_lines, pair_matrix
from metalwork.report._lf_table import group_lfs
from metalwork.report._text import DASH, decimals, percent
from metalwork.report._trees import BOX_HEIGHT, draw_network, draw_schema

MOST_DRAWN: Final = 120
"""Larger trees and networks are shown as text."""

_MOST_SHARES: Final = 60
_MOST_TASKS: Final = 12
_MOST_RECORDS: Final = 50
_SMALL: Final = 12
_MOST_FIXES: Final = 5
_MOST_VOTES: Final = 5
_LONG: Final = 60
"""LFs of which the table scrolls by itself."""


@dataclass(frozen=True)
class Section:
    """One part of the page: its anchor (also its template's name), heading and what the template reads."""

    anchor: str
    title: str
    view: Mapping[str, Any]


def sections(data: ReportData) -> list[Section]:
    """The sections for which ``data`` has something to show, in reading order."""
    makers: list[tuple[str, str, Callable[[ReportData], dict[str, Any] | None]]] = [
        ("fixes", "What to fix next", _fixes),
        ("results", "Results", _results),
        ("tree", "Task tree", _tree),
        ("lfs", "Labeling functions", _lfs),
        ("labels", "Label model", _labels),
        ("tuning", "Settings tried", _tuning),
        ("network", "Network", _network),
        ("training", "Training", _training),
        ("confusion", "Confusion", _confusion),
        ("calibration", "Calibration", _calibration),
        ("records", "Least certain records", _records),
    ]
    made = [(anchor, title, make(data)) for anchor, title, make in makers]
    return [Section(anchor, title, view) for anchor, title, view in made if view is not None]


def _fixes(data: ReportData) -> dict[str, Any] | None:
    shown = list(data.fixes)
    return {"shown": shown[:_MOST_FIXES], "more": shown[_MOST_FIXES:]} if shown else None


def _results(data: ReportData) -> dict[str, Any] | None:
    results = {model: by_split for model, by_split in data.results.items() if by_split}
    if not results:
        return None
    splits = list(dict.fromkeys(split for by_split in results.values() for split in by_split))
    figures = _figures(data.schema.n_tasks > 1)
    return {
        "splits": splits,
        "colours": colours(splits),
        "sizes": {s: next(m[s].n_points for m in results.values() if s in m) for s in splits},
        "dots": draw_dots(results, splits),
        "results": results,
        "figures": [name for name, _ in figures],
        "table": _results_table(results, splits, figures),
        "coarse": any(m.n_exact < m.n_points for by_split in results.values() for m in by_split.values()),
        "deep": data.schema.n_tasks > 1,
        "tasks": _task_rows(data, results, splits),
    }


def _results_table(
    results: Mapping[str, Mapping[str, Metrics]], splits: Sequence[str], figures: Sequence["_Figure"]
) -> list[tuple[str, list[tuple[str, str]]]]:
    """A row a model, of (text, style): figure by figure, a column a split; the best accuracy of each is marked."""
    best = {s: max(m[s].accuracy for m in results.values() if s in m) for s in splits}
    rows = []
    for model, by_split in results.items():
        cells = []
        for number, (_, figure) in enumerate(figures):
            for split in splits:
                m = by_split.get(split)
                leads = number == 0 and m is not None and m.accuracy == best[split]
                css = ["first"] * (split == splits[0]) + ["best"] * leads
                cells.append((DASH if m is None else figure(m), " ".join(css)))
        rows.append((model, cells))
    return rows


_Figure = tuple[str, Callable[[Metrics], str]]


def _figures(deep: bool) -> list[_Figure]:
    """What the table of results has of each model and split, accuracy first: a narrow page shows no more."""
    shown: list[_Figure] = [
        ("accuracy, %", lambda m: percent(m.accuracy)),
        ("macro F1, %", lambda m: percent(m.macro_f1)),
        ("hierarchical F1, %", lambda m: percent(m.hierarchical_f1)),
        ("log loss", lambda m: decimals(m.calibration.log_loss) if m.calibration else DASH),
        ("calibration error, %", lambda m: percent(m.calibration.ece) if m.calibration else DASH),
    ]
    return [figure for figure in shown if deep or not figure[0].startswith("hierarchical")]


def _task_rows(
    data: ReportData, results: Mapping[str, Mapping[str, Metrics]], splits: Sequence[str]
) -> list[dict[str, Any]]:
    """Accuracy by task: a row a task, a column a split and model, the best of each split marked; of one, none."""
    rows = []
    for task in _measured_tasks(results):
        by_split = []
        for split in splits:
            found = [m[split].task_accuracy.get(task) if split in m else None for m in results.values()]
            best = max((value for value in found if value is not None), default=None)
            by_split.append([(value, value is not None and value == best) for value in found])
        n_points = [
            next((t.n_points for m in results.values() if s in m for t in m[s].tasks if t.task == task), 0)
            for s in splits
        ]
        depth = data.schema.depth(task) if task in data.schema.tasks else 0
        rows.append({"task": task, "depth": depth, "n_points": n_points, "by_split": by_split})
    return rows


def _measured_tasks(results: Mapping[str, Mapping[str, Metrics]]) -> list[str]:
    """The tasks that figures are of, where these are several."""
    measured = next((m.tasks for by_split in results.values() for m in by_split.values()), ())
    return [task.task for task in measured] if len(measured) > 1 else []


def _tree(data: ReportData) -> dict[str, Any]:
    if data.vectors is not None:
        return {"drawing": None, "text": str(data.vectors)}
    n_lfs = {} if data.lfs is None else {row.task: row.n_lfs for row in data.lfs.tasks}
    small = data.schema.n_end_labels <= MOST_DRAWN
    return {"drawing": draw_schema(data.schema, n_lfs) if small else None, "text": str(data.schema)}


def _lfs(data: ReportData) -> dict[str, Any] | None:
    if data.lfs is None:
        return None
    anchors = {name: f"lf-{number}" for number, name in enumerate(data.examples)}
    votes = _vote_counts(data.vote_counts)
    return {
        "summary": data.lfs,
        "splits": list(data.gold_lfs),
        "colours": ["s0", *colours(data.gold_lfs, free=("s4", "s5"))],
        "groups": group_lfs(data.schema, data.lfs, data.gold_lfs, data.lf_cards, anchors),
        "believed": any(card.precision is not None for card in data.lf_cards),
        "learned": any(row.learned_accuracy is not None for row in data.lfs.rows),
        "off_branch": data.schema.n_tasks > 1,
        "long": len(data.lfs.rows) > _LONG,
        "n_votes": votes,
        "most": max((share for *_, share in votes), default=1.0),
        "pairs": [] if data.pairs is None else pair_lines(data.pairs),
        "matrix": None if data.pairs is None else pair_matrix(data.pairs),
        "examples": [(name, anchors[name], examples) for name, examples in examples_of(data)],
    }


def _vote_counts(counts: Sequence[int]) -> list[tuple[str, int, float]]:
    """How many records have no vote, one, and so on up to five or more; with their share."""
    total = sum(counts)
    if not total:
        return []
    few = [*counts[:_MOST_VOTES], sum(counts[_MOST_VOTES:])]
    names = ["no vote", "1 vote", *(f"{n} votes" for n in range(2, _MOST_VOTES)), f"{_MOST_VOTES} or more"]
    return [(name, n, n / total) for name, n in zip(names, few, strict=False)]


def _labels(data: ReportData) -> dict[str, Any] | None:
    shares = {name: np.asarray(share, dtype=np.float64) for name, share in data.distributions.items()}
    if data.class_prior is not None:
        shares["class prior"] = np.asarray(data.class_prior, dtype=np.float64)
    if not (shares or data.warnings or data.label_model or data.notes_on_labels or data.label_cards):
        return None
    largest = np.max(list(shares.values()), axis=0) if shares else np.zeros(data.schema.n_end_labels)
    shown = sorted(np.argsort(-largest, kind="stable")[:_MOST_SHARES].tolist())
    return {
        "series": list(shares),
        "colours": colours(shares),
        "rows": [(data.schema.end_labels[code], [float(s[code]) for s in shares.values()]) for code in shown],
        "scale": float(max(largest.max(), 1e-9)),
        "n_hidden": data.schema.n_end_labels - len(shown),
        "cards": data.label_cards,
        "without": [card.name for card in data.label_cards if not card.lfs],
        "on_dev": any(card.dev is not None for card in data.label_cards),
        "on_end": any(card.dev_end is not None for card in data.label_cards),
    }


def _tuning(data: ReportData) -> dict[str, Any] | None:
    if not data.tried:
        return None
    heads, *rows = data.tried
    return {"heads": heads, "rows": rows}


def _network(data: ReportData) -> dict[str, Any] | None:
    if data.plan is None:
        return None
    small = len(data.plan.heads) <= MOST_DRAWN
    return {
        "plan": data.plan,
        "drawing": draw_network(data.plan) if small else None,
        "text": str(data.plan),
        "box_height": BOX_HEIGHT,
        "feeds": any(head.children for head in data.plan.heads),
    }


def _training(data: ReportData) -> dict[str, Any] | None:
    if data.training is None:
        return None
    run = data.training
    charts = [
        draw_line("Training loss", run.loss, run.best_epoch, percent=False),
        draw_line("Accuracy on dev, %", run.dev_accuracy, run.best_epoch, percent=True),
    ]
    shown = [chart for chart in charts if chart is not None]
    return {"charts": shown, "run": run} if shown else None


@dataclass(frozen=True)
class ConfusionFigure:
    """One confusion matrix and its most frequent errors; ``matrix`` is None where it would be too large."""

    caption: str
    n_points: int
    matrix: Matrix | None
    worst: list[tuple[str, str, int]]


def _confusion(data: ReportData) -> dict[str, Any] | None:
    models = [
        (model, [_figure(split, m.n_exact, m.confusion) for split, m in by_split.items()])
        for model, by_split in data.results.items()
        if by_split
    ]
    if not models:
        return None
    main = list(data.results.values())[-1]
    small = data.schema.n_end_labels <= _SMALL
    tasks = [
        (task, [_figure(s, t.n_points, t.confusion) for s, m in main.items() for t in m.tasks if t.task == task])
        for task in _measured_tasks(data.results)[:_MOST_TASKS]
    ]
    return {
        "main": models[-1],
        "others": list(reversed(models[:-1])) if small else list(reversed(models[:-1]))[:1],
        "tasks": tasks,
        "small": small,
    }


def _figure(caption: str, n_points: int, confusion: Confusion) -> ConfusionFigure:
    return ConfusionFigure(caption, n_points, draw_confusion(confusion), worst_confusions(confusion))


def _calibration(data: ReportData) -> dict[str, Any] | None:
    figures: list[tuple[str, str, Metrics, Reliability]] = [
        (model, split, metrics, draw_reliability(metrics.calibration))
        for model, by_split in reversed(list(data.results.items()))
        for split, metrics in by_split.items()
        if metrics.calibration is not None
    ]
    main = [figure for figure in figures if figure[0] == figures[0][0]]
    return {"main": main, "others": figures[len(main) :]} if figures else None


def _records(data: ReportData) -> dict[str, Any] | None:
    shown = list(data.uncertain)[:_MOST_RECORDS]
    return {"records": shown} if shown else None
