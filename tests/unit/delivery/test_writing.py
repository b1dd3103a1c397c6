"""Predictions as files: each format, whole or not at all, in parts."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.delivery import _records
from metalwork.delivery._answers import Cut, answer_table
from metalwork.delivery._writing import write_tables
from metalwork.errors import ConfigError, DataError

SCHEMA = mw.TaskSchema.from_dict(
    {"task": "kind", "labels": [{"Mammal": {"task": "mammal", "labels": ["Cat", "Dog"]}}, "Bird"]}
)
NEW = [{"id": i, "text": text, "guess": ""} for i, text in enumerate(["fur and a meow", "beak and quack", ""] * 4)]


def read(path: Path) -> pl.DataFrame:
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    return pl.read_csv(path) if path.suffix == ".csv" else pl.read_ndjson(path)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_format_holds_the_same(
    suffix: str, pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_records, "_ROWS", 5)  # three parts
    predictor, out = mw.Predictor.load(pets), tmp_path / f"out{suffix}"
    counted: list[tuple[int, int | None]] = []
    predictor.write(NEW, out, keep=["id"], progress=lambda done, of: counted.append((done, of)))
    found, probs = read(out), predictor.predict_proba(NEW)
    assert found.columns[:6] == ["id", "end_label", "confidence", "label(kind)", "label(mammal)", "label(bird)"]
    assert found["id"].to_list() == list(range(12))
    assert found["end_label"].to_list() == predictor.predict(NEW)
    assert np.allclose(found.select(f"P({name})" for name in predictor.schema.end_labels).to_numpy(), probs.end)
    assert np.allclose(found["P(kind: Bird)"], probs["kind"][:, 1])
    assert counted == [(5, 12), (10, 12), (12, 12)]
    assert list(tmp_path.iterdir()) == [out]


def test_rows_are_counted_where_nothing_is_kept(pets: Path, tmp_path: Path) -> None:
    mw.Predictor.load(pets).write(NEW, tmp_path / "out.csv", probabilities=False)
    found = read(tmp_path / "out.csv")
    assert found["row"].to_list() == list(range(12))
    assert not [name for name in found.columns if name.startswith("P(")]


def test_a_coarse_label_is_given_where_the_end_label_is_not_sure() -> None:
    probs = mw.TaskProbabilities(np.array([[0.5, 0.4, 0.1], [0.9, 0.05, 0.05], [0.3, 0.3, 0.4]]), SCHEMA)
    found = answer_table(probs, Cut(0.8), False)
    assert found["end_label"].to_list() == [None, "Cat", None]
    assert found["label(kind)"].to_list() == ["Mammal", "Mammal", None]
    assert found["label(mammal)"].to_list() == [None, "Cat", None]
    apart = answer_table(probs, Cut(0.8, {"kind": 0.95, "mammal": 2.0}), False)
    assert apart["label(kind)"].to_list() == [None, "Mammal", None]  # with an end label, its whole path
    assert answer_table(probs, Cut(), False)["label(mammal)"].to_list() == ["Cat", "Cat", None]


def test_explanations_stand_beside_the_labels(pets: Path, tmp_path: Path) -> None:
    mw.Predictor.load(pets, run_code=True).write(NEW[:3], tmp_path / "out.csv", explain=True)
    found = read(tmp_path / "out.csv")
    assert found["because"][0].startswith("kind=Mammal: ")
    assert "mammal=Cat: " in found["because"][0]
    assert found["votes"][0].startswith("meows=Cat ") or found["votes"][0].startswith("furry=Mammal ")
    assert found["because"][2] is None


def test_a_fault_in_a_later_part_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_records, "_ROWS", 2)
    schema = mw.TaskSchema.flat(["low", "high"])
    lfs = [mw.threshold("label", "high", "x", above=3), mw.threshold("label", "low", "x", at_most=3)]
    train = [{"x": float(x)} for x in range(8)]
    run = mw.Run.of(schema, lfs, train=train, features={"columns": ["x"]}, folder=tmp_path / "run")
    with pytest.warns(mw.errors.MetalworkWarning):
        run.train()
    predictor = mw.Predictor.load(tmp_path / "run")
    assert predictor.predict([{"x": 7.0}]) == ["high"]
    text = r"^Of the records from number 2, which are rows from 0 here: column 'x' must hold finite"
    with pytest.raises(DataError, match=text):
        predictor.write([{"x": 1.0}, {"x": 2.0}, {"x": None}], tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_names_that_meet_and_unknown_formats_are_refused(pets: Path, tmp_path: Path) -> None:
    predictor = mw.Predictor.load(pets)
    records = [{"text": "fur", "confidence": "high"}]
    with pytest.raises(
        ConfigError, match=r"^keep must name other columns than those of the results; got 'confidence'"
    ):
        predictor.write(records, tmp_path / "out.csv", keep=["confidence"])
    with pytest.raises(ConfigError, match=r"^out must end in \.csv, \.jsonl, \.ndjson, \.parquet; got '"):
        predictor.write(records, tmp_path / "out.xls")
    assert list(tmp_path.iterdir()) == []


def test_columns_of_several_kinds_are_text_in_parquet(tmp_path: Path) -> None:
    parts = [
        pl.DataFrame({"id": [1], "n": [1], "none": [None]}),
        pl.DataFrame({"id": ["a"], "n": [0.5], "none": ["x"]}),
    ]
    write_tables(tmp_path / "out.parquet", parts)
    found = read(tmp_path / "out.parquet")
    assert found.to_dicts() == [{"id": "1", "n": 1.0, "none": None}, {"id": "a", "n": 0.5, "none": "x"}]


def test_text_that_a_spreadsheet_would_run_is_escaped_and_nested_values_are_text(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["=1+1"], "nested": [{"a": [1, 2]}]})
    write_tables(tmp_path / "out.csv", [frame])
    assert (tmp_path / "out.csv").read_text() == 'id,nested\n\'=1+1,"{""a"": [1, 2]}"\n'
    write_tables(tmp_path / "out.jsonl", [frame])
    assert (tmp_path / "out.jsonl").read_text() == '{"id":"=1+1","nested":{"a":[1,2]}}\n'
