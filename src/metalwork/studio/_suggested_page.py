"""What to do next: words that could become rules, and what to mend."""

from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, Response

from metalwork.editing import ProjectEditor
from metalwork.errors import ChangedError
from metalwork.studio._asked import Asked
from metalwork.studio._pages import page, part
from metalwork.studio._records_page import link_to_records, record_view, wait_for
from metalwork.studio._security import RefusedError
from metalwork.studio._state import Shown, Studio
from metalwork.suggestions import Fix, WordSuggestion, suggest_fixes, suggest_words

_WORDS: Final = 12
_SOURCES: Final = {"dev": "by dev labels", "model": "by what the votes say", "name": "by the label's name"}
_ASKABLE: Final = ("split", "lf", "vote", "wrong", "conflict", "uncovered", "task", "label", "search")


def show_suggestions(studio: Studio, asked: Asked) -> Response:
    """The page; what it shows takes a moment, and comes after it."""
    shown = wait_for(studio)
    digest = ProjectEditor(studio.path).digest
    view: dict[str, Any] = {
        "shown": shown,
        "digest": digest,
        "tasks": studio.project.schema.tasks,
        "labels": studio.project.schema.label_names.places,
    }
    return page(studio, asked, "suggestions.html.j2", "Suggestions", **view)


def show_words(studio: Studio, asked: Asked) -> Response:
    """Words for rules."""
    shown = _shown(studio)
    task, label = asked.one("task") or None, asked.one("label") or None
    found = suggest_words(shown.inspection, task, label, _WORDS + len(studio.dismissed))
    rows = [_word(studio, shown, one) for one in found if _key(one) not in studio.dismissed]
    return part("words.html.j2", rows=rows[:_WORDS])


def show_fixes(studio: Studio, asked: Asked) -> Response:
    """What to mend."""
    shown = _shown(studio)
    found = suggest_fixes(shown.inspection) if shown.facts.has_votes else []
    return part("fixes.html.j2", rows=[{"fix": fix, "href": _records_of(fix)} for fix in found])


def accept(studio: Studio, asked: Asked) -> Response:
    """Write a suggested rule into the project file, and run it."""
    rule: dict[str, Any] = {
        "name": asked.one("name"),
        "task": asked.one("task"),
        "label": asked.one("label"),
        "keywords": asked.all("word"),
    }
    if asked.one("field", "text") != "text":
        rule["field"] = asked.one("field")
    if not asked.flag("whole_words"):
        rule["whole_words"] = False
    studio.trier.votes(rule)
    try:
        ProjectEditor(studio.path).add_rule(rule, expected=asked.one("digest"))
    except ChangedError as error:
        text = f"{error} The list below is as it was: accept it again to add it to the file as it is now."
        return part(
            "accepted.html.j2", 409, problem=text, said="", slot=0, digest=ProjectEditor(studio.path).digest
        )
    studio.dismissed.add((rule["task"], rule["label"], tuple(rule["keywords"])))
    if not studio.runner.is_busy:
        studio.update()
    said = f"{', '.join(rule['keywords'])} for {rule['label']}: written into the project file."
    slot, digest = asked.number("slot", 0), ProjectEditor(studio.path).digest
    return part("accepted.html.j2", problem="", said=said, slot=slot, digest=digest)


def dismiss(studio: Studio, asked: Asked) -> Response:
    """Show a suggestion no more."""
    studio.dismissed.add((asked.one("task"), asked.one("label"), tuple(asked.all("word"))))
    return HTMLResponse("")


def _shown(studio: Studio) -> Shown:
    shown = wait_for(studio)
    if shown is None:
        raise RefusedError(409, "There is nothing to go by yet. Run the project first.")
    return shown


def _key(found: WordSuggestion) -> tuple[str, str, tuple[str, ...]]:
    return found.task, found.label, found.words


def _word(studio: Studio, shown: Shown, found: WordSuggestion) -> dict[str, Any]:
    edit = {"kind": "keywords", "task": found.task, "label": found.label, "words": "\n".join(found.words)}
    edit |= {"name": found.name, "column": found.field}
    examples = [record_view(studio, shown.inspection.record(*place), most=260) for place in found.examples[:3]]
    return {
        "found": found,
        "source": _SOURCES.get(found.source, found.source),
        "edit": f"/rules/new?{urlencode(edit)}",
        "examples": examples,
    }


def _records_of(fix: Fix) -> str:
    """Where the records are that a fix is about, as far as the page can ask for them."""
    asked: dict[str, str | bool] = {}
    for name, value in fix.query.items():
        if name not in _ASKABLE or not isinstance(value, str | bool):
            continue
        asked[name] = value
    if "lf" not in asked and fix.lfs and "conflict" not in fix.query:
        asked["lf"] = fix.lfs[0]
    return link_to_records(**asked) if asked else ""


ROUTES: Final = (
    ("GET", "/suggestions", show_suggestions),
    ("GET", "/suggestions/words", show_words),
    ("GET", "/suggestions/fixes", show_fixes),
    ("POST", "/suggestions/accept", accept),
    ("POST", "/suggestions/dismiss", dismiss),
)
