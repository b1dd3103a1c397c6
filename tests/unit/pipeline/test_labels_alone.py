"""A project that wants labels and no end model: every step, the report and prediction cope with it."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import metalwork as mw
from metalwork.cli import app
from metalwork.errors import ConfigError
from tests.unit.pipeline.projects import PROJECT, write_project

_LINE = "end_model: {hidden_sizes: [16, 16], max_epochs: 20, batch_size: 4, lr: 0.01}"


def labels_alone(folder: Path, end_model: str = "none") -> Path:
    return write_project(folder, project=PROJECT.replace(_LINE, f"end_model: {end_model}"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = labels_alone(tmp_path_factory.mktemp("pets"))
    mw.Run.open(path, "first").run()
    return path


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    return done.exit_code, done.output


def test_a_run_has_labels_metrics_and_a_report(project: Path) -> None:
    run = mw.Run.open(project, "first")
    folder = project.parent / "runs/first"
    assert run.steps == ("apply", "fit", "train", "evaluate", "report")
    assert list(run.metrics) == ["Hard majority vote", "Label model (hierarchical)"]
    assert run.metrics["Label model (hierarchical)"]["test"].accuracy == 1.0
    assert "No end model was trained, as the settings say" in run.html
    assert not (folder / "end_model.safetensors").exists()
    assert "end_model" not in pl.read_csv(folder / "predictions.csv").columns
    assert json.loads((folder / "manifest.json").read_text())["steps"]["train"]["trained"] is False


@pytest.mark.parametrize("asked", ["end_model", "end"])
def test_asking_for_the_network_is_one_error(project: Path, asked: str) -> None:
    run = mw.Run.open(project, "first")
    with pytest.raises(ConfigError, match="the settings say end_model: none"):
        _ = getattr(run, asked)["train"] if asked == "end" else getattr(run, asked)


def test_prediction_takes_the_label_model(project: Path, tmp_path: Path) -> None:
    run = project.parent / "runs/first"
    predictor = mw.Predictor.load(run, run_code=True)
    assert predictor.model == "label"
    assert predictor.predict([{"text": "beak and quack", "guess": ""}]) == ["Duck"]
    with pytest.raises(ConfigError, match="model must be 'label' here"):
        mw.Predictor.load(run, model="end")
    out = tmp_path / "out.csv"
    code, output = call("predict", run, project.parent / "test.csv", "--out", out, "--run-code")
    assert code == 0, output
    assert pl.read_csv(out)["end_label"].to_list()[:4] == ["Cat", "Dog", "Owl", "Duck"]
    code, output = call("export", run, "--folder", tmp_path / "model")
    assert (code, "has no end model" in output, "Traceback" in output) == (1, True, False)


def test_the_command_says_so(project: Path) -> None:
    code, output = call("run", project, "--run", "second")
    assert (code, "No end model to train" in output, "Label model" in output) == (0, True, True)
    code, output = call("train", project, "--run", "second")
    assert (code, "No end model is trained, as the project says (end_model: none)." in output) == (0, True)


def test_a_network_can_be_trained_later(tmp_path: Path) -> None:
    mw.Run.open(labels_alone(tmp_path), "first").run()
    run = mw.Run.open(write_project(tmp_path), "first")
    assert run.is_kept("fit")
    assert not run.is_kept("train")
    assert run.run().metrics["End model"]["test"].accuracy == 1.0
    assert mw.Predictor.load(tmp_path / "runs/first").model == "end"


def test_other_keys_beside_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="may have no other key beside architecture: none; got lr"):
        mw.Run.open(labels_alone(tmp_path, "{architecture: none, lr: 0.1}"))


def test_torch_is_not_needed(tmp_path: Path) -> None:
    path = labels_alone(tmp_path)
    code = f"import sys, metalwork as mw; mw.Run.open({str(path)!r}).run(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
