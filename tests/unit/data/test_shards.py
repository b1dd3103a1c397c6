"""Shards: bounded, read by themselves, and the same records whatever the cut."""

import csv
import gzip
import io
import json
import os
import pickle
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from metalwork.data import Shard, _csv, _jsonl, _tables, open_records, read_records
from metalwork.data._columns import concatenate
from metalwork.errors import DataError

PARTS = ["a", "é", " ", '"', ",", "\n", "\r\n", "long " * 20, ""]


def cut(monkeypatch: pytest.MonkeyPatch, block: int, most: int) -> None:
    for module in (_csv, _jsonl):
        monkeypatch.setattr(module, "BLOCK", block)
        monkeypatch.setattr(module, "MOST_RECORDS", most)


def a_table(draw: random.Random, path: Path) -> int:
    """Write a CSV file with quoted line breaks, blank lines and stray quotes; the number of its records."""
    out, n_rows = io.StringIO(newline=""), draw.randint(1, 60)
    writer = csv.writer(out, lineterminator=draw.choice(["\n", "\r\n"]))
    writer.writerow(["row", "text"])
    for row in range(n_rows):
        if draw.random() < 0.05:
            out.write("\n" if draw.random() < 0.5 else "\r\n")
        if draw.random() < 0.02:
            out.write(f'{row},5" pipe\n')
        else:
            writer.writerow([row, "".join(draw.choices(PARTS, k=draw.randint(0, 4)))])
    path.write_bytes(out.getvalue().encode())
    return n_rows


def some_lines(draw: random.Random, path: Path) -> int:
    """Write JSON lines, blank ones among them; the number of the records."""
    n_rows, lines = draw.randint(1, 60), []
    for row in range(n_rows):
        if draw.random() < 0.1:
            lines.append(draw.choice(["", "  ", "\t", "\u2003", "\r"]))
        text = "".join(draw.choices(PARTS, k=draw.randint(0, 4)))
        lines.append(json.dumps({"row": row, "text": text, "more": draw.choice([None, 1, "x", [1]])}))
    path.write_bytes("\n".join(lines + draw.choice([[], [""]])).encode())
    return n_rows


def read(shards: list[Shard]) -> list[tuple[Any, ...]]:
    return concatenate([frame for shard in shards for frame in shard.chunks()]).rows()


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".csv.gz", ".jsonl.gz"])
@pytest.mark.parametrize("block", [1, 40, 300])
def test_the_cut_changes_nothing(suffix: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, path = random.Random(block), tmp_path / f"a{suffix}"
    for _ in range(60):
        n_rows = (a_table if "csv" in suffix else some_lines)(draw, path)
        if suffix.endswith("gz"):
            path.write_bytes(gzip.compress(path.read_bytes()))
        whole = read_records(path).rows()
        most = draw.choice([1, 5, 1000])
        with monkeypatch.context() as patch:
            cut(patch, block, most)
            source = open_records(path)
            shards: list[Shard] = pickle.loads(pickle.dumps(list(source.shards(None, draw.choice([1, 4, 100])))))
        assert read(shards) == whole
        sizes = [sum(frame.height for frame in shard.chunks()) for shard in shards]
        assert [shard.n_points for shard in shards] == sizes
        assert [shard.start for shard in shards] == [sum(sizes[:i]) for i in range(len(sizes))]
        assert sum(sizes) == n_rows
        assert max(sizes) <= most


def test_shards_are_bounded_in_records_and_in_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n" + "1\n" * 250_000)
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n' * 250_000)
    pl.DataFrame({"a": ["1"] * 250_000}).write_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        shards = list(open_records(tmp_path / name).shards(None, 10_000))
        assert [shard.n_points for shard in shards] == [100_000, 100_000, 50_000]
        assert {frame.height for shard in shards for frame in shard.chunks()} == {10_000}
    (tmp_path / "a.csv").write_text("a\n" + f"{'x' * 10_000}\n" * 1000)
    assert len(pickle.dumps(list(open_records(tmp_path / "a.csv").shards(None, 10)))) < 2_000
    assert len(list(open_records(tmp_path / "a.csv").shards(None, 10))) == 3


def test_long_rows_of_tables_make_small_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"a": [random.Random(i).randbytes(1000).hex() for i in range(300)]})
    frame.write_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr(_tables, "_RANGE", (tmp_path / "a.parquet").stat().st_size // 10 + 1)
    shards = list(open_records(tmp_path / "a.parquet").shards(None, 7))
    assert [shard.n_points for shard in shards] == [30] * 10
    assert pl.concat(frame for shard in shards for frame in shard.chunks()).equals(frame)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_file_that_changes_while_it_is_read_is_named(name: str, tmp_path: Path) -> None:
    path, frame = tmp_path / name, pl.DataFrame({"a": ["x", "y"]})
    writers: dict[str, Any] = {".csv": frame.write_csv, ".jsonl": frame.write_ndjson}
    write = writers.get(path.suffix, frame.write_parquet)
    write(path)
    shards = list(open_records(path).shards(None, 10))
    assert read(shards) == [("x",), ("y",)]
    write(path)
    os.utime(path, ns=(0, 0))
    with pytest.raises(DataError) as caught:
        read(shards)
    assert (
        str(caught.value) == f"{path}: must not change while it is read; it was written to meanwhile. Start again."
    )


def test_faults_are_named_by_line_in_every_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(monkeypatch, 50, 3)
    path = tmp_path / "a.jsonl"
    lines = ['{"a": 1}', "", '{"a": 2}'] * 30
    for line in (1, 2, 45, 90):
        path.write_text("\n".join([*lines[: line - 1], '{"a": "x"}', *lines[line:]]))
        with pytest.raises(DataError, match=rf"a\.jsonl:{line}: column 'a' must hold a number; got 'x'"):
            read_records(path, types={"a": float})
