"""The commands, run in this process."""

import errno
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from metalwork.cli import app
from metalwork.experiments import Results, Row, Table

COMMANDS = (
    "init",
    "check",
    "run",
    "apply",
    "fit",
    "train",
    "evaluate",
    "report",
    "demo",
    "reproduce",
    "predict",
    "serve",
    "drift",
    "export",
    "cache",
    "data",
    "lf",
)


def metalwork(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    return result


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "tickets"
    result = metalwork("init", folder)
    assert result.exit_code == 0
    assert f"Now run: metalwork run {folder / 'project.yaml'}" in result.stdout
    return folder / "project.yaml"


@pytest.fixture(scope="module")
def whole_run(project: Path) -> Result:
    return metalwork("run", project, "--run", "first")


def test_a_new_project_runs_as_it_is(project: Path, whole_run: Result) -> None:
    assert whole_run.exit_code == 0, whole_run.output
    folder = project.parent / "runs" / "first"
    assert f"Report: {folder / 'report.html'}" in whole_run.stdout
    assert (folder / "report.html").is_file()
    results = json.loads((folder / "metrics.json").read_text())
    accuracy = {name: by_split["test"]["accuracy"] for name, by_split in results.items()}
    assert accuracy["Label model (hierarchical)"] > 0.8
    assert accuracy["End model"] > 0.9


def test_a_project_is_checked_without_a_run(project: Path) -> None:
    result = metalwork("check", project)
    assert result.exit_code == 0, result.output
    assert "12 labeling functions, 4 end labels" in result.stdout
    assert "Nothing is wrong with this project" in result.stdout


def test_an_example_is_copied_whole(tmp_path: Path) -> None:
    result = metalwork("init", tmp_path / "mine", "--example", "digits")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == [
        "lfs.py",
        "project.yaml",
        "records.py",
        "schema.yaml",
    ]
    assert metalwork("check", tmp_path / "mine" / "project.yaml").exit_code == 0


def test_results_go_to_stdout_and_progress_to_stderr(whole_run: Result) -> None:
    for heading in ("Tasks", "Labeling functions of task area", "learned accuracy", "dev precision", "Accuracy"):
        assert heading in whole_run.stdout
    for model in ("Hard majority vote", "Label model (hierarchical)", "End model"):
        assert re.search(rf"^{re.escape(model)} +\d+\.\d% +\d+\.\d%$", whole_run.stdout, re.M)
    assert "Applying 12 labeling functions" in whole_run.stderr
    assert "Applying" not in whole_run.stdout
    assert "Running the project's own Python file" in whole_run.stderr


def test_the_steps_one_by_one_do_what_run_does(project: Path, whole_run: Result) -> None:
    shown = {}
    for step in ("apply", "fit", "train", "evaluate", "report"):
        shown[step] = metalwork(step, project, "--run", "steps")
        assert shown[step].exit_code == 0, shown[step].output
    runs = project.parent / "runs"
    assert (runs / "steps" / "metrics.json").read_text() == (runs / "first" / "metrics.json").read_text()
    assert "Labeling functions of task billing" in shown["apply"].stdout
    assert "Probabilistic labels" in shown["fit"].stdout
    assert "tree:" in shown["train"].stdout
    assert "Accuracy on end labels" in shown["evaluate"].stdout
    assert "report.html" in shown["report"].stdout


def test_a_step_without_a_name_takes_the_newest_run(project: Path, whole_run: Result) -> None:
    assert metalwork("apply", project, "--run", "newest").exit_code == 0
    result = metalwork("fit", project)
    assert result.exit_code == 0
    assert f"Run folder: {project.parent / 'runs' / 'newest'}" in result.stdout


def test_help_explains_every_command() -> None:
    result = metalwork("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert re.search(rf"│ {command} ", result.stdout)
    for code in ("0: done", "1: a mistake", "2: wrong usage", "70:", "74:", "130:"):
        assert code in re.sub(r"\s+", " ", result.stdout)


@pytest.mark.parametrize(
    "command", [*((name,) for name in COMMANDS[:-2]), ("data", "list"), ("data", "fetch"), ("lf", "new")]
)
def test_every_command_shows_an_example(command: tuple[str, ...]) -> None:
    result = metalwork(*command, "--help")
    assert result.exit_code == 0
    assert re.search(r"Examples?:", result.stdout)
    assert f"metalwork {' '.join(command)}" in result.stdout


def test_version() -> None:
    from metalwork import __version__

    assert metalwork("--version").stdout == f"metalwork {__version__}\n"


def test_data_list_names_every_data_set() -> None:
    result = metalwork("data", "list")
    assert result.exit_code == 0
    for name in ("openi", "rcv1", "reuters21578", "trec", "clinc150"):
        assert name in result.stdout


def test_reproduce_prints_and_writes_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def fake(name: str, **arguments: Any) -> Results:
        asked.update(arguments, name=name)
        arguments["progress"](1, 2, "trial 1")
        table = Table("Table 1", "Label model and end model", (Row("End model", {"test": (0.5, 0.7)}),))
        return Results(name, arguments["trials"], arguments["seed"], (table,), {"records": "3"}, notes=("a note",))

    monkeypatch.setattr("metalwork.cli._reproduce.reproduce", fake)
    result = metalwork("reproduce", "openi", "--trials", "2", "--seed", "7", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert (asked["name"], asked["trials"], asked["seed"]) == ("openi", 2, 7)
    for text in ("records: 3", "Table 1: Label model and end model", "60.0 ± 14.14", "- a note"):
        assert text in result.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"openi.json", "openi.md"}


def test_reproduce_compares_architectures_on_the_data_set_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def fake(*arguments: Any) -> Results:
        asked.append(arguments[:3])
        table = Table("Accuracy", "on end labels", (Row("HierMTL", {"test": (0.5, 0.7)}),))
        return Results(f"architectures-{arguments[0]}", arguments[1], arguments[2], (table,))

    monkeypatch.setattr("metalwork.cli._reproduce.compare_architectures", fake)
    one = metalwork("reproduce", "architectures", "--data", "trec", "--out", tmp_path)
    assert one.exit_code == 0, one.output
    assert "5 trials in" in one.stdout
    every = metalwork("reproduce", "architectures", "--trials", "1", "--out", tmp_path)
    assert every.exit_code == 0, every.output
    names = ("clinc", "trec", "reuters-topics", "openi", "rcv1", "reuters")
    assert asked == [("trec", 5, 0), *((name, 1, 0) for name in names)]
    assert (tmp_path / "architectures-trec.md").exists()


def test_a_full_disk_ends_with_74(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "runs/full/votes.npz")

    monkeypatch.setattr("os.fsync", full)
    result = metalwork("apply", project, "--run", "full")
    assert result.exit_code == 74
    assert result.stderr.endswith(
        "Error: No space left on device: runs/full/votes.npz. Free some space and run the command again.\n"
    )


def test_an_interrupt_ends_with_130(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("metalwork.pipeline.Run.apply", interrupt)
    result = metalwork("apply", project, "--run", "interrupted")
    assert result.exit_code == 130
    assert result.stderr.endswith("Error: Interrupted. What finished steps wrote is kept.\n")


def test_an_unexpected_error_is_short_and_full_with_debug(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("metalwork.pipeline.Run.apply", broken)
    result = metalwork("apply", project, "--run", "broken")
    assert result.exit_code == 70
    assert result.stderr.endswith(
        "Error: ZeroDivisionError: division by zero\n"
        "This is a fault of metalwork. For the traceback, run again with: metalwork --debug ...\n"
    )
    debug = CliRunner().invoke(app, ["--debug", "apply", str(project), "--run", "broken"])
    assert debug.exit_code == 70
    assert "Traceback (most recent call last)" in debug.stderr


def test_a_warning_is_one_line(project: Path, tmp_path: Path) -> None:
    text = project.read_text().replace("name: hierarchical", "name: log-linear").replace("use_dev: true", "")
    prior = "{Refund: 0.25, Invoice: 0.25, Crash: 0.25, Login: 0.25}"
    (project.parent / "paper.yaml").write_text(
        text.replace("label_model:", f"label_model:\n  class_prior: {prior}")
    )
    assert metalwork("apply", project.parent / "paper.yaml", "--run", "paper").exit_code == 0
    result = metalwork("fit", project.parent / "paper.yaml", "--run", "paper")
    assert result.exit_code == 0, result.output
    assert "Warning: LogLinearLabelModel is the paper's model, which has no class prior" in result.stderr
    assert "MetalworkWarning" not in result.stderr
