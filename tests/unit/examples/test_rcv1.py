"""The RCV1 data set: bags of words as text, and labeling functions that look for single words."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import metalwork as mw
from metalwork.data import find_data
from metalwork.errors import DataError
from metalwork.examples import load_example
from metalwork.labeling import apply
from tests.unit.examples.parts import functions, part, schema

records = part("rcv1", "records")
LABELING_FUNCTIONS, SCHEMA = functions("rcv1"), schema("rcv1")

BAGS = {
    "Performance": "company dividend earnings group half inc income net pretax profit rose share shr turnover vs",
    "Funding": "arranger bank bond borrower coupon issue lead loan ltd maturity moodys notes rating underwriter",
    "Money": "bundesbank central currency dealers dollar eased franc interbank marks rate rates repo trading yen",
    "Commodity": "barrel bushels coffee copper crop crude exports futures harvest oil prices tonnes traders wheat",
}
RECORDS = [
    {"id": 1, "split": "train", "bow": {"oil": 2, "a": 1}},
    {"id": 2, "split": "dev", "label": "Money Markets", "bow": {"yen": 1, "bank": 3}},
    {"id": 3, "split": "test", "label": "Corporate Funding", "bow": {"bond": 1}},
    {"id": 4, "split": "test", "label": "Corporate Performance", "bow": {}},
]


def _load(path: Path) -> pl.DataFrame:
    vars(records)["find_data"] = lambda name: path
    frame: pl.DataFrame = records.load()
    return frame


def _write(folder: Path, records: list[dict[str, Any]]) -> Path:
    path = folder / "rcv1.jsonl"
    path.write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")
    return path


def test_words_stand_in_order_as_often_as_they_occur_and_train_has_no_label(tmp_path: Path) -> None:
    assert _load(_write(tmp_path, RECORDS)).rows() == [
        (1, "train", "a oil oil", None),
        (2, "dev", "bank bank bank yen", "Money"),
        (3, "test", "bond", "Funding"),
        (4, "test", "", "Performance"),
    ]


@pytest.mark.parametrize(
    ("record", "got"),
    [
        ({"id": 5, "split": "train"}, "KeyError 'bow'"),
        ({"id": 5, "split": "other", "bow": {}}, "ValueError split 'other'"),
        ({"id": 5, "split": "dev", "bow": {}, "label": "Sports"}, "KeyError 'Sports'"),
        ({"id": 5, "split": "train", "bow": ["oil"]}, "AttributeError 'list' object has no attribute 'items'"),
    ],
)
def test_a_wrong_record_is_named_by_its_line(tmp_path: Path, record: dict[str, Any], got: str) -> None:
    path = _write(tmp_path, [*RECORDS, record])
    with pytest.raises(DataError) as caught:
        _load(path)
    assert (
        str(caught.value) == f"Every line must be a record of RCV1; got {got} at {path}:5. Fetch the file again."
    )


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rcv1.jsonl"
    path.write_bytes(b'{"id": 1, "split": "train", "bow": {}}\n{"id": \xff')
    with pytest.raises(DataError, match=r"rcv1\.jsonl:2\. Fetch the file again\.$"):
        _load(path)


def test_every_label_has_several_functions_with_names_of_their_own() -> None:
    names = [lf.name for lf in LABELING_FUNCTIONS]
    assert len(set(names)) == len(names)
    for task in SCHEMA.tasks:
        for label in SCHEMA.labels(task):
            assert sum(lf.task == task and lf.name.startswith(f"{label}: ") for lf in LABELING_FUNCTIONS) >= 8


@pytest.mark.parametrize("label", SCHEMA.end_labels)
def test_functions_agree_on_a_clear_record(label: str) -> None:
    votes = apply(LABELING_FUNCTIONS, [{"text": BAGS[label]}], SCHEMA)
    predicted = mw.MajorityVote(SCHEMA, mode="hard").fit(votes).predict(votes)
    assert SCHEMA.end_names(predicted) == [label]
    assert (votes.codes[0] >= 0).sum() >= 6


def test_functions_do_on_the_real_dev_split_what_they_were_written_for() -> None:
    try:
        find_data("rcv1", download=False)
    except DataError:
        pytest.skip("RCV1 is not on this machine")
    job = load_example("rcv1")
    assert [job.split(split).n_points for split in job.splits] == [600, 50, 241]
    votes = apply(job.labeling_functions, job.split("dev").source, SCHEMA)
    assert not votes.errors.any()
    assert mw.MajorityVote(SCHEMA, mode="soft").fit(votes).score(votes, job.known_labels("dev")) >= 0.85
