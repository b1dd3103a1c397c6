"""Projects whose labeling functions vote for sets, softly, and anywhere in the tree."""

import json
from pathlib import Path

import pytest

import metalwork as mw
from metalwork.errors import MetalworkWarning
from metalwork.pipeline import Job, Run, RunFolder, load_project
from tests.unit.pipeline.projects import LFS, PROJECT, write_project

SETS = """
    @mw.labeling_function(task=None)
    def anywhere(text):
        return mw.Not("Cat", "Dog") if "feather" in text else {"Cat": 0.8} if "meow" in text else mw.Not("Cat")

    @mw.labeling_function(task="kind")
    def unsure(text):
        return {"Mammal": 0.75, "Bird": 0.25} if "fur" in text else None
"""
DEV_ALONE = """
    @mw.labeling_function(task=None)
    def picky(key):
        return mw.Not("Owl") if key.startswith("dev") else mw.Not("Cat")
"""


def job_of(folder: Path, lfs: str, project: str = PROJECT) -> Job:
    return Job.of_project(load_project(write_project(folder, project=project, lfs=LFS + lfs)))


def test_a_project_runs_on_sets_and_soft_votes(tmp_path: Path) -> None:
    job, folder = job_of(tmp_path / "pets", SETS), RunFolder(tmp_path / "run")
    run = Run(job, folder).run()
    votes = Run(job, folder).votes["train"]
    columns = {"anywhere[kind]", "anywhere[mammal]", "anywhere[bird]", "unsure"}
    assert columns < set(votes.names)
    assert set(votes.outcomes) == {"anywhere[mammal]", "unsure"}
    assert run.metrics["Label model (hierarchical)"]["test"].accuracy == 1.0
    assert "not Cat" in (folder.path / "lf_summary.csv").read_text()
    assert "Mammal 0.75" in (folder.path / "report.html").read_text()


def test_worker_processes_change_nothing(tmp_path: Path) -> None:
    jobs = PROJECT.replace("lfs:", "lfs:\n      n_jobs: 2")
    one, two = (
        Run(job_of(tmp_path / name, SETS, project), tmp_path / name / "run").apply().votes["test"]
        for name, project in (("one", PROJECT), ("two", jobs))
    )
    assert one.codes.tolist() == two.codes.tolist()
    assert {name: rows.tobytes() for name, rows in one.outcomes.items()} == {
        name: rows.tobytes() for name, rows in two.outcomes.items()
    }


def test_what_training_records_do_not_hold_abstains_on_dev_with_a_warning(tmp_path: Path) -> None:
    job, folder = job_of(tmp_path / "pets", DEV_ALONE), RunFolder(tmp_path / "run")
    with pytest.warns(MetalworkWarning, match=r"taken for abstains: 'not Owl' of LF 'picky\[bird\]'\."):
        votes = Run(job, folder).apply().votes
    assert (votes["dev"].codes[:, votes["dev"].names.index("picky[bird]")] == mw.ABSTAIN).all()
    assert votes["dev"].outcomes.keys() == votes["train"].outcomes.keys()
    manifest = json.loads((folder.path / "manifest.json").read_text())
    assert len(manifest["steps"]["apply"]["warnings"]) == 1
