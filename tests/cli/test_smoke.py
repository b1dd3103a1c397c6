"""The installed command, in a process of its own, and the demonstration."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from metalwork.cli import app
from tests.unit.pipeline.projects import write_project


def _metalwork(*arguments: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    how = ["-m", "metalwork"] if code is None else ["-c", code]
    return subprocess.run([sys.executable, *how, *arguments], capture_output=True, text=True, check=False)


def test_apply_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = _metalwork("apply", str(write_project(tmp_path)), "--run", "smoke")
    assert done.returncode == 0, done.stderr
    assert "Labeling functions of task kind" in done.stdout
    assert (tmp_path / "runs" / "smoke" / "votes.npz").is_file()


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
