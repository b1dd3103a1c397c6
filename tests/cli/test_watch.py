"""``metalwork watch``: only what changed runs again, mistakes are told and forgiven, Ctrl-C ends it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from metalwork.cli import app
from metalwork.editing import DevFile, ProjectEditor
from metalwork.pipeline import Failed, Looked, watch
from metalwork.pipeline import _watch as watching
from metalwork.pipeline._run import Run
from tests.unit.pipeline.projects import write_project

Seen = list[Looked | Failed]


def seen_after(path: Path, *changes: Callable[[], Any]) -> Seen:
    """What a watcher tells at first, and after each change."""
    seen: Seen = []
    left = list(changes)
    deadline = time.monotonic() + 60

    def go_on() -> bool:
        if len(seen) == 1 + len(changes) - len(left):
            if not left:
                return False
            left.pop(0)()
        return time.monotonic() < deadline

    watch(path, seen.append, every=0.01, go_on=go_on)
    return seen


def looked(found: Looked | Failed) -> Looked:
    assert isinstance(found, Looked), found
    return found


def test_settings_are_not_tried_on_each_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("watch tried settings")

    monkeypatch.setattr("metalwork.pipeline._steps.tune", refuse)
    path = write_project(tmp_path)
    path.write_text(path.read_text(encoding="utf-8") + "\ntune: true\n", encoding="utf-8")
    assert looked(seen_after(path)[0]).fitted


def test_only_what_changed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[Run] = []
    real = Run.fit

    def counted(run: Run) -> Run:
        fits.append(run)
        return real(run)

    monkeypatch.setattr(Run, "fit", counted)
    path = write_project(tmp_path)
    code = tmp_path / "lfs.py"
    rule = {"regex": r"quack\w*|hoot", "task": "bird", "label": "Duck", "name": "quacks"}
    seen = seen_after(
        path,
        lambda: ProjectEditor(path).replace_rule("quacks", rule),
        lambda: code.write_text(code.read_text() + "\n# a comment\n"),
        lambda: ProjectEditor(path).set("end_model.max_epochs", 3),
        lambda: ProjectEditor(path).remove_rule("quacks"),
        lambda: DevFile(path).set(("dev", 3), "Owl"),
    )
    first, changed, comment, network, gone, dev = map(looked, seen)
    assert first.coverage == (None, 1.0)
    assert {lf.kind for lf in first.lfs} == {"added"}
    assert [str(share) for share in first.accuracy] == ["None", "100.0% of 4 (51% to 100%)"]
    assert changed.files == (path.resolve(),)
    assert {lf.name: lf.n_changed for lf in changed.lfs if lf.kind != "same"} == {"quacks": 6}
    assert changed.n_votes["quacks"] == (6, 12)
    quacks = next(lf for lf in changed.lfs if lf.name == "quacks")
    assert [str(share) for share in quacks.precision] == ["100.0% of 1 (21% to 100%)", "50.0% of 2 (9% to 91%)"]
    assert all(lf.kind == "same" for found in (comment, network) for lf in found.lfs)
    assert (comment.files, network.files) == ((code.resolve(),), (path.resolve(),))
    assert [found.fitted for found in (first, changed, comment, network, gone, dev)] == [
        True, True, False, False, True, True
    ]  # fmt: skip
    assert len(fits) == 4
    assert [lf.kind for lf in gone.lfs if lf.name == "quacks"] == ["gone"]
    assert dev.files == ((tmp_path / "dev.csv").resolve(),)
    assert dev.paired is not None
    assert dev.paired.n == 3  # the other one is known otherwise now


def test_a_vote_off_its_branch_counts_as_wrong(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    editor = ProjectEditor(path)
    editor.add_rule({"regex": "dev", "task": "bird", "label": "Owl", "name": "everywhere"})
    found = looked(seen_after(path)[0])
    everywhere = next(lf for lf in found.lfs if lf.name == "everywhere")
    assert str(everywhere.precision[1]).startswith("25.0% of 4 ")  # and not 50 % of the 2 on its branch


def test_mistakes_are_told_and_forgiven(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    code, text, project = tmp_path / "lfs.py", (tmp_path / "lfs.py").read_text(), path.read_text()
    seen = seen_after(
        path,
        lambda: code.write_text(text + "def x(:\n"),
        lambda: code.write_text(text + "raise KeyError('no')\n"),
        lambda: code.write_text(text),
        lambda: path.write_text(project.replace("task: bird", "task: brid")),
        lambda: path.write_text("lfs: ["),
        lambda: path.unlink(),
        lambda: path.write_text(project),
    )
    errors = [found.text if isinstance(found, Failed) else None for found in seen]
    assert errors[0] is errors[3] is errors[7] is None
    wanted = ["SyntaxError", "KeyError", "Did you mean 'bird'?", "not valid YAML", "there is no such file"]
    said = [errors[i] or "" for i in (1, 2, 4, 5, 6)]
    assert all(text in own for text, own in zip(wanted, said, strict=True))
    last = looked(seen[7])
    assert not last.fitted
    assert all(lf.kind == "same" for lf in last.lfs)


def test_a_project_without_dev_and_one_that_gets_it(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    path.write_text(path.read_text().replace("dev: dev.csv, test: test.csv, ", ""))
    seen = seen_after(path, lambda: DevFile(path).set(("train", 0), "Cat"))
    assert looked(seen[0]).accuracy == (None, None)
    assert str(looked(seen[1]).accuracy[1]) == "100.0% of 1 (21% to 100%)"
    assert looked(seen[1]).paired is None


def test_saving_the_same_again_runs_nothing(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    watched = watching.Watched(path)
    looked(watched.look(()))
    before = watched.stamps()
    os.utime(path, ns=(1, 1))
    assert watched.stamps() != before
    assert watched.saved() == ()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
def test_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-m", "metalwork", "watch", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("fitted"):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err.endswith("Stopped watching.\n")
    assert "Traceback" not in out + err


def test_a_project_that_is_not_there_ends_at_once(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        result = CliRunner().invoke(app, ["watch", str(path)])
        assert result.exit_code == 1
        assert str(path) in result.output
