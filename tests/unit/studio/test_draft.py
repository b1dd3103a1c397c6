"""A rule as a form, as keys of a project file and as Python."""

from typing import Any

import pytest

import metalwork as mw
from metalwork.errors import ConfigError
from metalwork.pipeline import RuleSettings
from metalwork.studio._asked import Asked
from metalwork.studio._draft import Draft

RULES: list[dict[str, Any]] = [
    {"keywords": ["refund", "money back"], "task": "area", "label": "Billing", "name": "money"},
    {
        "keywords": ["effusion*"],
        "task": "area",
        "label": "Billing",
        "field": "body",
        "negated_by": True,
        "window": 4,
        "ignore_case": False,
        "whole_words": False,
    },
    {"keywords": ["a"], "task": "area", "label": "Billing", "negated_by": ["no", "never ever"]},
    {"regex": r"\bV\.?A\.?T\b", "task": "area", "label": "Billing", "votes": False, "name": "vat"},
    {"regex": "a.b", "task": "area", "label": "Billing", "flags": ["multiline", "dotall"]},
    {"words_file": "words/money.txt", "task": "area", "label": "Billing"},
    {"threshold": "amount", "above": 10, "at_most": 1000.5, "task": "area", "label": "Billing"},
    {"equals": "1", "field": "kind", "task": "area", "label": "Billing"},
    {"equals": ["a", "b"], "task": "area", "label": "Billing"},
    {"all": ["money", "vat"], "not": ["other"], "task": "area", "label": "Billing", "name": "both"},
    {"any": ["money", "vat"], "task": "area"},
    {"column": "guess", "task": "area", "mapping": {"b": "Billing", "?": None}},
    {"column": "guess", "task": "area"},
]


def form_of(draft: Draft) -> Asked:
    """What a browser sends of it."""
    fields: dict[str, Any] = {
        name: getattr(draft, name)
        for name in (
            "kind",
            "name",
            "task",
            "label",
            "column",
            "words",
            "pattern",
            "file",
            "negation",
            "cues",
            "window",
            "values",
        )
    }
    form = {name: [value] for name, value in fields.items()} | {"sent": ["1"], "flags": list(draft.flags)}
    form |= {name: [value] for name, value in draft.bounds.items()}
    form |= {"parts": list(draft.parts), "but_not": list(draft.but_not)}
    form |= {name: ["1"] for name in ("ignore_case", "whole_words", "votes") if getattr(draft, name)}
    return Asked("/rules", {}, {}, form)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: next(iter(rule)))
def test_a_rule_goes_through_the_form_unchanged(rule: dict[str, Any]) -> None:
    settings = RuleSettings.model_validate(rule)
    draft = Draft.of_form(form_of(Draft.of_rule(settings)))
    assert draft.rule() == rule
    assert not draft.is_empty


def test_a_new_form_has_the_defaults_and_nothing_to_try() -> None:
    draft = Draft.of_form(Asked("/rules", {}, {"task": ["area"]}, {}))
    assert (draft.task, draft.flags, draft.ignore_case, draft.votes) == ("area", ("ignorecase",), True, True)
    assert draft.is_empty


def test_boxes_that_are_not_ticked_say_no() -> None:
    draft = Draft.of_form(Asked("/rules", {}, {}, {"sent": ["1"], "kind": ["regex"], "pattern": ["a"]}))
    assert draft.rule() == {"regex": "a", "task": "", "flags": [], "votes": False}


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if not {"words_file", "all", "any"} & set(rule)], ids=lambda r: next(iter(r))
)
def test_the_python_is_the_same_labeling_function(rule: dict[str, Any]) -> None:
    import re
    from pathlib import Path

    from metalwork.labeling import functions_digest
    from metalwork.pipeline._rules import make_rule

    made = eval(Draft.of_rule(RuleSettings.model_validate(rule)).python(), {"mw": mw, "re": re})
    schema = mw.TaskSchema.flat(["Billing", "Other"], task="area")
    own = make_rule(RuleSettings.model_validate(rule), Path())
    assert functions_digest([made], schema) == functions_digest([own], schema)


def test_the_python_of_composites_names_variables() -> None:
    both = Draft.of_rule(RuleSettings.model_validate(RULES[9]))
    assert both.python() == "((money & vat) & ~other).voting('Billing', task='area', name='both')"


@pytest.mark.parametrize("name", ["/etc/passwd", "../secrets", "words/../../secrets"])
def test_files_outside_the_project_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^words_file must lie in the project's folder"):
        Draft(kind="words_file", file=name).rule()


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^above must be a number; got 'ten'\.$"):
        Draft(kind="threshold", bounds={"above": "ten"}).rule()
