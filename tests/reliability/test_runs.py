"""Runs: every file read once, every bit checked, equal runs equal, and ids of every kind."""

import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import DataError, MetalworkWarning
from metalwork.pipeline import FeatureSettings, Job, LabelModelSettings, Run, Split
from tests.unit.pipeline.projects import LFS, PROJECT, records, write_project

_opened: Counter[str] | None = None


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is not None and event == "open" and isinstance(arguments[0], str):
        _opened[arguments[0]] += 1


sys.addaudithook(_hear)


def _opens_of(path: Path) -> Counter[str]:
    """How often each file is opened in a whole run."""
    global _opened
    _opened = Counter()
    try:
        mw.Run.open(path, run="first").run()
        return _opened
    finally:
        _opened = None


def test_a_whole_run_loads_nothing_that_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    for kind in (mw.LabelMatrix, mw.TaskProbabilities):
        monkeypatch.setattr(kind, "load", lambda path: loads.append(str(path)))
    path = write_project(tmp_path)
    opened = _opens_of(path)
    run = mw.Run.open(path, run="first")
    assert loads == []
    assert run.steps[-1] == "report"
    assert {name: opened[str(tmp_path / name)] for name in ("train.csv", "dev.csv", "test.csv")} == {
        "train.csv": 1,
        "dev.csv": 1,
        "test.csv": 1,
    }
    results = {
        name: n for name, n in opened.items() if "runs" in name and name.endswith((".npz", ".parquet", ".html"))
    }
    assert set(results.values()) == {1}  # for the digest


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_project(tmp_path_factory.mktemp("pets"))
    for name in ("first", "second"):
        mw.Run.open(path, run=name).run()
    return path


def _files(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_equal_runs_have_equal_files(done: Path) -> None:
    first, second = (done.parent / "runs" / name for name in ("first", "second"))
    assert _files(first) == _files(second)
    for name in _files(first):
        if name.name != "manifest.json":  # it has the times
            assert (first / name).read_bytes() == (second / name).read_bytes(), name


def _use(path: Path) -> None:
    run = mw.Run.open(path, run="first")
    _ = run.label_model, run.end_model, run.metrics, run.html
    for split in run.job.splits:
        _ = run.votes[split], run.labels[split], run.end[split]


@pytest.mark.parametrize(
    "name",
    [
        "votes/train-00000.parquet",
        "votes/dev-00000.parquet",
        "votes/test-00000.parquet",
        "label_model.npz",
        "probabilities/train-00000.parquet",
        "probabilities/test-00000.parquet",
        "end_model.safetensors",
        "end_probabilities/train-00000.parquet",
        "end_probabilities/dev-00000.parquet",
        "report.html",
        "manifest.json",
    ],
)
def test_a_flipped_bit_is_named(done: Path, name: str) -> None:
    file = done.parent / "runs" / "first" / name
    content = file.read_bytes()
    for part in (0, len(content) // 3, len(content) // 2, len(content) - 1):
        flipped = bytearray(content)
        flipped[part] ^= 1 << (part % 8)
        file.write_bytes(flipped)
        with pytest.raises(DataError) as caught:
            _use(done)
        assert str(caught.value).startswith(f"{file}: must be ")
        assert "metalwork" in str(caught.value)
    file.write_bytes(content)
    _use(done)


KINDS: dict[str, pl.Series] = {
    "mixed": pl.Series(["a", 1, 2.5, None], dtype=pl.Object),
    "large": pl.Series([10**30, -(10**25), 3, 10**30 + 1], dtype=pl.Object),
    "dicts": pl.Series([{"a": 1}, {"a": 2}, {"b": [1]}, {}], dtype=pl.Object),
    "lists": pl.Series([[1], [2, 3], [], [4]]),
    "binary": pl.Series([b"\xff", b"a", b"", b"\x00"]),
    "durations": pl.Series([timedelta(days=i) for i in range(4)]),
    "infinite": pl.Series([float("inf"), 1.0, -0.0, 2.0]),
    "truth": pl.Series([True, False, None, None]),
}


@pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_ids_of_every_kind_are_written_as_text(tmp_path: Path, kind: str) -> None:
    schema = mw.TaskSchema.flat(["mammal", "bird"], task="kind")
    texts = pl.DataFrame({"text": ["fur", "feather", "fur and paw", "feather and beak"]})
    lfs = [
        mw.keywords("kind", "mammal", ["fur"], name="furry"),
        mw.keywords("kind", "bird", ["feather"], name="feathered"),
    ]
    splits = {"train": Split(texts, None, KINDS[kind])}
    settings = {"label_model": LabelModelSettings(name="soft-vote")}
    job = Job.of_splits("ids", schema, lfs, splits, FeatureSettings(text="text", min_df=1), **settings)
    Run(job, tmp_path / "run").run()
    ids = pl.read_csv(tmp_path / "run" / "labels.csv", infer_schema=False)["id"]
    assert ids.n_unique() >= min(3, KINDS[kind].len() - KINDS[kind].null_count())


def _warnings(path: Path) -> list[str]:
    with pytest.warns(MetalworkWarning):
        return list(mw.Run.open(path).apply().warnings)


def test_ids_that_name_no_record_or_several_are_named(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    table = (tmp_path / "train.csv").read_text()
    for old, new in (("train-Cat-1,", "train-Dog-0,"), ("train-Owl-1,", ","), ("train-Owl-2,", ",")):
        table = table.replace(old, new)
    (tmp_path / "train.csv").write_text(table)
    assert _warnings(path) == [
        "2 records of train have no id, such as rows 6, 10. Tables name them by row alone; give each an id.",
        "1 ids of train name several records: 'train-Dog-0'. Give each record an id of its own.",
    ]


def test_dev_records_that_stand_in_test_are_named(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    (tmp_path / "dev.csv").write_text(records("test", 1).replace("test-", "other-"))
    assert _warnings(path) == [
        "4 records of dev also stand in test, such as id other-Cat-0, other-Dog-0, other-Owl-0, other-Duck-0. "
        "Figures on test are then too good; take these records out of one of them."
    ]


def test_a_dev_set_of_one_label_or_of_none_is_named(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    header, cat, *_ = (tmp_path / "dev.csv").read_text().splitlines()
    (tmp_path / "dev.csv").write_text(f"{header}\n{cat}\n{cat.replace('-0', '-1')}\n")
    assert _warnings(path) == [
        "All 2 known records of dev have the label 'Cat': dev tells nothing of the others. "
        "Add records of other labels."
    ]
    (tmp_path / "dev.csv").write_text(f"{header}\n{cat.replace(',Cat', ',')}\n")
    assert _warnings(path) == [
        "No record of dev has a known label, so dev guides nothing. Fill its label column, or leave it out."
    ]


def test_an_end_label_without_votes_is_named(tmp_path: Path) -> None:
    rule = "        - {regex: 'quack\\w*', task: bird, label: Duck, name: quacks}\n"
    assert rule in PROJECT
    path = write_project(tmp_path, project=PROJECT.replace(rule, ""))
    assert _warnings(path) == [
        "No labeling function votes for 'Duck' on the training records: what is known of such a label comes from "
        "the class prior and from votes for others. Write labeling functions for each end label."
    ]


def test_test_shows_in_final_figures_alone(done: Path) -> None:
    run = mw.Run.open(done, run="first")
    assert list(run.gold_lfs) == ["dev"]
    assert {split for by_split in run.dev_metrics.values() for split in by_split} == {"dev"}
    assert {split for by_split in run.metrics.values() for split in by_split} == {"dev", "test"}
    assert "test-Cat" not in run.html
    assert "test number" not in run.html


def test_records_without_a_vote_and_ties_are_told_apart(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    with (tmp_path / "train.csv").open("a") as table:
        table.write("silent,nothing at all,\ntied,fur and feather,\n")
    run = mw.Run.open(path, run="first").fit()
    frame = pl.read_csv(tmp_path / "runs" / "first" / "labels.csv")
    assert frame.filter(~pl.col("covered"))["id"].to_list() == ["silent"]
    assert frame.filter(pl.col("id") == "silent")["n_votes"].to_list() == [0]
    found = run.coverage("train")
    assert (int((~found.covered).sum()), int(found.decided.sum()) + int(found.tied.sum())) == (1, 25)
    assert found.notes()[0] == "1 of 26 records have no vote: their label is the class prior's alone."


def test_text_that_an_lf_takes_for_a_number_is_said_once_a_run(tmp_path: Path) -> None:
    numbered = """
    @mw.labeling_function(task="kind")
    def numbered(key):
        return "Bird" if key == 7 else mw.ABSTAIN
    """
    path = write_project(tmp_path, lfs=LFS + numbered)
    for split, start in (("train", 100), ("dev", 200), ("test", 300)):
        header, *lines = (tmp_path / f"{split}.csv").read_text().splitlines()
        lines = [f"{start + i},{line.split(',', 1)[1]}" for i, line in enumerate(lines)]
        (tmp_path / f"{split}.csv").write_text("\n".join([header, *lines]) + "\n")
    run = mw.Run.open(path, run="first")
    with pytest.warns(MetalworkWarning, match="LF 'numbered' compares column 'key' with numbers"):
        run.apply()
    assert len(run.warnings) == 1
