"""The command ``predict``."""

import gzip
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
    done = CliRunner().invoke(app, ["predict", *map(str, arguments)])
    return done.exit_code, done.output


def test_files_of_several_formats_at_once(run: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new/a.jsonl.gz").write_bytes(gzip.compress(b'{"key": "a", "text": "fur and a meow"}\n'))
    (tmp_path / "new/b.csv").write_text("text,key\nbeak and quack,b\n")
    code, output = call(run, tmp_path / "new/*", "--out", tmp_path / "out.csv", "--keep", "key")
    assert (code, "2 records: " in output) == (0, True)
    found = pl.read_csv(tmp_path / "out.csv")
    assert found["key"].to_list() == ["a", "b"]
    assert found["end_label"].to_list() == ["Cat", "Duck"]


def test_labels_of_little_confidence_are_left_out(run: Path, tmp_path: Path) -> None:
    test = run.parents[1] / "test.csv"
    assert call(run, test, "--out", tmp_path / "out.csv", "--min-confidence", 1)[0] == 0
    assert pl.read_csv(tmp_path / "out.csv")["end_label"].null_count() == 8
    code, output = call(run, test, "--out", tmp_path / "out.csv", "--min-precision", 0.5)
    assert code == 0
    assert "Labels are given from confidence" in output
    code, output = call(run, test, "--out", tmp_path / "out2.csv", "--min-precision", 0.95)
    assert code == 1
    assert "got 4 dev records with a known end label, of which 45 would have to be right" in output
    assert not (tmp_path / "out2.csv").exists()


def test_code_is_run_where_one_says_so(run: Path, tmp_path: Path) -> None:
    test = run.parents[1] / "test.csv"
    code, output = call(run, test, "--out", tmp_path / "out.csv", "--model", "label")
    assert (code, "If you trust the run, pass run_code=True (--run-code)." in output) == (1, True)
    code, output = call(run, test, "--out", tmp_path / "out.csv", "--model", "label", "--run-code")
    assert (code, "Running the labeling functions that" in output) == (0, True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must hold records; the file is empty."),
        ("text\n", "must hold at least one record"),
        ("words\nfur\n", "records must have the column 'text', which the model reads; they have: 'words'."),
    ],
)
def test_bad_files_are_one_error(content: str, message: str, run: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(content)
    code, output = call(run, tmp_path / "new.csv", "--out", tmp_path / "out.csv")
    assert (code, message in output, "Traceback" in output) == (1, True, False)
    assert not (tmp_path / "out.csv").exists()


def test_records_are_not_written_over(run: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("text\nfur\n")
    code, output = call(run, tmp_path / "new.csv", "--out", tmp_path / "new.csv")
    assert (code, "out must be another file than the records" in output) == (1, True)
    assert (tmp_path / "new.csv").read_text() == "text\nfur\n"
