"""Reading records from files and frames."""

import gzip
import pickle
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from metalwork.data import iter_records, open_records, read_records
from metalwork.errors import ConfigError, DataError


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8"))
    return path


def test_csv_is_quoted_text_as_it_is_written(tmp_path: Path) -> None:
    text = '\ufeffid,code,x,text\r\n1,007,1.10,"a, ""b""\nc"\r\n-2,010,-2e3,\r\n\r\n30,1,"",naïve\r\n'
    path = written(tmp_path / "a.csv", text)
    frame = read_records(path)
    assert set(frame.dtypes) == {pl.String}
    assert frame.rows() == [
        ("1", "007", "1.10", 'a, "b"\nc'),
        ("-2", "010", "-2e3", None),
        ("30", "1", None, "naïve"),
    ]
    typed = read_records(path, types={"id": int, "x": "float"})
    assert typed.schema == {"id": pl.Int64, "code": pl.String, "x": pl.Float64, "text": pl.String}
    assert typed["x"].to_list() == [1.1, -2000.0, None]


def test_tsv_splits_at_tabs_only(tmp_path: Path) -> None:
    assert read_records(written(tmp_path / "a.tsv", "a\tb\n1,2\tx y\n")).rows() == [("1,2", "x y")]


def test_a_csv_field_may_be_long(tmp_path: Path) -> None:
    frame = read_records(written(tmp_path / "a.csv", f"text\n{'x' * 200_000}\n"))
    assert frame["text"].str.len_chars().to_list() == [200_000]


def test_json_lines_keep_nested_values(tmp_path: Path) -> None:
    text = '{"id": 1, "bow": {"a": 2}}\n\n{"id": 2.5, "tags": ["x"], "mixed": 1}\r\n{"bow": null, "mixed": "y"}'
    frame = read_records(written(tmp_path / "a.jsonl", text))
    assert frame.columns == ["id", "bow", "tags", "mixed"]
    assert frame["id"].to_list() == [1.0, 2.5, None]
    assert frame["bow"].to_list() == [{"a": 2}, None, None]
    assert frame["tags"].to_list() == [None, ["x"], None]
    assert frame["mixed"].to_list() == [None, 1, "y"]


def test_packed_text_files_are_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    assert read_records(path)["a"].to_list() == [1, 2]
    assert read_records(str(tmp_path / "*.gz"), format="jsonl")["a"].to_list() == [1, 2]


def test_parquet_comes_back_as_it_was(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"a": [1, None], "b": [date(2020, 1, 1), None], "c": [["x"], []], "d": [{"k": 1}, {"k": 2}]}
    )
    frame.write_parquet(tmp_path / "a.parquet")
    assert read_records(tmp_path / "a.parquet").equals(frame)
    assert read_records(tmp_path / "a.parquet", columns=["d", "a"]).columns == ["d", "a"]


def test_frames_and_dicts_are_records_too() -> None:
    expected = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    for source in (expected, expected.lazy(), pd.DataFrame({"a": [1, 2], "b": ["x", None]}), expected.to_dicts()):
        assert read_records(source).equals(expected)


def test_format_names_what_the_suffix_does_not(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", '{"a": 1}\n')
    assert read_records(path, format="jsonl")["a"].to_list() == [1]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("chunk_size", [1, 7, 100, 1000])
def test_chunks_hold_all_records_in_order(suffix: str, chunk_size: int, tmp_path: Path) -> None:
    frame = pl.DataFrame({"row": range(500), "text": [f"é\n{'x' * (i % 37)}" for i in range(500)]})
    path = tmp_path / f"a.{suffix}"
    if suffix == "csv":
        frame.write_csv(path)
    elif suffix == "jsonl":
        frame.write_ndjson(path)
    else:
        frame.write_parquet(path, row_group_size=50)
    chunks = list(iter_records(path, chunk_size))
    assert max(map(len, chunks)) <= chunk_size
    assert pl.concat(chunks).equals(frame.cast(pl.String) if suffix == "csv" else frame)


def test_every_shard_can_be_read_by_another_process(tmp_path: Path) -> None:
    pl.DataFrame({"a": range(50)}).write_ndjson(tmp_path / "a.jsonl")
    pl.DataFrame({"a": range(50)}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"a": range(50)}).write_csv(tmp_path / "a.csv")
    sources: list[Any] = [tmp_path / f"a.{suffix}" for suffix in ("jsonl", "parquet", "csv")]
    sources += [pl.DataFrame({"a": range(50)}), [{"a": i} for i in range(50)]]
    for source in sources:
        shards = pickle.loads(pickle.dumps(list(open_records(source).shards(["a"], 10))))
        read = pl.concat([f for shard in shards for f in shard.chunks()])
        assert read["a"].cast(pl.Int64).to_list() == list(range(50))


def test_python_objects_survive_a_pickled_shard() -> None:
    records = [{"a": 1, "bow": {"x": 1}, "b": 2}, {"a": 2, "bow": {"y": 1}, "b": 3}]
    (shard,) = pickle.loads(pickle.dumps(open_records(records).shards(["a", "bow", "b"], 10)))
    (frame,) = shard.chunks()
    assert frame.columns == ["a", "bow", "b"]
    assert frame["bow"].to_list() == [{"x": 1}, {"y": 1}]


def test_chunks_of_different_types_are_settled_together(tmp_path: Path) -> None:
    lines = ['{"a": 1, "b": null}', '{"a": 2.5, "b": {"k": 1}}', '{"b": "x", "a": null}']
    path = written(tmp_path / "a.jsonl", "\n".join(lines))
    frame = pl.concat([read_records(path)])
    assert frame["a"].to_list() == [1.0, 2.5, None]
    assert frame["b"].to_list() == [None, {"k": 1}, "x"]
    assert [len(chunk) for chunk in iter_records(path, 1)] == [1, 1, 1]


def test_an_unknown_column_is_named_with_a_suggestion() -> None:
    with pytest.raises(DataError, match=r"^'txt' is no column of the records\. Did you mean 'text'\?$"):
        read_records([{"text": "a"}], columns=["txt"])


def test_a_wrong_chunk_size_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^chunk_size must be a whole number from 1; got 0\.$"):
        iter_records([{"a": 1}], 0)
