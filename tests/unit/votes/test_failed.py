"""Where a labeling function failed is stored apart from where it abstained."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork._checks import FAILED
from metalwork.errors import DataError, VotesError
from metalwork.votes import MOST_INCIDENTS, Incident, VoteShards, votes_in

FLAT = mw.TaskSchema.flat(["ham", "spam"])
CODES = [[0, FAILED], [-1, 1], [FAILED, FAILED]]
INCIDENTS = [Incident("b", 0, "a.csv", "it was slow"), Incident("a", 2, "", "it raised")]


def matrix() -> mw.LabelMatrix:
    return mw.LabelMatrix(CODES, FLAT, names=["a", "b"], incidents=INCIDENTS)


def test_a_failure_is_no_abstain() -> None:
    votes = matrix()
    assert votes.codes.tolist() == [[0, -1], [-1, 1], [-1, -1]]
    assert votes.failed.tolist() == [[0, 1], [2, 0], [2, 1]]
    assert votes.errors.tolist() == [1, 2]
    assert votes.stored_codes.tolist() == CODES
    assert [str(incident) for incident in votes.incidents] == [
        "LF 'b' failed at row 0 of a.csv: it was slow",
        "LF 'a' failed at row 2: it raised",
    ]


def test_the_codes_given_are_left_alone() -> None:
    codes = np.array(CODES, np.int8)
    mw.LabelMatrix(codes, FLAT)
    assert codes.tolist() == CODES


def test_failures_are_kept_on_disk(tmp_path: Path) -> None:
    matrix().save(tmp_path / "votes.npz")
    read = mw.LabelMatrix.load(tmp_path / "votes.npz")
    assert read.stored_codes.tolist() == CODES
    assert read.errors.tolist() == [1, 2]
    assert read.incidents == tuple(INCIDENTS)
    pl.DataFrame(matrix().stored_codes, schema=["a", "b"], orient="row").write_parquet(tmp_path / "votes.parquet")
    (shard,) = VoteShards([tmp_path / "votes.parquet"], FLAT)
    assert shard.stored_codes.tolist() == CODES


def test_failures_are_kept_by_what_cuts_and_joins() -> None:
    votes = matrix()
    assert votes.rows([2, 0]).stored_codes.tolist() == [[FAILED, FAILED], [0, FAILED]]
    assert votes.rows([2, 0]).errors.tolist() == [1, 2]
    assert votes.rows(slice(1, 2)).errors.tolist() == [0, 0]
    assert votes.lfs([1]).stored_codes.tolist() == [[FAILED], [1], [FAILED]]
    assert votes.lfs([1]).incidents == (INCIDENTS[0],)
    twice = mw.LabelMatrix.concatenate([votes, votes])
    assert twice.stored_codes.tolist() == CODES * 2
    assert twice.errors.tolist() == [2, 4]
    assert len(twice.incidents) == 4
    beside = mw.LabelMatrix.beside([votes.lfs([1]), votes.lfs([0])])
    assert beside.stored_codes.tolist() == [row[::-1] for row in CODES]
    assert set(beside.incidents) == set(INCIDENTS)


def test_forests_and_label_vectors_keep_failures() -> None:
    forest = mw.TaskForest([mw.TaskSchema.flat(["x", "y"], task="a"), mw.TaskSchema.flat(["x", "y"], task="b")])
    by_root = votes_in(forest, CODES, ["a", "b"], ["a", "b"], incidents=INCIDENTS)
    assert by_root["b"].stored_codes.tolist() == [[FAILED], [1], [FAILED]]
    assert by_root["b"].incidents == (INCIDENTS[0],)
    vectors = mw.FeasibleLabels({"a": ["x", "y"]}, [{"a": "x"}, {"a": "y"}])
    found = votes_in(vectors, CODES, ["a", "a"], ["a", "b"], incidents=INCIDENTS)
    assert found.failed.tolist() == [[0, 1], [2, 0], [2, 1]]
    assert found.incidents == tuple(INCIDENTS[::-1])[::-1]


def test_few_incidents_are_kept_an_lf() -> None:
    many = [Incident("a", row, "", "it raised") for row in range(100)]
    assert mw.LabelMatrix(CODES, FLAT, names=["a", "b"], incidents=many).incidents == tuple(many[:MOST_INCIDENTS])


def test_an_lf_of_all_tasks_is_known_by_its_columns() -> None:
    incident = Incident("any", 0, "", "it raised")
    votes = mw.LabelMatrix([[FAILED]], FLAT, names=["any[label]"], incidents=[incident])
    assert votes.lfs([0]).incidents == (incident,)


def test_errors_cannot_be_fewer_than_the_failures() -> None:
    with pytest.raises(VotesError) as caught:
        mw.LabelMatrix(CODES, FLAT, names=["a", "b"], errors=[1, 1])
    assert str(caught.value) == ("errors must be counts of at least 2, the failures in codes; got 1 for LF 'b'.")
    assert mw.LabelMatrix(CODES, FLAT, errors=[3, 2]).errors.tolist() == [3, 2]


def test_wrong_incidents_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match=r"^incidents must be Incident objects; got \('a', True, '', 'b'\)\.$"):
        mw.LabelMatrix(CODES, FLAT, incidents=[("a", True, "", "b")])
    votes = matrix()
    object.__setattr__(votes, "incidents", (Incident("a", "0", "", "b"),))  # type: ignore[arg-type]
    votes.save(tmp_path / "votes.npz")
    with pytest.raises(DataError, match="incidents must be Incident objects"):
        mw.LabelMatrix.load(tmp_path / "votes.npz")


def test_apply_tells_failures_and_their_incidents(tmp_path: Path) -> None:
    def fails(row: int) -> object:
        if row in (3, 150):
            raise KeyError("no such key")
        return {"ham": 7.0} if row == 8 else {"ham"} if row == 9 else 1.5 if row == 10 else None

    for name, rows in {"a": range(100), "b": range(100, 200)}.items():
        pl.DataFrame({"row": rows}).write_ndjson(tmp_path / f"{name}.jsonl")
    lfs = [mw.from_callable(fails, None), mw.from_callable(lambda row: "spam", "label", name="good")]
    votes = mw.apply(lfs, tmp_path / "*.jsonl", FLAT, max_error_rate=1, chunk_size=30)
    assert votes.failed.tolist() == [[3, 0], [8, 0], [10, 0], [150, 0]]
    assert votes.errors.tolist() == [4, 0]
    assert [(found.lf, found.row, Path(found.origin).name, found.message) for found in votes.incidents] == [
        ("fails", 3, "a.jsonl", "KeyError: 'no such key'"),
        ("fails", 8, "a.jsonl", "it returned the probabilities [7.0, nan]"),
        ("fails", 10, "a.jsonl", "it returned 1.5"),
        ("fails", 50, "b.jsonl", "KeyError: 'no such key'"),
    ]
    like = mw.apply(lfs, tmp_path / "b.jsonl", FLAT, max_error_rate=1, like=votes)
    assert like.failed.tolist() == [[50, 0]]
    assert len(like.incidents) == 1


def test_a_batch_that_fails_fails_on_all_its_records() -> None:
    def fails(row: list[int]) -> list[str]:
        raise OSError("gone")

    votes = mw.apply(
        [mw.from_callable(fails, "label", batch=True)], [{"row": 1}, {"row": 2}], FLAT, max_error_rate=1
    )
    assert votes.failed.tolist() == [[0, 0], [1, 0]]
    assert [found.message for found in votes.incidents] == ["OSError: gone"] * 2
