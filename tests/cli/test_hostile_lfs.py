"""A project whose labeling functions end the process: what the command says, writes and ends with."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.unit.pipeline.projects import write_project

_ENDS = """
    import os, pathlib
    import metalwork as mw

    @mw.labeling_function(task="kind")
    def listed(text):
        words = (pathlib.Path(__file__).parent / "words.txt").read_text().split()
        return "spam" if any(word in text for word in words) else "ham"

    @mw.labeling_function(task="kind")
    def ends(text):
        if text == "row 7":
            os._exit(0)
        return "ham"
"""


def _project(folder: Path, lfs: str) -> Path:
    (folder / "lfs.py").write_text(textwrap.dedent(_ENDS), encoding="utf-8")
    (folder / "words.txt").write_text("1 2", encoding="utf-8")
    (folder / "schema.yaml").write_text("task: kind\nlabels: [ham, spam]\n", encoding="utf-8")
    (folder / "train.csv").write_text("text\n" + "".join(f"row {i}\n" for i in range(40)), encoding="utf-8")
    path = folder / "project.yaml"
    path.write_text(
        "schema: schema.yaml\ndata: {train: train.csv}\nfeatures: {text: text}\n"
        f"lfs: {{python: lfs.py, {lfs}}}\n",
        encoding="utf-8",
    )
    return path


def _apply(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "metalwork", "apply", str(project), "--run", "one"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("lfs", "code"),
    [("max_error_rate: 0", 1), ("max_error_rate: 0, on_failure: continue", 3), ("max_error_rate: 0.1", 0)],
)
def test_the_exit_code_says_what_became_of_it(tmp_path: Path, lfs: str, code: int) -> None:
    done = _apply(_project(tmp_path, lfs))
    assert done.returncode == code, done.stderr
    place = f"row 7 of {tmp_path / 'train.csv'}: it ended its process (exit code 0)"
    if code:
        assert f"LF 'ends' failed on 1 of 40 records, more than max_error_rate (0) allows; first at {place}." in (
            " ".join(done.stderr.split())
        )
    assert (tmp_path / "runs" / "one" / "votes").is_dir() == (code != 1)
    if code != 1:
        assert f"LF 'ends' failed at {place}" in " ".join(done.stdout.split())
        manifest = json.loads((tmp_path / "runs" / "one" / "manifest.json").read_text())
        assert "words.txt" in manifest["steps"]["apply"]["inputs"]["code"]


def test_rules_alone_start_no_process(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    path = tmp_path / "rules.yaml"
    text = project.read_text(encoding="utf-8")
    assert "python: lfs.py" in text
    path.write_text(text.replace("python: lfs.py", ""), encoding="utf-8")
    code = (
        "import sys\n"
        "def hear(event, _):\n    assert event != 'subprocess.Popen'\n"
        "sys.addaudithook(hear)\n"
        f"from metalwork.cli import main\nsys.argv[1:] = ['apply', {str(path)!r}]\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
