"""Where a project's records come from."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from metalwork.errors import ConfigError, MetalworkError
from metalwork.pipeline import Job, load_project

PROJECT = """\
schema: {task: kind, labels: [Tea, Coffee]}
data: DATA
lfs: {rules: [{keywords: [oolong], task: kind, label: Tea}]}
features: {text: text}
"""

ROWS = [
    {"key": "a", "fold": "train", "text": "oolong", "label": None},
    {"key": "b", "fold": "test", "text": "mocha", "label": "Coffee"},
    {"key": "c", "fold": "train", "text": "espresso", "label": None},
    {"key": "d", "fold": "dev", "text": "sencha", "label": "Tea"},
]


def _job(folder: Path, data: str, **files: str) -> Job:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    path = folder / "project.yaml"
    path.write_text(PROJECT.replace("DATA", data))
    return Job.of_project(load_project(path))


def _message(folder: Path, data: str, **files: str) -> str:
    with pytest.raises(MetalworkError) as caught:
        _job(folder, data, **files)
    return str(caught.value).replace(f"{folder}/", "")


def _check_rows(job: Job) -> None:
    """The splits of ``ROWS``, whatever they came from."""
    assert {split: job.split(split).records["text"].to_list() for split in job.splits} == {
        "train": ["oolong", "espresso"],
        "dev": ["sencha"],
        "test": ["mocha"],
    }
    gold = job.split("dev").gold, job.split("test").gold
    assert [None if known is None else known.ravel().tolist() for known in gold] == [[0], [1]]
    ids = job.split("train").ids
    assert ids is not None
    assert ids.to_list() == ["a", "c"]


def test_one_file_whose_column_says_the_split(tmp_path: Path) -> None:
    lines = "\n".join(map(json.dumps, ROWS))
    _check_rows(_job(tmp_path, "{records: all.jsonl, split: fold, id: key}", all_jsonl=lines))


def test_a_loader_in_python_returns_one_table(tmp_path: Path) -> None:
    loader = f"ROWS = {ROWS!r}\n\ndef load():\n    return ROWS\n"
    _check_rows(_job(tmp_path, "{python: records.py, split: fold, id: key}", records_py=loader))


def test_a_loader_in_python_returns_records_by_split(tmp_path: Path) -> None:
    loader = f"""
import polars as pl

def load():
    frame = pl.DataFrame({ROWS!r})
    return {{split: frame.filter(pl.col("fold") == split) for split in ("test", "train", "dev")}}
"""
    job = _job(tmp_path, "{python: records.py, id: key}", records_py=loader)
    assert job.splits == ("train", "dev", "test")
    _check_rows(job)


def test_a_public_data_set_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data" / "rcv1"
    folder.mkdir(parents=True)
    (folder / "rcv1.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    monkeypatch.setenv("METALWORK_DATA", str(tmp_path / "data"))
    with pytest.warns(UserWarning, match="rcv1"):
        job = _job(tmp_path / "p", "{dataset: rcv1, split: fold, id: key}")
    _check_rows(job)


def test_a_data_set_that_is_not_known(tmp_path: Path) -> None:
    assert _message(tmp_path, "{dataset: rvc1, split: fold}") == "'rvc1' is no data set. Did you mean 'rcv1'?"


def test_several_files_and_globs_of_one_split(tmp_path: Path) -> None:
    files = {name: f"text\n{text}\n" for name, text in (("b_csv", "x"), ("a-1_csv", "y"), ("a-2_csv", "z"))}
    job = _job(tmp_path, "{train: [b.csv, 'a-*.csv']}", **files)
    assert job.split("train").records["text"].to_list() == ["x", "y", "z"]


def test_of_several_files_the_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert _message(tmp_path, "{train: [b.csv, 'part-*.csv']}", b_csv="text\nx\n") == (
        "The project file project.yaml has 1 fault:\n"
        "  - project.yaml:2:23: data.train[1] must be a file or a glob that matches one; got 'part-*.csv'. "
        "Paths start at the project file's folder."
    )


def test_a_path_is_a_text(tmp_path: Path) -> None:
    assert _message(tmp_path, "{train: 3}") == (
        "The project file project.yaml has 1 fault:\n"
        "  - project.yaml:2:8: data.train must be a path, a glob, or a list of them; got 3."
    )


def test_how_files_are_written_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_bytes("text|size\n'caf\xe9 | noir'|007\n".encode("latin-1"))
    form = "format: csv, delimiter: '|', quote: \"'\", encoding: latin-1"
    data = f"{{train: train.txt, {form}, types: {{size: int}}, id: size}}"
    assert _job(tmp_path, data).split("train").records.rows() == [("café | noir", 7)]


def test_types_hold_for_what_a_loader_returns_too(tmp_path: Path) -> None:
    loader = "def load():\n    return {'train': [{'text': 'a', 'size': '7'}]}\n"
    job = _job(tmp_path, "{python: records.py, types: {size: float}, id: size}", records_py=loader)
    assert job.split("train").records.rows() == [("a", 7.0)]


def test_labels_that_look_like_numbers_are_names(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("fold;text;stars\ntrain;a;\ndev;b;3\ntest;c;1\n")
    path = tmp_path / "project.yaml"
    path.write_text(
        "schema: {task: stars, labels: [1, 2, 3]}\n"
        "data: {records: reviews.csv, split: fold, label: stars}\n"
        "lfs: {rules: [{keywords: [a], task: stars, label: 3}, {column: text, task: stars, mapping: {a: 2}}]}\n"
        "features: {text: text}\n"
        "label_model: {class_prior: {1: 0.2, 2: 0.2, 3: 0.6}}\n"
    )
    job = Job.of_project(load_project(path))
    assert [job.known_labels(split)[:, 0].tolist() for split in job.splits] == [[-1], [2], [0]]
    assert [lf("a") for lf in job.labeling_functions] == ["3", "2"]


def test_a_glob_below_a_folder_with_brackets(tmp_path: Path) -> None:
    job = _job(
        tmp_path / "study [v2]", "{train: 'part-*.csv'}", **{"part-1_csv": "text\na\n", "part-2_csv": "text\nb\n"}
    )
    assert job.split("train").records["text"].to_list() == ["a", "b"]


def test_packed_files_are_files(tmp_path: Path) -> None:
    (tmp_path / "train.csv.gz").write_bytes(gzip.compress(b"text\noolong\n"))
    assert (
        _job(tmp_path, "{train: train.csv.gz}").split("train").records.equals(pl.DataFrame({"text": ["oolong"]}))
    )


def test_every_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    assert _message(tmp_path, "{train: train.csv, dev: dev.csv}", train_csv="", dev_csv="text,label\n") == (
        "train.csv: must hold records; the file is empty.\ndev.csv: must hold at least one record; there is none."
    )


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("{}", "data must say where the records are: have the key train, records, dataset or python."),
        ("{dev: a.csv}", "data must have the key train beside dev."),
        (
            "{train: a.csv, records: b.csv}",
            "data must have train (with dev and test), records or python, one of them; got train, records.",
        ),
        (
            "{records: b.csv}",
            "data must have the key split: the column that says train, dev or test of each record.",
        ),
        (
            "{dataset: rcv1}",
            "data must have the key split: the column that says train, dev or test of each record.",
        ),
        ("{train: a.csv, split: fold}", "data may have the key split beside records, dataset or python only."),
        (
            "{python: a.py, delimiter: ';'}",
            "data may have the key delimiter beside files only; a loader in Python reads its own.",
        ),
        (
            "{python: a.py, dataset: rcv1}",
            "data may have the key dataset beside files only; a loader in Python finds its own.",
        ),
    ],
)
def test_records_come_from_one_place(tmp_path: Path, data: str, fault: str) -> None:
    assert _message(tmp_path, data) == f"The project file project.yaml has 1 fault:\n  - project.yaml:2:1: {fault}"


@pytest.mark.parametrize(
    ("loader", "message"),
    [
        ("x = 1\n", "records.py must define the function load(), which returns the records; it does not."),
        ("def load():\n    return {}[0]\n", "records.py: load() must not fail; got KeyError: 0"),
        (
            "def load():\n    return {'dev': [{'text': 'a'}]}\n",
            "load() of records.py must return a dict of records by split: train, and dev and test where there "
            "are any; "
            "got ['dev']. For one table of all splits, name its column that says the split under data.split.",
        ),
        (
            "def load():\n    return [{'text': 'a'}]\n",
            "load() of records.py must return a dict of records by split: train, and dev and test where there "
            "are any; "
            "got list. For one table of all splits, name its column that says the split under data.split.",
        ),
    ],
)
def test_what_a_loader_must_do(tmp_path: Path, loader: str, message: str) -> None:
    assert _message(tmp_path, "{python: records.py}", records_py=loader) == message


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "text,part\na,train\n",
            "data.split must be a column of all.csv; got 'fold'. It has: text, part. Correct the name.",
        ),
        (
            "text,fold\na,train\nb,valid\n",
            "all.csv: column 'fold' must say train, dev or test; got 'valid' in record 1. Correct the record.",
        ),
        (
            "text,fold\na,train\nb,\n",
            "all.csv: column 'fold' must say train, dev or test; got None in record 1. Correct the record.",
        ),
        ("text,fold\na,dev\n", "all.csv: column 'fold' must say train for some records; it does for none."),
    ],
)
def test_what_the_column_of_splits_must_say(tmp_path: Path, table: str, message: str) -> None:
    assert _message(tmp_path, "{records: all.csv, split: fold}", all_csv=table) == message


def test_a_loader_lies_in_the_projects_folder(tmp_path: Path) -> None:
    (tmp_path / "records.py").write_text("raise SystemExit('run')")
    with pytest.raises(ConfigError) as caught:
        _job(tmp_path / "p", "{python: ../records.py}")
    assert str(caught.value).replace(f"{tmp_path}/p/", "") == (
        "The project file project.yaml has 1 fault:\n"
        "  - project.yaml:2:8: data.python must lie in the project's folder, because it is run; got "
        "'../records.py'. "
        "Copy it there."
    )
