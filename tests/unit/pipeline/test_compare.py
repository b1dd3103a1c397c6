"""Two runs side by side: LFs, figures with intervals, and records whose label has changed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from metalwork.analysis import PairedChange, Share
from metalwork.cli import app
from metalwork.editing import ProjectEditor
from metalwork.errors import ConfigError
from metalwork.pipeline import Run, compare
from tests.unit.pipeline.projects import PROJECT, write_project

LABELS_ALONE = PROJECT.replace("{hidden_sizes: [16, 16], max_epochs: 20, batch_size: 4, lr: 0.01}", "none")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run, and one after three changes to its rules: quacks now says Owl, feathered is gone, wings is new."""
    path = write_project(tmp_path_factory.mktemp("pets"), project=LABELS_ALONE)
    Run.open(path, "first").run()
    editor = ProjectEditor(path)
    editor.replace_rule("quacks", {"regex": r"quack\w*", "task": "bird", "label": "Owl", "name": "quacks"})
    editor.remove_rule("feathered")
    editor.add_rule({"keywords": ["beak"], "task": "kind", "label": "Bird", "name": "beaks"})
    with pytest.warns(match="No labeling function votes for 'Duck'"):
        Run.open(path, "second").run()
    return path.parent / "runs" / "first", path.parent / "runs" / "second"


def test_labeling_functions_come_go_and_change(runs: tuple[Path, Path]) -> None:
    found = compare(*runs)
    lfs = {lf.name: lf for lf in found.lfs}
    assert {name: lf.kind for name, lf in lfs.items()} == {
        "furry": "same", "meows": "same", "barks": "same", "hoots": "same", "quacks": "changed",
        "other tool": "same", "beaks": "added", "feathered": "gone",
    }  # fmt: skip
    assert lfs["quacks"].n_changed == 6
    assert lfs["quacks"].coverage == (0.25, 0.25)
    assert [str(own) for own in lfs["quacks"].precision] == ["100.0% of 1 (21% to 100%)", "0.0% of 1 (0% to 79%)"]
    assert lfs["feathered"].coverage == (0.5, None)
    assert found.coverage == (1.0, 1.0)


def test_labels_that_changed_are_told_of_train_and_dev_alone(runs: tuple[Path, Path]) -> None:
    found = compare(*runs)
    ducks = found.records.filter(before="Duck")
    assert set(ducks["after"]) == {"Owl"}
    assert ducks.filter(split="train").height == 6
    assert ducks.filter(split="dev").row(0) == ("dev", "dev-Duck-0", "label model", "Duck", "Owl", "Duck")
    assert "test" not in set(found.records["split"])
    assert dict(found.n_records) == {"train": 24, "dev": 4}


def test_figures_are_paired_where_the_records_are_the_same(runs: tuple[Path, Path]) -> None:
    scores = {(s.model.split(" (")[0], s.split, s.label, s.figure): s for s in compare(*runs).scores}
    dev = scores["Label model", "dev", None, "accuracy"]
    assert dev.shares == (Share.of(1.0, 4), Share.of(0.75, 4))
    assert dev.paired == PairedChange.of(0, 1, 4)
    test = scores["Label model", "test", None, "accuracy"]
    assert test.shares == (Share.of(1.0, 8), Share.of(0.75, 8))
    assert test.paired is None
    ducks = scores["Label model", "dev", "Duck", "recall"]
    assert (ducks.shares, ducks.paired) == ((Share.of(1.0, 1), Share.of(0.0, 1)), PairedChange.of(0, 1, 1))


def test_runs_on_other_records_are_joined_by_id(runs: tuple[Path, Path], tmp_path: Path) -> None:
    path = write_project(tmp_path, project=LABELS_ALONE)
    lines = (tmp_path / "dev.csv").read_text().splitlines(keepends=True)
    (tmp_path / "dev.csv").write_text("".join([lines[0], *lines[:0:-1]]))  # another order
    (tmp_path / "train.csv").write_text(
        (tmp_path / "train.csv").read_text().replace("train-Cat-0", "train-Cat-99")
    )
    Run.open(path, "other").run()
    found = compare(runs[1], path.parent / "runs" / "other")
    assert dict(found.n_records) == {"train": 23, "dev": 4}
    assert found.records.filter(split="dev").row(0) == ("dev", "dev-Duck-0", "label model", "Owl", "Duck", "Duck")
    assert {lf.name: lf.n_changed for lf in found.lfs}["quacks"] is None
    ids = (tmp_path / "dev.csv").read_text()
    (tmp_path / "dev.csv").write_text(ids.replace("dev-Owl-0", "dev-Duck-0"))
    with pytest.warns(match="name several records"):
        Run.open(path, "twice").run()
    assert "have no ids that tell which is which" in compare(runs[0], path.parent / "runs" / "twice").notes[0]


def test_runs_that_are_not_finished(runs: tuple[Path, Path], tmp_path: Path) -> None:
    path = write_project(tmp_path, project=LABELS_ALONE)
    Run.open(path, "votes").apply()
    found = compare(runs[0], tmp_path / "runs" / "votes")
    assert found.notes == ("votes must be evaluated before labels can be compared.",)
    assert all(lf.kind == "same" for lf in found.lfs)
    with pytest.raises(ConfigError, match="there is none at"):
        compare(runs[0], tmp_path / "nowhere")


def test_the_command_shows_it(runs: tuple[Path, Path]) -> None:
    result = CliRunner().invoke(app, ["compare", *map(str, runs), "-n", "2"])
    assert result.exit_code == 0, result.output
    for text in ("Labeling functions (5 vote as they did)", "6 votes changed", "beaks", "feathered", "gone"):
        assert text in result.output
    assert "6 of 24 train records have another label by the label model" in result.output
    assert "and 4 more (-n shows more)" in result.output
    assert not any(
        f"test-{name}" in result.output for name in ("Cat", "Dog", "Owl", "Duck")
    )  # no test record is shown
    same = CliRunner().invoke(app, ["compare", str(runs[0]), str(runs[0])])
    assert "Labeling functions: all 7 vote as they did." in same.output
    assert "None of 24 train records has another label." in same.output


def test_intervals_are_those_of_the_books() -> None:
    share = Share.of(0.9, 10)
    assert share is not None
    assert (round(share.low, 3), round(share.high, 3)) == (0.596, 0.982)  # Wilson's for 9 of 10
    assert Share.of(None, 0) is None
    assert str(PairedChange.of(3, 1, 20)).startswith("+10.0 points")
    assert PairedChange.of(0, 0, 0) is None
