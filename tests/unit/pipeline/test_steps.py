"""The steps: what they write, what they refuse, and that they give the same twice."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from metalwork.analysis import Metrics
from metalwork.end_models import EndModel
from metalwork.errors import ConfigError, LabelingError, MetalworkWarning
from metalwork.pipeline import (
    STEPS,
    FeatureSettings,
    Job,
    LabelModelSettings,
    Run,
    RunFolder,
    Split,
    load_project,
)
from tests.unit.pipeline.projects import LFS, PROJECT, write_project


def _job(folder: Path, **texts: str) -> Job:
    return Job.of_project(load_project(write_project(folder, **texts)))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, RunFolder]:
    job, folder = _job(tmp_path_factory.mktemp("pets")), RunFolder(tmp_path_factory.mktemp("run") / "first")
    Run(job, folder).run()
    return job, folder


def test_a_run_writes_every_result(done: tuple[Job, RunFolder]) -> None:
    _, folder = done
    assert folder.steps == STEPS
    names = {
        str(path.relative_to(folder.path))
        for path in folder.path.rglob("*")
        if path.is_file() and path.parent.name != "project"
    }
    assert names == {
        ".lock",
        "end_model.safetensors",
        "end_probabilities/dev-00000.parquet",
        "end_probabilities/test-00000.parquet",
        "end_probabilities/train-00000.parquet",
        "label_model.npz",
        "labels.csv",
        "labels_dev.csv",
        "labels_test.csv",
        "lf_summary.csv",
        "manifest.json",
        "metrics.json",
        "predictions.csv",
        "probabilities/dev-00000.parquet",
        "probabilities/test-00000.parquet",
        "probabilities/train-00000.parquet",
        "report.html",
        "votes/dev-00000.parquet",
        "votes/test-00000.parquet",
        "votes/train-00000.parquet",
    }
    manifest = json.loads((folder.path / "manifest.json").read_text())
    named = {name for step in manifest["steps"].values() for name in step["files"]}
    there = {str(p.relative_to(folder.path)) for p in folder.path.rglob("*") if p.is_file()}
    assert named == there - {".lock", "manifest.json"}


def test_the_models_learn_the_pets(done: tuple[Job, RunFolder]) -> None:
    run = Run(*done)
    accuracy = {name: by_split["test"].accuracy for name, by_split in run.metrics.items()}
    assert accuracy == {"Hard majority vote": 1.0, "Label model (hierarchical)": 1.0, "End model": 1.0}
    metrics = json.loads((done[1].path / "metrics.json").read_text())
    assert metrics["End model"]["test"]["accuracy"] == 1.0
    assert isinstance(run.metrics["End model"]["dev"], Metrics)


def test_the_end_model_takes_records(done: tuple[Job, RunFolder]) -> None:
    run, loaded = Run(*done), EndModel.load(done[1].path / "end_model.safetensors")
    records = run.split("test").records
    assert np.array_equal(loaded.predict_proba(records), run.end["test"])
    assert np.array_equal(run.end_model.predict_proba(records), run.end["test"])
    texts = [{"text": text} for text in records["text"]]
    assert loaded.predict(texts).tolist() == run.end["test"].predict().tolist()


def test_tables_name_records_by_their_id(done: tuple[Job, RunFolder]) -> None:
    _, folder = done
    labels = pl.read_csv(folder.path / "labels.csv")
    assert labels.columns == [
        "row",
        "id",
        "n_votes",
        "covered",
        "end_label",
        "P(Cat)",
        "P(Dog)",
        "P(Owl)",
        "P(Duck)",
    ]
    assert labels["id"][0] == "train-Cat-0"
    assert labels["end_label"].to_list()[:4] == ["Cat", "Dog", "Owl", "Duck"]
    predictions = pl.read_csv(folder.path / "predictions.csv")
    assert predictions.filter(split="test")["known"].to_list()[:2] == ["Cat", "Dog"]
    assert predictions.filter(split="train")["known"].null_count() == 24
    assert predictions["end_model"].null_count() == 0


def test_record_text_stays_out_of_the_run_folder_but_for_the_report(done: tuple[Job, RunFolder]) -> None:
    for path in done[1].path.rglob("*"):
        if path.is_file() and path.name != "report.html":
            assert b"fur and a meow" not in path.read_bytes()
    assert "and a" in (done[1].path / "report.html").read_text()


def test_the_same_seed_gives_the_same_bytes(done: tuple[Job, RunFolder], tmp_path: Path) -> None:
    job, first = done
    second = RunFolder(tmp_path / "second")
    Run(job, second).run()
    for kind in ("votes", "probabilities", "end_probabilities"):
        for split in job.splits:
            name = f"{kind}/{split}-00000.parquet"
            assert (first.path / name).read_bytes() == (second.path / name).read_bytes()


def test_asking_for_a_result_does_the_steps_it_needs(tmp_path: Path) -> None:
    run = Run(_job(tmp_path / "p"), tmp_path / "run")
    assert not run.steps
    run.train()
    assert run.steps == ("apply", "fit", "train")
    assert Run(_job(tmp_path / "p"), tmp_path / "run").steps == run.steps


def test_an_lf_that_votes_for_another_task_is_named(tmp_path: Path) -> None:
    job = _job(tmp_path / "p", lfs=LFS.replace('return "Cat"', 'return "Owl"'))
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(LabelingError, match="meows"):
        Run(job, folder).apply()
    assert not folder.steps
    assert not (folder.path / "votes").exists()


def test_options_that_a_model_does_not_have_are_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    Run(_job(tmp_path / "p"), folder).apply()
    wrong = _job(tmp_path / "p", project=PROJECT + "    label_model: {options: {max_itr: 5}}\n")
    with pytest.raises(ConfigError) as caught:
        Run(wrong, folder).fit()
    assert str(caught.value) == "label_model.options: 'max_itr' is no option. Did you mean 'max_iter'?"
    wrong = _job(tmp_path / "p", project=PROJECT + "    label_model: {options: {strength: -1}}\n")
    with pytest.raises(ConfigError, match=r"label_model: .*strength must be"):
        Run(wrong, folder).fit()


@pytest.mark.parametrize("name", ["log-linear", "soft-vote", "hard-vote"])
def test_every_label_model_fits(tmp_path: Path, name: str) -> None:
    job = _job(tmp_path / "p", project=PROJECT + f"    label_model: {{name: {name}}}\n")
    folder = RunFolder(tmp_path / "run")
    Run(job, folder).apply()
    probs = Run(job, folder).fit().labels
    gold = job.split("test").gold
    assert gold is not None
    assert (probs["test"].predict() == job.schema.end_of(gold)).all()


def test_warnings_are_passed_on_and_kept(tmp_path: Path) -> None:
    prior = "{Cat: 0.25, Dog: 0.25, Owl: 0.25, Duck: 0.25}"
    job = _job(tmp_path / "p", project=PROJECT + f"    label_model: {{name: log-linear, class_prior: {prior}}}\n")
    folder = RunFolder(tmp_path / "run")
    Run(job, folder).apply()
    with pytest.warns(MetalworkWarning, match="no class prior"):
        Run(job, folder).fit()
    assert "no class prior" in folder.manifest["steps"]["fit"]["warnings"][0]


@pytest.mark.filterwarnings("ignore:No labeling function votes for")
def test_labeling_functions_that_all_abstain_cannot_train(tmp_path: Path) -> None:
    silent = """
    import metalwork as mw

    LABELING_FUNCTIONS = [
        mw.keywords("kind", "Bird", ["dinosaur"], name="one"),
        mw.keywords("mammal", "Cat", ["dinosaur"], name="two"),
        mw.keywords("bird", "Owl", ["dinosaur"], name="three"),
    ]
    """
    only = (
        PROJECT[: PROJECT.index("      rules:")]
        + "    features: {text: text}\n    label_model: {name: hard-vote}\n"
    )
    job, folder = _job(tmp_path / "p", lfs=silent, project=only), RunFolder(tmp_path / "run")
    Run(job, folder).apply()
    Run(job, folder).fit()
    with pytest.raises(ConfigError) as caught:
        Run(job, folder).train()
    assert str(caught.value) == (
        "Labeling functions must vote on at least one training record; all abstain on every one. "
        "Look at the coverage of each with: metalwork apply."
    )


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, folder = _job(tmp_path / "p"), RunFolder(tmp_path / "run")
    Run(job, folder).apply()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            Run(job, folder).fit()
    assert list(folder.steps) == ["apply"]
    assert not list(folder.path.glob(".*.tmp"))
    Run(job, folder).fit()
    assert list(folder.steps) == ["apply", "fit"]


def test_records_in_memory_run_like_those_in_files(tmp_path: Path) -> None:
    job = _job(tmp_path / "p")
    memory = Job.of_splits(
        "pets",
        job.schema,
        job.labeling_functions,
        {name: Split(job.split(name).records, job.split(name).gold) for name in job.splits},
        FeatureSettings(text="text"),
        label_model=LabelModelSettings(use_dev=False),
    )
    one, other = RunFolder(tmp_path / "one"), RunFolder(tmp_path / "other")
    first, second = (Run(each, folder).apply().votes["train"] for each, folder in ((job, one), (memory, other)))
    assert np.array_equal(first.codes, second.codes)
