"""What is known of the records that rules are tried on: votes, the label model's labels, and labels of dev."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork.pipeline import Run
from metalwork.studio._bench import Held
from metalwork.studio._state import Studio
from metalwork.studio._trial import Around, Codes, OtherLF

Rows = npt.NDArray[np.int64]


def around(studio: Studio, held: Held, task: str, replacing: str = "") -> Around:
    """What is known beside a rule of a task; the one that it replaces is left out."""
    shown = studio.shown
    known = known_on_dev(studio, held)
    if (
        shown is None
        or not shown.name
        or task not in shown.run.job.space.tasks
        or held.n_points["train"] != _n_points(shown.run)
    ):
        return Around({}, {}, known)
    key = (shown.number, held.version, task)
    found = studio.kept.get(key)
    if found is None:
        rows = held.rows["train"]
        found = _others(shown.run, task, rows), _chances(shown.run, task, rows)
        studio.kept.clear()
        studio.kept[key] = found
    lfs, chances = found
    others = [lf for lf in lfs if lf.name != replacing]
    return Around({task: others}, {} if chances is None else {task: chances}, known)


def known_on_dev(studio: Studio, held: Held) -> Codes | None:
    """What is known of the held records of dev; None where there are none, or end labels are no tree's."""
    project = studio.project
    if project.space is not project.schema or "dev" not in held.rows:
        return None
    found = studio.known_labels()
    rows = held.rows["dev"]
    return found[rows] if len(found) == held.n_points["dev"] else None


def known_name(studio: Studio, task: str, row: int) -> str:
    """What is known of a task on a record of dev."""
    schema, found = studio.project.schema, studio.known_labels()
    code = int(found[row, schema.task_index(task)]) if row < len(found) else -1
    return schema.labels(task)[code] if code >= 0 else "on another branch" if code == -2 else ""


def text_column(studio: Studio, fields: Mapping[str, Any], wanted: str) -> str:
    """The column to show: the wanted one where it holds a text, else the end model's, or the first text."""
    text = studio.project.settings.features.text
    names = [wanted, *([] if text is None else [text]), *fields]
    return next((name for name in names if isinstance(fields.get(name), str)), next(iter(fields), ""))


def _n_points(run: Run) -> int:
    return sum(run.sizes("train"))


def _others(run: Run, task: str, rows: Rows) -> list[OtherLF]:
    parts = [votes.rows(own) for votes, own in _sampled(run.votes_in_parts("train"), run.sizes("train"), rows)]
    columns = [j for j, own in enumerate(parts[0].tasks) if own == task] if parts else []
    found = []
    for j in columns:
        codes = np.concatenate([np.asarray(part.codes)[:, j] for part in parts])
        shares = np.asarray(parts[0].alphabets[j].rows)
        against = shares < shares.max(axis=1, keepdims=True) / 2
        found.append(OtherLF(parts[0].names[j], codes, against))
    return found


def _chances(run: Run, task: str, rows: Rows) -> npt.NDArray[np.float32] | None:
    if "fit" not in run.steps or run.job.space is not run.job.schema:
        return None
    sampled = _sampled(run.labels_in_parts("train"), run.sizes("train"), rows)
    return np.concatenate([np.asarray(probs[task], np.float32)[own] for probs, own in sampled])


def _sampled(parts: Iterator[Any], sizes: tuple[int, ...], rows: Rows) -> Iterator[tuple[Any, Rows]]:
    """Each part with those of the rows that lie in it, counted from its first."""
    start = 0
    for part, size in zip(parts, sizes, strict=True):
        yield part, rows[(rows >= start) & (rows < start + size)] - start
        start += size
