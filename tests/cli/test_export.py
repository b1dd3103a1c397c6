"""The command ``export``."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import metalwork as mw
from metalwork.cli import app
from tests.unit.pipeline.projects import write_project


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_project(tmp_path_factory.mktemp("pets"))
    mw.Run.open(path, "first").run()
    return path.parent / "runs/first"


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    return done.exit_code, done.output


def test_a_folder_a_file_and_a_card(run: Path, tmp_path: Path) -> None:
    test = run.parents[1] / "test.csv"
    asked = ("--folder", tmp_path / "model", "--onnx", tmp_path / "model.onnx", "--quantise", "--check", test)
    code, output = call("export", run, *asked, "--card", tmp_path / "card.md")
    assert (code, "on 8 records probabilities differ by at most" in output) == (0, True)
    assert (tmp_path / "model/README.md").read_text().endswith((tmp_path / "card.md").read_text())
    assert not (tmp_path / "model/model.onnx").exists()
    for source in (run, tmp_path / "model"):
        assert call("predict", source, test, "--out", tmp_path / f"{source.name}.csv")[0] == 0
    assert pl.read_csv(tmp_path / "model.csv").equals(pl.read_csv(tmp_path / "first.csv"))


def test_nothing_to_write_is_a_mistake(run: Path) -> None:
    code, output = call("export", run)
    assert (code, "export must be told what to write; got nothing." in output) == (1, True)
