"""Every kind of file, packed or not, in folders and elsewhere, gives the same records."""

import bz2
import gzip
import lzma
import os
import pickle
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import polars as pl
import pytest

from metalwork.data import Limits, open_records, read_records
from metalwork.data._opening import PACKED
from metalwork.errors import ConfigError, DataError, MissingExtraError

RECORDS = pl.DataFrame({"text": ["fur", "two\nlines, and é", None, "=1"], "n": [1, 2, 3, 4]})


def zstd(content: bytes) -> bytes:
    from backports import zstd as packer

    return packer.compress(content)


PACKERS: dict[str, Any] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


def written(path: Path, frame: pl.DataFrame = RECORDS) -> Path:
    """Write a frame in the format and the packing that the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = path.with_suffix("") if path.suffix in PACKERS else path
    writers: dict[str, Any] = {".csv": frame.write_csv, ".jsonl": frame.write_ndjson, ".json": frame.write_json}
    writers |= {".parquet": frame.write_parquet, ".arrow": frame.write_ipc, ".feather": frame.write_ipc}
    writers[plain.suffix](plain)
    if plain != path:
        path.write_bytes(PACKERS[path.suffix](plain.read_bytes()))
        plain.unlink()
    return path


def as_read(path: Path) -> list[tuple[Any, ...]]:
    return (RECORDS.cast(pl.String) if ".csv" in path.name else RECORDS).rows()


@pytest.mark.parametrize("packing", ["", *PACKED])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json"])
def test_text_files_may_be_packed(suffix: str, packing: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"a{suffix}{packing}")
    assert read_records(path).rows() == as_read(path)
    if packing:
        content = path.read_bytes()
        kind = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}[packing]
        for bad in (content[:-4], content[: len(content) // 2], b"no such thing, but long enough"):
            path.write_bytes(bad)
            with pytest.raises(DataError) as caught:
                read_records(path)
            assert str(caught.value).startswith(
                f"{path}: must be a {kind} file; it is damaged or something else ("
            )


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".feather"])
def test_tables_are_read_by_ranges(suffix: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"a{suffix}")
    source = open_records(path)
    assert (source.columns, source.n_points) == (("text", "n"), 4)
    shards = pickle.loads(pickle.dumps(list(source.shards(["n"], 3))))
    assert [frame["n"].to_list() for shard in shards for frame in shard.chunks()] == [[1, 2, 3], [4]]
    for bad in (path.read_bytes()[:-30], path.read_bytes()[: path.stat().st_size // 2], b"x" * 40):
        path.write_bytes(bad)
        with pytest.raises(DataError, match=r"must be (a Parquet|an Arrow IPC) file; it is cut short, damaged or"):
            read_records(path)


def test_a_folder_is_read_by_name_and_gives_columns(tmp_path: Path) -> None:
    for year in ("2024", "2023"):
        for split in ("dev", "a b"):
            folder = tmp_path / "all" / f"year={year}" / f"split={split.replace(' ', '%20')}"
            written(folder / "part-0.parquet", pl.DataFrame({"text": [f"{year} {split}"]}))
    written(
        tmp_path / "all" / "year=__HIVE_DEFAULT_PARTITION__" / "split=dev" / "p.parquet",
        RECORDS[:1]["text"].to_frame(),
    )
    (tmp_path / "all" / "_SUCCESS").write_text("")
    (tmp_path / "all" / ".hidden.csv").write_text("a\n1\n")
    frame = read_records(tmp_path / "all")
    assert frame.columns == ["text", "year", "split"]
    assert frame.rows() == [
        ("2023 a b", "2023", "a b"),
        ("2023 dev", "2023", "dev"),
        ("2024 a b", "2024", "a b"),
        ("2024 dev", "2024", "dev"),
        ("fur", None, "dev"),
    ]
    assert read_records(tmp_path / "all", ["split"]).columns == ["split"]
    assert read_records(tmp_path / "all", ["year", "text"], where={"split": "dev"}).rows()[0] == (
        "2023",
        "2023 dev",
    )
    written(tmp_path / "all" / "more.csv")
    with pytest.raises(
        DataError, match=r"all: must hold files of one kind; got 1 of csv, 5 of parquet\. Give a glob"
    ):
        read_records(tmp_path / "all")
    (tmp_path / "all" / "more.csv").unlink()
    written(tmp_path / "all" / "more.parquet")
    with pytest.raises(
        DataError, match=r"folders named column=value must be of the same columns everywhere below"
    ):
        read_records(tmp_path / "all")


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.csv")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    for path, reason in (
        (tmp_path / "pipe.csv", "must be a file; it is a pipe, which can be read once only."),
        (tmp_path / "socket.csv", "must be a file; it is a socket, which can be read once only."),
        (tmp_path / "loop.csv", "cannot be read (Too many levels of symbolic links)."),
        (Path("/dev/null"), "must be a file; it is a device, which can be read once only."),
        (tmp_path / ("x" * 300 + ".csv"), "cannot be read (File name too long)."),
    ):
        with pytest.raises(DataError) as caught:
            read_records(path, format="csv")
        assert str(caught.value).startswith(f"{path}: {reason}")
    with pytest.raises(DataError, match=r"^a path must hold no NUL character; got 'a\\x00\.csv'\. Remove it\.$"):
        read_records("a\0.csv")
    (tmp_path / "sub").mkdir()
    written(tmp_path / "sub" / "a.jsonl")
    for name in ("again", "a-loop"):
        (tmp_path / "sub" / name).symlink_to(tmp_path / "sub")
    assert read_records(tmp_path / "sub").height == 4
    assert read_records(tmp_path / "**" / "*.jsonl").height == 4


@pytest.mark.parametrize(
    ("name", "content", "limits", "message"),
    [
        (
            "a.csv",
            b'a\nx\n"' + b"y\n" * 600,
            {},
            ":3: a record must have at most 1,000 bytes (limits.record_bytes)",
        ),
        ("a.csv", b"a\n" + b"x" * 1200 + b"\n", {}, ":2: a record must have at most 1,000 bytes"),
        ("a.csv", b'a\n5" x\n' + b"x" * 1200, {}, ":3: a record must have at most 1,000 bytes"),
        ("a.jsonl", b'{"a": 1}\n' * 3 + b"9" * 2000, {}, ":4: a record must have at most 1,000 bytes"),
        (
            "a.json",
            b"[" + b'{"a": 1},' * 99 + b'{"a": 1}]',
            {"array_bytes": 400},
            ": a file of one JSON array must",
        ),
        (
            "a.csv",
            b"a,b,c\n1,2,3\n",
            {"columns": 2},
            ":1: a table must have at most 2 columns (limits.columns); got 3",
        ),
        ("a.jsonl", b'{"a": 1, "b": 1}\n{"c": 1}', {"columns": 2}, ": records must have at most 2 keys together"),
        ("a.jsonl", b'{"a": [[["]"]]]}', {"depth": 3}, ":1: lists and objects must be nested at most 3 deep"),
    ],
)
@pytest.mark.parametrize("packing", ["", ".gz"])
def test_limits_are_named(
    name: str, content: bytes, limits: dict[str, int], message: str, packing: str, tmp_path: Path
) -> None:
    path = tmp_path / (name + packing)
    path.write_bytes(gzip.compress(content) if packing else content)
    with pytest.raises(DataError) as caught:
        read_records(path, limits={"record_bytes": 1000} | limits)
    assert str(caught.value).startswith(f"{path}{message}")
    if "record" not in message and ".json" not in name:
        assert read_records(path).height > 0


def test_wrong_limits_are_named() -> None:
    for limits, message in (
        ({"record_bytes": 0}, r"limits\['record_bytes'\] must be a whole number from 1; got 0\."),
        ({"deep": 1}, r"'deep' is no limit\. Did you mean 'depth'\?"),
        (3, r"limits must be a dict such as .*; got 3\."),
    ):
        with pytest.raises(ConfigError, match=message):
            open_records([{"a": 1}], limits=limits)  # type: ignore[arg-type]
    assert read_records([{"a": 1}], limits=Limits(depth=3)).height == 1


def test_a_line_of_gigabytes_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(b'{"a": 1}\n{"a": "')
        for _ in range(200):
            stream.write(bytes(1 << 20))
    with pytest.raises(DataError, match=r"bomb\.jsonl\.gz:2: a record must have at most 67,108,864 bytes"):
        read_records(path)


@pytest.fixture
def memory() -> Iterator[Any]:
    store = fsspec.filesystem("memory")
    yield store
    store.rm("/", recursive=True)


def test_addresses_are_read_through_fsspec(memory: Any, tmp_path: Path) -> None:
    written(tmp_path / "a.csv")
    written(tmp_path / "b.jsonl.zst")
    for name in ("a.csv", "b.jsonl.zst"):
        memory.pipe(f"/data/{name}", (tmp_path / name).read_bytes())
        assert read_records(f"memory://data/{name}").rows() == as_read(tmp_path / name)
        memory.pipe(f"/more/day=1/{name}", (tmp_path / name).read_bytes())
    assert read_records("memory://data/*.csv").height == 4
    assert read_records(["memory://data/a.csv", "memory://data/a.csv"]).height == 8
    memory.rm("/more/day=1/b.jsonl.zst")
    assert read_records("memory://more").columns == ["text", "n", "day"]
    assert read_records(f"file://{tmp_path}/a.csv").rows() == as_read(tmp_path / "a.csv")
    for address, message in (
        ("memory://data/c.csv", "memory://data/c.csv: there is no such file."),
        ("memory://data/*.txt", "memory://data/*.txt: no file matches. Check the address and the pattern."),
        ("memory://data/a.parquet", "memory://data/a.parquet: tables are read at addresses of s3, gs, az, abfs,"),
        ("nope://me:secret@host/a.csv?sig=secret", "nope://host/a.csv?...: cannot be read ("),
    ):
        with pytest.raises(DataError) as caught:
            read_records(address)
        assert str(caught.value).startswith(message)
        assert "secret" not in repr(caught.value)


def test_a_remote_file_that_changes_is_named(memory: Any) -> None:
    memory.pipe("/a.csv", b"a\n1\n")
    shards = list(open_records("memory://a.csv").shards(None, 10))
    memory.pipe("/a.csv", b"a\n22\n")
    with pytest.raises(DataError, match=r"^memory://a\.csv: must not change while it is read; it was written to"):
        list(shards[0].chunks())


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.csv.zst")
    monkeypatch.delattr("backports.zstd")
    for name in ("backports.zstd", "fsspec"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"^A \.zst file needs the package 'backports\.zstd'"):
        read_records(path)
    with pytest.raises(MissingExtraError, match=r"^A file at an address needs the package 'fsspec'"):
        read_records("memory://a.csv")
