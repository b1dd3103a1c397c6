"""Trying labeling functions: on a part of the records, and on one."""

from pathlib import Path

import pytest

from tests.cli.test_commands import metalwork

PROJECT = """\
schema: {task: kind, labels: [ham, spam]}
data: {train: train.jsonl, dev: train.jsonl}
lfs:
  python: lfs.py
  rules:
    - {task: kind, label: spam, name: prize, keywords: [prize], negated_by: true}
    - {task: kind, label: ham, name: hello, keywords: [hello]}
features: {text: text}
"""
LFS = """\
import metalwork as mw

@mw.preprocessor(output="words")
def split(text): return text.split()

@mw.labeling_function(task="kind")
def long(words): return "ham" if len(words) > 3 else None

@mw.labeling_function(task="kind")
def dear(amount: float): return "spam" if amount > 100 else None

@mw.labeling_function(task="kind")
def broken(text): return "ham" if text[50] else None
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    texts = ["hello you", "win a prize", "no prize for you today", "hello prize"] * 5
    lines = (f'{{"text": "{text}", "label": "spam", "amount": {i * 20}}}\n' for i, text in enumerate(texts))
    (tmp_path / "train.jsonl").write_text("".join(lines))
    (tmp_path / "lfs.py").write_text(LFS)
    path = tmp_path / "project.yaml"
    path.write_text(PROJECT)
    return path


def rows_of(output: str) -> dict[str, list[str]]:
    return {words[0]: words[1:] for line in output.splitlines() if (words := line.split())}


def test_one_labeling_function_on_a_sample(project: Path) -> None:
    result = metalwork("apply", project, "--lf", "prize", "--sample", 8)
    assert result.exit_code == 0, result.output
    again = metalwork("apply", project, "--lf", "prize", "--sample", 8)
    assert again.stdout == result.stdout
    assert result.stdout.startswith("8 train records\n")
    assert rows_of(result.stdout)["prize"][0] == "spam"
    assert "prize: votes 'spam' ('prize' at" in result.stdout
    assert "Nothing was written." in result.stderr
    assert not (project.parent / "runs").exists()


def test_all_of_them_on_dev_where_labels_are_known(project: Path) -> None:
    result = metalwork("apply", project, "--split", "dev")
    assert result.exit_code == 0, result.output
    rows = rows_of(result.stdout)
    assert result.stdout.startswith("20 dev records, 20 of them with a known label\n")
    assert rows["prize"] == ["spam", "50.0%", "25.0%", "100.0%", "of", "10", "(72%", "to", "100%)"]
    assert rows["long"] == ["ham", "25.0%", "20.0%", "0.0%", "of", "5", "(0%", "to", "43%)"]
    assert rows["broken"] == ["(never", "votes)", "0.0%", "0.0%", "20", "-"]
    assert "LF 'broken' failed at row 0" in result.stdout


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["prize", "--text", "You win a prize"], "prize: votes 'spam' ('prize' at 10)\n"),
        (["prize", "--text", "No prize"], "prize: abstains ('prize' at 3, negated by 'No')\n"),
        (["prize", "--row", 1], "prize: votes 'spam' ('prize' at 6)\n"),
        (["dear", "--value", "amount=250"], "dear: votes 'spam'\n"),
        (["long", "--text", "one two three four"], "long: votes 'ham'\n"),
        (["broken", "--text", "short"], "broken: abstains (failed: IndexError: string index out of range)\n"),
    ],
)
def test_one_record_and_why(project: Path, given: list[str], told: str) -> None:
    result = metalwork("lf", "test", *given, "--project", project)
    assert result.exit_code == 0, result.output
    assert result.stdout == told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["apply", "--lf", "price"], "'price' is no labeling function of this project. Did you mean 'prize'?"),
        (["apply", "--split", "eval"], "split must be one of this run's, 'train', 'dev'; got 'eval'."),
        (["test", "prize"], "LF 'prize' reads 'text'; got no value. Give --text, --value COLUMN=VALUE, or --row."),
        (["test", "dear", "--value", "250"], "--value must be COLUMN=VALUE; got '250'."),
        (["test", "prize", "--row", 20], "row must be from 0 to 19 in the train records; got 20."),
    ],
)
def test_mistakes(project: Path, given: list[str], told: str) -> None:
    command, *rest = given
    arguments = [command, project, *rest] if command == "apply" else ["lf", "test", *rest, "--project", project]
    result = metalwork(*arguments)
    assert result.exit_code == 1, result.output
    assert told in result.stderr
