"""The rule editor, and what stands in the project: rules and Python."""

import threading
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from metalwork.editing import ProjectEditor
from metalwork.errors import ChangedError, ConfigError, MetalworkError
from metalwork.pipeline import REGEX_FLAGS, Project, RuleSettings
from metalwork.studio._around import around, known_name, text_column
from metalwork.studio._asked import Asked
from metalwork.studio._draft import KINDS, Draft
from metalwork.studio._pages import marked, page, part
from metalwork.studio._state import Studio
from metalwork.studio._trial import Trial, judge

_MOST_SOURCE: Final = 200_000  # characters of a file in Python
_SLOW: Final = 0.17  # seconds
_NO_CONFLICT: Final[dict[str, Any]] = {"conflict": False, "digest": ""}


def show_rules(studio: Studio, asked: Asked) -> Response:
    """All rules, and the project's Python."""
    project = studio.project
    rows = [_row(name, rule) for name, rule in _rules(project)]
    sources = []
    for path in project.code:
        text = path.read_text(encoding="utf-8", errors="replace")
        sources.append((path.relative_to(project.folder).as_posix(), text[:_MOST_SOURCE]))
    return page(studio, asked, "rules.html.j2", "Rules", rules=rows, sources=sources)


def new_rule(studio: Studio, asked: Asked) -> Response:
    """The editor, empty or with what the address says."""
    return _editor(studio, asked, Draft.of_form(asked), "")


def edit_rule(studio: Studio, asked: Asked) -> Response:
    """The editor with a rule of the project."""
    name = asked.one("name")
    rule = dict(_rules(studio.project)).get(name)
    if rule is None:
        return RedirectResponse("/rules", 303)
    return _editor(studio, asked, Draft.of_rule(rule), name)


def change_form(studio: Studio, asked: Asked) -> Response:
    """The form for another task or kind."""
    view = _form(studio, asked, Draft.of_form(asked), asked.one("replacing"), asked.one("digest"))
    return part("rule_form.html.j2", headers={"HX-Trigger-After-Settle": "retry"}, **view)


def try_rule(studio: Studio, asked: Asked) -> Response:
    """What the rule that is being typed does."""
    draft = Draft.of_form(asked)
    view: dict[str, Any] = {"trial": None, "problem": "", "examples": [], "python": "", "is_slow": False}
    if not draft.is_empty:
        try:
            view |= _tried(studio, draft, asked.one("replacing"))
        except MetalworkError as error:
            view["problem"] = str(error)
    return part("trial.html.j2", **view)


def save_rule(studio: Studio, asked: Asked) -> Response:
    """Write the rule into the project file, where that is as the page saw it."""
    draft, replacing = Draft.of_form(asked), asked.one("replacing")
    rule = draft.rule()
    studio.trier.votes(rule, replacing or None)  # what cannot be tried would hold up every run
    editor = ProjectEditor(studio.path, taken=_python_names(studio))
    try:
        if replacing and replacing in editor.rules:
            editor.replace_rule(replacing, rule, expected=asked.one("digest"))
        else:
            editor.add_rule(rule, expected=asked.one("digest"))
        name = rule.get("name") or [*editor.rules][-1]
    except ChangedError:
        digest = ProjectEditor(studio.path).digest
        return part("saved.html.j2", 409, conflict=True, digest=digest)
    if asked.flag("run") and not studio.runner.is_busy:
        studio.update()
    return part(
        "saved.html.j2",
        headers={"HX-Redirect": f"/rules/edit?name={quote(name, safe='')}&saved=1"},
        **_NO_CONFLICT,
    )


def remove_rule(studio: Studio, asked: Asked) -> Response:
    """Take a rule out of the project file."""
    ProjectEditor(studio.path).remove_rule(asked.one("replacing"), expected=asked.one("digest"))
    return part("saved.html.j2", headers={"HX-Redirect": "/rules"}, **_NO_CONFLICT)


def _editor(studio: Studio, asked: Asked, draft: Draft, replacing: str) -> Response:
    view = _form(studio, asked, draft, replacing, ProjectEditor(studio.path).digest)
    title = f"Rule {replacing}" if replacing else "New rule"
    threading.Thread(target=_warm, args=(studio, view["draft"].task), daemon=True).start()
    return page(studio, asked, "rule.html.j2", title, trial=None, problem="", saved=asked.flag("saved"), **view)


def _warm(studio: Studio, task: str) -> None:
    """Read what a rule of a task is compared with before anything is typed."""
    with suppress(MetalworkError):
        around(studio, studio.trier.held(), task)


def _form(studio: Studio, asked: Asked, draft: Draft, replacing: str, digest: str) -> dict[str, Any]:
    project = studio.project
    tasks = project.space.tasks
    draft = draft if draft.task in tasks else _with_task(draft, tasks[0])
    return {
        "draft": draft,
        "replacing": replacing,
        "digest": digest,
        "tasks": tasks,
        "labels": project.space.labels(draft.task),
        "kinds": KINDS,
        "flags": list(REGEX_FLAGS),
        "parts": [name for name, _ in _rules(project) if name != replacing],
        "columns": studio.columns(),
    }


def _with_task(draft: Draft, task: str) -> Draft:
    return Draft(**{**vars(draft), "task": task})


def _tried(studio: Studio, draft: Draft, replacing: str) -> dict[str, Any]:
    rule = draft.rule()
    votes, held = studio.trier.votes(rule, replacing or None)
    space = studio.project.space
    trial = judge(votes, held, space.tasks.index(votes.task), around(studio, held, votes.task, replacing))
    examples = _examples(studio, rule, trial, replacing)
    return {"trial": trial, "examples": examples, "python": draft.python(), "is_slow": trial.seconds > _SLOW}


def _examples(studio: Studio, rule: dict[str, Any], trial: Trial, replacing: str) -> list[dict[str, Any]]:
    found, held = [], studio.trier.held()
    for shown in studio.trier.show(rule, trial.examples, replacing or None):
        place = (shown.split, shown.position)
        row = int(held.rows[shown.split][shown.position])
        column = text_column(studio, shown.fields, str(rule.get("field", "text")))
        spans = [
            (start, stop, "negated" if negated else "found", "negated" if negated else "found by this rule")
            for field, start, stop, negated in shown.spans
            if field == column
        ]
        found.append(
            {
                "split": shown.split,
                "row": row,
                "wrong": place in trial.wrong,
                "known": known_name(studio, trial.task, row) if place in trial.wrong else "",
                "text": marked(str(shown.fields.get(column, "")), spans, 1_200),
            }
        )
    return found


def _rules(project: Project) -> list[tuple[str, RuleSettings]]:
    return list(zip(project.rule_names, project.settings.lfs.rules, strict=True))


def _row(name: str, rule: RuleSettings) -> dict[str, str]:
    kind = rule.kind
    found = getattr(rule, kind)
    what = ", ".join(map(str, found)) if isinstance(found, list | tuple | dict) else str(found)
    own = isinstance(rule.task, str) and kind in KINDS
    return {
        "name": name,
        "edit": f"/rules/edit?name={quote(name, safe='')}" if own else "",
        "task": rule.task if isinstance(rule.task, str) else ", ".join(rule.task or ("all",)),
        "label": rule.label or "",
        "kind": KINDS.get(kind, kind) + ("" if rule.votes else ", part of others"),
        "what": what if len(what) <= 120 else what[:117] + "...",
    }


def _python_names(studio: Studio) -> list[str]:
    """Names of the labeling functions that are no rules; none where the project's Python cannot be run."""
    try:
        known = {name for name, _ in _rules(studio.project)}
        return [lf.name for lf in studio.job().labeling_functions if lf.name not in known]
    except ConfigError:
        return []


ROUTES: Final = (
    ("GET", "/rules", show_rules),
    ("GET", "/rules/new", new_rule),
    ("GET", "/rules/edit", edit_rule),
    ("POST", "/rules/form", change_form),
    ("POST", "/rules/try", try_rule),
    ("POST", "/rules/save", save_rule),
    ("POST", "/rules/remove", remove_rule),
)
