"""What is wrong with a job is found before its first labeling function runs, and listed at once."""

from pathlib import Path

import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError
from metalwork.pipeline import (
    EndModelSettings,
    FeatureSettings,
    Job,
    LabelModelSettings,
    Run,
    Split,
    check_job,
    load_project,
)
from tests.unit.pipeline.projects import LFS, PROJECT, write_project

CALLED = """
    @mw.labeling_function(task="mammal")
    def never(text):
        raise SystemExit("an LF ran")
"""


def _faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Run.open(path).apply()
    first, *faults = str(caught.value).replace(f"{path.parent}/", "").split("\n  - ")
    assert first == f"The project file project.yaml has {len(faults)} fault{'s' * (len(faults) > 1)}:"
    return faults


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_right_project_has_no_fault(tmp_path: Path) -> None:
    check_job(Job.of_project(load_project(write_project(tmp_path))))


def test_faults_of_every_kind_are_listed_before_a_labeling_function_runs(tmp_path: Path) -> None:
    project = (
        PROJECT.replace("id: key", "id: kye, label: gold")
        .replace("{text: text, min_df: 1}", "{text: body}")
        .replace("column: guess", "column: guesses")
        .replace("lr: 0.01", "lr: 0.01, options: {drop_out: 0.5}")
    )
    project = project.replace("label: Bird", "label: Brid")
    project += "    label_model: {options: {strength: -1}, class_prior: {Cat: 1, Dog: 0, Owl: 0, Duck: 1}}\n"
    lfs = LFS + CALLED + '\n    wings = mw.keywords("birds", "Owl", ["wing"], name="wings")\n'
    path = write_project(tmp_path, project=project, lfs=lfs)
    assert _faults(path) == [
        "project.yaml:4:56: data.id must be a column of train.csv; got 'kye'. It has: key, text, guess. "
        "Correct the name.",
        "project.yaml:4:65: data.label must be a column of dev.csv; got 'gold'. It has: key, text, guess, label. "
        "Correct the name.",
        "project.yaml:5:1: LF 'wings': 'birds' is no task of the schema. Did you mean 'bird'?",
        "project.yaml:5:1: LF 'other tool' reads a column that is not there: 'guesses' is no column. "
        "Did you mean 'guess'?",
        "project.yaml:8:47: lfs.rules[0].label: 'Brid' is no label of task 'kind'. Did you mean 'Bird'?",
        "project.yaml:11:12: features.text must be a column of train.csv; got 'body'. It has: key, text, guess. "
        "Correct the name.",
        "project.yaml:12:88: end_model.options: 'drop_out' is no option. Did you mean 'dropout'?",
        "project.yaml:13:15: label_model.options: strength must be a finite number above 0; got -1.",
        "project.yaml:13:40: label_model.class_prior must sum to 1; it sums to 2. Correct the shares.",
    ]


@pytest.mark.parametrize(
    ("model", "options", "fault"),
    [
        ("label_model", "{strength: -1}", "strength must be"),
        ("label_model", "{precision: {furry: 2}}", "precision must be"),
        ("end_model", "{dropout: 1.5}", "dropout must be"),
        ("end_model", "{scaling: log}", "scaling must be"),
        ("end_model", "{device: tpu}", "device must be"),
    ],
)
def test_values_that_a_model_refuses(tmp_path: Path, model: str, options: str, fault: str) -> None:
    project = PROJECT.replace("end_model: {", f"{model}: {{options: {options}}}\n    end_model: {{")
    if model == "end_model":
        project = PROJECT.replace("lr: 0.01}", f"lr: 0.01, options: {options}}}")
    (found,) = _faults(write_project(tmp_path, project=project))
    assert f"{model}.options: {fault}" in found


def test_a_model_without_options_says_so(tmp_path: Path) -> None:
    project = PROJECT + "    label_model: {name: soft-vote, options: {mode: hard}}\n"
    assert _faults(write_project(tmp_path, project=project)) == [
        "project.yaml:13:42: label_model.options: 'mode' is no option; this model has none."
    ]


def test_a_known_label_outside_the_tree_is_found_first(tmp_path: Path) -> None:
    path = write_project(tmp_path, lfs=LFS + CALLED)
    _replace(tmp_path / "test.csv", ",Duck", ",Dcuk")
    (fault,) = _faults(path)
    assert fault.startswith("project.yaml:4:40: test.csv: column 'label': ")
    assert "'Dcuk'" in fault


def test_feature_columns_hold_numbers(tmp_path: Path) -> None:
    project = PROJECT.replace("{text: text, min_df: 1}", "{columns: [text, size]}")
    path = write_project(tmp_path, project=project)
    assert _faults(path) == [
        "project.yaml:11:28: features.columns[1] must be a column of train.csv; got 'size'. It has: key, text, "
        "guess. Correct the name."
    ]
    _replace(path, "[text, size]", "[text]")
    assert all(fault.startswith("project.yaml:11:12: ") for fault in _faults(path))


def test_what_one_split_lacks_names_it(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    _replace(tmp_path / "dev.csv", "key,text,guess", "key,text,gess")
    assert _faults(path) == [
        "project.yaml:5:1: dev.csv: LF 'other tool' reads a column that is not there: 'guess' is no column. "
        "Did you mean 'gess'?"
    ]


def test_a_job_in_memory_is_checked_alike() -> None:
    schema = mw.TaskSchema.flat(["Tea", "Coffee"], task="kind")
    lfs = [mw.keywords("kind", "Tee", ["oolong"], name="leaves")]
    job = Job.of_splits(
        "drinks",
        schema,
        lfs,
        {"train": Split(pl.DataFrame({"text": ["oolong"]}))},
        FeatureSettings(columns=["caffeine"]),
        label_model=LabelModelSettings(class_prior={"Tea": 0.5, "Coffee": 0.4}),
        end_model=EndModelSettings(options={"patience": 0}),
    )
    with pytest.raises(ConfigError) as caught:
        Run(job).run()
    assert str(caught.value) == (
        "The job 'drinks' has 4 faults:\n"
        "  - LF 'leaves': 'Tee' is no label of task 'kind'. Did you mean 'Tea'?\n"
        "  - features.columns[0] must be a column of the train records; got 'caffeine'. It has: text. "
        "Correct the name.\n"
        "  - label_model.class_prior must sum to 1; it sums to 0.9. Correct the shares.\n"
        "  - end_model.options: patience must be a whole number of at least 1; got 0."
    )


def test_data_and_code_that_cannot_be_loaded_are_both_named(tmp_path: Path) -> None:
    path = write_project(tmp_path, lfs="x = 1 / 0\n")
    (tmp_path / "dev.csv").write_text("")
    with pytest.raises(ConfigError) as caught:
        Job.of_project(load_project(path))
    assert str(caught.value).replace(f"{tmp_path}/", "") == (
        "The project file project.yaml has 2 faults:\n"
        "  - dev.csv: must hold records; the file is empty.\n"
        "  - lfs.py:1: the file must run without an error; got ZeroDivisionError: division by zero"
    )
