"""A step works on what earlier steps read: what changed since is named, with the command that redoes it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError
from metalwork.pipeline import FeatureSettings, Job, LabelModelSettings, Run, Split
from tests.unit.pipeline.projects import LFS, PROJECT, write_project

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")  # some changes call for them

HELPED = (
    LFS.replace("import metalwork as mw\n", "import metalwork as mw\n    from words import PAWS, claws\n", 1)
    + """
    @mw.labeling_function(task="kind")
    def clawed(text):
        return "Mammal" if any(word in text for word in claws()) else mw.ABSTAIN
"""
)
WORDS = """
from pathlib import Path

PAWS = Path(__file__).with_name("paws.txt").read_text().split()

def claws():
    with open(Path(__file__).with_name("claws.txt")) as lines:
        return lines.read().split()
"""
LISTED = PROJECT.replace(
    "rules:", "rules:\n        - {words_file: owls.txt, task: bird, label: Owl, name: owlish}"
)


def project_of(folder: Path) -> Path:
    """A project with a helper module, a file read as that is loaded, one read as an LF runs, and one of a rule."""
    path = write_project(folder, project=LISTED, lfs=HELPED)
    (folder / "words.py").write_text(WORDS)
    (folder / "paws.txt").write_text("paw")
    (folder / "claws.txt").write_text("claw")
    (folder / "owls.txt").write_text("owl\n")
    return path


def replacing(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return change


def reorder(folder: Path) -> None:
    header, *rows = (folder / "train.csv").read_text().splitlines()
    (folder / "train.csv").write_text("\n".join([header, *reversed(rows)]) + "\n")


def drop_dev(folder: Path) -> None:
    replacing("project.yaml", "dev: dev.csv, ", "")(folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (reorder, "train.csv"),
        (replacing("dev.csv", "dev-Owl-0", "dev-Owl-9"), "dev.csv"),
        (drop_dev, "dev.csv"),
        (replacing("project.yaml", "test: test.csv", "test: dev.csv"), "test.csv and dev.csv"),
        (replacing("schema.yaml", "Owl, Duck", "Owl, Duck, Hen"), "schema"),
        (replacing("lfs.py", '"hoot"', '"hooot"'), "lfs.py"),
        (replacing("words.py", "PAWS =", "LEGS = PAWS ="), "words.py"),
        (replacing("paws.txt", "paw", "foot"), "paws.txt"),
        (replacing("claws.txt", "claw", "nail"), "claws.txt"),
        (replacing("owls.txt", "owl", "owls"), "owls.txt"),
        (replacing("project.yaml", "quack", "quak"), "lfs"),
    ],
)
def test_what_apply_read_and_changed_since_is_named(
    tmp_path: Path, change: Callable[[Path], None], named: str
) -> None:
    path = project_of(tmp_path)
    mw.Run.open(path, run="first").apply()
    change(tmp_path)
    with pytest.raises(ConfigError) as caught:
        mw.Run.open(path, run="first").fit()
    assert str(caught.value) == (
        f"{named} changed since step 'apply'; run again: metalwork apply {path} --run first."
    )
    assert mw.Run.open(path, run="first").apply().steps == ("apply",)


@pytest.mark.parametrize(
    ("old", "new", "named", "step"),
    [
        ("features:", "label_model: {use_dev: false}\nfeatures:", "label_model", "fit"),
        ("features:", "label_model: {options: {max_iter: 5}}\nfeatures:", "label_model", "fit"),
        ("features:", "random_state: 3\nfeatures:", "random_state", "fit"),
        ("id: key", "id: text", "data.id", "fit"),
        ("max_epochs: 20", "max_epochs: 21", "end_model", "train"),
        ("min_df: 1", "min_df: 2", "features", "train"),
    ],
)
def test_settings_of_a_step_call_for_that_step_again(
    tmp_path: Path, old: str, new: str, named: str, step: str
) -> None:
    path = project_of(tmp_path)
    mw.Run.open(path, run="first").train()
    replacing("project.yaml", old, new)(tmp_path)
    with pytest.raises(ConfigError) as caught:
        mw.Run.open(path, run="first").evaluate()
    assert str(caught.value) == (
        f"{named} changed since step {step!r}; run again: metalwork {step} {path} --run first."
    )
    again = mw.Run.open(path, run="first")
    getattr(again, step)()
    assert again.steps[-1] == step


def test_what_changes_no_result_calls_for_nothing(tmp_path: Path) -> None:
    path = project_of(tmp_path)
    mw.Run.open(path, run="first").fit()
    path.write_text("# a remark\n" + path.read_text().replace("name: pets", "name: pets # theirs"))
    (tmp_path / "schema.yaml").write_text("# a remark\n" + (tmp_path / "schema.yaml").read_text())
    for name in ("train.csv", "lfs.py", "words.py"):
        os.utime(tmp_path / name, (1, 1))
    replacing("project.yaml", "max_epochs: 20", "max_epochs: 2")(tmp_path)  # train has not been done
    (tmp_path / "unrelated.txt").write_text("new")
    mw.Run.open(path, run="first").train()
    copies = tmp_path / "runs" / "first" / "project"
    assert (copies / "project.yaml").read_text() == path.read_text()


def test_a_run_keeps_the_project_it_was_made_from(tmp_path: Path) -> None:
    path = project_of(tmp_path)
    mw.Run.open(path, run="first").apply()
    copies = tmp_path / "runs" / "first" / "project"
    names = ["claws.txt", "lfs.py", "owls.txt", "paws.txt", "project.yaml", "schema.yaml", "words.py"]
    assert sorted(file.name for file in copies.iterdir()) == names
    for name in names:
        assert (copies / name).read_bytes() == (tmp_path / name).read_bytes()


def test_one_worker_process_serves_all_splits(tmp_path: Path) -> None:
    path = write_project(
        tmp_path,
        lfs="""
        import os
        import metalwork as mw

        @mw.labeling_function(task="kind", cache=False)
        def furry(key, text):
            with open(os.environ["SEEN"], "a") as seen:
                print(key.split("-")[0], os.getpid(), file=seen)
            return "Mammal" if "fur" in text else mw.ABSTAIN
        """,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEN", str(tmp_path / "seen.txt"))
        mw.Run.open(path).apply()
    seen = {tuple(line.split()) for line in (tmp_path / "seen.txt").read_text().splitlines()}
    assert {split for split, _ in seen} == {"train", "dev", "test"}
    (worker,) = {process for _, process in seen}
    assert worker != str(os.getpid())


def test_an_edited_helper_is_read_anew_in_the_same_process(tmp_path: Path) -> None:
    path = project_of(tmp_path / "one")
    other = project_of(tmp_path / "two")
    (tmp_path / "two" / "claws.txt").write_text("number0")  # stands in one text of each kind
    assert _voted(path) == 0
    assert _voted(other) == 4
    replacing("words.py", "lines.read()", '"number1"')(tmp_path / "one")
    assert _voted(path) == 4
    assert not list(tmp_path.rglob("__pycache__"))


def _voted(path: Path) -> int:
    votes = mw.Run.open(path).votes["train"]
    return int((votes.codes[:, votes.names.index("clawed")] >= 0).sum())


def test_worker_processes_know_the_helpers(tmp_path: Path) -> None:
    path = project_of(tmp_path)
    replacing("project.yaml", "lfs:", "lfs:\n  n_jobs: 2")(tmp_path)
    code = "import sys, metalwork as mw\nif __name__ == '__main__': mw.Run.open(sys.argv[1], run='r').apply()"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_files_of_packages_and_of_libraries_being_imported_do_not_count(tmp_path: Path) -> None:
    project_of(tmp_path / "p")
    packages = tmp_path / "p" / "site-packages"
    packages.mkdir()
    (packages / "library.py").write_text(
        "from pathlib import Path\nPath(__file__).with_name('data').read_text()\n"
    )
    (packages / "data").write_text("x")
    (tmp_path / "outside.txt").write_text("x")
    lines = [
        "import sys",
        "from pathlib import Path",
        f"sys.path.append({str(packages)!r})",
        "import library",
        f"Path({str(tmp_path / 'outside.txt')!r}).read_text()",
        f"Path({str(tmp_path / 'written.txt')!r}).write_text('x')",
    ]
    (tmp_path / "p" / "lfs.py").write_text("\n".join(lines) + "\n" + (tmp_path / "p" / "lfs.py").read_text())
    run = mw.Run.open(tmp_path / "p" / "project.yaml")
    assert run.job.code is not None
    found = {str(path) for path in run.job.code.digests}
    names = ("lfs.py", "words.py", "paws.txt", "owls.txt")
    assert found == {*(str(tmp_path / "p" / name) for name in names), str(tmp_path / "outside.txt")}


def test_a_project_may_lie_in_an_installed_package(tmp_path: Path) -> None:
    path = project_of(tmp_path / "site-packages" / "theirs")
    mw.Run.open(path, run="first").apply()
    assert (path.parent / "runs" / "first" / "project" / "words.py").is_file()


RECORDS = pl.DataFrame({"text": ["fur", "feather", "fur and paw", "feather and beak"]})


def _job_in_memory(records: pl.DataFrame, word: str = "fur") -> Job:
    schema = mw.TaskSchema.flat(["mammal", "bird"], task="kind")

    @mw.labeling_function(task="kind")
    def furry(text: str) -> str | None:
        return "mammal" if word in text else None

    lfs = [furry, mw.keywords("kind", "bird", ["feather"], name="feathered")]
    splits = {"train": Split(records)}
    vote = LabelModelSettings(name="soft-vote")
    return Job.of_splits("memory", schema, lfs, splits, FeatureSettings(text="text", min_df=1), label_model=vote)


def test_records_and_functions_in_memory_are_known_by_their_content(tmp_path: Path) -> None:
    Run(_job_in_memory(RECORDS), tmp_path / "run").apply()
    Run(_job_in_memory(RECORDS.clone()), tmp_path / "run").fit()
    for other, named in (
        (_job_in_memory(RECORDS.reverse()), "the train records"),
        (_job_in_memory(RECORDS, word="paw"), "the labeling functions"),
    ):
        with pytest.raises(ConfigError) as caught:
            Run(other, tmp_path / "run").train()
        assert str(caught.value) == (
            f"{named} changed since step 'apply'; run again: metalwork apply PROJECT --run run."
        )
