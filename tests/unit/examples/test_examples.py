"""Examples are projects: whole folders that anyone could have written."""

from pathlib import Path

import pytest

import metalwork as mw
from metalwork.errors import ConfigError
from metalwork.examples import EXAMPLES, example_folder, load_example
from metalwork.pipeline import Job, Run, check_job, load_project


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_is_a_folder_with_a_project(name: str) -> None:
    folder = example_folder(name)
    assert {"project.yaml", "schema.yaml", "lfs.py", "records.py"} <= {path.name for path in folder.iterdir()}
    project = load_project(folder / "project.yaml")
    assert [path.name for path in project.code] == ["records.py", "lfs.py"]


def test_there_is_no_other() -> None:
    here = example_folder("openi").parent
    assert sorted(path.parent.name for path in here.glob("*/project.yaml")) == list(EXAMPLES)
    with pytest.raises(ConfigError, match=r"^'digit' is no example\. Did you mean 'digits'\?$"):
        example_folder("digit")


def test_a_copy_runs_where_it_lies(tmp_path: Path) -> None:
    for source in example_folder("digits").iterdir():
        if source.is_file():
            (tmp_path / source.name).write_bytes(source.read_bytes())
    copied = Job.of_project(load_project(tmp_path / "project.yaml"))
    check_job(copied)
    assert copied.split("train").records.equals(load_example("digits").split("train").records)


def test_helpers_of_one_project_do_not_stand_in_for_anothers() -> None:
    """RCV1 and Reuters both have a file called evidence."""
    from tests.unit.examples.parts import functions

    first, second, again = functions("rcv1"), functions("reuters"), functions("rcv1")
    assert [lf.name for lf in first] == [lf.name for lf in again] != [lf.name for lf in second]


def test_an_example_with_helpers_runs_in_worker_processes() -> None:
    """Workers cannot import what lies beside lfs.py; OpenI's helpers also keep caches."""
    from tests.unit.examples.parts import functions, schema

    lfs, tree = functions("openi"), schema("openi")
    records = [{"text": text} for text in ("FINDINGS: Left pneumothorax.", "IMPRESSION: No acute disease.", "")]
    alone = mw.apply(lfs, records, tree)
    several = mw.apply(lfs, records, tree, backend="processes", n_jobs=2)
    assert (alone.codes == several.codes).all()


def test_digits_run_whole(tmp_path: Path) -> None:
    job = load_example("digits")
    job.end_model = job.end_model.model_copy(update={"max_epochs": 3})
    run = Run(job).evaluate()
    assert run.metrics["Label model (hierarchical)"]["test"].accuracy > 0.7
