"""An exported model predicts as its run does, holds no record, and is read with care."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

import metalwork as mw
from metalwork.delivery import Predictor, best_runtime, find_drift
from metalwork.errors import ConfigError, DataError, MetalworkError

NEW = [{"text": text} for text in ("fur and a meow", "beak and quack", "")]


@pytest.fixture(scope="module")
def folder(pets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "model"
    check = Predictor.load(pets).export(path, onnx=True)
    assert check is not None
    assert check.difference <= 1e-5
    return path


def test_it_predicts_as_the_run_does(folder: Path, pets: Path) -> None:
    run, model = Predictor.load(pets), Predictor.load(folder)
    assert np.array_equal(model.predict_proba(NEW).end, run.predict_proba(NEW).end)
    assert (model.name, model.columns, model.model) == ("pets", ("text",), "end")
    assert model.threshold_for(0.5).n_known == run.threshold_for(0.5).n_known == 4
    assert model.threshold_for(0.5).confidence == pytest.approx(run.threshold_for(0.5).confidence, abs=1e-6)
    assert model.explain(NEW[0]).features == run.explain(NEW[0]).features


def test_onnxruntime_says_the_same_without_torch(folder: Path, pets: Path) -> None:
    model = Predictor.load(folder, runtime="onnx")
    assert np.abs(model.predict_proba(NEW).end - Predictor.load(pets).predict_proba(NEW).end).max() <= 1e-5
    assert model.explain(NEW[0]).features == Predictor.load(pets).explain(NEW[0]).features
    assert (best_runtime(folder), best_runtime(pets)) == ("onnx", "torch")
    code = (
        "import sys, metalwork as mw\n"
        f"predictor = mw.Predictor.load({str(folder)!r}, runtime='onnx')\n"
        "print(predictor.predict(['fur and a meow']), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "['Cat'] False\n", done.stderr


def test_it_holds_no_record(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"README.md", "config.json", "dev.npz", "featurizer.npz", "model.onnx", "model.safetensors"}
    for path in folder.iterdir():
        assert b"fur and a meow train" not in path.read_bytes()


def test_the_card_says_what_it_is(folder: Path, pets: Path) -> None:
    text = (folder / "README.md").read_text()
    _, front, card = text.split("---\n", 2)
    assert YAML(typ="safe").load(front) == {
        "library_name": "metalwork",
        "pipeline_tag": "text-classification",
        "tags": ["metalwork", "weak-supervision"],
        "columns": ["text"],
    }
    assert card.strip() == Predictor.load(pets).card().strip()
    for part in (
        "# pets\n",
        "*To be filled in by whoever hands this model on:*",
        "│   ├── Cat\n",
        "| train | train.csv | ",
        "| meows | mammal | Cat | 25.0% | ",
        "On 8 test records: accuracy 100.0%.",
        "| Duck | 2 | 2 | 100.0% | 100.0% | 100.0% |",
        "Expected calibration error: ",
        "- Precision 95%: not shown. A precision of 0.95 must be shown",
    ):
        assert part in card


def test_what_it_does_not_hold_is_refused(folder: Path) -> None:
    model = Predictor.load(folder)
    for ask in (
        lambda: Predictor.load(folder, model="label"),
        lambda: Predictor.load(folder, run_code=True),
        lambda: model.votes(NEW),
        lambda: find_drift(model, NEW),
        lambda: model.export(folder.parent / "again"),
        lambda: model.card(),
    ):
        with pytest.raises(ConfigError, match=r"an exported model"):
            ask()


def test_a_run_has_no_onnx_file(pets: Path) -> None:
    with pytest.raises(ConfigError, match=r"^runtime='onnx' must go with a folder that holds model\.onnx;"):
        Predictor.load(pets, runtime="onnx")


@pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")  # few LFs, few records
def test_a_model_that_reads_votes_stays_with_its_run(tmp_path: Path) -> None:
    schema = mw.TaskSchema.flat(["ham", "spam"])
    lfs = [mw.keywords("label", "spam", ["win"], name="win"), mw.keywords("label", "ham", ["hello"], name="hello")]
    features = {"text": "text", "votes": True}
    train = [{"text": "win a car"}, {"text": "hello you"}] * 10
    mw.Run.of(schema, lfs, train=train, features=features, folder=tmp_path / "run").train()
    predictor = Predictor.load(tmp_path / "run", lfs=lfs)
    with pytest.raises(
        ConfigError, match=r"^The end model must read records alone to be exported; this one reads"
    ):
        predictor.export(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_nothing_is_written_over(folder: Path, pets: Path) -> None:
    with pytest.raises(ConfigError, match=r"must be a new folder; there is something already"):
        Predictor.load(pets).export(folder)


def test_half_a_folder_is_none(pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("metalwork.delivery._folder.write_text", fail)
    with pytest.raises(OSError, match="No space left"):
        Predictor.load(pets).export(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["model.safetensors", "featurizer.npz", "model.onnx", "dev.npz"])
def test_a_changed_file_is_refused(name: str, folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    runtime: Any = "onnx" if name in ("model.onnx", "featurizer.npz") else "torch"
    with pytest.raises(DataError, match=rf"{name}: must be as config\.json says; it is missing or has changed\."):
        Predictor.load(copy, runtime=runtime).threshold_for(0.5)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": "other"}',
        "[" * 5000,
        '{"format": "metalwork model 1", "files": [], "types": 1}',
    ],
)
def test_a_damaged_configuration_is_one_error(content: str, folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    (copy / "config.json").write_text(content)
    with pytest.raises(
        DataError, match=r"config\.json: must be a 'metalwork model 1' file; it is damaged or something"
    ):
        Predictor.load(copy)


@pytest.mark.parametrize(
    ("key", "value"),
    [("schema", {"task": "kind"}), ("files", {"../../secret": "0"}), ("schema", None), ("name", 1)],
)
def test_a_configuration_of_something_else_is_refused(
    key: str, value: object, folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {key: value}))
    with pytest.raises(MetalworkError):
        Predictor.load(copy, runtime="onnx")


def test_an_onnx_file_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    import hashlib

    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    schema = mw.TaskSchema.flat(["ham", "spam"])
    other = mw.EndModel(schema, hidden_sizes=(4,), max_epochs=1).fit(np.eye(4), [0, 1, 0, 1])
    for content in (b"no model", None):
        if content is None:
            other.export_onnx(copy / "model.onnx")
        else:
            (copy / "model.onnx").write_bytes(content)
        config = json.loads((copy / "config.json").read_text())
        config["files"]["model.onnx"] = hashlib.sha256((copy / "model.onnx").read_bytes()).hexdigest()
        (copy / "config.json").write_text(json.dumps(config))
        with pytest.raises(DataError, match=r"model\.onnx: must be (an ONNX file|of the model's schema)"):
            Predictor.load(copy, runtime="onnx")
