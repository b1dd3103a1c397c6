"""Files of records made by hand: sound ones of every kind, and what people and attackers make of them."""

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from backports import zstd

ROWS = [('fur, "soft"', "1"), ("two\nlines é", "2"), ("ключ 漢字", "3"), ("=1+1", "4")]
FRAME = pl.DataFrame(ROWS, schema=["text", "n"], orient="row")
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
}


class Case(NamedTuple):
    """A file: how it is made, how it is read, and whether it must be ``read``, ``refused`` or either."""

    name: str
    file: str
    make: Callable[[Path], object]
    outcome: str = "either"
    options: dict[str, Any] = {}  # noqa: RUF012  (read only)


def cases() -> list[Case]:
    """All of them."""
    return [
        *_dialects(),
        *_packed(),
        *_encoded(),
        *_tables(),
        *_json(),
        *_csv(),
        *_misnamed(),
        *_no_files(),
        *_bombs(),
    ]


def _of(name: str, file: str, content: bytes, outcome: str = "either", **options: Any) -> Case:
    return Case(name, file, lambda path: path.write_bytes(content), outcome, options)


def as_csv(delimiter: str = ",", end: str = "\n", quoting: Any = csv.QUOTE_MINIMAL) -> str:
    """The records as CSV."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([("text", "n"), *ROWS])
    return out.getvalue()


def as_lines() -> str:
    """The records as JSON lines."""
    return "".join(json.dumps({"text": text, "n": n}, ensure_ascii=False) + "\n" for text, n in ROWS)


def as_array() -> str:
    """The records as one JSON array."""
    return json.dumps([{"text": text, "n": n} for text, n in ROWS])


TEXTS = {".csv": as_csv(), ".jsonl": as_lines(), ".json": as_array()}


def _dialects() -> Iterator[Case]:
    quotings: list[Any] = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL]
    for delimiter, end, quoting, mark in product(",;\t|", ("\n", "\r\n"), quotings, ("", "\ufeff")):
        content = (mark + as_csv(delimiter, end, quoting)).encode()
        yield _of(f"csv with {delimiter!r}, {end!r}, {quoting}, {mark!r}", "a.csv", content, "read")


def _packed() -> Iterator[Case]:
    for (suffix, text), (packing, pack) in product(TEXTS.items(), PACKERS.items()):
        name, packed = f"a{suffix}{packing}", pack(text.encode())
        yield _of(f"{name} whole", name, packed, "read")
        yield _of(f"{name} cut in half", name, packed[: len(packed) // 2], "refused")
        yield _of(f"{name} cut at its end", name, packed[:-3], "refused")
        yield _of(f"{name} that is not packed", name, text.encode(), "refused")
        yield _of(f"{name} that is empty", name, b"", "refused")
        yield _of(f"{name} packed twice", name, pack(packed), "refused")


def _encoded() -> Iterator[Case]:
    for (suffix, text), encoding in product(TEXTS.items(), ("utf-8-sig", "utf-16", "utf-16-le", "utf-32")):
        yield _of(f"{suffix} in {encoding}", f"a{suffix}", text.encode(encoding), "read", encoding=encoding)
        bare = "read" if encoding == "utf-8-sig" else "refused"
        yield _of(
            f"{suffix} in {encoding}, not said",
            f"a{suffix}",
            text.encode(encoding),
            "either" if suffix == ".json" else bare,
        )
    for encoding in ("latin-1", "cp1252", "shift_jis", "gb18030", "koi8-r", "cp437"):
        text = "text,n\ncafé,1\n" if encoding in ("latin-1", "cp1252", "cp437") else "text,n\nключ,1\n"
        yield _of(f"csv in {encoding}", "a.csv", text.encode(encoding), "read", encoding=encoding)
        yield _of(f"csv in {encoding}, not said", "a.csv", text.encode(encoding), "refused")


def _tables() -> Iterator[Case]:
    kinds: list[tuple[str, str, Any]] = [
        ("parquet", c, FRAME.write_parquet) for c in ("snappy", "zstd", "gzip", "lz4")
    ]
    kinds += [("arrow", c, FRAME.write_ipc) for c in ("uncompressed", "lz4", "zstd")]
    for suffix, compression, write in kinds:
        out = io.BytesIO()
        write(out, compression=compression)
        whole, name = out.getvalue(), f"a.{suffix}"
        yield _of(f"{suffix} by {compression}", name, whole, "read")
        yield _of(f"{suffix} by {compression} cut", name, whole[:-9], "refused")
        yield _of(f"{suffix} by {compression} without an end", name, whole[: len(whole) // 2], "refused")
        yield _of(f"{suffix} by {compression} without a middle", name, whole[:40] + whole[-40:], "refused")
        zeroed = whole[:-200] + bytes(150) + whole[-50:]
        yield _of(f"{suffix} by {compression} with zeros in its footer", name, zeroed)
        yield _of(
            f"{suffix} by {compression} with a long footer", name, whole[:-8] + b"\xff\xff\xff\x7f" + whole[-4:]
        )


def _json() -> Iterator[Case]:
    deep = {depth: b"[" * depth + b"]" * depth for depth in (90, 99, 100, 900, 5_000, 100_000)}
    for depth, value in deep.items():
        outcome = "read" if depth < 100 else "refused"
        yield _of(f"json lists {depth} deep", "a.jsonl", b'{"text": ' + value + b"}", outcome)
        objects = b'{"text":' * depth + b"1" + b"}" * depth
        yield _of(f"json objects {depth} deep", "a.jsonl", objects, outcome if depth != 100 else "read")
    sound = {
        "an escaped NUL": b'{"text": "\\u0000"}',
        "an escaped escape": b'{"text": "\\u001b]0;x\\u0007"}',
        "a pair": b'{"text": "\\ud83d\\ude00"}',
        "line separators": '{"text": "a\u2028b\x85c"}'.encode(),
        "blank lines": b'\n \n{"text": "a"}\n\t\n',
        "no end": b'{"text": "a"}\n{"text": "b"}',
        "returns": b'{"text": "a"}\r\n{"text": "b"}\r\n',
        "large numbers": b'{"text": 123456789012345678901234567890, "n": 1e400}',
        "an empty key": b'{"": 1, "text": "a"}',
        "mixed kinds": b'{"text": 1}\n{"text": "a"}\n{"text": [1]}\n{"text": {"a": 1}}\n{"text": null}',
        "10,000 keys": json.dumps({f"k{i}": i for i in range(10_000)}).encode(),
        "a key of a megabyte": json.dumps({"k" * (1 << 20): 1}).encode(),
        "a text of five megabytes": json.dumps({"text": "x" * (5 << 20)}).encode(),
        "many brackets in a text": json.dumps({"text": "[" * 5_000 + '\\"' + "{" * 5_000}).encode(),
        "half a pair in raw bytes of a text": b'{"text": "\\\\ud800"}',
    }
    for name, content in sound.items():
        yield _of(f"json with {name}", "a.jsonl", content, "read")
    for suffix in (".jsonl", ".json"):
        for content in (
            b'{"text": NaN}', b'{"text": Infinity}', b'{"text": -Infinity}', b'{"text": 1, "text": 2}',
            b'{"text": "\\ud800"}', b'{"text": "\xed\xa0\x80"}', b'{"text": "\x00"}', b'{"text": "\x01"}',
            b'{"text": ' + b"9" * 5_000 + b"}", b'{"text": 1,}', b"{'text': 1}", b'{"text": 1} // no',
            b'{"text": "a', b'{"text": 1}{"text": 2}', b"null", b"1", b'"a"', b"true", b"{", b"}", b"[",
            b'{"text": 1', b'{"text" 1}',
            b"\xff\xfe", b"\x80", b'{"text": 01}', b'{"text": .5}', b'{"text": +1}', b'{"text": 0x1}', b"{}{}",
        ):  # fmt: skip
            yield _of(f"{suffix} {content[:24]!r}", f"a{suffix}", content, "refused")
    for content in (
        b"[]",
        b"[1]",
        b"[[1]]",
        b'[{"text": 1}, 2]',
        b'[{"text": 1}',
        b"[{}]",
        b'[{"text": 1}]x',
        b"[null]",
    ):
        yield _of(f"an array {content!r}", "a.json", content, "refused" if content != b"[null]" else "either")
    yield _of(
        "json of 150,000 keys", "a.jsonl", json.dumps({f"k{i}": i for i in range(150_000)}).encode(), "refused"
    )


def _csv() -> Iterator[Case]:
    wide = ",".join(f"c{i}" for i in range(20_000))
    sound = {
        "a stray quote": b'text,n\n5" pipe,1\nx,2\n',
        "a quote after a blank": b'text,n\n "x" ,1\n',
        "blank lines": b"text,n\n\nx,1\n\r\n\n",
        "a quoted header": b'"te\nxt","n"\nx,1\n',
        "empty fields": b"text,n\n,\n,\n",
        "one column": b"text\nx\ny\n",
        "20,000 columns": f"{wide}\n{wide}\n".encode(),
        "a field of five megabytes": b"text,n\n" + b"x" * (5 << 20) + b",1\n",
        "formulas": b"text,n\n=cmd|' /C calc'!A0,+1\n@SUM(A1),-1\n",
        "escape characters": b"text,n\n\x1b[31mred\x1b]0;x\x07,1\n",
        "marks of direction": "text,n\n\u202egnp.exe\u2066,1\n".encode(),
        "a late mark": "text,n\n\ufeffx,1\n".encode(),
        "a quoted return": b'text,n\n"a\rb",1\n',
        "100,000 short rows": b"text\n" + b"x\n" * 100_000,
        "no end": b"text,n\nx,1",
    }
    for name, content in sound.items():
        yield _of(f"csv with {name}", "a.csv", content, "read")
    wrong = {
        "nothing": b"", "a header only": b"text,n\n", "blank lines only": b"\n\n\r\n",
        "a blank header": b",\nx,1\n", "columns of one name": b"text,text\nx,1\n", "a mark only": b"\xef\xbb\xbf",
        "a long row": b"text,n\nx,1,2\n", "a short row": b"text,n\nx\n", "an open quote": b'text,n\n"x,1\ny,2\n',
        "NUL": b"text,n\nx\0,1\n", "no text": b"text,n\n\xff\xfe,1\n", "lone returns": b"text,n\rx,1\ry,2\r",
        "a return in a field": b"text,n\na\rb,1\n", "a surrogate": b"text,n\n\xed\xa0\x80,1\n",
        "text after a quote": b'text,n\n"x"y,1\n', "NUL bytes": bytes(10_000),
        "an open quote of a megabyte": b'text,n\n"' + b"x,1\n" * (1 << 18),
        "150,000 columns": ",".join(f"c{i}" for i in range(150_000)).encode() + b"\n",
        "overlong UTF-8": b"text,n\n\xc0\xaf,1\n", "a cut character": b"text,n\n\xe6\xbc",
    }  # fmt: skip
    for name, content in wrong.items():
        yield _of(f"csv with {name}", "a.csv", content, "refused")
    for name, content in {
        "only delimiters": b",,,\n,,,\n",
        "only quotes": b'""""\n""\n',
        "sep=": b"sep=;\ntext;n\nx;1\n",
    }.items():
        yield _of(f"csv with {name}", "a.csv", content)


def _misnamed() -> Iterator[Case]:
    out = io.BytesIO()
    FRAME.write_parquet(out)
    contents = {"csv": TEXTS[".csv"].encode(), "jsonl": TEXTS[".jsonl"].encode(), "parquet": out.getvalue()}
    contents |= {
        "gzip": gzip.compress(contents["csv"]),
        "PNG": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "ELF": b"\x7fELF" + bytes(400),
    }
    contents |= {
        "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\n",
        "zip": b"PK\x03\x04" + bytes(range(200)),
        "YAML": b"a: [1,\n b",
    }
    for (kind, content), suffix in product(
        contents.items(), (".csv", ".jsonl", ".json", ".parquet", ".arrow", ".csv.gz")
    ):
        if suffix.removeprefix(".") != kind:
            yield _of(f"{kind} called {suffix}", f"a{suffix}", content)
    for suffix in (".xlsx", ".zip", ".pkl", ".log", ""):
        yield _of(f"a name that ends in {suffix!r}", f"a{suffix}", contents["csv"], "refused")


def _no_files() -> Iterator[Case]:
    def a_socket(path: Path) -> None:
        place = os.getcwd()
        os.chdir(path.parent)  # the name of a socket may have 107 bytes
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
        os.chdir(place)

    def mixed(path: Path) -> None:
        path.mkdir()
        (path / "a.csv").write_text("a\n1\n")
        (path / "b.jsonl").write_text('{"a": 1}\n')

    yield Case("a pipe", "a.csv", os.mkfifo, "refused")
    yield Case("a socket", "a.csv", a_socket, "refused")
    yield Case("a folder", "a.csv", Path.mkdir, "refused")
    yield Case("a folder of two kinds", "a", mixed, "refused")
    yield Case("no file", "a.csv", str, "refused")
    yield Case("a link to itself", "a.csv", lambda path: path.symlink_to(path), "refused")
    yield Case("a link to nothing", "a.csv", lambda path: path.symlink_to(path.with_name("none")), "refused")
    for device in ("/dev/null", "/dev/zero", "/dev/random"):
        yield Case(f"a link to {device}", "a.csv", partial(_link, device), "refused")
    yield Case("a name of 300 letters", "x" * 300 + ".csv", str, "refused")


def _link(target: str, path: Path) -> None:
    path.symlink_to(target)


def _bombs() -> Iterator[Case]:
    for packing in (".gz", ".zst"):
        zeros, spaces = PACKERS[packing](bytes(80 << 20)), PACKERS[packing](b"text\n" + b" " * (80 << 20))
        for suffix in (".csv", ".jsonl", ".json"):
            yield _of(f"{suffix}{packing} of 80 MB of NUL", f"a{suffix}{packing}", zeros, "refused")
            yield _of(f"{suffix}{packing} of a line of 80 MB", f"a{suffix}{packing}", spaces, "refused")
