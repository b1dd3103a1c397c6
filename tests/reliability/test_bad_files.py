"""A short version of ``python -m tests.campaigns files``."""

from pathlib import Path

import pytest

from tests.campaigns import files
from tests.campaigns._bad_files import Case, cases

CASES = [case for case in cases() if "000" not in case.name and "80 MB" not in case.name]


def test_there_are_many_cases() -> None:
    assert len({case.name for case in cases()}) == len(cases()) > 350


@pytest.mark.parametrize("case", CASES[::5], ids=lambda case: case.name)
def test_a_file_made_by_hand_is_read_or_refused(case: Case, tmp_path: Path) -> None:
    assert files.made_outcome(case, tmp_path / "case", files.read_outcome) in files.GOOD


@pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")
@pytest.mark.parametrize("case", CASES[::60], ids=lambda case: case.name)
def test_the_command_reads_or_refuses_it(case: Case, tmp_path: Path) -> None:
    assert files.made_outcome(case, tmp_path / "case", files.apply_outcome) in files.GOOD


def test_mutated_files_are_read_or_refused(tmp_path: Path) -> None:
    for name, content in files.mutations(300, seed=1):
        (tmp_path / name).write_bytes(content)
        assert files.read_outcome(tmp_path / name, {}) in files.GOOD


def test_what_is_neither_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in CASES if case.outcome == "read")
    monkeypatch.setattr(files, "read_records", lambda path: 1 // 0)
    assert files.made_outcome(case, tmp_path / "a", files.read_outcome).startswith("raw: ZeroDivisionError")
    monkeypatch.setattr(files, "SLOW", 0.0)
    assert files.made_outcome(case, tmp_path / "b", files.read_outcome).startswith("slow: raw")
