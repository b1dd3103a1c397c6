"""Finding and fetching data sets; a server of our own stands in for the public origins."""

import dataclasses
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from metalwork.data import _find, _registry, cache_folder, fetch, find_data, list_datasets
from metalwork.data._registry import DATASETS, DataFile, DatasetInfo
from metalwork.errors import DataError, MetalworkWarning

CONTENT = b'{"text": "a"}\n'


@pytest.fixture(autouse=True)
def _no_data_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METALWORK_DATA", raising=False)
    monkeypatch.setenv("METALWORK_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "origin"
    folder.mkdir()
    (folder / "toy.jsonl").write_bytes(CONTENT)
    server = HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def register(monkeypatch: pytest.MonkeyPatch, *files: DataFile, is_folder: bool = False) -> None:
    toy = DatasetInfo("toy", "a toy", "none", "nowhere.", files, is_folder)
    for module in (_find, _registry):
        monkeypatch.setattr(module, "DATASETS", (toy,))


def toy_file(url: str | None = None, content: bytes = CONTENT) -> DataFile:
    return DataFile("toy.jsonl", hashlib.sha256(content).hexdigest(), url)


def test_names_are_distinct_and_files_have_digests() -> None:
    assert len({info.name for info in DATASETS}) == len(DATASETS) == 7
    assert all(len(file.sha256) == 64 for info in DATASETS for file in info.files)
    assert [info.name for info in DATASETS if info.downloadable] == ["reuters21578", "clinc150"]


def test_an_explicit_path_is_the_file_or_a_folder_around_it(tmp_path: Path) -> None:
    file = tmp_path / "data" / "openi" / "openi.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    for path in (file, file.parent, file.parent.parent):
        assert find_data("openi", path) == file
    with pytest.raises(DataError, match=r"must hold the data set 'rcv1'; rcv1/rcv1\.jsonl is not there\.$"):
        find_data("rcv1", tmp_path / "data")


def test_the_data_folder_comes_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, toy_file())
    cached, own = tmp_path / "cache" / "toy" / "toy.jsonl", tmp_path / "own" / "toy" / "toy.jsonl"
    for file in (cached, own):
        file.parent.mkdir(parents=True)
        file.write_bytes(CONTENT)
    assert find_data("toy") == cached
    monkeypatch.setenv("METALWORK_DATA", str(tmp_path / "own"))
    assert find_data("toy") == own
    assert [status.path for status in list_datasets()] == [own]


def test_a_set_of_several_files_is_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, toy_file(), dataclasses.replace(toy_file(), name="more.jsonl"), is_folder=True)
    folder = tmp_path / "cache" / "toy"
    folder.mkdir(parents=True)
    (folder / "toy.jsonl").write_bytes(CONTENT)
    with pytest.raises(DataError, match=r"holds toy/toy\.jsonl and toy/more\.jsonl\. Origin: nowhere\.$"):
        find_data("toy")
    (folder / "more.jsonl").write_bytes(CONTENT)
    assert find_data("toy") == folder


def test_another_version_is_used_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, toy_file())
    file = tmp_path / "cache" / "toy" / "toy.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"something else")
    with pytest.warns(MetalworkWarning, match=r"toy\.jsonl is not the version that the published figures come"):
        assert find_data("toy") == file


def test_what_has_a_public_file_is_fetched_once(
    origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, toy_file(f"{origin}/toy.jsonl"))
    with pytest.raises(DataError, match=r"or run `metalwork data fetch toy` where there is a network"):
        find_data("toy", download=False)
    found = find_data("toy")
    assert found == cache_folder() / "toy" / "toy.jsonl" == tmp_path / "cache" / "toy" / "toy.jsonl"
    assert found.read_bytes() == CONTENT
    (tmp_path / "origin" / "toy.jsonl").unlink()
    assert find_data("toy") == found


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        (
            "toy.jsonl",
            b"other",
            r"toy\.jsonl: must be the known version; its content differs\. Set",
        ),
        ("none.jsonl", CONTENT, r"none\.jsonl: cannot be fetched \(.*[Nn]ot [Ff]ound.*\)\. Set"),
    ],
)
def test_a_failed_fetch_keeps_nothing(
    path: str, content: bytes, message: str, origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, toy_file(f"{origin}/{path}", content))
    with pytest.raises(DataError, match=message):
        fetch("toy")
    assert not list((tmp_path / "cache").rglob("*"))


def test_no_network_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, toy_file("http://127.0.0.1:9/toy.jsonl"))
    with pytest.raises(
        DataError, match=r"cannot be fetched \(.*\)\. Set METALWORK_DATA to a folder that holds toy"
    ):
        find_data("toy")


def test_a_set_without_a_public_file_says_where_it_comes_from() -> None:
    for look in (fetch, find_data):
        with pytest.raises(DataError, match=r"Set METALWORK_DATA .* openi/openi\.jsonl\. Origin: The paper"):
            look("openi")
    with pytest.raises(DataError, match=r"^'reuters' is no data set\. Did you mean 'reuters21578'\?$"):
        find_data("reuters")


def test_the_digest_of_an_archive_is_that_of_its_members(tmp_path: Path) -> None:
    digests = []
    for prefix, mtime, order in (("", 1, "ab"), ("./x/", 2, "ba")):
        path = tmp_path / f"{mtime}.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for letter in order:
                member = tarfile.TarInfo(f"{prefix}{letter}.sgm")
                member.size, member.mtime = 4, mtime
                archive.addfile(member, io.BytesIO(f"text{letter}".encode()[:4]))
        digests.append(_find._digest(path))
    assert digests[0] == digests[1] != ""
    (tmp_path / "bad.tar.gz").write_bytes(b"no archive")
    assert _find._digest(tmp_path / "bad.tar.gz") == ""
