"""``metalwork label`` and ``suggest``: dev labels by keys, and words that become rules."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from metalwork.cli import app
from metalwork.cli._scaffold import write_project as write_tickets
from metalwork.editing import DevFile, ProjectEditor
from metalwork.pipeline import Run, load_project
from tests.unit.pipeline.projects import write_project


def metalwork(*arguments: object, typed: str | None = None) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)
    assert "Traceback" not in result.output
    return result


def bare(folder: Path) -> Path:
    """Pets, without labeling functions or dev labels: where a newcomer starts."""
    path = write_project(folder)
    text = path.read_text().replace("dev: dev.csv, test: test.csv, ", "")
    path.write_text(text[: text.index("lfs:")] + text[text.index("features:") :])
    return path


ORDER = [arg for row in (0, 1, 2, 3) for arg in ("--record", f"train:{row}")]  # a Cat, a Dog, an Owl, a Duck


@pytest.mark.parametrize(
    ("typed", "labels"),
    [
        ("11122122", ["Cat", "Dog", "Owl", "Duck"]),
        ("11s21q", ["Cat", "Owl"]),
        ("1\n2\n\n", ["Mammal", "Bird"]),  # no more is known; Enter at the top skips
        ("1b21", ["Owl"]),
        ("11u12", ["Dog"]),
        ("11u", [None]),
        ("u", []),
        ("x9/duck\n/ma\n\n11", ["Duck", "Mammal", "Cat"]),
        ("/a\n/bird/duck\n", ["Duck"]),  # the first fits several
        ("", []),
        ("1", []),
    ],
)
def test_keys_down_the_tree(tmp_path: Path, typed: str, labels: list[str | None]) -> None:
    path = bare(tmp_path)
    result = metalwork("label", path, *ORDER, typed=typed)
    assert result.exit_code == 0
    assert list(DevFile(path).labels) == labels
    n_given = len([label for label in labels if label])
    assert ("1 label given" if n_given == 1 else f"{n_given} labels given") in result.output
    assert (load_project(path).settings.data.dev is not None) == bool(labels)


def test_wide_tasks_are_answered_by_names(tmp_path: Path) -> None:
    path = bare(tmp_path)
    names = ", ".join(f"pet {chr(97 + i)}{i}" for i in range(12))
    (tmp_path / "schema.yaml").write_text(f"task: kind\nlabels: [{names}]\n")
    typed = "7\npet c\nPET\npet k1\ns\n/b1\nq\n"
    result = metalwork("label", path, *ORDER, typed=typed)
    assert list(DevFile(path).labels) == ["pet g6", "pet c2", "pet k10", "pet b1"][:3]
    assert "'PET' fits pet a0, pet b1" in result.output


def test_records_come_in_the_order_that_teaches_most(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    DevFile(path).clear(("dev", 2))
    result = metalwork("label", path, "-n", 3, typed="21\n\n\n")
    assert "1 of 3  dev dev-Owl-0" in result.output
    assert "Owl -> " in result.output
    assert "Asked because: It is a dev record without a label." in result.output
    assert "2 of 3  train " in result.output
    assert "test-" not in result.output.replace("pytest-", "")


def test_what_somebody_else_labelled_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_project(tmp_path)
    real: Callable[..., object] = DevFile.set
    calls: list[int] = []

    def late(dev: DevFile, *args: object, **how: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            file = tmp_path / "dev.csv"
            file.write_text(file.read_text().replace(",c,Cat", ",c,Dog"))
        return real(dev, *args, **how)

    monkeypatch.setattr(DevFile, "set", late)
    result = metalwork("label", path, "--record", "dev:0", typed="2112")
    assert "somebody else has changed it since" in result.output
    assert result.output.count("1 of 1  dev dev-Cat-0") == 2
    assert DevFile(path).labels[0] == "Dog"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--record", "test:0"], "--record must be split:row"),
        (["--record", "dev"], "--record must be split:row"),
        (["--record", "train:99"], "row must be from 0 to 23"),
        (["--record", "dev:0"], "split must be"),
    ],
)
def test_records_that_cannot_be_labelled(tmp_path: Path, arguments: list[str], wanted: str) -> None:
    result = metalwork("label", bare(tmp_path), *arguments, typed="11")
    assert result.exit_code == 1
    assert wanted in result.output


@pytest.fixture(scope="module")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template's project with its rules alone, and labels as its result."""
    folder = tmp_path_factory.mktemp("made") / "tickets"
    write_tickets(folder)
    editor = ProjectEditor(folder / "project.yaml")
    editor.set("end_model", "none")
    Run.open(editor.path, "first").run()
    return editor.path


def test_words_are_suggested_and_become_rules(tickets: Path) -> None:
    run = tickets.parent / "runs" / "first"
    shown = metalwork("suggest", run, "-n", 3)
    assert shown.exit_code == 0
    assert "Words that could become rules" in shown.output
    assert "  1. " in shown.output
    assert "[[" in shown.output
    assert "What to label next (metalwork label)" in shown.output
    before = tickets.read_text()
    assert "from 1 to" in metalwork("suggest", run, "-n", 3, "--accept", 99).output
    assert tickets.read_text() == before
    accepted = metalwork("suggest", run, "-n", 3, "--accept", 1)
    assert accepted.exit_code == 0
    assert "- name: " in accepted.output
    added = [line for line in tickets.read_text().splitlines() if line not in before.splitlines()]
    assert 3 <= len(added) <= 6
    assert "# simple ones need no Python" in tickets.read_text()
    again = metalwork("suggest", run)
    assert again.exit_code == 1
    assert "changed since step 'apply'; run again" in again.output
    assert metalwork("suggest", tickets).exit_code == 0  # the project as it is now
    tickets.write_text(before)


def test_words_for_one_label_alone(tickets: Path) -> None:
    shown = metalwork("suggest", tickets, "--label", "Refund", "-n", 2)
    assert shown.exit_code == 0
    assert "What to fix" not in shown.output
    assert "Did you mean 'Refund'?" in metalwork("suggest", tickets, "--label", "Refunt").output
    assert "'biling'" in metalwork("suggest", tickets, "--task", "biling").output


def test_a_project_that_has_nothing_yet_gets_a_first_rule(tmp_path: Path) -> None:
    write_tickets(tmp_path / "tickets")
    path = tmp_path / "tickets" / "project.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("lfs:")] + text[text.index("features:") :])
    shown = metalwork("suggest", path)
    assert shown.exit_code == 0
    assert "What to fix" not in shown.output
    assert metalwork("suggest", path, "--accept", 1).exit_code == 0
    assert len(ProjectEditor(path).rules) == 1
    shown = metalwork("show", path, "--uncovered", "-n", 1)  # without any run so far
    assert shown.exit_code == 0
    assert "records: uncovered" in shown.output
    assert not (path.parent / "runs").exists()


def test_the_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "loop.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    write_tickets(tmp_path / "tickets")
    monkeypatch.chdir(tmp_path / "tickets")
    before = Path("project.yaml").read_bytes(), Path("data/dev.csv").read_bytes()
    exec(compile(code, "loop.md", "exec"), {})
    assert (Path("project.yaml").read_bytes(), Path("data/dev.csv").read_bytes()) == before
