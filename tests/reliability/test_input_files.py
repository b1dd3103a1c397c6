"""Bad input files: one error that names file, line and reason, and no traceback of another library."""

import os
import random
import re
from pathlib import Path

import polars as pl
import pytest

from metalwork.data import read_records
from metalwork.errors import DataError

BAD_FILES = [
    ("a.jsonl", b"", "a.jsonl: must hold records; the file is empty."),
    ("a.csv", b"", "a.csv: must hold records; the file is empty."),
    ("a.parquet", b"", "a.parquet: must hold records; the file is empty."),
    ("a.csv", b"a,b\n", "a.csv: must hold at least one record; there is none."),
    ("a.jsonl", b"\n \n", "a.jsonl: must hold at least one record; there is none."),
    ("a.jsonl", b'{"a": 1}\n{"a": 2', "a.jsonl:2: not valid JSON at column 8: Expecting ',' delimiter."),
    ("a.jsonl", b'{"a": 1}\n[1]\n', 'a.jsonl:2: must be a JSON object such as {"text": "..."}; got [1].'),
    ("a.jsonl", b'{"a": 1, "a": 2}\n', "a.jsonl:1: the key 'a' stands twice."),
    ("a.jsonl", b'{"a": {"b": 1, "b": 2}}\n', "a.jsonl:1: the key 'b' stands twice."),
    ("a.jsonl", b'{"a": NaN}\n', "a.jsonl:1: NaN is not JSON; write null."),
    ("a.jsonl", b'{"a": -Infinity}\n', "a.jsonl:1: -Infinity is not JSON; write null."),
    ("a.jsonl", b'{"a": ' + b"9" * 5000 + b"}\n", "a.jsonl:1: Exceeds the limit"),
    (
        "a.jsonl",
        b'{"a": ' + b"[" * 100_000 + b"}\n",
        "a.jsonl:1: lists and objects must be nested at most 100 deep (limits.depth); these go deeper.",
    ),
    ("a.jsonl", b'{"a": "\\ud800"}\n', "a.jsonl:1: must be Unicode text; an escape is half of a surrogate pair."),
    ("a.jsonl", b'{"a": "x"}\n{"a": "\x00"}\n', "a.jsonl:2: must be text; it holds a NUL character. Remove it."),
    ("a.csv", b"a\nx\n\x00\n", "a.csv:3: must be text; it holds a NUL character. Remove it."),
    (
        "a.jsonl",
        '{"a": 1}\n{"a": "é"}\n'.encode("latin-1"),
        "a.jsonl:2: must be UTF-8 text; byte 8 of the line (0xe9)",
    ),
    ("a.csv", "a\né\n".encode("latin-1"), "a.csv:2: must be UTF-8 text; byte 1 of the line (0xe9) is not."),
    (
        "a.csv",
        "a\nx\n".encode("utf-16"),
        "a.csv:1: must be UTF-8 text; it is UTF-16. Save the file as UTF-8, or say",
    ),
    ("a.jsonl", '{"a": 1}\n'.encode("utf-16"), "a.jsonl:1: must be UTF-8 text; it is UTF-16."),
    ("a.csv", b"a,b\n1,2\n3\n", "a.csv:3: a row must have 2 fields like the header; got 1."),
    ("a.csv", b'a,b\n"x\ny",2\n3,4,5\n', "a.csv:4: a row must have 2 fields like the header; got 3."),
    ("a.csv", b'a,b\n1,2\n"x,4\n5,6\n', "a.csv:3: not valid CSV: unexpected end of data. Check the quotes."),
    ("a.csv", b'a,b\n1,"x"y\n', "a.csv:2: not valid CSV: ',' expected after '\"'. Check the quotes."),
    ("a.csv", b"a,a\n1,2\n", "a.csv:1: column names must be distinct; got 'a' twice."),
    ("a.csv", b",\n1,2\n", "a.csv:1: column names must be distinct; got '' twice."),
    ("a.csv.gz", b"a,b\n1,2\n", "a.csv.gz: must be a gzip file; it is damaged or something else"),
    (
        "a.parquet",
        b"PAR1 and more text",
        "a.parquet: must be a Parquet file; it is cut short, damaged or something else.",
    ),
    ("a.parquet", b"PAR1" + bytes(20) + b"PAR1", "a.parquet: must be a Parquet file; it is damaged ("),
    ("a.xlsx", b"x", "a.xlsx: the suffix must be one of .csv, .tsv, .tab, .jsonl, .ndjson, .json, .parquet, .pq"),
    ("a", b"x", "a: the suffix must be one of"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES)
def test_a_bad_file_is_one_clear_error(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_records(tmp_path / name)
    assert message in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "no.csv", "no.csv: there is no such file."),
        (tmp_path / "*.csv", "*.csv: no file matches. Check the folder and the pattern."),
    ):
        with pytest.raises(DataError, match=re.escape(message)):
            read_records(path)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(
        DataError,
        match=r"must be a file, or a folder that holds files of records \(\.csv, .*\); it holds none\. Give",
    ):
        read_records(tmp_path / "folder.csv")
    with pytest.raises(
        DataError,
        match=r"^format must be one of 'csv', 'tsv', 'jsonl', 'json', 'parquet', 'arrow', 'txt'; got 'xml'\.$",
    ):
        read_records(tmp_path / "a.csv", format="xml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    with pytest.raises(DataError, match=r"a\.csv: cannot be read \(Permission denied\)\."):
        read_records(path)


def test_an_error_far_into_a_file_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [b'{"a": %d}' % i for i in range(30_000)]
    for line, fault in ((29_123, b'{"a": 1'), (25_000, b'{"a": "\xff"}')):
        path.write_bytes(b"\n".join([*lines[: line - 1], fault, *lines[line:]]))
        with pytest.raises(DataError, match=rf"a\.jsonl:{line}: "):
            read_records(path)


def test_a_declared_number_that_is_none_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + '1,"two\nlines"\n' * 12_000 + "x,\n")
    assert read_records(path)["a"][-1] == "x"
    with pytest.raises(DataError, match=r"a\.csv:24002: column 'a' must hold a number; got 'x'\. Mend the value"):
        read_records(path, types={"a": float})


def test_tables_of_a_glob_must_have_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("x,z\n1,2\n")
    with pytest.raises(
        DataError, match=r"b\.csv: must have the same columns as .*a\.csv; they differ in 'y', 'z'\."
    ):
        read_records(tmp_path / "*.csv")


def test_damaged_parquet_files_never_panic(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    frame = pl.DataFrame({"a": range(300), "text": [f"record {i}" for i in range(300)]})
    frame.write_parquet(tmp_path / "good.parquet")
    good, draw = (tmp_path / "good.parquet").read_bytes(), random.Random(0)
    path = tmp_path / "bad.parquet"
    messages = []
    for _ in range(150):
        bad = bytearray(good)
        for _ in range(draw.randint(1, 8)):
            bad[draw.randrange(4, len(bad) - 4)] = draw.randrange(256)
        path.write_bytes(bad)
        try:
            read_records(path)
        except DataError as error:
            messages.append(str(error))
    assert len(messages) > 50
    assert all(message.startswith(f"{path}: ") for message in messages)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_mutated_text_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    good = {
        "a.jsonl": b'{"id": 1, "text": "caf\xc3\xa9, \\"x\\"", "n": [1, 2.5]}\n' * 3,
        "a.csv": b'id,text,n\n1,"caf\xc3\xa9, ""x""",2.5\n2,plain,3\n',
    }[name]
    draw, path, messages = random.Random(1), tmp_path / name, []
    for _ in range(400):
        bad = bytearray(good)
        for _ in range(draw.randint(1, 3)):
            bad[draw.randrange(len(bad))] = draw.choice(b'\x00\xff",{}[]:\n\r\\ 0e\xef')
        path.write_bytes(bad[: draw.randint(1, len(bad))])
        try:
            read_records(path)
        except DataError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert all(message.startswith(f"{path}") for message in messages)
