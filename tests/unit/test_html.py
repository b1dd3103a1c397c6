"""Objects in a notebook: small tables in which every name is escaped."""

from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork import _html
from metalwork.end_models import compile_plan

EVIL = '<script>alert("x")</script>&\ud800'


class Reading(HTMLParser):
    """The tags of a page that are still open, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


@cache
def things() -> dict[str, Any]:
    schema = mw.TaskSchema.from_dict({"task": "t" + EVIL[:30], "labels": [EVIL, "b"]})
    rng, y = np.random.default_rng(0), np.array([0, 0, 1] * 40)
    codes = np.where(rng.random((120, 4)) < 0.8, y[:, None], 1 - y[:, None])
    votes = mw.LabelMatrix(codes, schema, names=[EVIL, "quiet", "third", "fourth"])
    probs = mw.TaskProbabilities(np.tile([[0.7, 0.3]], (120, 1)), schema)
    return {
        "schema": schema,
        "votes": votes,
        "summary": mw.lf_summary(votes, y),
        "fitted": mw.HierarchicalLabelModel(schema).fit(votes),
        "majority": mw.MajorityVote(schema).fit(votes),
        "new": mw.HierarchicalLabelModel(schema),
        "probabilities": probs,
        "metrics": mw.evaluate(probs, y),
        "confusion": mw.evaluate(probs, y).confusion,
        "agreement": mw.analysis.agreement(votes),
        "plan": compile_plan(schema),
    }


@pytest.mark.parametrize("name", things())
def test_names_are_escaped_and_tags_closed(name: str) -> None:
    page = things()[name]._repr_html_()
    found = Reading(page)
    assert found.open == []
    assert found.tags <= {"div", "strong", "pre", "p", "table", "thead", "tbody", "tr", "th", "td"}
    page.encode("utf-8")


def test_what_a_label_model_learned_stands_by_lf() -> None:
    text = Reading(things()["fitted"]._repr_html_()).text
    for word in ("learned accuracy", "quiet", "class prior"):
        assert word in text


def test_long_tables_show_their_first_rows() -> None:
    page = _html.table(["name", "n"], [(f"lf{i}", i) for i in range(1200)])
    assert page.count("<tr>") == 1 + _html.MOST_ROWS
    assert "and 1,140 more" in page


def test_cells() -> None:
    page = _html.table(["a"], [("x", 1234, 0.5, None, float("nan"))])
    assert Reading(page).text.split() == ["a", "x", "1,234", "0.500", "–", "–"]
