"""Proposing a tree on the command line."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import metalwork as mw
from metalwork.cli import app

NAMES = ["pay.bill", "pay.tax", "pay.rent", "trip.book", "trip.cancel", "trip.plan"]


def propose(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["schema", "propose", *map(str, arguments)])
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return " ".join(result.output.split())


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.yaml"
    path.write_text(f"task: area\nlabels: [{', '.join(NAMES)}]\n")
    return path


def noise(schema: mw.TaskSchema) -> mw.LabelMatrix:
    return mw.LabelMatrix(np.random.default_rng(0).integers(-1, 6, (300, 4)), schema)


def test_a_schema_file_by_its_names(labels: Path, tmp_path: Path) -> None:
    shown = propose(labels, "--words", "--output", tmp_path / "tree.yaml")
    assert "2 groups of 6 labels, made from the words of the names. Not scored:" in shown
    assert f"Wrote the tree: {tmp_path / 'tree.yaml'}" in shown
    assert mw.TaskSchema.from_yaml(tmp_path / "tree.yaml").tasks == ("area", "pay", "trip")


def test_votes_that_support_nothing(labels: Path, tmp_path: Path) -> None:
    noise(mw.TaskSchema.from_yaml(labels)).save(tmp_path / "votes.npz")
    shown = propose(labels, "--words", "--votes", tmp_path / "votes.npz", "--output", tmp_path / "flat.yaml")
    assert "Not supported by the votes, so the labels stay flat." in shown
    assert "Wrote the labels, flat as they are:" in shown
    assert mw.TaskSchema.from_yaml(tmp_path / "flat.yaml") == mw.TaskSchema.from_yaml(labels)


@pytest.fixture
def project(labels: Path, tmp_path: Path) -> Path:
    """LFs by words, of which some stand on records of the other labels of a group."""
    rng = np.random.default_rng(0)
    lines = ["text"]
    for name in NAMES * 60:
        head, word = name.split(".")
        other = rng.choice([n.split(".")[1] for n in NAMES if n.startswith(head)])
        lines.append(f"{head} {word} {other} {rng.choice(['the', 'and', 'my'])}")
    (tmp_path / "train.csv").write_text("\n".join(lines) + "\n")
    rules = "".join(f"    - {{keywords: [{n.split('.')[1]}], task: area, label: {n}}}\n" for n in NAMES)
    path = tmp_path / "project.yaml"
    path.write_text(
        f"schema: {labels.name}\ndata: {{train: train.csv}}\nlfs:\n  cache: false\n  rules:\n{rules}"
        "features: {text: text}\n"
    )
    return path


def test_a_project_by_its_own_votes_and_records(project: Path, tmp_path: Path) -> None:
    shown = propose(project, "--words", "--groups", 2)
    assert "made from the words of the names and the records that the label model gives each label." in shown
    assert "Supported by the votes." in shown
    noise(mw.TaskSchema.from_yaml(tmp_path / "labels.yaml")).save(tmp_path / "votes.npz")
    assert "Not supported" in propose(project, "--words", "--groups", 2, "--votes", tmp_path / "votes.npz")


def test_mistakes_are_one_message(labels: Path, project: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree.yaml"
    propose(labels, "--words", "--output", tree)
    before = tree.read_bytes()
    message = f"Error: The file to write must be new; {tree} exists already. Name another one."
    assert message in propose(labels, "--output", tree, status=1)
    assert tree.read_bytes() == before
    assert "Error: labels must be flat; got a tree of 3 tasks." in propose(tree, status=1)
    project.write_text(project.read_text().replace("labels.yaml", "tree.yaml").replace("task: area", "task: pay"))
    assert "there is no such file" in propose(tmp_path / "none.yaml", status=1)
    assert "n_groups must be a whole number from 2 to 5; got 9." in propose(labels, "--groups", 9, status=1)
    assert "must be a 'metalwork label matrix 1' file" in propose(labels, "--votes", labels, status=1)
    assert "Invalid value for '--groups'" in propose(labels, "--groups", 1, status=2)
