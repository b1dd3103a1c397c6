"""Projects whose labels look like numbers, through a whole run: labels are names, whatever YAML makes of them."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from metalwork.cli import app

SPAM = """
name: post
schema: {task: spam, labels: [1, 0]}
data: {train: train.csv, dev: dev.csv, test: test.csv, id: key, label: label}
lfs:
  rules:
    - {keywords: [win, cash], task: spam, label: 1, name: prize}
    - {keywords: [lunch, meeting], task: spam, label: 0, name: office}
    - {column: filter, task: spam}
    - {column: mark, task: spam, mapping: {7: 1, 3: 0, 5: null}}
label_model: {class_prior: {1: 0.5, 0: 0.5}}
features: {text: text, min_df: 1}
end_model: {hidden_sizes: [8, 8], max_epochs: 20, batch_size: 8, lr: 0.02}
"""
STARS = (
    SPAM.replace("task: spam", "task: stars")
    .replace("labels: [1, 0]", "labels: [{1: {task: low, labels: [10, 11]}}, {2: {task: high, labels: [20]}}]")
    .replace("label: 0,", "label: 2,")
    .replace("3: 0", "3: 2")
    .replace("{1: 0.5, 0: 0.5}", "{10: 0.3, 11: 0.2, 20: 0.5}")
)


def write(folder: Path, project: str, labels: dict[str, list[str]]) -> Path:
    """A project of records that win (the first of ``labels``) or go to lunch, each label in turn."""
    for split, copies in (("train", 20), ("dev", 4), ("test", 8)):
        lines = ["key,text,filter,mark,label"]
        for i in range(copies):
            for root, (text, mark) in {"first": ("win cash", "7"), "second": ("lunch meeting", "3")}.items():
                said = labels["first_lf" if root == "first" else "second_lf"][i % 2]
                gold = labels[root][i % len(labels[root])]
                lines.append(f"{split} {root} {i},{text} {i},{said},{mark if i % 3 else 5},{gold}")
        (folder / f"{split}.csv").write_text("\n".join(lines) + "\n")
    (folder / "project.yaml").write_text(project)
    return folder / "project.yaml"


def run(path: Path) -> Path:
    result = CliRunner().invoke(app, ["run", str(path), "--run", "one"])
    assert result.exit_code == 0, result.output + result.stderr
    return path.parent / "runs" / "one"


@pytest.mark.parametrize(
    ("ones", "noughts"), [(["1"], ["0"]), (["1", " 1 "], ["0", "0.0"]), (["1.0", "1.0"], ["0.0", ""])]
)
def test_labels_1_and_0(ones: list[str], noughts: list[str], tmp_path: Path) -> None:
    labels = {"first": ones, "second": noughts, "first_lf": ["1", "-1"], "second_lf": ["", "0"]}
    folder = run(write(tmp_path, SPAM, labels))
    scores = json.loads((folder / "metrics.json").read_text())
    for model in scores.values():
        assert model["test"]["accuracy"] == 1.0
        assert model["test"]["n_points"] == 8 + 8 // (1 + ("" in noughts))
    table = pl.read_csv(folder / "labels.csv", infer_schema=False)
    predicted = table.with_columns(pl.col("id").str.split(" ").list.get(1))
    assert set(predicted.select("id", "end_label").iter_rows()) == {("first", "1"), ("second", "0")}


def test_a_tree_of_numbers_with_a_single_label_and_coarse_gold(tmp_path: Path) -> None:
    labels = {
        "first": ["10", "1", "1 / 11", ""],
        "second": ["2", "20", "2/20"],
        "first_lf": ["1", "-1"],
        "second_lf": ["", "2"],
    }
    folder = run(write(tmp_path, STARS, labels))
    metrics = json.loads((folder / "metrics.json").read_text())
    for model in metrics.values():
        by_task = {task["task"]: task for task in model["test"]["tasks"]}
        assert by_task["high"]["accuracy"] == 1.0
        assert by_task["stars"]["accuracy"] == 1.0


def test_a_label_that_is_none_is_refused_as_written(tmp_path: Path) -> None:
    path = write(
        tmp_path, SPAM, {"first": ["1"], "second": ["2"], "first_lf": ["1", "1"], "second_lf": ["0", "0"]}
    )
    result = CliRunner().invoke(app, ["apply", str(path)])
    assert result.exit_code == 1
    assert "Row 1: '2' is no label. Known: '1', '0'." in " ".join(result.stderr.split())
