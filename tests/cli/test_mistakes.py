"""Wrong input on purpose: one message that names what, where and the remedy, and exit code 1."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from metalwork.cli import app
from tests.unit.pipeline.projects import LFS, PROJECT, SCHEMA, write_project


def error_of(tmp_path: Path, *arguments: object, code: int = 1) -> str:
    """What a command prints after ``Error: ``, with the test's own folder cut out."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert result.stdout == ""
    return result.stderr.split("Error: ", 1)[1].replace(f"{tmp_path}/", "").rstrip("\n")


def test_a_label_of_another_task(tmp_path: Path) -> None:
    path = write_project(tmp_path, lfs=LFS.replace('return "Cat"', 'return "Owl"'))
    assert error_of(tmp_path, "run", path) == (
        "LF 'meows' failed at row 0 of train.csv: it returned 'Owl', a label of task 'bird', "
        "but votes on task 'mammal'. Declare it with task='bird', or return one of 'Cat', 'Dog'."
    )


def test_an_unknown_column(tmp_path: Path) -> None:
    path = write_project(
        tmp_path, lfs=LFS.replace("meows(text)", "meows(body)").replace("in text else", "in body else")
    )
    assert error_of(tmp_path, "run", path) == (
        "The project file project.yaml has 1 fault:\n"
        "  - project.yaml:5:1: LF 'meows' reads a column that is not there: 'body' is no column. "
        "Known: 'key', 'text', 'guess'."
    )


def test_an_unknown_feature_column(tmp_path: Path) -> None:
    path = write_project(tmp_path, project=PROJECT.replace("features: {text: text", "features: {text: texts"))
    assert error_of(tmp_path, "run", path) == (
        "The project file project.yaml has 1 fault:\n"
        "  - project.yaml:11:12: features.text must be a column of train.csv; got 'texts'. It has: key, text, "
        "guess. "
        "Correct the name."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "train.csv: must hold records; the file is empty."),
        ("key,text,guess\n", "train.csv: must hold at least one record; there is none."),
    ],
)
def test_an_empty_file(tmp_path: Path, content: str, message: str) -> None:
    path = write_project(tmp_path)
    (tmp_path / "train.csv").write_text(content)
    assert error_of(tmp_path, "run", path) == message


def test_gold_outside_the_schema(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    dev = tmp_path / "dev.csv"
    dev.write_text(dev.read_text().replace(",Owl", ",Ovl"))
    assert error_of(tmp_path, "run", path) == (
        "The project file project.yaml has 1 fault:\n"
        "  - project.yaml:4:26: dev.csv: column 'label': Row 2: 'Ovl' is no label. Did you mean 'Owl'? "
        "Correct the record or the schema."
    )


def test_a_malformed_csv_line(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    train = tmp_path / "train.csv"
    train.write_text(train.read_text() + "one,two,three,four,five\n")
    assert error_of(tmp_path, "run", path) == (
        "train.csv:26: a row must have 3 fields like the header; got 5. "
        "Quote fields that hold ',' or a line break, or say another delimiter."
    )


def test_a_malformed_json_line(tmp_path: Path) -> None:
    path = write_project(tmp_path, project=PROJECT.replace("train.csv", "train.jsonl"))
    (tmp_path / "train.jsonl").write_text('{"key": "1", "text": "fur", "guess": ""}\n{"key": "2", "text": \n')
    assert error_of(tmp_path, "run", path) == (
        "train.jsonl:2: not valid JSON at column 1: Expecting value. Mend or remove the line."
    )


def test_a_missing_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_project(tmp_path)
    assert CliRunner().invoke(app, ["apply", str(path), "--run", "r"]).exit_code == 0
    assert CliRunner().invoke(app, ["fit", str(path), "--run", "r"]).exit_code == 0
    monkeypatch.setitem(__import__("sys").modules, "sklearn.feature_extraction.text", None)
    assert error_of(tmp_path, "train", path, "--run", "r") == (
        "Counting words needs the package 'scikit-learn', which is not installed. "
        "Install it with: pip install 'metalwork[train]'."
    )


def test_a_faulty_schema(tmp_path: Path) -> None:
    path = write_project(tmp_path, schema=SCHEMA.replace("Owl, Duck", ""))
    assert error_of(tmp_path, "run", path) == (
        "The project file project.yaml has 1 fault:\n"
        "  - schema.yaml:5:12: task 'bird' has no label; a task must have at least one."
    )


def test_a_project_file_that_is_not_there(tmp_path: Path) -> None:
    assert error_of(tmp_path, "run", tmp_path / "project.yml") == "project.yml: there is no such file."


def test_yaml_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "project.yaml").write_text("data: [train\n")
    assert error_of(tmp_path, "run", tmp_path / "project.yaml") == (
        "project.yaml:2:1: not valid YAML: expected ',' or ']', but got '<stream end>'."
    )


def test_a_step_before_there_is_a_run(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    assert error_of(tmp_path, "fit", path) == (
        "There is no run in runs yet. Start with: metalwork apply, or metalwork run."
    )


def test_a_run_name_that_leaves_the_folder(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    assert error_of(tmp_path, "apply", path, "--run", "../elsewhere") == (
        "A run's name must be a plain folder name; got '../elsewhere'. It lies below runs."
    )


def test_steps_out_of_order(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    assert CliRunner().invoke(app, ["apply", str(path), "--run", "r"]).exit_code == 0
    assert error_of(tmp_path, "train", path, "--run", "r") == (
        "runs/r must hold the results of the step 'fit'; it does not. "
        "Run first: metalwork fit project.yaml --run r."
    )


def test_a_folder_of_ones_own_is_not_written_over(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "runs" / "mine" / "labels.csv").write_text("my own")
    assert error_of(tmp_path, "run", path, "--run", "mine") == (
        "runs/mine must be a run of metalwork's, or new; it holds other files (labels.csv). "
        "Nothing was written. Name another run with --run."
    )
    assert [entry.name for entry in (tmp_path / "runs" / "mine").iterdir()] == ["labels.csv"]
    assert (tmp_path / "runs" / "mine" / "labels.csv").read_text() == "my own"


@pytest.mark.parametrize("name", ["", ".", "..", "/runs"])
def test_a_run_name_that_is_no_name(tmp_path: Path, name: str) -> None:
    path = write_project(tmp_path)
    assert error_of(tmp_path, "apply", path, "--run", name) == (
        f"A run's name must be a plain folder name; got {name!r}. It lies below runs."
    )
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("folder", ["../out", "runs/../../out", "/tmp"])
def test_an_output_folder_outside_the_project(tmp_path: Path, folder: str) -> None:
    path = write_project(tmp_path / "p", project=PROJECT + f"    output: {{folder: {folder}}}\n")
    assert "output.folder must lie in the project's folder" in error_of(tmp_path, "apply", path)
    assert not (tmp_path / "out").exists()


def test_a_run_that_failed_leaves_no_folder(tmp_path: Path) -> None:
    path = write_project(tmp_path, lfs=LFS.replace('return "Cat"', 'return "Owl"'))
    assert error_of(tmp_path, "apply", path).startswith("LF 'meows'")
    assert list((tmp_path / "runs").iterdir()) == []


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    assert error_of(tmp_path, "init", tmp_path / "taken") == (
        "The folder must be new; taken exists already. Choose another name."
    )


def test_an_unknown_experiment(tmp_path: Path) -> None:
    assert error_of(tmp_path, "reproduce", "opni") == "'opni' is no experiment. Did you mean 'openi'?"


def test_an_unknown_data_set(tmp_path: Path) -> None:
    assert error_of(tmp_path, "data", "fetch", "opni") == "'opni' is no data set. Did you mean 'openi'?"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["aply"], "No such command 'aply'. Did you mean 'apply'?"),
        (["run"], "Missing argument 'PROJECT'."),
        (["run", "p.yaml", "--rum", "x"], "No such option: --rum"),
        (["reproduce", "openi", "--trials", "0"], "Invalid value for '--trials'"),
        (["reproduce", "openi", "--data", "trec"], "Invalid value for --data: it goes with the experiment"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], text: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert text in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.output
