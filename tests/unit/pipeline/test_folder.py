"""Run folders: one writer, and only what is committed can be seen."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from metalwork.errors import ConfigError, DataError
from metalwork.pipeline import RunFolder, new_run
from metalwork.pipeline._manifest import write_manifest
from metalwork.pipeline._work import Work


def _write(folder: RunFolder, step: str, name: str, text: str = "content") -> None:
    with folder.writing():
        work = Work(folder, step)
        work.keep({name: text.encode()})
        work.commit({})


def _fail_in(folder: RunFolder, step: str, name: str) -> None:
    with suppress(_PowerCutError), folder.writing():
        Work(folder, step).keep({name: b"half"})
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
    with pytest.raises(DataError) as caught:
        folder.file("votes.npz")
    assert str(caught.value) == (
        f"{folder.path / 'votes.npz'}: must be as the step 'apply' wrote it; it has changed since. "
        "Run again: metalwork apply PROJECT --run run."
    )


def test_every_flipped_bit_of_the_manifest_is_found(tmp_path: Path) -> None:
    _write(RunFolder(tmp_path / "run", "p.yaml"), "apply", "votes.npz")
    path = tmp_path / "run" / "manifest.json"
    content = path.read_bytes()
    for place in range(len(content)):
        for bit in range(8):
            flipped = bytearray(content)
            flipped[place] ^= 1 << bit
            path.write_bytes(flipped)
            with pytest.raises(DataError, match=r"manifest\.json: must be .* Remove the run's folder and start"):
                _ = RunFolder(tmp_path / "run").manifest


def test_no_manifest_names_a_file_outside(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    folder = RunFolder(tmp_path / "run")
    _write(folder, "apply", "votes.npz")
    for name in ("../precious.txt", str(tmp_path / "precious.txt"), ""):
        manifest = folder.manifest
        manifest["steps"]["apply"]["files"][name] = {"bytes": 4, "sha256": ""}
        write_manifest(tmp_path / "run" / "manifest.json", manifest)
        with pytest.raises(DataError, match=r"manifest\.json: must be a 'metalwork run 3' file"):
            _write(folder, "apply", "votes.npz")
        manifest["steps"]["apply"]["files"].pop(name)
        write_manifest(tmp_path / "run" / "manifest.json", manifest)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "copy.yaml").write_text("mine")
    folder = RunFolder(tmp_path / "run")
    (tmp_path / "run").mkdir()
    _write(folder, "apply", "project/copy.yaml")
    (tmp_path / "run" / "project" / "copy.yaml").unlink()
    (tmp_path / "run" / "project").rmdir()
    (tmp_path / "run" / "project").symlink_to(tmp_path / "elsewhere")
    _write(folder, "apply", "votes.npz")
    assert (tmp_path / "elsewhere" / "copy.yaml").read_text() == "mine"


@pytest.mark.parametrize("kind", ["symbolic", "hard", "folder"])
def test_a_lock_that_is_no_file_of_ours_is_left_alone(tmp_path: Path, kind: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "precious.txt").write_text("mine")
    lock = tmp_path / "run" / ".lock"
    if kind == "symbolic":
        lock.symlink_to(tmp_path / "precious.txt")
    elif kind == "hard":
        lock.hardlink_to(tmp_path / "precious.txt")
    else:
        lock.mkdir()
    with pytest.raises(ConfigError) as caught, RunFolder(tmp_path / "run").writing():
        pass
    assert (
        str(caught.value) == f"{lock} must be a lock file of metalwork's own; it is a link or no file. Remove it."
    )
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    code = (
        "import os, sys; from metalwork._files import atomic_write; from metalwork.pipeline import RunFolder\n"
        "folder = RunFolder(sys.argv[1])\n"
        "with folder.writing(), atomic_write(folder.path / 'project' / 'a') as a:\n"
        "    with atomic_write(folder.path / 'votes.npz') as b:\n"
        "        os.kill(os.getpid(), 9)\n"
    )
    folder = RunFolder(tmp_path / "run")
    subprocess.run([sys.executable, "-c", code, str(folder.path)], check=False)
    assert len(list(folder.path.rglob("*.tmp"))) == 2
    with folder.writing():
        assert not list(folder.path.rglob("*.tmp"))


def test_redoing_a_step_removes_the_files_of_later_ones(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    _write(folder, "apply", "votes.npz")
    _write(folder, "fit", "labels.csv")
    _write(folder, "apply", "votes.npz")
    assert not (folder.path / "labels.csv").exists()


def test_a_file_belongs_to_the_step_that_wrote_it_last(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    _write(folder, "apply", "project.yaml", "old")
    _write(folder, "fit", "project.yaml", "new")
    assert folder.file("project.yaml").read_text() == "new"
    assert folder.manifest["steps"]["apply"]["files"] == {}


def test_new_runs_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from metalwork.pipeline import new_run\n"
        "print(new_run(Path(sys.argv[1])).path)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "runs")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    paths = {process.communicate()[0] for process in started}
    assert len(paths) == 3
    assert len(list((tmp_path / "runs").iterdir())) == 3


def test_a_damaged_manifest_is_one_clear_error(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    start = '{"format": "metalwork run 3", "steps": '
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
    with pytest.raises(RuntimeError, match=r"inside RunFolder\.writing"):
        Work(folder, "apply").keep({"votes.npz": b""})


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


def test_an_empty_folder_is_a_run_only_where_its_name_is_one_of_ours(tmp_path: Path) -> None:
    (tmp_path / "drafts").mkdir()
    assert [*RunFolder.all(tmp_path)] == []
    run = new_run(tmp_path)
    assert [folder.path for folder in RunFolder.all(tmp_path)] == [run.path]
