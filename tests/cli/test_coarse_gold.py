"""Dev and test labels that are known down to an inner label only, through a whole run."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from metalwork.cli import app

PROJECT = """
name: garden
schema:
  task: plant
  labels:
    - Tree: {task: tree, labels: [Oak, Fir]}
    - Flower: {task: flower, labels: [Rose, Lily]}
data: DATA
lfs:
  rules:
    - {keywords: [trunk], task: plant, label: Tree, name: trunk}
    - {keywords: [petal], task: plant, label: Flower, name: petal}
    - {keywords: [acorn, thorn], task: tree, label: Oak, name: acorn}
    - {keywords: [cone], task: tree, label: Fir, name: cone}
    - {keywords: [thorn], task: flower, label: Rose, name: thorn}
    - {keywords: [bulb], task: flower, label: Lily, name: bulb}
features: {text: text, min_df: 1}
end_model: {hidden_sizes: [8, 8], max_epochs: 6, batch_size: 8, lr: 0.02}
"""
TEXTS = {"Oak": "trunk acorn", "Fir": "trunk cone", "Rose": "petal thorn", "Lily": "petal bulb"}
INNER = {"Oak": "Tree", "Fir": "Tree", "Rose": "Flower", "Lily": " Flower "}


@pytest.mark.parametrize("form", ["three files", "one file with a column of splits"])
def test_inner_labels_alone_reach_every_step(form: str, tmp_path: Path) -> None:
    lines = {
        split: [f"{split}-{i}-{name},{text} {i},{INNER[name]}" for i in range(n) for name, text in TEXTS.items()]
        for split, n in {"train": 12, "dev": 3, "test": 5}.items()
    }
    if form == "three files":
        for split, records in lines.items():
            (tmp_path / f"{split}.csv").write_text("\n".join(["key,text,label", *records]) + "\n")
        data = "{train: train.csv, dev: dev.csv, test: test.csv, id: key}"
    else:
        rows = [f"{record},{split}" for split, records in lines.items() for record in records]
        (tmp_path / "all.csv").write_text("\n".join(["key,text,label,part", *rows]) + "\n")
        data = "{records: all.csv, split: part, id: key}"
    (tmp_path / "project.yaml").write_text(PROJECT.replace("DATA", data))
    result = CliRunner().invoke(app, ["run", str(tmp_path / "project.yaml"), "--run", "one"])
    assert result.exit_code == 0, result.output + result.stderr
    assert "dev (12 records)  test (20 records)" in result.stdout

    folder = tmp_path / "runs" / "one"
    steps = json.loads((folder / "manifest.json").read_text())["steps"]
    assert steps["fit"]["used_dev"]
    assert steps["train"]["used_dev"]
    for by_split in json.loads((folder / "metrics.json").read_text()).values():
        assert {split: scores["n_points"] for split, scores in by_split.items()} == {"dev": 12, "test": 20}
        assert {split: scores["accuracy"] for split, scores in by_split.items()} == {"dev": 1.0, "test": 1.0}
        known = {task["task"]: task["n_points"] for task in by_split["test"]["tasks"]}
        assert known == {"plant": 20, "tree": 0, "flower": 0}
    table = {row["name"]: row for row in pl.read_csv(folder / "lf_summary.csv").iter_rows(named=True)}
    assert (table["trunk"]["dev_n_scored"], table["trunk"]["dev_precision"]) == (6, 1.0)
    assert (table["cone"]["dev_n_scored"], table["cone"]["dev_precision"]) == (0, None)
    assert (table["acorn"]["dev_n_scored"], table["acorn"]["dev_precision"]) == (
        3,
        0.0,
    )  # roses, which are no trees
    assert table["acorn"]["dev_off_branch"] == 1.0
