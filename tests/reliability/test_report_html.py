"""Whatever names and records hold, the report shows them as text and runs nothing."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.end_models import compile_plan
from metalwork.inspection import Estimate, InspectedRecord, LabelCard, LFCard, LFPairs, Span
from metalwork.report import LFExamples, ReportData, UncertainRecord, render_report, write_report
from metalwork.suggestions import Fix
from tests.unit.report.samples import sample_report, simulate

HOSTILE = [
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title></svg></section><img src=x onerror=alert(1)>",
    '"><iframe src="//evil.example"></iframe>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% include 'x' %}",
    "javascript:alert(1)",
    "&lt;b&gt; &#60;script&#62;",
    "]]><!-- <!DOCTYPE html>",
    "<a href=javascript:alert(1)>x</a>",
    "url(//evil.example) ; } * { display: none",
    "x" * 100_000,
    "\x00\x07\x1b[2J\x7f\x85",
    "\ud800 lone \udfff",
    "\u202egnp.exe\u2066",
    "",
    "\n\n\t ",
    "\u0301" * 300,
    "漢字 العربية עברית 🜨",
]

_VOID = {"meta", "link", "wbr", "br"}
_ALLOWED = set(
    """
    html head meta link title style body div nav a main header h1 h2 h3 p dl dt dd section footer time span table
    thead tbody tr th td small figure figcaption strong svg g path rect circle line text defs marker details
    summary pre ol li b i article code mark wbr br
    """.split()  # noqa: SIM905 (a list of 50 quoted names is harder to read)
)


SCRIPT = re.compile("<script>(.*?)</script>", re.DOTALL)
"""The one that sorts tables."""


class Page(HTMLParser):
    """Reads a page and notes its elements and attributes; complains of what is not closed or not allowed."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        self.faults += [f"not closed: {tag}" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _ALLOWED:
            self.faults.append(f"element: {tag}")
        for name, value in attrs:
            address = name in ("href", "src", "action", "xlink:href") and not (value or "").startswith(
                ("#", "data:,")
            )
            if name.startswith("on") or address:
                self.faults.append(f"attribute: {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"closed out of turn: {tag}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"comment: {data}")


def hostile_report(evil: str) -> ReportData:
    """A report with ``evil`` in every text that it takes."""
    name = evil.strip() or "blank"
    labels = [f"{name} 0", f"{name} 1"]
    schema = mw.TaskSchema.from_dict(
        {"task": f"{name} task", "labels": [labels[0], {labels[1]: {"task": name, "labels": ["p", f"{name} q"]}}]}
    )
    votes, y = simulate(schema, 40, 4)
    named = mw.LabelMatrix(votes.codes, schema, votes.tasks, [f"{name} lf {j}" for j in range(4)], [0, 1, 2, 3])
    record = UncertainRecord(evil, evil, {f"{name} 0": 0.5, name: 0.5}, {f"{name} lf": name})
    plain = sample_report()
    metrics = mw.evaluate(y, y, schema)
    return ReportData(
        title=evil,
        schema=schema,
        created=plain.created,
        description=evil,
        facts={evil: evil},
        lfs=mw.lf_summary(named),
        gold_lfs={evil: mw.lf_summary(named, y)},
        distributions={evil: [0.2, 0.3, 0.5]},
        label_model=evil,
        warnings=[evil],
        plan=compile_plan(schema, n_features=10),
        training=plain.training,
        results={evil: {evil: metrics}},
        uncertain=[record],
        fixes=[Fix(evil, evil, 3.0, (evil,), evil, evil, evil)],
        lf_cards=[_card(name, j, evil) for j in range(4)],
        label_cards=[LabelCard(label, evil, (), (), 0.5, 3, 0.2, None, None, None, (evil,)) for label in labels],
        pairs=LFPairs(named.names, np.full((4, 4), 9), np.full((4, 4), 3), np.full((4, 4), 0.5)),
        examples={evil: LFExamples(wrong=(_inspected(evil),), other=(_inspected(evil),))},
        vote_counts=[3, 4],
    )


def _card(name: str, j: int, evil: str) -> LFCard:
    believed = Estimate(0.5, 0.2, 0.8)
    shares = (0.1, 0.1, 0.1, 0.1, believed, 0.1, believed, 0.1)
    return LFCard(f"{name} lf {j}", evil, (evil,), (evil,), 3, 0, *shares, 0, (evil,))


def _inspected(evil: str) -> InspectedRecord:
    text = f"a {evil} b"
    spans = (Span(evil, 0, 1, evil, evil, None), Span(evil, 1, len(text), evil, evil, evil))
    return InspectedRecord(
        evil, 0, evil, {evil: text}, spans, votes={evil: ((evil, evil), ("x", evil))}, known=evil
    )


@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(evil: str, tmp_path: Path) -> None:
    data = hostile_report(evil)
    write_report(tmp_path / "report.html", data)
    page = (tmp_path / "report.html").read_bytes().decode("utf-8")
    assert page.count("<script>") == 1
    read = Page(SCRIPT.sub("", page))
    assert read.faults == []
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    if evil.isprintable() and 0 < len(evil) < 80:
        assert evil in read.text


def test_long_words_are_cut_where_they_would_fill_the_page() -> None:
    record = UncertainRecord("k" * 5000, "x" * 1_000_000, {"a": 1.0})
    page = render_report(ReportData("t", mw.TaskSchema.flat(["a", "b"]), uncertain=[record]))
    assert len(page) < 20_000
    assert "x" * 599 + "…" in page


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ("<script>alert(1)</script>", "element: script"),
        ("<p onclick=x></p>", "attribute: onclick=x"),
        ("<a href='javascript:x'></a>", "attribute: href=javascript:x"),
        ("<a href='https://x'></a>", "attribute: href=https://x"),
        ("<div><p></div>", "closed out of turn: div"),
        ("<div>", "not closed: div"),
        ("<!-- x -->", "comment:  x "),
    ],
)
def test_the_reader_sees_the_faults_it_is_for(page: str, fault: str) -> None:
    assert fault in Page(page).faults


def test_the_page_allows_its_own_script_alone_and_loads_nothing() -> None:
    page = render_report(sample_report())
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|@import|url\((?!#)", page)
    digest = base64.b64encode(hashlib.sha256(SCRIPT.findall(page)[0].encode()).digest()).decode()
    assert re.findall("script-src ([^;]*);", page) == [f"'sha256-{digest}'"]


def test_no_script_holds_anything_of_the_data() -> None:
    plain, hostile = (render_report(data) for data in (sample_report(), hostile_report("</script><script>x")))
    assert SCRIPT.findall(plain) == SCRIPT.findall(hostile)


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    write_report(path, sample_report(title="old"))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_report(path, sample_report(title="new"))
    assert "<h1>old</h1>" in path.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
