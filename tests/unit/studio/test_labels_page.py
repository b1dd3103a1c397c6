"""Labelling: written at once, along the tree, taken back, and never over somebody else's label."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from metalwork.editing import DevFile
from metalwork.studio._state import Studio
from tests.unit.studio.sites import PROJECT, Visitor, visiting, write_site

EMPTY = PROJECT[: PROJECT.index("  rules:")] + PROJECT[PROJECT.index("features:") :]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Visitor, Studio, Path]]:
    """A project without a labeling function."""
    path = write_site(tmp_path, EMPTY)
    with visiting(path) as (visitor, studio):
        studio.start()
        yield visitor, studio, path


def dev(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (path.parent / "dev.jsonl").read_text(encoding="utf-8").splitlines()]


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the form that gives a label."""
    form = page[page.index('<form id="give"') :]
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    }


def test_a_label_is_written_at_once_and_the_next_record_shown(site: tuple[Visitor, Studio, Path]) -> None:
    visitor, _, path = site
    asked = fields_of(visitor.get("/label?split=train&row=6").text)
    assert asked == {"split": "train", "row": "6", "before": ""}
    answer = visitor.post("/label/give", **asked, label="Invoice")
    assert answer.status_code == 200
    assert dev(path)[-1] == {"text": "the invoice is wrong 6", "amount": 6, "label": "Invoice"}
    assert "train 6: Invoice." in answer.text
    assert fields_of(answer.text)["row"] != "6"
    assert "5 records of dev with a label" in answer.text


def test_a_coarse_label_is_allowed_and_levels_are_walked(site: tuple[Visitor, Studio, Path]) -> None:
    visitor, _, path = site
    top = visitor.get("/label?split=train&row=0", HX_Request="true").text
    assert "Only Billing" not in top
    below = visitor.get("/label?split=train&row=0&at=billing", HX_Request="true").text
    assert "Only Billing, no finer" in below
    assert "Back to area" in below
    visitor.post("/label/give", split="train", row=0, before="", label="Billing")
    assert dev(path)[-1]["label"] == "Billing"


def test_undo_takes_labels_back_one_by_one(site: tuple[Visitor, Studio, Path]) -> None:
    visitor, _, path = site
    before = (path.parent / "dev.jsonl").read_bytes()
    visitor.post("/label/give", split="train", row=0, before="", label="Billing")
    visitor.post("/label/give", split="dev", row=0, before="Refund", label="Technical")
    assert [dev(path)[0]["label"], len(dev(path))] == ["Technical", 5]
    assert "its label is taken back" in visitor.post("/label/undo").text
    assert dev(path)[0]["label"] == "Refund"
    visitor.post("/label/undo")
    assert (path.parent / "dev.jsonl").read_bytes() == before
    assert "nothing to take back" in visitor.post("/label/undo").text


def test_a_label_that_somebody_else_gave_is_not_written_over(site: tuple[Visitor, Studio, Path]) -> None:
    visitor, _, path = site
    asked = fields_of(visitor.get("/label?split=dev&row=2").text)
    assert asked["before"] == "Technical"
    DevFile(path).set(("dev", 2), "Invoice")
    answer = visitor.post("/label/give", **asked, label="Refund")
    assert answer.status_code == 409
    assert "somebody has given it the label" in html.unescape(answer.text)
    assert dev(path)[2]["label"] == "Invoice"
    again = fields_of(answer.text)
    assert again["before"] == "Invoice"
    assert visitor.post("/label/give", **again, label="Refund").status_code == 200
    assert dev(path)[2]["label"] == "Refund"


def test_two_tabs_do_not_write_over_each_other(site: tuple[Visitor, Studio, Path]) -> None:
    visitor, _, path = site
    one, other = (fields_of(visitor.get("/label?split=train&row=7").text) for _ in range(2))
    assert visitor.post("/label/give", **one, label="Technical").status_code == 200
    assert visitor.post("/label/give", **other, label="Refund").status_code == 409
    assert [row["label"] for row in dev(path)][4:] == ["Technical"]


def test_what_is_left_out_is_not_asked_again(site: tuple[Visitor, Studio, Path]) -> None:
    visitor, _, _ = site
    seen = set()
    page = visitor.get("/label", HX_Request="true").text
    for _ in range(25):
        asked = fields_of(page)
        place = asked["split"], asked["row"]
        assert place not in seen
        seen.add(place)
        page = visitor.post("/label/skip", split=place[0], row=place[1]).text


@pytest.mark.parametrize(
    "given",
    [{"label": "Nope"}, {"split": "test"}, {"row": "x"}, {"row": "-1"}, {"row": "99999"}, {"label": "<b>"}],
)
def test_what_is_no_label_or_record_is_refused(site: tuple[Visitor, Studio, Path], given: dict[str, str]) -> None:
    before = dev(site[2])
    answer = site[0].post("/label/give", **{"split": "train", "row": "0", "before": "", "label": "Refund"} | given)
    assert answer.status_code == 400
    assert "<b>" not in answer.text
    assert dev(site[2]) == before
