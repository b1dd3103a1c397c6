"""The command ``drift``."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import metalwork as mw
from metalwork.cli import app
from tests.unit.pipeline.projects import records, write_project


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_project(tmp_path_factory.mktemp("pets"))
    mw.Run.open(path, "first").run()
    return path.parent / "runs/first"


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["drift", *map(str, arguments)])
    return done.exit_code, done.output


def test_nothing_moved_and_what_moved(run: Path, tmp_path: Path) -> None:
    (tmp_path / "same.csv").write_text(records("train", 9))
    code, output = call(run, tmp_path / "same.csv", "--run-code", "--fail-on-drift")
    assert (code, "36 new records beside 24 of train: 11 comparisons, 7 of labeling functions" in output) == (
        0,
        True,
    )
    assert "Nothing moved." in output
    head, *lines = records("train", 9).splitlines()
    (tmp_path / "other.csv").write_text(
        "\n".join([head, *(line for line in lines if "Cat" in line or "Dog" in line)])
    )
    code, output = call(run, tmp_path / "other.csv")
    assert (code, "labels of task" in output, "Votes were not compared" in output) == (0, True, True)
    out = tmp_path / "drift.json"
    code, output = call(run, tmp_path / "other.csv", "--run-code", "--fail-on-drift", "--out", out)
    assert (code, "votes of LF" in output) == (4, True)
    kinds = {(shift["kind"], shift["name"]): shift for shift in json.loads(out.read_text())["shifts"]}
    assert kinds["labels", "kind"]["after"] == {"Mammal": 1.0, "Bird": 0.0}


def test_bad_arguments_are_one_error(run: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(records("train", 1))
    code, output = call(run, tmp_path / "new.csv", "--significance", 2)
    assert (code, "significance must be a number in (0, 1); got 2.0." in output) == (1, True)
    code, output = call(run, tmp_path / "none.csv")
    assert (code, "there is no such file" in output) == (1, True)
