"""The pages of a project, before and after it has been run; records and names are hostile."""

import html
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from metalwork.studio._app import routes
from metalwork.studio._state import Studio
from tests.unit.studio.sites import HOSTILE, Visitor, visiting, write_site

PAGES = [path for method, path, _ in routes() if method == "GET" and "{" not in path and path != "/report"]


class Elements(HTMLParser):
    """What a browser makes of a page: its elements, and the attributes that would run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.running: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.running.append(f"{tag} {name}={value}")
            if tag in ("img", "base", "object", "embed") or (
                tag == "script" and name != "src" and name != "defer"
            ):
                self.running.append(f"{tag} {name}={value}")


def wait_until_over(visitor: Visitor, studio: Studio) -> None:
    for _ in range(600):
        if not studio.runner.is_busy:
            break
        time.sleep(0.1)
    assert visitor.get("/status?busy=1").headers["hx-trigger"] == "over"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Visitor, Studio]]:
    """A project that was run by a click."""
    with visiting(write_site(tmp_path_factory.mktemp("site"))) as (visitor, studio):
        studio.start()
        assert visitor.post("/run/start", steps="label").status_code == 200
        wait_until_over(visitor, studio)
        assert studio.runner.errand is not None
        assert studio.runner.errand.error is None
        yield visitor, studio


@pytest.mark.parametrize("path", PAGES)
def test_pages_show_before_anything_is_run(tmp_path: Path, path: str) -> None:
    with visiting(write_site(tmp_path)) as (visitor, studio):
        studio.start()
        answer = visitor.get(path)
        assert answer.status_code in (200, 303, 409)
        assert Elements(answer.text).running == []


@pytest.mark.parametrize("path", [*PAGES, "/records?search=script", "/records/train/0", "/records/train/1"])
def test_pages_run_nothing_that_stands_in_records(site: tuple[Visitor, Studio], path: str) -> None:
    answer = site[0].get(path)
    assert answer.status_code in (200, 303)
    found = Elements(answer.text)
    assert found.running == []
    assert found.tags.count("script") <= 2
    assert not {"b", "style", "svg"} & set(found.tags)
    assert "\u202e" not in answer.text


def test_what_runs_something_is_seen() -> None:
    for planted in (
        '<a href="JavaScript:x">',
        "<p onclick=x>",
        "<img src=x>",
        "<script>x</script><script type=a>",
    ):
        assert Elements(planted).running or "script" in Elements(planted).tags


def test_the_tree_says_what_is_covered_and_right(site: tuple[Visitor, Studio]) -> None:
    page = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", site[0].get("/").text)))
    assert re.search(r"Records to train on 40 ", page)
    assert re.search(r"area 2 80 % 80 % of 5", page) or re.search(r"area 2 \d+ %", page)
    assert "Label model (hierarchical), right on dev" in page


def test_the_first_page_does_not_wait_for_figures(tmp_path: Path) -> None:
    with visiting(write_site(tmp_path)) as (visitor, studio):
        studio.patience = 0.0  # and nothing has begun to read
        page = visitor.get("/").text
        assert "Reading the last run" in page
        assert "load delay" in page
        assert "Refund" in page


def test_records_answer_questions(site: tuple[Visitor, Studio]) -> None:
    visitor = site[0]
    assert "40 records" in visitor.get("/records?split=train").text
    assert re.search(r"<strong>\d+ records?</strong>; 1 to", visitor.get("/records?lf=refunds").text)
    answer = visitor.get("/records?search=invoice+is", HX_Request="true").text
    assert answer.count("<article") == 4
    assert "<html" not in answer
    assert 'title="searched for"' in answer
    assert (
        "must be" in visitor.get("/records?lf=nobody", HX_Request="true").text
        or "nobody" in visitor.get("/records?lf=nobody").text
    )


def test_a_search_is_for_the_text_as_it_stands_unless_a_pattern_is_wanted(site: tuple[Visitor, Studio]) -> None:
    assert "<strong>0 records</strong>" in site[0].get("/records?search=inv.ice").text
    assert "<strong>0 records</strong>" not in site[0].get("/records?search=inv.ice&regex=1").text


def test_one_record_has_its_votes_and_probabilities(site: tuple[Visitor, Studio]) -> None:
    page = site[0].get("/records/train/5").text
    assert html.escape(HOSTILE[5]) in re.sub("</?mark[^>]*>", "", page)
    assert "refunds: Billing" in page
    assert "What moved the label" in page
    for path in ("/records/train/9999", "/records/test/0", "/records/train/x", "/records/nowhere/0"):
        assert site[0].get(path).status_code in (400, 404)


@pytest.mark.parametrize(
    "query", ["offset=-1", "offset=x", "split=test", "label=nobody", "task=none", "conflict=1", "differ=1"]
)
def test_bad_questions_get_an_answer(site: tuple[Visitor, Studio], query: str) -> None:
    assert site[0].get(f"/records?{query}").status_code in (200, 400)


def test_labeling_functions_are_sorted_and_filtered(site: tuple[Visitor, Studio]) -> None:
    def names(query: str) -> list[str]:
        return re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)', site[0].get(f"/lfs?{query}").text)

    assert names("") == ["refunds", "crashes", "back", "papers"]
    assert names("sort=name") == ["back", "crashes", "papers", "refunds"]
    assert names("sort=coverage&down=1")[0] in ("refunds", "back")
    assert names("task=billing") == ["back", "papers"]
    assert names("search=TECH") == ["crashes"]


def test_a_change_of_the_project_is_seen_and_a_run_can_be_ended(tmp_path: Path) -> None:
    path = write_site(tmp_path)
    with visiting(path) as (visitor, studio):
        studio.start()
        visitor.post("/run/start", steps="label")
        assert visitor.post("/run/start", steps="label").status_code == 400  # one at a time
        wait_until_over(visitor, studio)
        assert "has changed since" not in visitor.get("/").text
        path.write_text(path.read_text(encoding="utf-8").replace("[refund]", "[refund, money]"), encoding="utf-8")
        assert "has changed since" in visitor.get("/").text
        assert visitor.get("/records").status_code == 200  # as they were
        visitor.post("/run/start", steps="all")
        visitor.post("/run/cancel")
        wait_until_over(visitor, studio)
        assert studio.runner.errand is not None
        assert studio.runner.errand.error == ""
        assert "The run was ended" in visitor.get("/run").text


def is_busy(studio: Studio) -> bool:
    return studio.runner.is_busy


def test_python_is_run_again_when_its_file_changes(tmp_path: Path) -> None:
    path = write_site(tmp_path)
    code = tmp_path / "lfs.py"
    code.write_text('import metalwork as mw\nnoisy = mw.keywords("area", "Billing", ["money"], name="noisy")\n')
    path.write_text(path.read_text().replace("lfs:\n", "lfs:\n  python: lfs.py\n"))
    with visiting(path) as (visitor, studio):
        studio.reload()
        visitor.get("/status")
        assert not is_busy(studio)
        code.write_text(code.read_text().replace("money", "invoice"))
        visitor.get("/status")
        assert is_busy(studio)
        wait_until_over(visitor, studio)
        assert "hx-trigger" not in visitor.get("/status").headers
        assert "invoice" in visitor.get("/records?lf=noisy").text
        code.write_text("import metalwork as mw\nbroken(\n")
        visitor.get("/status")
        assert not is_busy(studio)
        assert "cannot be read as it is now" in visitor.get("/").text


def test_what_stops_a_run_is_said(tmp_path: Path) -> None:
    path = write_site(tmp_path)
    broken = "@mw.labeling_function(task='area')\ndef broken(text):\n    return 'Nothing <b>known</b>'\n"
    (tmp_path / "lfs.py").write_text(f"import metalwork as mw\n{broken}")
    path.write_text(path.read_text().replace("lfs:\n", "lfs:\n  python: lfs.py\n"))
    with visiting(path) as (visitor, studio):
        studio.start()
        visitor.post("/run/start", steps="label")
        wait_until_over(visitor, studio)
        page = visitor.get("/run").text
        assert "The run ended at the step apply" in page
        assert "broken" in page
        assert "<b>known</b>" not in page
