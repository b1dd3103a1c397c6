"""The rule editor: what it says as one types, what it writes, and what it never lets through."""

import html
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metalwork.editing import ProjectEditor
from metalwork.studio._state import Studio
from tests.unit.studio.sites import HOSTILE, Visitor, visiting, write_site

FORM: dict[str, Any] = {
    "sent": "1",
    "kind": "keywords",
    "task": "area",
    "label": "Billing",
    "column": "text",
    "ignore_case": "1",
    "whole_words": "1",
    "votes": "1",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Visitor, Studio]]:
    with visiting(write_site(tmp_path_factory.mktemp("site"))) as found:
        yield found


def shown_in(page: str) -> str:
    """The text of a page, without its marks and other elements."""
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def test_counts_and_precision_as_one_types(site: tuple[Visitor, Studio]) -> None:
    page = shown_in(site[0].post("/rules/try", **FORM, words="refund, invoice").text)
    assert re.search(r"Votes on\s*28 of 40 records, 70\.0 %", page)
    assert re.search(r"Right on dev\s*3 of 3", page)


def test_records_of_dev_that_it_gets_wrong_come_first(site: tuple[Visitor, Studio]) -> None:
    page = site[0].post("/rules/try", **FORM, words="freezes").text
    assert re.search(r"Right on dev\s*0 of 1", shown_in(page))
    first = shown_in(page[page.index("<article") : page.index("</article>")])
    assert "wrong on dev: it is Technical" in first
    assert "the app freezes" in first


def test_no_record_is_html(site: tuple[Visitor, Studio]) -> None:
    page = (
        site[0]
        .post("/rules/try", **FORM | {"kind": "regex"}, pattern=r"script|refund|</\w+|\{\{", flags="ignorecase")
        .text
    )
    found = page[page.index("<h3>Examples") :]
    for planted in ("<script", "<img", "<a ", "<style", "</textarea", "\u202e", "\u2066"):
        assert planted not in found.replace("<details", "")
    tags = set(re.findall(r"<(/?\w+)", found))
    assert tags <= {
        f"{sign}{tag}"
        for sign in ("", "/")
        for tag in ("h3", "article", "div", "span", "mark", "details", "summary", "pre", "code")
    }
    assert any(re.sub("[\u202e\u2066\u2069]", "\ufffd", text) in shown_in(found) for text in HOSTILE)


def test_no_name_is_html(site: tuple[Visitor, Studio]) -> None:
    page = site[0].get("/rules/new").text
    assert "<b>bold</b>" not in page
    assert "Tickets &lt;b&gt;bold&lt;/b&gt;" in page


def test_what_is_wrong_with_a_rule_is_said(site: tuple[Visitor, Studio]) -> None:
    page = site[0].post("/rules/try", **FORM | {"kind": "regex"}, pattern="(")
    assert page.status_code == 200
    assert "regex must be a regular expression (missing )" in shown_in(page.text)
    assert "is no label" in shown_in(site[0].post("/rules/try", **FORM | {"label": "Nope"}, words="a").text)


def test_a_pattern_that_never_ends_is_given_up_and_the_next_rule_is_tried(tmp_path: Path) -> None:
    path = write_site(tmp_path)
    with (tmp_path / "train.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"text": "%s", "amount": 1}\n' % ("a" * 60 + "ä"))
    with visiting(path) as (visitor, studio):
        studio.trier.held()
        start = time.monotonic()
        page = visitor.post("/rules/try", **FORM | {"kind": "regex"}, pattern=r"(a+)+\d(?=x)", flags="ignorecase")
        assert "must say within 4 seconds what it votes" in shown_in(page.text)
        assert time.monotonic() - start < 20
        assert visitor.get("/rules").status_code == 200
        assert "28 of 41" in shown_in(visitor.post("/rules/try", **FORM, words="refund, invoice").text)
        digest = ProjectEditor(path).digest
        saved = visitor.post("/rules/save", **FORM | {"kind": "regex"}, pattern=r"(a+)+\d(?=x)", digest=digest)
        assert saved.status_code == 400
    assert ProjectEditor(path).digest == digest


def test_a_rule_is_written_and_comments_stay(tmp_path: Path) -> None:
    path = write_site(tmp_path)
    with visiting(path) as (visitor, _):
        digest = ProjectEditor(path).digest
        saved = visitor.post("/rules/save", **FORM, words="money", name="money", digest=digest)
        assert saved.status_code == 200
        assert saved.headers["hx-redirect"] == "/rules/edit?name=money&saved=1"
        assert "# kept" in path.read_text(encoding="utf-8")
        assert ProjectEditor(path).rules["money"] == {
            "keywords": ["money"],
            "task": "area",
            "label": "Billing",
            "name": "money",
        }
        page = visitor.get("/rules/edit?name=money").text
        assert 'value="money"' in page
        again = visitor.post(
            "/rules/save",
            **FORM,
            words="money, cash",
            name="money",
            replacing="money",
            digest=ProjectEditor(path).digest,
        )
        assert again.status_code == 200
        assert ProjectEditor(path).rules["money"]["keywords"] == ["money", "cash"]
        gone = visitor.post("/rules/remove", replacing="money", digest=ProjectEditor(path).digest)
        assert gone.headers["hx-redirect"] == "/rules"
        assert "money" not in ProjectEditor(path).rules


def test_the_last_write_never_silently_wins(tmp_path: Path) -> None:
    path = write_site(tmp_path)
    with visiting(path) as (visitor, _):
        seen = ProjectEditor(path).digest
        ProjectEditor(path).set("name", "Changed by somebody else")
        saved = visitor.post("/rules/save", **FORM, words="money", name="money", digest=seen)
        assert saved.status_code == 409
        assert "Nothing was written" in saved.text
        assert "money" not in ProjectEditor(path).rules
        (digest,) = re.findall(r'"digest": "(\w{64})"', html.unescape(saved.text))
        assert visitor.post("/rules/save", **FORM, words="money", name="money", digest=digest).status_code == 200
        assert "money" in ProjectEditor(path).rules
        gone = visitor.post("/rules/remove", replacing="money", digest=seen)
        assert gone.status_code == 409


def test_names_are_distinct(tmp_path: Path) -> None:
    path = write_site(tmp_path)
    with visiting(path) as (visitor, _):
        digest = ProjectEditor(path).digest
        answer = visitor.post("/rules/save", **FORM, words="money", name="refunds", digest=digest)
        assert answer.status_code == 400
        assert answer.headers["hx-retarget"] == "#problem"
        assert "must have distinct names" in shown_in(answer.text)


def test_python_is_shown_and_never_taken(tmp_path: Path) -> None:
    source = 'import metalwork as mw\nnoisy = mw.keywords("area", "Billing", ["</code><script>"], name="noisy")\n'
    (tmp_path / "lfs.py").write_text(source)
    path = write_site(tmp_path)
    path.write_text(path.read_text().replace("lfs:\n", "lfs:\n  python: lfs.py\n"))
    with visiting(path) as (visitor, _):
        page = visitor.get("/rules").text
        assert "&lt;/code&gt;&lt;script&gt;" in page
        assert "</code><script>" not in page


def test_a_project_that_is_broken_while_it_is_open_is_shown_as_it_was(tmp_path: Path) -> None:
    path = write_site(tmp_path)
    with visiting(path) as (visitor, _):
        assert visitor.get("/rules").status_code == 200
        path.write_text(path.read_text(encoding="utf-8").replace("features:", "featurs:"), encoding="utf-8")
        page = visitor.get("/rules")
        assert page.status_code == 200
        assert "cannot be read as it is now" in page.text
        assert "featurs" in page.text
        assert "refunds" in page.text
