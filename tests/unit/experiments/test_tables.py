"""Rows and tables, as Markdown and as JSON."""

import json
from pathlib import Path

import pytest

from metalwork.errors import ConfigError
from metalwork.experiments import PaperFigure, Results, Row, Table

SEEDED = Row("End model", {"test": (0.8, 0.7, 0.9), "ece": (0.1, 0.2, 0.3)}, PaperFigure(74.0, 0.46))
SAME = Row("Label model", {"test": (0.75,), "train": (0.5,)}, same=True)


def results(*rows: Row, note: str = "") -> Results:
    table = Table("Table 1", "full pipeline", rows, note)
    return Results("toy", 3, 7, (table,), {"Records": "train 120"}, {"min_df": 2}, ("A note.",), 12.34)


def test_a_row_averages_its_trials() -> None:
    assert SEEDED.mean("test") == pytest.approx(0.8)
    assert SEEDED.std("test") == pytest.approx(0.1)
    assert SEEDED.text("test") == "80.0 ± 10.00"
    assert SEEDED.text("ece") == "0.200 ± 0.1000"
    assert SEEDED.text("train") == ""


def test_a_row_without_a_random_step_says_so() -> None:
    assert SAME.std("test") == 0.0
    assert SAME.text("test") == "75.0 ± 0.00†"


def test_a_single_trial_has_no_deviation() -> None:
    row = Row("End model", {"test": (0.8,)})
    assert row.std("test") is None
    assert row.text("test") == "80.0"


def test_a_gain_is_paired_by_trial() -> None:
    lower = Row("without", {"test": (0.6, 0.5, 0.7), "ece": (0.1, 0.1, 0.1)})
    gain = SEEDED.minus(lower, "gain")
    assert gain.values == {"test": pytest.approx((0.2, 0.2, 0.2))}
    assert gain.text("test") == "+20.0 ± 0.00"
    assert lower.minus(SEEDED, "loss").text("test") == "-20.0 ± 0.00"


def test_a_gain_over_a_row_that_is_the_same_in_every_trial() -> None:
    assert SEEDED.minus(SAME, "gain").values["test"] == pytest.approx((0.05, -0.05, 0.15))


def test_a_table_has_the_columns_its_rows_have() -> None:
    table = Table("Table 1", "full pipeline", (SEEDED, SAME))
    assert table.header == ("Method", "Test accuracy", "Paper", "Train accuracy (hidden gold)", "Test ECE")
    assert table.cells() == [
        ("End model", "80.0 ± 10.00", "74.0 ± 0.46", "", "0.200 ± 0.1000"),
        ("Label model", "75.0 ± 0.00†", "", "50.0 ± 0.00†", ""),
    ]


def test_markdown_names_the_command_and_the_paper() -> None:
    assert results(SEEDED, note="Of three.").to_markdown() == (
        "# toy\n\n"
        "`metalwork reproduce toy --trials 3 --seed 7`: mean ± standard deviation of 3 trials that differ in seed "
        "alone, 12 s.\n\n"
        "- Records: train 120\n\n"
        "## Table 1: full pipeline\n\n"
        "| Method | Test accuracy | Paper | Test ECE |\n"
        "| --- | --- | --- | --- |\n"
        "| End model | 80.0 ± 10.00 | 74.0 ± 0.46 | 0.200 ± 0.1000 |\n\n"
        "Of three.\n\n"
        "- A note.\n"
    )


def test_without_paper_figures_there_is_no_such_column() -> None:
    assert "Paper" not in results(SAME).to_markdown()


def test_json_holds_every_trial(tmp_path: Path) -> None:
    as_json, as_markdown = results(SEEDED, SAME).write(tmp_path / "out")
    stored = json.loads(as_json.read_text(encoding="utf-8"))
    assert stored == results(SEEDED, SAME).to_dict()
    row = stored["tables"][0]["rows"][0]
    assert row["metrics"]["test"]["values"] == [0.8, 0.7, 0.9]
    assert row["paper"] == {"mean": pytest.approx(0.74), "std": pytest.approx(0.0046)}
    assert as_markdown.read_text(encoding="utf-8") == results(SEEDED, SAME).to_markdown()
    assert sorted(path.name for path in as_json.parent.iterdir()) == ["toy.json", "toy.md"]


def test_a_table_is_found_by_name() -> None:
    assert results(SEEDED).table("Table 1").rows == (SEEDED,)
    with pytest.raises(ConfigError, match=r"^'Table 9' is no table\. Did you mean 'Table 1'\?$"):
        results(SEEDED).table("Table 9")
