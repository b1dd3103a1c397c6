"""What a report says of labeling functions and labels by what the inspection of its run found."""

import re

import numpy as np
import pytest

import metalwork as mw
from metalwork.inspection import LFPairs
from metalwork.report._lf_details import pair_lines, pair_matrix
from tests.unit.inspection.pets import run_of

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")  # few LFs, few records


@pytest.fixture(scope="module")
def run() -> mw.Run:
    return run_of().run()


def section(page: str, anchor: str) -> str:
    found = re.search(rf'<section id="{anchor}">(.*?)</section>', page, re.DOTALL)
    assert found is not None
    return found[1]


def text_of(html: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", html).split())


def test_labeling_functions_have_their_precision_over_all_votes(run: mw.Run) -> None:
    shown = section(run.html, "lfs")
    card = run.inspection.lf_cards()[2]
    assert card.precision is not None
    row = re.search(r"<tr><th[^>]*><a [^>]*>meows</a>.*?</tr>", shown, re.DOTALL)
    assert row is not None
    cells = re.findall("<td[^>]*>(.*?)</td>", row[0], re.DOTALL)
    assert cells[0] == f"{100 * card.precision.value:.1f}"
    assert text_of(cells[2]) == "50.0 2 votes"
    assert cells[5] == "0.0"  # alone
    reach = re.search(r'class="reach" d="M([\d.]+) 9H([\d.]+)"', cells[1])
    assert reach is not None
    assert [float(end) for end in reach.groups()] == pytest.approx(
        [100 * card.precision.low, 100 * card.precision.high], abs=0.06
    )


def test_records_without_a_vote_and_their_share_are_said(run: mw.Run) -> None:
    shown = text_of(section(run.html, "lfs"))
    assert "no vote 1 (11.1 %) 1 vote 2 (22.2 %) 2 votes 5 (55.6 %) 3 votes 1 (11.1 %)" in shown
    assert run.inspection.vote_counts("train") == (1, 2, 5, 1)


def test_each_labeling_function_has_examples_with_what_it_found_marked(run: mw.Run) -> None:
    shown = section(run.html, "lfs")
    meows = re.search(r'<h3 class="lf-name" id="lf-2">meows</h3>(.*?)(<h3|</details>)', shown, re.DOTALL)
    assert meows is not None
    assert text_of(meows[1]).startswith(
        "wrong by a dev label, dev d1: votes Cat; known Duck; others: feathered: Bird feather and a meow "
        "right by a dev label, dev d0: votes Cat; known Cat; others: furry: Mammal meow , fur "
        "in conflict with another, train t5: votes Cat; others: quacks: Duck a meow and a quack"
    )
    assert "feather and a <mark>meow</mark>" in meows[1]
    furry = re.search(r'id="lf-0">furry</h3>(.*?)(<h3|</details>)', shown, re.DOTALL)
    assert furry is not None
    assert 'href="#lf-0"' in shown


def test_end_labels_have_their_scores_and_what_they_lack(run: mw.Run) -> None:
    shown = section(run.html, "labels")
    row = re.search(r'<tr><th scope="row">Cat.*?</tr>', shown, re.DOTALL)
    assert row is not None
    assert [text_of(cell) for cell in re.findall("<td[^>]*>(.*?)</td>", row[0])][:3] == ["50.0", "100.0", "66.7"]
    assert "no dev record is known to have it" in text_of(shown)
    alone = run_of(train=["meow", "a purr", "meow"], dev=None, id=None, end_model={"architecture": "none"})
    alone.job.labeling_functions = alone.job.labeling_functions[2:3]
    shown = section(alone.run().html, "labels")
    assert "No labeling function votes for 3 end labels: Dog, Owl, Duck." in text_of(shown)
    assert "are the label model's own estimates, for dev says nothing" in text_of(shown)


def test_what_to_fix_stands_first_where_there_is_something(run: mw.Run) -> None:
    page = run.html
    assert re.findall('<section id="([a-z]+)">', page)[0] == "fixes"
    assert "votes" in text_of(section(page, "fixes"))


def test_pairs_in_conflict_come_first_then_those_that_repeat_each_other() -> None:
    overlap = np.array([[50, 40, 9], [40, 60, 30], [9, 30, 30]])
    conflict = np.array([[0, 2, 8], [2, 0, 0], [8, 0, 0]])
    dependence = np.array([[0, 0.1, 0], [0.1, 0, 0.9], [0, 0.9, 0]])
    pairs = LFPairs(("a", "b", "c"), overlap, conflict, dependence)
    assert [(line.first, line.second) for line in pair_lines(pairs)] == [("a", "c"), ("a", "b"), ("b", "c")]
    assert [line.share for line in pair_lines(pairs)] == [8 / 9, 2 / 40, 0.0]
    drawn = pair_matrix(pairs)
    assert drawn is not None
    above = {path for is_above, _, path in drawn.shades if is_above}
    assert above == {"M2 0h1v1h-1z"}  # two of forty in conflict leave no colour
    one = LFPairs(("a",), overlap[:1, :1], conflict[:1, :1], dependence[:1, :1])
    assert pair_matrix(one) is None
