"""Run folders: one writer, and only what is committed can be seen."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from metalwork._files import write_text
from metalwork.errors import ConfigError, DataError
from metalwork.pipeline import RunFolder, new_run


def _write(folder: RunFolder, step: str, name: str, text: str = "content") -> None:
    with folder.writing(), folder.step(step) as files:
        write_text(folder.path / name, text)
        files.append(name)


def _fail_in(folder: RunFolder, step: str, name: str) -> None:
    with suppress(_PowerCutError), folder.writing(), folder.step(step) as files:
        write_text(folder.path / name, "half")
        files.append(name)
        raise _PowerCutError


class _PowerCutError(Exception):
    pass


def test_a_file_is_visible_once_its_step_is_committed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    _fail_in(folder, "apply", "votes.npz")
    assert not folder.steps
    with pytest.raises(ConfigError) as caught:
        folder.file("votes.npz")
    assert str(caught.value) == (
        f"{folder.path} must hold votes.npz; no finished step has written it. Redo the step that does."
    )
    _write(folder, "apply", "votes.npz")
    assert list(folder.steps) == ["apply"]
    assert folder.file("votes.npz").read_text() == "content"


def test_redoing_a_step_withdraws_the_later_ones(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    _write(folder, "apply", "votes.npz")
    _write(folder, "fit", "labels.csv")
    _write(folder, "apply", "votes.npz", "other")
    assert list(folder.steps) == ["apply"]
    with pytest.raises(ConfigError) as caught:
        folder.require("fit")
    assert str(caught.value) == (
        f"{folder.path} must hold the results of the step 'fit'; it does not. "
        "Run first: metalwork fit PROJECT --run run."
    )


def test_a_step_that_fails_withdraws_its_old_results(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    _write(folder, "apply", "votes.npz")
    _fail_in(folder, "apply", "votes.npz")
    assert not folder.steps


def test_a_file_that_changed_since_is_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    _write(folder, "apply", "votes.npz")
    (folder.path / "votes.npz").write_text("contents")
    with pytest.raises(DataError, match="must be the file that the manifest names; it has changed"):
        folder.file("votes.npz")


def test_a_damaged_manifest_is_one_clear_error(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    start = '{"format": "metalwork run 1", "steps": '
    damaged = ("[]}", '{"apply": 1}}', '{"apply": {"files": []}}}', '{"apply": {"files": {"votes.npz": 3}}}}')
    for text in ("{", "[]", '{"format": "other"}', *(start + rest for rest in damaged)):
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(DataError, match=r"manifest\.json: must be a"):
            _ = folder.steps


def test_the_second_writer_fails_at_once_and_names_the_first(tmp_path: Path) -> None:
    code = (
        "import sys; from metalwork.pipeline import RunFolder\n"
        "with RunFolder(sys.argv[1]).writing():\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    folder = RunFolder(tmp_path / "run")
    command = [sys.executable, "-c", code, str(folder.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with pytest.raises(ConfigError) as caught, folder.writing():
            pass
        first.communicate()
    assert str(caught.value).startswith(f"{folder.path} must have one writer at a time; process {first.pid} on ")
    assert str(caught.value).endswith("is writing to it. Wait for it to end, or name another run with --run.")
    with folder.writing():  # free again
        pass


def test_the_lock_of_a_killed_writer_is_free(tmp_path: Path) -> None:
    code = (
        "import os, sys; from metalwork.pipeline import RunFolder\n"
        "with RunFolder(sys.argv[1]).writing():\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    folder = RunFolder(tmp_path / "run")
    subprocess.run([sys.executable, "-c", code, str(folder.path)], check=False)
    assert "pid" in (folder.path / ".lock").read_text()
    with folder.writing():
        pass


def test_writing_may_be_nested_and_is_needed_for_a_step(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.writing(), folder.writing():
        pass
    with pytest.raises(RuntimeError, match=r"inside RunFolder\.writing"), folder.step("apply"):
        pass


def test_new_runs_have_new_names_and_the_latest_is_found(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        RunFolder.latest(tmp_path)
    assert str(caught.value) == (
        f"There is no run in {tmp_path} yet. Start with: metalwork apply, or metalwork run."
    )
    names = set()
    for _ in range(3):
        folder = new_run(tmp_path)
        _write(folder, "apply", "votes.npz")
        names.add(folder.path.name)
    assert len(names) == 3
    assert RunFolder.latest(tmp_path).path == folder.path
    manifest = json.loads((folder.path / "manifest.json").read_text())
    assert set(manifest["steps"]["apply"]["files"]["votes.npz"]) == {"bytes", "sha256"}
