"""Runs that end at any moment: the same command goes on, and ends as if nothing had been."""

import os
from pathlib import Path

import pytest

import metalwork as mw
from metalwork.pipeline import STEPS, load_project
from metalwork.pipeline._job import Job
from metalwork.pipeline._unfinished import unfinished_run
from tests.campaigns import disk, kills
from tests.campaigns._projects import copy_of, results_of, write_project
from tests.slow import cases

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")


class PowerCutError(BaseException):
    """In the place of a kill, in this process."""


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], int]:
    """A project, the results of an undisturbed run, and how often that syncs."""
    project, syncs, sync = write_project(tmp_path_factory.mktemp("kills") / "project", n_points=150), [0], os.fsync

    def counting(handle: int) -> None:
        syncs[0] += 1
        sync(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", counting)
        mw.Run.open(project, run="r").run()
    return project, results_of(project.parent / "runs" / "r"), syncs[0]


@pytest.mark.parametrize("case", cases(8, 60))
def test_a_run_goes_on_wherever_it_ended(
    tmp_path: Path, reference: tuple[Path, dict[str, str], int], case: int
) -> None:
    original, expected, n_syncs = reference
    project, sync = copy_of(original, tmp_path / "project"), os.fsync
    left = 1 + (case * 7919) % n_syncs

    def cut(handle: int) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise PowerCutError
        sync(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", cut)
        with pytest.raises(PowerCutError):
            mw.Run.open(project, run="r").run()
    folder = mw.Run.open(project, run="r").folder
    assert folder is not None
    named = [name for facts in folder.manifest["steps"].values() for name in facts["files"]]
    named += [name for line in folder.journal.read()[1:] for name in line["files"]]
    before = {name: (folder.path / name).stat().st_ino for name in named}
    mw.Run.open(project, run="r").run()
    assert results_of(folder.path) == expected
    assert {name: (folder.path / name).stat().st_ino for name in named} == before
    assert folder.steps == STEPS


def _cut_after(project: Path, n_files: int) -> mw.Run:
    """Begin to apply, and end once this many groups of files are kept."""
    run = mw.Run.open(project, run="r")
    assert run.folder is not None
    append, left = run.folder.journal.append, [n_files]

    def cut(entry: dict[str, object]) -> None:
        append(entry)
        left[0] -= 1
        if not left[0]:
            raise PowerCutError

    run.folder.journal.append = cut  # type: ignore[method-assign]
    with pytest.raises(PowerCutError):
        run.apply()
    return run


EDITS = {
    "meows.txt": ("meow", "mew"),
    "lfs.py": ('{"Mammal", "Bird"}', '"Bird"'),
    "train.csv": ("hoot", "toot"),
    "project.yaml": ("[hoot]", "[toot]"),
}


@pytest.mark.parametrize("name", EDITS)
def test_votes_on_what_has_changed_since_are_not_taken_up(tmp_path: Path, name: str) -> None:
    project, anew = (write_project(tmp_path / folder, n_points=150) for folder in ("project", "anew"))
    _cut_after(project, 2)
    for path in (project.parent / name, anew.parent / name):
        old, new = EDITS[name]
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
    taken, fresh = (mw.Run.open(each, run="r").apply().votes["train"] for each in (project, anew))
    assert taken.stored_codes.tolist() == fresh.stored_codes.tolist()


def test_a_look_up_file_that_no_process_opens_again_still_counts(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", n_points=150)
    _cut_after(project, 7)  # all shards of all splits
    run = mw.Run.open(project, run="r").apply()
    assert run.folder is not None
    assert "meows.txt" in run.folder.manifest["steps"]["apply"]["inputs"]["code"]
    (project.parent / "meows.txt").write_text("mew")
    assert not mw.Run.open(project, run="r").is_kept("apply")


def test_the_newest_run_goes_on_where_something_is_left_to_do(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", n_points=150)
    job = Job.of_project(load_project(project))
    assert unfinished_run(job, STEPS) is None
    _cut_after(project, 2)
    found = unfinished_run(job, STEPS)
    assert found is not None
    assert found.path.name == "r"
    with found.writing():  # somebody else's
        assert unfinished_run(job, STEPS) is None
    mw.Run.open(project, run="r").apply()
    assert unfinished_run(job, ["apply"]) is None
    assert unfinished_run(job, STEPS) is not None
    (project.parent / "meows.txt").write_text("mew")
    assert unfinished_run(Job.of_project(load_project(project)), STEPS) is None


def test_short_campaigns(capsys: pytest.CaptureFixture[str]) -> None:
    assert kills.run(2, seed=1) == 0, capsys.readouterr().out
    assert disk.run(1, seed=1) == 0, capsys.readouterr().out
