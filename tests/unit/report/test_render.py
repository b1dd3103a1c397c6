"""The page as a whole."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import VotesError
from metalwork.report import ReportData, Training, render_report, uncertain_records, write_report
from tests.unit.report.samples import sample_report, simulate, wide_tree

SECTIONS = ["results", "tree", "lfs", "labels", "network", "training", "confusion", "calibration", "records"]


def shown(page: str) -> list[str]:
    return re.findall(r'<section id="(\w+)">', page)


def test_a_full_report_has_every_section_and_a_link_to_each() -> None:
    page = render_report(sample_report())
    assert shown(page) == SECTIONS
    assert re.findall(r'<a href="#(\w+)">', page) == SECTIONS


def test_a_bare_report_has_the_tree_only() -> None:
    assert shown(render_report(ReportData("Bare", mw.TaskSchema.flat(["a", "b"])))) == ["tree"]


@pytest.mark.parametrize(
    ("missing", "gone"),
    [
        ({"lfs": None}, {"lfs"}),
        ({"plan": None}, {"network"}),
        ({"training": None}, {"training"}),
        ({"training": Training(loss=[])}, {"training"}),
        ({"uncertain": ()}, {"records"}),
        ({"results": {}}, {"results", "confusion", "calibration"}),
        ({"distributions": {}, "class_prior": None, "label_model": "", "warnings": ()}, {"labels"}),
    ],
)
def test_a_missing_part_takes_its_section_with_it(missing: dict[str, Any], gone: set[str]) -> None:
    assert shown(render_report(sample_report(**missing))) == [name for name in SECTIONS if name not in gone]


@pytest.mark.parametrize(
    "missing", [{"gold_lfs": {}}, {"distributions": {}}, {"class_prior": None}, {"created": None}]
)
def test_a_part_of_a_section_may_be_missing(missing: dict[str, Any]) -> None:
    assert shown(render_report(sample_report(**missing))) == SECTIONS


def test_models_without_a_split_or_probabilities_are_shown_with_dashes() -> None:
    full = sample_report()
    results = {
        "vote": {"test": full.results["Hard majority vote"]["test"]},
        "End model": full.results["End model"],
    }
    page = render_report(sample_report(results=results))
    assert "<td>–</td>" in page


def test_figures_stand_in_the_page() -> None:
    data = sample_report()
    page = render_report(data)
    assert f"{100 * data.results['End model']['test'].accuracy:.1f}" in page
    assert data.lfs is not None
    assert f"<td>{100 * data.lfs.rows[4].coverage:.1f}</td>" in page
    assert "2,000 records" in page


def test_trees_have_their_own_figures_and_coarse_labels_are_explained() -> None:
    data = sample_report()
    page = render_report(data)
    figure = data.results["End model"]["test"].hierarchical_f1
    assert figure is not None
    assert f"<td>{100 * figure:.1f}</td>" in page
    assert "known down to an inner label" not in page
    area = data.schema.labels(data.schema.root)[0]
    coarse = {"End model": {"dev": mw.evaluate([0, 1], [area, area], data.schema)}}  # no end label is known
    assert "known down to an inner label" in render_report(sample_report(results=coarse))
    flat = render_report(sample_report({"task": "kind", "labels": ["a", "b"]}))
    assert "Hierarchical F1" not in flat


@pytest.mark.parametrize(
    ("n_branches", "n_leaves", "n_lfs"), [(2, 2, 10), (5, 10, 80), (15, 10, 400), (4, 50, 30)], ids=str
)
def test_a_report_stays_below_300_kb(n_branches: int, n_leaves: int, n_lfs: int) -> None:
    page = render_report(sample_report(wide_tree(n_branches, n_leaves, long_names=True), n_lfs=n_lfs))
    assert len(page.encode()) < 300_000


def test_lfs_beyond_the_limit_are_counted() -> None:
    page = render_report(sample_report(n_lfs=170))
    assert len(re.findall('class="lf-name"', page)) <= 163
    assert re.search(r"and \d LFs of lower coverage", page)


def test_writing_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "report.html"
    write_report(path, ReportData("One", mw.TaskSchema.flat(["a", "b"])))
    write_report(path, ReportData("Two", mw.TaskSchema.flat(["a", "b"])))
    assert "<h1>Two</h1>" in path.read_text(encoding="utf-8")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_the_same_data_gives_the_same_page() -> None:
    assert render_report(sample_report()) == render_report(sample_report())


@pytest.mark.parametrize("name", ["class_prior", "distributions"])
def test_shares_of_the_wrong_length_are_named(name: str) -> None:
    value: Any = [0.5, 0.5] if name == "class_prior" else {"gold, dev": [0.5, 0.5]}
    with pytest.raises(VotesError) as caught:
        sample_report(**{name: value})
    shown_name = "class_prior" if name == "class_prior" else "gold, dev"
    assert str(caught.value) == f"{shown_name} must hold one share an end label (4); got shape (2,)."


def test_uncertain_records_carry_text_labels_and_votes() -> None:
    schema = mw.TaskSchema.flat(["a", "b", "c"])
    probs = mw.TaskProbabilities([[0.8, 0.1, 0.1], [0.4, 0.35, 0.25]], schema)
    votes = mw.LabelMatrix([[0, -1], [-1, 2]], schema, names=["first", "second"])
    (record,) = uncertain_records(probs, ["sure", "unsure"], 1, keys=["k0", "k1"], votes=votes, n_labels=2)
    assert (record.key, record.text) == ("k1", "unsure")
    assert record.probabilities == {"a": 0.4, "b": 0.35}
    assert record.votes == {"second": "c"}
    with pytest.raises(VotesError) as caught:
        uncertain_records(probs, ["one"])
    assert str(caught.value) == "texts must hold one element a record (2); got 1."


def test_gold_of_other_lfs_leaves_dashes() -> None:
    schema = mw.TaskSchema.flat(["a", "b"])
    votes, y = simulate(schema, 50, 2)
    renamed = mw.LabelMatrix(votes.codes, schema, names=["other", "names"])
    data = ReportData(
        "t",
        schema,
        lfs=mw.lf_summary(votes, accuracies=np.array([0.7, np.nan])),
        gold_lfs={"dev": mw.lf_summary(renamed, y)},
    )
    assert '<td class="first few">–<small>0 votes</small></td>' in render_report(data)
