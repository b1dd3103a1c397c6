"""The first page: the tree of tasks, and how each label does."""

from typing import Any, Final

from starlette.responses import Response

from metalwork.analysis import Share
from metalwork.inspection import LabelCard
from metalwork.schema import TaskSchema
from metalwork.studio._asked import Asked
from metalwork.studio._facts import Facts
from metalwork.studio._pages import page
from metalwork.studio._records_page import link_to_records
from metalwork.studio._state import Studio

_MANY: Final = 30
"""End labels beyond which branches are folded."""


def show_tree(studio: Studio, asked: Asked) -> Response:
    """The tree."""
    is_read = studio.wait(studio.patience)
    shown, project = studio.shown, studio.project
    is_read = is_read and (shown is None or shown.facts.are_ready.wait(studio.patience))
    facts = None if shown is None or not is_read else shown.facts
    inspection = None if facts is None else facts.inspection
    view: dict[str, Any] = {
        "tree": _task(project.schema, project.schema.root, facts) if project.space is project.schema else None,
        "text": str(project.space),
        "shown": shown,
        "waits": not is_read,
        "n_train": None if inspection is None else inspection.n_points("train"),
        "n_dev": _n_known(facts),
        "n_lfs": len(project.settings.lfs.rules) if facts is None else len(facts.lf_cards),
        "has_votes": facts is not None and facts.has_votes,
        "metrics": [] if facts is None else _right_on_dev(facts),
    }
    return page(studio, asked, "tree.html.j2", "Tree", renews=True, **view)


def _n_known(facts: Facts | None) -> int:
    inspection = None if facts is None else facts.inspection
    if inspection is None or "dev" not in inspection.splits:
        return 0
    return inspection.records(split="dev", known=True, limit=1).total


def _right_on_dev(facts: Facts) -> list[tuple[str, Share | None]]:
    """The accuracy of each model on dev."""
    found = [(model, own["dev"]) for model, own in facts.metrics.items() if "dev" in own]
    return [(model, Share.of(m.accuracy, m.n_points)) for model, m in found]


def _task(schema: TaskSchema, task: str, facts: Facts | None) -> dict[str, Any]:
    """A task and all that is below it."""
    rows = {} if facts is None or facts.lfs is None else {row.task: row for row in facts.lfs.tasks}
    dev = {} if facts is None or facts.dev is None else {row.task: row for row in facts.dev.tasks}
    return {
        "name": task,
        "row": rows.get(task),
        "dev": dev.get(task),
        "labels": [_label(schema, task, code, facts) for code in range(len(schema.labels(task)))],
    }


def _label(schema: TaskSchema, task: str, code: int, facts: Facts | None) -> dict[str, Any]:
    name = schema.labels(task)[code]
    child = schema.child(task, name)
    t = schema.task_index(task)
    called = next(own for own, place in schema.label_names.places.items() if place == (t, code))
    fitted = facts is not None and "fit" in facts.run.steps
    found: dict[str, Any] = {
        "name": name,
        "href": link_to_records(label=called) if fitted else link_to_records(known=called),
        "below": None if child is None else _task(schema, child, facts),
        "card": None,
        "n_lfs": None,
        "share": None,
        "precision": None,
        "missing": (),
        "folded": schema.n_end_labels > _MANY,
    }
    if facts is None or not facts.has_votes:
        return found
    under = [schema.end_labels[end] for end in (schema.task_codes[:, t] == code).nonzero()[0].tolist()]
    cards = [facts.label_cards[end] for end in under if end in facts.label_cards]
    shares = [card.share for card in cards if card.share is not None]
    found["share"] = sum(shares) if shares else None
    found["precision"] = _precision(cards)
    if child is None and cards:
        found |= {"card": cards[0], "n_lfs": len(cards[0].lfs), "missing": cards[0].missing}
    else:
        found["n_lfs"] = sum(card.task == task and name in card.polarity for card in facts.lf_cards)
    return found


def _precision(cards: list[LabelCard]) -> float | None:
    """The estimated precision of labels together: how many of the records said to have one of them have it."""
    known = [(card.estimated.precision, card.n_predicted) for card in cards if card.estimated is not None]
    told = [(share, n) for share, n in known if share is not None]
    return sum(share * n for share, n in told) / n_all if (n_all := sum(n for _, n in told)) else None


ROUTES: Final = (("GET", "/", show_tree),)
