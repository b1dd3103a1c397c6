"""``metalwork show`` and ``lf why``: records of a run, with what was found marked."""

import shutil
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from metalwork.cli import app
from metalwork.cli._records import marked
from metalwork.inspection import Segment, Span
from metalwork.pipeline import Run
from tests.unit.pipeline.projects import LFS, PROJECT, write_project

MARK = """
    import pathlib

    pathlib.Path(__file__).with_name("ran").write_text("yes")
"""
LABELS_ALONE = PROJECT.replace("{hidden_sizes: [16, 16], max_epochs: 20, batch_size: 4, lr: 0.01}", "none")


def metalwork(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    return result


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pets")
    rule = (
        "- {keywords: [bark], task: mammal, label: Cat, name: barks not, negated_by: [paw], window: 9}\n        "
    )
    text = LABELS_ALONE.replace("- {column: guess", rule + "- {column: guess")
    path = write_project(folder, project=text, lfs=LFS + MARK)
    Run.open(path, "first").run()
    return path


def test_a_run_is_shown_without_running_its_python(project: Path) -> None:
    (project.parent / "ran").unlink()
    shown = metalwork("show", project.parent / "runs" / "first", "--label", "Duck", "--split", "train", "-n", 2)
    assert shown.exit_code == 0
    assert "train train-Duck-0  label model: Duck" in shown.output
    assert "  [[beak]] and [[quack]] train number0" in shown.output
    assert not (project.parent / "ran").exists()
    assert "kind: feathered: Bird" in shown.output
    assert "1 to 2 of 6 records: split=train, label=Duck; --page 2 shows more" in shown.output


def test_python_is_run_where_it_is_trusted(project: Path) -> None:
    run = project.parent / "runs" / "first"
    quiet, told = (metalwork("show", run, "--lf", "furry", "-n", 1, *more) for more in ([], ["--run-code"]))
    assert "[[fur]]" not in quiet.output
    assert "is shown with --run-code" in quiet.output
    assert "[[fur]]" in told.output
    assert "Running the project's own Python" in told.output
    assert (project.parent / "ran").exists()


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (["--uncovered"], "No record answers: uncovered"),
        (["--search", "number[12]\\b", "--known", "Cat"], "No record answers: "),
        (["--search", "NUMBER0", "--known", "Mammal"], "[[number0]]"),
        (["--wrong"], "No record answers: wrong"),
        (["--conflict"], "No record answers: conflict"),
        (["--tied"], "No record answers: tied"),
        (["--uncertain", "-n", "1"], "1 to 1 of 28 records: uncertain"),
        (["--suspect"], "suspect"),
        (["--task", "bird", "--page", "9"], "No record answers on page 9 (of 1 page): task=bird"),
    ],
)
def test_questions(project: Path, asked: list[str], wanted: str) -> None:
    shown = metalwork("show", project, *asked)
    assert shown.exit_code == 0
    assert wanted in shown.output
    assert "test-" not in shown.output.replace("pytest-", "")


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (["--lf", "furri"], "Did you mean 'furry'?"),
        (["--label", "Dock"], "Did you mean 'Duck'?"),
        (["--task", "brid"], "task must be"),
        (["--split", "test"], "split must be"),
        (["--search", "("], "search must be a regular expression"),
        (["--differ"], "step evaluate is done"),
    ],
)
def test_mistakes(project: Path, asked: list[str], wanted: str) -> None:
    shown = metalwork("show", project.parent / "runs" / "first", *asked)
    assert shown.exit_code == 1
    assert wanted in shown.output


def test_runs_without_their_project(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project.parent / "runs" / "first", tmp_path / "moved")
    assert "move the run back" in metalwork("show", tmp_path / "moved").output
    assert "there is none at" in metalwork("show", tmp_path / "nowhere").output
    copy = tmp_path / "all"
    shutil.copytree(project.parent, copy)
    (copy / "train.csv").write_text((copy / "train.csv").read_text().replace("fur", "furs"))
    assert "train.csv changed since step 'apply'" in metalwork("show", copy / "runs" / "first").output


def test_why_a_record_has_its_label(project: Path) -> None:
    shown = metalwork("lf", "why", "dev-Dog-0", "--project", project)
    assert shown.exit_code == 0
    assert "dev dev-Dog-0  known: Dog  label model: Dog" in shown.output
    assert "furry: Mammal  moved by +" in shown.output
    assert "'paw'" in shown.output
    assert "barks not abstains:  'bark' (negated by 'paw')" in shown.output
    assert "[-bark-]" in shown.output
    assert "mammal: Dog " in shown.output
    assert metalwork("lf", "why", "dev:1", "--project", project).output == shown.output


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ("nobody", "must be the id of a training or dev record"),
        ("test:0", "must be one of train or dev"),
        ("test-Cat-0", "must be the id of a training or dev record"),
        ("dev:99", "row must be from 0 to 3"),
    ],
)
def test_records_that_are_not_there(project: Path, record: str, wanted: str) -> None:
    shown = metalwork("lf", "why", record, "--project", project)
    assert shown.exit_code == 1
    assert wanted in shown.output


def test_marks_in_a_terminal_and_in_a_pipe() -> None:
    found, negated = (Span("text", 0, 3, "lf", "Cat", by) for by in (None, "no"))
    cut = (
        Segment("a ", ()), Segment("f", (found,)), Segment("ur", (found, negated)), Segment("\n \x1b[31m ", ()),
        Segment("paw", (negated,)), Segment(".", ()),
    )  # fmt: skip
    assert marked(cut, False).plain == "a [[fur]] \\x1b[31m [-paw-]."
    line = marked(cut, True)
    assert line.plain == "a fur \\x1b[31m paw."
    assert [str(span.style) for span in line.spans] == ["bold reverse", "strike"]
    long = (Segment("x " * 400, ()), Segment("fur", (found,)), Segment(" y" * 400, ()))
    text = marked(long, False).plain
    assert "[[fur]]" in text
    assert len(text) < 450
    assert Console(width=200).measure(text).maximum < 450
