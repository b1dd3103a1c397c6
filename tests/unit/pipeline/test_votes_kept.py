"""Votes that are kept from run to run, and preprocessors of a project's Python file."""

from pathlib import Path

import pytest

import metalwork as mw
from metalwork.labeling import store_at
from tests.unit.pipeline.projects import LFS, PROJECT, write_project

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")

MADE = (
    LFS
    + """
    @mw.preprocessor(output="upper")
    def upper(text):
        return text.upper()

    @mw.labeling_function(task="kind")
    def loud(upper):
        return "Mammal" if "MEOW" in upper else mw.ABSTAIN
"""
)


def entries() -> int:
    store = store_at(True)
    assert store is not None
    return sum(count for _, count, _ in store.summary().owners)


def test_the_next_run_finds_the_votes_of_the_last(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    first = mw.Run.open(path).apply()
    kept = entries()
    assert kept > 0
    again = mw.Run.open(path).apply()
    assert entries() == kept
    assert again.votes["train"].codes.tolist() == first.votes["train"].codes.tolist()
    path.write_text(path.read_text().replace("lfs:", "lfs:\n  cache: false"), encoding="utf-8")
    store = store_at(True)
    assert store is not None
    store.clear()
    off = mw.Run.open(path).apply()
    assert entries() == 0
    assert off.votes["train"].codes.tolist() == first.votes["train"].codes.tolist()


def test_rules_read_what_preprocessors_of_the_python_file_make(tmp_path: Path) -> None:
    rule = "rules:\n        - {regex: 'MEOW', flags: [], task: kind, label: Mammal, name: cats, field: upper}"
    path = write_project(tmp_path, project=PROJECT.replace("rules:", rule), lfs=MADE)
    votes = mw.Run.open(path).apply().votes["train"]
    cats = votes.codes[:, votes.names.index("cats")]
    assert (cats >= 0).any()
    assert cats.tolist() == votes.codes[:, votes.names.index("loud")].tolist()


def test_a_run_that_finds_its_votes_still_names_the_files_that_they_depend_on(tmp_path: Path) -> None:
    (tmp_path / "barks.txt").write_text("woof")
    opening = """
    @mw.labeling_function(task="kind")
    def barks(text):
        with open(FOLDER + "/barks.txt") as words:
            return "Mammal" if words.read() in text else mw.ABSTAIN
""".replace("FOLDER", repr(str(tmp_path)))
    path = write_project(tmp_path, lfs=LFS + opening)
    read = []
    for name in ("first", "second"):
        run = mw.Run.open(path, run=name).apply()
        assert run.folder is not None
        read.append(run.folder.manifest["steps"]["apply"]["inputs"]["code"])
    assert "barks.txt" in read[0]
    assert read[0] == read[1]
