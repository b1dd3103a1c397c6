"""Atomic writes: the whole new file or the untouched old one."""

import os
import stat
from pathlib import Path

import pytest

from metalwork._files import atomic_write, write_text


def test_text_appears_whole_in_new_folders(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "c.txt", "naïve\n")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == "naïve\n".encode()


def test_nothing_is_seen_before_the_end(tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.write_text("old")
    with atomic_write(target) as stream:
        stream.write(b"new")
        stream.flush()
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "x"
    target.write_text("old")
    with pytest.raises(error), atomic_write(target) as stream:  # noqa: PT012 (the failure is within the write)
        stream.write(b"half")
        raise error
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]


def test_a_failing_sync_publishes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(tmp_path / "x", "new")
    assert os.listdir(tmp_path) == []


def test_the_file_has_the_users_usual_mode(tmp_path: Path) -> None:
    write_text(tmp_path / "x", "new")
    (tmp_path / "y").write_text("plain")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "xy"]
    assert modes[0] == modes[1]
