"""Finding files: what exists is no pattern."""

from pathlib import Path

import pytest

from metalwork.data import find_files, read_records


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study [v2]" / "a*b"
    folder.mkdir(parents=True)
    for name in ("train-1.csv", "train-2.csv", "x[1].csv"):
        (folder / name).write_text(f"text\n{name}\n")
    return tmp_path / "study [v2]"


def test_only_what_is_written_as_a_pattern_is_one(study: Path) -> None:
    names = ["train-1.csv", "train-2.csv"]
    assert [path.name for path in find_files(study, "a*b/train-*.csv")] == names
    assert [path.name for path in find_files(study / "a*b", "train-[12].csv")] == names
    assert [path.name for path in find_files("", study / "a*b" / "train-?.csv")] == names
    assert [path.name for path in find_files(study, "**/train-*.csv")] == names
    assert find_files(study, "a*b/x[1].csv") == [study / "a*b" / "x[1].csv"]
    assert read_records(str(study / "a*b" / "train-*.csv"))["text"].to_list() == names


def test_what_is_not_there_is_not_found(study: Path) -> None:
    assert find_files(study, "a*b/none.csv") == []
    assert find_files(study, "a*b/none-*.csv") == []
    assert find_files(study / "nowhere", "*.csv") == []
