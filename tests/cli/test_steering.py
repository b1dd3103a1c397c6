"""What records and names hold cannot steer the terminal, nor what opens a CSV file."""

import io
import warnings
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from metalwork._visible import visible
from metalwork.cli import app
from metalwork.cli._streams import SafeConsole, plain
from metalwork.data import read_records
from metalwork.pipeline._exports import write_csv

NASTY = "a\x1b]0;owned\x07\x1b[31m\x9b2J\u202egnp.exe\u2066\0\r\x7f"
SHOWN = r"a\x1b]0;owned\x07\x1b[31m\x9b2J\u202egnp.exe\u2066\x00\r\x7f"


def test_what_steers_is_written_out() -> None:
    assert visible(NASTY) == SHOWN
    assert visible("\ud800 é\tو\n\U0001f600") == "\\ud800 é\tو\n\U0001f600"


def test_tables_and_messages_show_it(tmp_path: Path) -> None:
    screen = io.StringIO()
    console = SafeConsole(file=screen, force_terminal=True, width=200)
    console.print(plain(NASTY, "bold"), NASTY, "[red]ok[/red]")
    assert SHOWN in screen.getvalue()
    assert not set(screen.getvalue()) & set("\x07\x9b\u202e\0\r\x7f")
    assert "\x1b]0" not in screen.getvalue()
    assert "\x1b[31mok" in screen.getvalue()


def test_a_project_of_nasty_names_prints_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "fur"}\n{"text": "scale"}\n')
    (tmp_path / "project.yaml").write_text(
        'schema: {task: "t\\e[31m", labels: ["A\\e]0;x\\a", "B\\u202e"]}\n'
        "data: {train: a.jsonl}\nfeatures: {text: text}\n"
        'lfs: {rules: [{keywords: [fur], task: "t\\e[31m", label: "A\\e]0;x\\a", name: "f\\e[2J"},'
        ' {keywords: [scale], task: "t\\e[31m", label: "B\\u202e"}]}\n'
    )
    for command in (["check"], ["apply"], ["fit"]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = CliRunner().invoke(app, [*command, str(tmp_path / "project.yaml")])
        assert result.exit_code == 0, result.output
        assert "\x1b" not in result.output
        assert "\u202e" not in result.output
        assert r"\x1b[31m" in result.output
    (tmp_path / "a.jsonl").write_text('{"text": "\x1b[31m\\u001b"}')
    result = CliRunner().invoke(app, ["--debug", "check", str(tmp_path / "project.yaml")])
    assert result.exit_code == 1
    assert "\x1b[31m" not in result.output


@pytest.mark.parametrize("text", [NASTY, "=1", "\n=1", "\t=1", "a\rb", "\0", "\r\n"])
def test_a_table_that_we_write_is_read_again(text: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [text, None, "x"], "n": [1, 2, 3], text: [1, 2, 3]})
    with (tmp_path / "a.csv").open("wb") as stream:
        write_csv(stream, [frame, frame.head(0)])
    content = (tmp_path / "a.csv").read_bytes().decode()
    assert not set(content) & set("\x1b\0\x07\x9b\u202e\r")
    assert not any(line.startswith(("=", "+", "-", "@", "\t")) for line in content.split("\n") if text != "\n=1")
    assert read_records(tmp_path / "a.csv")["id"].to_list()[1:] == [None, "x"]
