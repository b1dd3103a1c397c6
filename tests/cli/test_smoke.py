"""The installed command, in a process of its own, and the demonstration."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from metalwork.cli import app
from tests.unit.pipeline.projects import LFS, PROJECT, SCHEMA, write_project


def _metalwork(*arguments: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    how = ["-m", "metalwork"] if code is None else ["-c", code]
    return subprocess.run([sys.executable, *how, *arguments], capture_output=True, text=True, check=False)


def test_apply_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = _metalwork("apply", str(write_project(tmp_path)), "--run", "smoke")
    assert done.returncode == 0, done.stderr
    assert "Labeling functions of task kind" in done.stdout
    assert (tmp_path / "runs" / "smoke" / "votes" / "train-00000.parquet").is_file()


def test_a_mistake_ends_with_1_and_no_traceback() -> None:
    done = _metalwork("run", "nowhere.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: nowhere.yaml: there is no such file.\n"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from metalwork.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print([name for name in ('torch', 'sklearn', 'polars', 'scipy') if name in sys.modules])\n"
    )
    done = _metalwork("--help", code=code)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_demonstration_without_data_or_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METALWORK_DATA", raising=False)
    monkeypatch.setenv("METALWORK_CACHE", str(tmp_path / "cache"))
    result = CliRunner().invoke(app, ["demo", "--offline", "--out", str(tmp_path / "demo")])
    assert result.exit_code == 0, result.output
    assert "So this demo takes scikit-learn's bundled handwritten digits instead." in result.stdout
    (run,) = (tmp_path / "demo").iterdir()
    assert f"Report: {run / 'report.html'}" in result.stdout
    scores = json.loads((run / "metrics.json").read_text())
    assert scores["End model"]["test"]["accuracy"] > 0.7


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "cp437", "utf-16", "utf-8"])
def test_output_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    names = {"Mammal": "सस्तनी", "Owl": "Kauz – Eule", "Duck": "Ente→"}
    schema, project, lfs = SCHEMA, PROJECT, LFS
    for old, new in names.items():
        schema, project, lfs = (text.replace(old, new) for text in (schema, project, lfs))
    path = write_project(tmp_path, schema=schema, project=project, lfs=lfs)
    for split in ("dev", "test"):
        table = tmp_path / f"{split}.csv"
        table.write_text(table.read_text().replace(",Owl\n", ",Kauz – Eule\n").replace(",Duck\n", ",Ente→\n"))
    command = [sys.executable, "-m", "metalwork", "apply", str(path)]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr.decode(encoding, "replace")
    assert "Labeling functions of task kind" in done.stdout.decode(encoding)


@pytest.mark.parametrize("arguments", [["--help"], ["data", "list"], ["data", "nothing"]])
def test_a_reader_that_goes_away_is_no_error(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "metalwork", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
