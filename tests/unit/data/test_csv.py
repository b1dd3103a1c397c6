"""CSV as it is written: delimiters, quotes, encodings, and two ways of reading that agree."""

import csv
import io
import pickle
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import metalwork as mw
from metalwork.data import Limits, _csv, iter_records, open_records, read_records
from metalwork.data._dialect import Dialect, recognise_delimiter
from metalwork.errors import ConfigError, DataError


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_nothing_is_rounded_or_guessed(tmp_path: Path) -> None:
    values = ["9007199254740993123", "1e400", "1.10", "007", "1" * 40, "TRUE", "NaN", " x ", "-0", "2024-01-05"]
    path = written(tmp_path / "a.csv", "id\n" + "\n".join(values) + "\n")
    assert read_records(path)["id"].to_list() == values


def test_a_column_may_change_its_nature_anywhere(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,zip\n" + "a,10115\n" * 30_000 + "b,SW1A 1AA\nc,1.5\n")
    assert read_records(path).rows()[-3:] == [("a", "10115"), ("b", "SW1A 1AA"), ("c", "1.5")]
    assert read_records(path, ["text"]).columns == ["text"]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1;3,50\n2;4,75\n", ";"),
        ("a\tb\nx, y\tz\n", "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ("a,b|c|d\n1,x|y|z\n", ","),
        ("id;full name, first;born\n1;Rossi, Ada;1815\n2;Bo;1900\n", ";"),
        ('"a;b",c\n1,2\n', ","),
        ("text\none, two; three\n", ","),
        ("", ","),
        ("a;b\n1;2;3\n", ";"),
    ],
)
def test_the_header_tells_the_delimiter(text: str, delimiter: str) -> None:
    assert recognise_delimiter(text.splitlines(keepends=True), '"') == delimiter


def test_delimiter_quote_and_encoding_can_be_said(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "nome:città\n'Aldo: il re':Forlì\n", "cp1252")
    frame = read_records(path, delimiter=":", quote="'", encoding="cp1252")
    assert frame.rows() == [("Aldo: il re", "Forlì")]
    unquoted = written(tmp_path / "b.csv", 'size,what\n5" ,"pipe\n')
    assert read_records(unquoted, quote="").rows() == [('5" ', '"pipe')]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1", "shift_jis", "utf-8-sig"])
def test_text_in_other_encodings(encoding: str, tmp_path: Path) -> None:
    text = "a,b\n" + "".join(f"{i},ア{'x' * (i % 50)}\n" for i in range(40_000))
    if encoding == "latin-1":
        text = text.replace("ア", "é")
    path = written(tmp_path / "a.csv", text, encoding)
    expected = list(csv.reader(io.StringIO(text)))[1:]
    assert read_records(path, encoding=encoding).rows() == [tuple(row) for row in expected]


def test_a_byte_that_an_encoding_lacks_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 400_000 + b"x,\x81\n")
    with pytest.raises(DataError, match=r"a\.csv:400002: must be cp1252 text; byte 0x81 is not\. Say"):
        read_records(path, encoding="cp1252")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": "||"}, r"delimiter must be one ASCII character such as ';' or '\\t'; got '||'."),
        ({"delimiter": '"'}, r"delimiter must be one ASCII character such as ';' or '\\t'; got '\"'."),
        ({"quote": "''"}, "quote must be one ASCII character such as \"'\", or '' for none; got \"''\"."),
        (
            {"encoding": "utf-9"},
            "encoding must be the name of one; got 'utf-9'. Say e.g. 'utf-8', 'cp1252', 'latin-1', 'utf-16'.",
        ),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a,b\n1,2\n")
    with pytest.raises(ConfigError) as caught:
        read_records(path, **options)
    assert str(caught.value) == message.replace(r"\'\"\'", "'\"'").replace("\\\\", "\\").replace('\\"', '"')


def test_options_of_files_are_refused_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_records([{"a": 1}], delimiter=";")
    assert str(caught.value) == "delimiter is for files; got ';' for list. Leave it out."
    path = written(tmp_path / "a.jsonl", '{"a": 1}\n')
    assert read_records(path, delimiter=";").rows() == [(1,)]  # said once, for files of several kinds


def made(draw: random.Random) -> bytes:
    """A small CSV file with all that makes them differ, sometimes damaged."""
    out, n_columns = io.StringIO(newline=""), draw.randint(1, 4)
    quoting: Any = draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    writer = csv.writer(out, lineterminator=draw.choice(["\n", "\r\n"]), quoting=quoting)
    writer.writerow([f"c{i}" for i in range(n_columns)])
    for _ in range(draw.randint(1, 20)):
        parts = ["a", "é", " ", '"', ",", "\n", "\r\n", "\r", ""]
        writer.writerow(["".join(draw.choices(parts, k=draw.randint(0, 4))) for _ in range(n_columns)])
    content = bytearray((out.getvalue() + draw.choice(["", "\n", "\r\n\r\n"])).encode())
    if draw.random() < 0.4:
        content[draw.randrange(len(content))] = draw.choice(b'\x00\xff",\n\r a')
    return bytes(content)


def by_rows(path: Path) -> Any:
    try:
        rows = [row for _, row in _csv.read_rows(path, Dialect(), Limits())]
    except DataError as error:
        return str(error)
    return [tuple(value or None for value in row) for row in rows[1:]]


def by_blocks(path: Path, chunk_size: int) -> Any:
    try:
        return pl.concat(iter_records(open_records(path, delimiter=","), chunk_size)).rows()
    except DataError as error:
        return str(error)


@pytest.mark.parametrize("size", [1, 9, 60, 1 << 20])
def test_blocks_give_what_rows_give(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_csv, "BLOCK", size)
    draw, path, seen = random.Random(size), tmp_path / "a.csv", set()
    for _ in range(300):
        path.write_bytes(made(draw))
        expected = by_rows(path)
        if expected:
            assert by_blocks(path, draw.choice([1, 3, 100])) == expected
            seen.add(type(expected))
    assert seen == {list, str}


def test_polars_reads_what_is_laid_out_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_csv._Cutter, "_by_rows", None)
    monkeypatch.setattr(_csv.CsvShard, "_rows", None)
    text = 'a,b\r\n"x, ""y""\r\nz",\r\n\r\n"",2\r\n'
    assert read_records(written(tmp_path / "a.csv", text)).rows() == [('x, "y"\r\nz', None), (None, "2")]


def test_a_stray_quote_slows_one_block_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_csv, "BLOCK", 1000)
    calls, slow = [], _csv._Cutter._by_rows
    monkeypatch.setattr(_csv._Cutter, "_by_rows", lambda *given: calls.append(1) or slow(*given))  # type: ignore[func-returns-value]
    lines = [f"{i},x" for i in range(5000)]
    lines[100] = '100,5" pipe'
    frame = read_records(written(tmp_path / "a.csv", "i,t\n" + "\n".join(lines)))
    assert frame["i"].to_list() == [str(i) for i in range(5000)]
    assert frame["t"][100] == '5" pipe'
    assert len(calls) == 1


def test_blocks_know_their_lines_and_are_read_by_any_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_csv, "BLOCK", 500)
    lines = [f'{i},"two\nlines"' for i in range(3000)]
    path = written(tmp_path / "a.csv", "i,t\n" + "\n".join(lines) + "\n")
    shards = list(open_records(path).shards(["i"], 7))
    assert len(shards) > 5
    copies = pickle.loads(pickle.dumps(shards))
    assert [frame.height <= 7 for shard in copies for frame in shard.chunks()].count(False) == 0
    assert pl.concat(frame for shard in copies for frame in shard.chunks())["i"].to_list() == [
        str(i) for i in range(3000)
    ]
    for row, fault, message in (
        (250, "x,y", f"{path}:502: column 'i' must hold a whole number; got 'x'. Mend"),
        (250, "1", f"{path}:502: a row must have 2 fields like the header; got 1."),
        (251, 'a" b,"', f"{path}:504: column 'i' must hold a whole number; got 'a\" b'."),
    ):
        bad = [*lines[:row], fault, *lines[row + 1 :]]
        if fault.endswith('"'):
            bad[row] += '"'
        path.write_text("i,t\n" + "\n".join(bad) + "\n")
        with pytest.raises(DataError) as caught:
            read_records(path, types={"i": int})
        assert str(caught.value).startswith(message)


def test_workers_share_a_file_and_meet_its_faults_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_csv, "BLOCK", 300)
    schema = mw.TaskSchema.flat(["odd", "even"], task="parity")
    lf = mw.from_callable(lambda i: "odd" if i[-1] in "13579" else "even", "parity", name="parity")
    path = written(tmp_path / "a.csv", "i,t\n" + "".join(f"{i},{'x' * (i % 9)}\n" for i in range(400)))
    expected = mw.apply([lf], path, schema).codes
    assert (mw.apply([lf], path, schema, backend="processes", n_jobs=2).codes == expected).all()
    path.write_text(path.read_text() + "4")
    for backend in ("serial", "processes"):
        with pytest.raises(DataError, match=r"a\.csv:402: a row must have 2 fields like the header; got 1\."):
            mw.apply([lf], path, schema, backend=backend, n_jobs=2)


def test_many_columns_are_no_burden(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(20_000)]
    path = written(tmp_path / "a.csv", ",".join(names) + "\n" + ",".join(["1"] * 20_000) + "\n")
    assert read_records(path, ["c19999"]).rows() == [("1",)]
