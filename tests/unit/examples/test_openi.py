"""The OpenI data set: reading reports, and labeling functions that heed negation."""

import json
from pathlib import Path

import pytest

import metalwork as mw
from metalwork.data import find_data
from metalwork.errors import DataError
from metalwork.examples import load_example
from metalwork.labeling import apply
from tests.unit.examples.parts import functions, part, schema

findings, reports, records = (part("openi", stem) for stem in ("findings", "reports", "records"))
ACUTE, CHRONIC, EMERGENCIES = findings.ACUTE, findings.CHRONIC, findings.EMERGENCIES
abnormal_clauses, affirm, affirmed = reports.abnormal_clauses, reports.affirm, reports.affirmed
body, clauses, section = reports.body, reports.clauses, reports.section
LABELING_FUNCTIONS, SCHEMA = functions("openi"), schema("openi")

NORMAL = (
    "COMPARISON: None. INDICATION: Cough, rule out pneumonia. FINDINGS: The heart is normal in size. "
    "The lungs are clear. No pleural effusion or pneumothorax. IMPRESSION: No acute disease."
)
NON_URGENT = (
    "COMPARISON: Two views. INDICATION: Pain. FINDINGS: Heart size is normal. The lungs are clear. There is a "
    "calcified granuloma in the left lung. Degenerative changes of the spine. IMPRESSION: No acute disease."
)
URGENT = (
    "COMPARISON: None. INDICATION: Fever. FINDINGS: Heart size is normal. Patchy opacity in the right lower lobe. "
    "No pneumothorax. Bones are intact. IMPRESSION: Right lower lobe opacity, may represent pneumonia."
)
EMERGENT = (
    "COMPARISON: None. INDICATION: Fall. FINDINGS: There is a left pneumothorax. Acute displaced rib fracture. "
    "Heart size is normal. IMPRESSION: Left pneumothorax and rib fracture."
)
REPORTS = {"Normal": NORMAL, "Non-urgent": NON_URGENT, "Urgent": URGENT, "Emergent": EMERGENT}


def _write(path: Path) -> Path:
    lines = [
        {"uid": 1, "split": "train", "text": URGENT, "label": None},
        {"uid": 2, "split": "dev", "text": NORMAL, "label": "Normal"},
        {"uid": 3, "split": "test", "text": EMERGENT, "label": "Emergent"},
        {"uid": 4, "split": "test", "text": NORMAL, "label": "Normal"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return path


def test_sections_are_told_apart() -> None:
    assert section(NORMAL, "INDICATION") == "Cough, rule out pneumonia."
    assert section(NORMAL, "TECHNIQUE") == ""
    assert body("Lungs are clear.") == "Lungs are clear."


def test_the_body_leaves_the_complaint_out() -> None:
    assert "pneumonia" not in body(NORMAL)
    assert "No acute disease." in body(NORMAL)


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("No focal consolidation, pneumothorax, or pleural effusion", ""),
        ("The lungs are free of focal airspace disease", "the lungs are"),
        ("Stable cardiomegaly without heart failure", "stable cardiomegaly"),
        ("A pleural effusion is not seen", ""),
        ("The effusion has resolved", ""),
        ("If pneumonia is suspected, repeat", ""),
        ("No change in the right effusion", "unchanged the right effusion"),
        ("Pneumonia cannot be excluded", "pneumonia unchanged"),
        ("Non-calcified nodule", "non-calcified nodule"),
        ("The effusion is not significantly changed", "the effusion is unchanged"),
    ],
)
def test_negated_stretches_are_taken_out(sentence: str, kept: str) -> None:
    assert affirm(sentence.lower()) == kept


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("No pneumothorax, but a small effusion.", ["no pneumothorax", "a small effusion"]),
        ("No effusion, stable cardiomegaly.", ["no effusion", "stable cardiomegaly"]),
        ("1. No acute disease 2. A nodule of 3.5 cm", ["no acute disease", "a nodule of 3.5 cm"]),
        ("Lungs are clear.No effusion", ["lungs are clear", "no effusion"]),
        ("No acute disease with mild cardiomegaly", ["no acute disease", "mild cardiomegaly"]),
    ],
)
def test_clauses_end_where_negation_ends(prose: str, expected: list[str]) -> None:
    assert clauses(prose) == expected


def test_a_normal_report_affirms_nothing_abnormal() -> None:
    assert affirmed(NORMAL) == ("the heart is normal in size", "the lungs are clear")
    assert abnormal_clauses(NORMAL) == ()
    assert abnormal_clauses(EMERGENT)[0] == "there is a left pneumothorax"


def test_the_impression_can_be_read_alone() -> None:
    assert affirmed(NON_URGENT, impression_only=True) == ()
    assert affirmed(URGENT, impression_only=True) == ("right lower lobe opacity, may represent pneumonia",)


@pytest.mark.parametrize(
    ("clause", "found", "not_found"),
    [
        ("old healed rib fractures", EMERGENCIES["fracture"], ACUTE["mass"]),
        (
            "small pleural effusion",
            ACUTE["pleural_fluid"],
            CHRONIC["surgery"],
        ),  # "fusion" is no part of "effusion"
        ("the cardiac silhouette is enlarged", ACUTE["enlarged_heart"], CHRONIC["borderline_heart"]),
        ("borderline cardiomegaly", CHRONIC["borderline_heart"], ACUTE["enlarged_heart"]),
        ("heart size is normal and the aorta is prominent", CHRONIC["aorta"], ACUTE["enlarged_heart"]),
        ("calcified hilar adenopathy", CHRONIC["granuloma"], ACUTE["mass"]),
        ("aortic calcification", CHRONIC["aorta"], CHRONIC["granuloma"]),
        ("chest xxxx tip low svc", ACUTE["line"], ACUTE["opacity"]),
        ("surgical metallic clips", CHRONIC["surgery"], EMERGENCIES["foreign_body"]),
    ],
)
def test_findings_are_told_apart(clause: str, found: object, not_found: object) -> None:
    assert found.matches(clause)  # type: ignore[attr-defined]
    assert not not_found.matches(clause)  # type: ignore[attr-defined]


def test_every_task_and_label_has_several_functions() -> None:
    votes = apply(LABELING_FUNCTIONS, [{"text": text} for text in REPORTS.values()], SCHEMA)
    assert set(votes.tasks) == set(SCHEMA.tasks)
    for task in SCHEMA.tasks:
        for code in range(len(SCHEMA.labels(task))):
            voters = (votes.codes == code)[:, votes.lfs_of(task)].any(axis=0).sum()
            assert voters >= 2, (task, SCHEMA.labels(task)[code])


@pytest.mark.parametrize("label", REPORTS)
def test_most_votes_on_a_plain_report_are_right(label: str) -> None:
    votes = apply(LABELING_FUNCTIONS, [{"text": REPORTS[label]}], SCHEMA)
    truth = SCHEMA.task_codes[SCHEMA.end_labels.index(label)]
    for t, task in enumerate(SCHEMA.tasks):
        cast = votes.codes[0, votes.lfs_of(task)]
        if truth[t] != mw.NOT_APPLICABLE:
            assert (cast == truth[t]).sum() > ((cast != truth[t]) & (cast != mw.ABSTAIN)).sum()
    assert (votes.errors == 0).all()


def test_a_text_without_sections_is_no_error() -> None:
    votes = apply(LABELING_FUNCTIONS, [{"text": text} for text in ("", "IMPRESSION:", "Cardiomegaly.")], SCHEMA)
    assert (votes.errors == 0).all()


def test_the_end_model_reads_the_body_of_all_records(tmp_path: Path) -> None:
    path = _write(tmp_path / "openi.jsonl")
    vars(records)["find_data"] = lambda name: path
    frame = records.load()
    assert frame.columns == ["uid", "split", "text", "label", "prose"]
    assert frame["split"].to_list() == ["train", "dev", "test", "test"]
    assert frame["prose"].to_list() == [body(text) for text in frame["text"]]


def test_the_real_data_set() -> None:
    try:
        find_data("openi", download=False)
    except DataError:
        pytest.skip("the OpenI data set is not on this machine")
    job = load_example("openi")
    assert [job.split(split).n_points for split in job.splits] == [2630, 50, 378]
    votes = apply(job.labeling_functions, job.split("dev").source, SCHEMA)
    column = job.known_labels("dev")[:, [SCHEMA.task_index(task) for task in votes.tasks]]
    judged = (votes.codes != mw.ABSTAIN) & (column != mw.NOT_APPLICABLE)
    assert (votes.codes == column)[judged].mean() > 0.9
