"""Files that are kept: opened once, by their digest as they were."""

import gzip
import hashlib
from pathlib import Path

import pytest

from metalwork.data import HeldFiles, read_records


def test_a_kept_file_is_read_from_disk_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text\nfur\n")
    held = HeldFiles()
    with held.active():
        assert read_records(path)["text"].to_list() == ["fur"]
        path.write_text("text\nfeather\n")
        assert read_records(path)["text"].to_list() == ["fur"]
    assert held.digests == {str(path.resolve()): hashlib.sha256(b"text\nfur\n").hexdigest()}
    assert read_records(path)["text"].to_list() == ["feather"]
    with held.active():
        held.keep([path])
        assert read_records(path)["text"].to_list() == ["fur"]
        held.drop([path])
        assert read_records(path)["text"].to_list() == ["feather"]
        held.keep([])
        path.write_text("text\nscale\n")
        assert read_records(path)["text"].to_list() == ["scale"]


def test_packed_files_are_kept_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"text\nfur\n"))
    held = HeldFiles()
    with held.active():
        assert read_records(path)["text"].to_list() == ["fur"]
    assert held.digests[str(path.resolve())] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_large_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metalwork.data._held._MOST", 4)
    path = tmp_path / "a.csv"
    path.write_text("text\nfur\n")
    held = HeldFiles()
    with held.active():
        assert read_records(path)["text"].to_list() == ["fur"]
    assert held.digests == {}
