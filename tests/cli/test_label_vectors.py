"""Projects whose tasks are no tree: label vectors in a project file, through a whole run."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from metalwork.cli import app
from metalwork.errors import ConfigError
from metalwork.pipeline import Job, Run, load_project

VECTORS = """
tasks:
  meal: [soup, cake]
  place: [home, out]
  tip: [yes, no]
vectors:
  stew: {meal: soup, place: home}
  broth: {meal: soup, place: out, tip: yes}
  bake: {meal: cake, place: home}
  cafe: {meal: cake, place: out, tip: no}
"""
PROJECT = """
name: meals
schema: schema.yaml
data: {train: train.csv, dev: dev.csv, test: test.csv, id: key}
lfs:
  rules:
    - {keywords: [spoon, bowl], task: meal, label: soup, name: spoon}
    - {keywords: [sugar, fork], task: meal, label: cake, name: sugar}
    - {keywords: [kitchen], task: place, label: home, name: kitchen}
    - {keywords: [waiter], task: place, label: out, name: waiter}
    - {keywords: [generous], task: tip, label: yes, name: generous}
    - {column: bill, task: labels, name: bill}
label_model: {class_prior: {stew: 0.25, broth: 0.25, bake: 0.25, cafe: 0.25}}
features: {text: text, min_df: 1}
end_model: {hidden_sizes: [8, 8], max_epochs: 20, batch_size: 8, lr: 0.02}
"""
TEXTS = {
    "stew": "spoon in the kitchen",
    "broth": "bowl waiter generous",
    "bake": "sugar kitchen",
    "cafe": "fork and waiter",
}


def write(folder: Path, project: str = PROJECT, schema: str = VECTORS) -> Path:
    """A project of records that each say their label vector, in turn."""
    for split, copies in (("train", 12), ("dev", 3), ("test", 5)):
        lines = ["key,text,bill,label"]
        for i in range(copies):
            for vector, text in TEXTS.items():
                lines.append(f"{split} {vector} {i},{text} {i},{vector if i % 3 == 0 else ''},{vector}")
        (folder / f"{split}.csv").write_text("\n".join(lines) + "\n")
    (folder / "schema.yaml").write_text(schema)
    (folder / "project.yaml").write_text(project)
    return folder / "project.yaml"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_runs_on_label_vectors(tmp_path: Path) -> None:
    path = write(tmp_path)
    checked = invoke("check", str(path))
    assert checked.exit_code == 0, checked.output + checked.stderr
    assert "  broth: meal=soup, place=out, tip=yes" in checked.stdout
    assert "6 labeling functions, 4 end labels" in checked.stdout
    result = invoke("run", str(path), "--run", "one")
    assert result.exit_code == 0, result.output + result.stderr
    assert "meal=soup" in result.stdout
    assert "Accuracy by task on test, where the task applies" in result.stdout
    folder = tmp_path / "runs" / "one"
    found = json.loads((folder / "metrics.json").read_text())
    for model in found.values():
        tasks = {task["task"]: task for task in model["test"]["tasks"]}
        assert list(tasks) == ["meal", "place", "tip", "labels"]
        assert [task["n_points"] for task in tasks.values()] == [20, 20, 10, 20]
        assert [task["accuracy"] for task in tasks.values()] == [1.0] * 4
    lfs = pl.read_csv(folder / "lf_summary.csv")
    assert dict(zip(lfs["name"], lfs["polarity"], strict=True)) == {
        "spoon": "meal=soup",
        "sugar": "meal=cake",
        "kitchen": "place=home",
        "waiter": "place=out",
        "generous": "tip=yes",
        "bill": "stew; broth; bake; cafe",
    }
    labels = pl.read_csv(folder / "labels_dev.csv")
    assert labels["end_label"].to_list() == [*TEXTS] * 3
    assert [name for name in labels.columns if name.startswith("P(")] == [f"P({name})" for name in TEXTS]
    report = (folder / "report.html").read_text()
    assert "3 tasks, 4 label vectors that can occur." in report
    assert "Accuracy by task" in report
    assert "Hierarchical F1" not in report
    assert (folder / "project" / "schema.yaml").read_text() == VECTORS


def test_what_vectors_mean_is_part_of_the_votes(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert invoke("apply", str(path), "--run", "one").exit_code == 0
    other = VECTORS.replace("{meal: cake, place: home}", "{meal: cake, place: home, tip: no}")
    (tmp_path / "schema.yaml").write_text(other)  # the same names of vectors
    refused = invoke("fit", str(path), "--run", "one")
    assert refused.exit_code == 1
    assert "schema changed since step 'apply'; run again: metalwork apply" in refused.stderr


def test_a_schema_in_place_has_vectors_without_names(tmp_path: Path) -> None:
    inline = "{tasks: {stars: [1, 2], shop: [old, new]}, vectors: [{stars: 1, shop: old}, {stars: 2}], name: kind}"
    project = PROJECT.replace("schema: schema.yaml", f"schema: {inline}")
    rules = "rules: [{column: bill, task: stars, mapping: {stew: 2, broth: 1, bake: null, cafe: 1}, name: bill}]\n"
    text = project[: project.index("rules:")] + rules + project[project.index("features:") :]
    loaded = load_project(write(tmp_path, text.replace(", dev: dev.csv, test: test.csv", "")))
    job = Job.of_project(loaded)
    assert job.schema.end_labels == ("stars=1, shop=old", "stars=2")
    assert job.space.tasks == ("stars", "shop", "kind")
    assert Run(job).apply().votes["train"].codes.max() == 1


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Job.of_project(load_project(path))
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


def test_all_faults_of_label_vectors_have_their_place(tmp_path: Path) -> None:
    wrong = """
tasks: {meal: [soup, cake], place: [home, home], tip: yes}
vectors:
  - {meal: soup}
title: no
"""
    assert faults(write(tmp_path, schema=wrong)) == [
        "The project file project.yaml has 3 faults:",
        "  - schema.yaml:2:29: task 'place' has a label twice. Rename one.",
        "  - schema.yaml:2:50: task 'tip' must have a list of label names; got 'yes'.",
        "  - schema.yaml:5:1: 'title' is no key of a schema of label vectors. Known: 'tasks', 'vectors', 'name'.",
    ]
    assert faults(write(tmp_path, schema=wrong.replace("title: no", "name: meal"))) == [
        "The project file project.yaml has 3 faults:",
        "  - schema.yaml:2:29: task 'place' has a label twice. Rename one.",
        "  - schema.yaml:2:50: task 'tip' must have a list of label names; got 'yes'.",
        "  - schema.yaml:5:1: the flat task must have a name of its own; got 'meal', a task. Pass name='...'.",
    ]
    vectors = VECTORS.replace("broth: {meal: soup,", "broth: {meal: sop,").replace("cafe: {meal", "cafe: {mael")
    assert faults(write(tmp_path, schema=vectors, project=PROJECT.replace("train.csv", "tr.csv"))) == [
        "The project file project.yaml has 3 faults:",
        "  - project.yaml:4:8: data.train must be a file or a glob that matches one; got 'tr.csv'. Paths start at "
        "the project file's folder. Did you mean 'train.csv'?",
        "  - schema.yaml:8:11: vector 'broth' holds a wrong label. "
        "'sop' is no label of task 'meal'. Did you mean 'soup'?",
        "  - schema.yaml:10:10: vector 'cafe' holds a wrong task. 'mael' is no task. Did you mean 'meal'?",
    ]


def test_rules_and_gold_speak_of_the_vectors(tmp_path: Path) -> None:
    project = PROJECT.replace("label: soup", "label: soop").replace("task: tip", "task: tap")
    assert faults(write(tmp_path, project.replace("stew: 0.25", "stow: 0.25"))) == [
        "The project file project.yaml has 4 faults:",
        "  - project.yaml:7:45: lfs.rules[0].label: 'soop' is no label of task 'meal'. Did you mean 'soup'?",
        "  - project.yaml:11:30: lfs.rules[4].task: 'tap' is no task. Did you mean 'tip'?",
        "  - project.yaml:13:15: label_model.class_prior must have every end label; stew is missing. "
        "Add the share of each.",
        "  - project.yaml:13:29: label_model.class_prior: 'stow' is no end label. Did you mean 'stew'?",
    ]
    path = write(tmp_path)
    dev = (tmp_path / "dev.csv").read_text().replace(",bake\n", ",cake\n")
    (tmp_path / "dev.csv").write_text(dev)
    refused = invoke("check", str(path))
    assert refused.exit_code == 1
    assert "'cake'" in refused.stderr


def test_a_model_of_plain_labels_is_refused_before_anything_runs(tmp_path: Path) -> None:
    path = write(tmp_path, PROJECT.replace("label_model: {", "label_model: {name: log-linear, "))
    refused = invoke("check", str(path))
    assert refused.exit_code == 1
    assert refused.stderr.replace(f"{tmp_path}/", "") == (
        "Error: The project file project.yaml has 1 fault:\n"
        "  - project.yaml:13:15: label_model.name must be hierarchical, soft-vote or hard-vote with label "
        "vectors, of which a vote is for a set; got 'log-linear'.\n"
    )


def test_several_trees_are_several_projects(tmp_path: Path) -> None:
    trees = "[{task: meal, labels: [soup, cake]}, {task: tip, labels: [yes, no]}]"
    assert faults(write(tmp_path, schema=trees)) == [
        "The project file project.yaml has 1 fault:",
        "  - schema.yaml:1:39: a schema must have one root task; got 2: 'meal', 'tip'. Hang the others under "
        "labels; or, where they share nothing but the records, write a project a tree over the same data, or use "
        "TaskForest in Python.",
    ]
