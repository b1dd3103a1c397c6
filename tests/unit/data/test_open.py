"""Whatever holds records is read; what does not is refused with what to do."""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pytest

import metalwork as mw
from metalwork.data import RecordSource, iter_records, open_records, read_records
from metalwork.errors import ConfigError, DataError

SCHEMA = mw.TaskSchema.flat(["ham", "spam"], task="kind")
OFFER = mw.keywords("kind", "spam", ["offer"])


def votes(records: Any, **options: Any) -> list[int]:
    codes: list[int] = mw.apply([OFFER], records, SCHEMA, **options).codes[:, 0].tolist()
    return codes


class Capsule:
    """What another library exports: Arrow, and nothing else."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self._frame.__arrow_c_stream__(requested_schema)


def test_texts_are_a_column_text() -> None:
    for records in (["an offer", "lunch"], ("an offer", "lunch"), pl.Series(["an offer", "lunch"])):
        assert votes(records) == [1, -1]
    assert read_records(pd.Series(["a", None], name="body")).rows() == [("a",), (None,)]
    assert read_records(pd.Series(["a"])).columns == ["text"]


def test_iterators_are_read_once_in_chunks() -> None:
    taken: list[int] = []

    def records() -> Iterator[dict[str, Any]]:
        for row in range(25_000):
            taken.append(row)
            yield {"text": "an offer" if row % 2 else "lunch", "row": row}

    source = open_records(records())
    assert (source.columns, source.n_points, len(taken)) == (("text", "row"), None, 10_000)
    chunks = iter_records(source, 1000)
    assert len(next(chunks)) == 1000
    assert len(taken) <= 11_000
    assert sum(map(len, chunks)) == 24_000
    with pytest.raises(DataError) as caught:
        read_records(source)
    assert str(caught.value) == (
        "records of an iterator can be read once; these have been read. Pass a list, or a new iterator."
    )
    assert votes(iter(["an offer", "lunch"]), chunk_size=1) == [1, -1]
    assert votes(({"text": text} for text in ("an offer", "")), backend="processes", n_jobs=1) == [1, -1]


def test_a_fault_far_into_an_iterator_names_its_row() -> None:
    with pytest.raises(DataError, match=r"^records must be dicts from column to value; got int at row 10001\."):
        read_records(iter([*[{"a": 1}] * 10_001, 3]))


def test_anything_that_exports_arrow_is_read() -> None:
    frame = pl.DataFrame({"text": ["an offer", None], "n": [1, None]})
    assert read_records(Capsule(frame)).equals(frame)
    assert votes(Capsule(frame)) == [1, -1]


def test_folders_of_text_files_are_records(tmp_path: Path) -> None:
    for name, text in (("b", "an offer\nof two lines"), ("a", ""), ("c", "lunch")):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "readme.md").write_text("not a record")
    frame = read_records(tmp_path)
    assert frame.rows() == [(None, "a.txt"), ("an offer\nof two lines", "b.txt"), ("lunch", "c.txt")]
    assert votes(tmp_path, chunk_size=2) == [-1, 1, -1]
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "c.txt").write_text("x")
    assert read_records(str(tmp_path / "**" / "*.txt"), ["name"])["name"].to_list()[-1] == "more/c.txt"
    (tmp_path / "more" / "c.txt").unlink()
    assert read_records(tmp_path / "c.txt", format="txt").rows() == [("lunch", "c.txt")]
    with pytest.raises(DataError, match=r"c\.txt: a text file must say what a record is\. Pass its folder"):
        read_records(tmp_path / "c.txt")
    (tmp_path / "d.txt").write_bytes(b"ok\ncaf\xe9")
    with pytest.raises(DataError, match=r"d\.txt:2: must be UTF-8 text; byte 4 of the line \(0xe9\) is not\."):
        read_records(tmp_path)
    assert read_records(tmp_path, encoding="latin-1")["text"][-1] == "ok\ncafé"


def test_lists_of_files_are_read_in_their_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.csv").write_text(f"text\n{name}\n")
    paths = [tmp_path / "b.csv", tmp_path / "a.csv"]
    for given in (paths, list(map(str, paths)), tuple(paths)):
        assert read_records(given)["text"].to_list() == ["b", "a"]
    (tmp_path / "n.txt").write_text("x")
    with pytest.raises(DataError, match=r"n\.txt: files that are a record each and tables .* must not be mixed\."):
        read_records([*paths, tmp_path / "n.txt"])


def test_a_column_may_choose_the_records(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,split\nan offer,train\nlunch,dev\nlunch,train\nx,\n")
    source = open_records(path, where={"split": "train"})
    assert votes(source) == [1, -1]
    assert read_records(path, ["text"], where={"split": ["dev", "train"]})["text"].to_list() == [
        "an offer",
        "lunch",
        "lunch",
    ]
    assert read_records([{"a": 1, "n": 3}, {"a": 1.0, "n": 4}], where={"a": 1})["n"].to_list() == [3]
    with pytest.raises(DataError) as caught:
        read_records(path, where={"split": "test"})
    assert str(caught.value) == "records must hold at least one record; got none. Check the condition in where."
    with pytest.raises(DataError, match=r"^'spl' is no column of the records\. Did you mean 'split'\?$"):
        read_records(path, where={"spl": "test"})
    with pytest.raises(ConfigError, match=r"^where must be a dict from columns to values; got 'dev'\."):
        read_records(path, where="dev")  # type: ignore[arg-type]


def test_names_of_columns_are_text() -> None:
    for records in ([{0: "an offer"}, {0: "x"}], pd.DataFrame([["an offer"], ["x"]])):
        assert read_records(records).columns == ["0"]
        assert mw.apply([mw.keywords("kind", "spam", ["offer"], field="0")], records, SCHEMA).codes[0, 0] == 1
    for twice in (
        [{0: "x"}, {"0": "y"}],
        pd.DataFrame([["x", "y"]], columns=[0, "0"]),
        pd.DataFrame([["x", "y"]], columns=["0", "0"]),
    ):
        with pytest.raises(DataError) as caught:
            read_records(twice)
        assert str(caught.value) == "records must have distinct column names; got '0' twice. Rename one."


MISSING = pd.DataFrame(
    {
        "whole": pd.array([1, None], dtype="Int64"),
        "truth": pd.array([True, None], dtype="boolean"),
        "text": pd.array(["x", None], dtype="string"),
        "number": pd.array([1.5, None], dtype="Float64"),
        "plain": [1.5, math.nan],
        "date": [pd.Timestamp("2024-05-01"), pd.NaT],
        "time": [pd.Timedelta("1D"), pd.NaT],
        "kind": pd.Categorical(["x", None]),
        "object": ["x", math.nan],
        "empty": ["x", ""],
    }
)


def test_whatever_is_missing_is_null() -> None:
    frame = read_records(MISSING)
    assert frame.rows()[1] == (None,) * 10
    assert frame.rows()[0] == (
        1,
        True,
        "x",
        1.5,
        1.5,
        datetime(2024, 5, 1),
        timedelta(days=1),
        "x",
        "x",
        "x",
    )
    values = [None, math.nan, np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT"), ""]
    assert read_records([{"a": value} for value in [*values, 3, "x"]])["a"].to_list() == [None] * 7 + [3, "x"]
    assert read_records(pl.DataFrame({"a": [1.0, math.nan], "b": ["", "x"]})).rows() == [(1.0, None), (None, "x")]


def test_labeling_functions_see_none() -> None:
    seen: list[Any] = []
    look = mw.from_callable(lambda *values: seen.extend(values), "kind", list(MISSING.columns), name="look")
    mw.apply([look], MISSING.iloc[1:], SCHEMA)
    assert set(map(type, seen)) == {type(None)}  # some records are asked for twice


@pytest.mark.parametrize("chunk_size", [1, 2, 100])
@pytest.mark.parametrize("backend", ["serial", "processes"])
def test_a_value_does_not_depend_on_its_chunk(chunk_size: int, backend: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"n": 5}\n{"n": 2.5}\n{"n": 5}\n{"n": "5"}\n{"n": true}\n')
    shown = mw.from_callable(
        lambda n: "spam" if repr(n) in ("5", "2.5", "'5'", "True") else None, "kind", name="shown"
    )
    options: dict[str, Any] = {"chunk_size": chunk_size, "backend": backend, "n_jobs": 1}
    for records in ([{"n": n} for n in (5, 2.5, 5, "5", True)], tmp_path / "a.jsonl"):
        assert mw.apply([shown], records, SCHEMA, **options).codes[:, 0].tolist() == [1] * 5


FORMS = (
    "a data frame (polars, pandas, pyarrow), a list of dicts, a list of texts, an iterator of either, "
    "a Hugging Face data set, or the path of a file"
)


@dataclass
class Point:
    x: int


class Pair(NamedTuple):
    x: int


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (3, f"{FORMS}; got int. Pass a list of dicts from column to value."),
        (None, f"{FORMS}; got NoneType. Pass a list of dicts from column to value."),
        ({"text": ["a"]}, f"{FORMS}; got dict. Pass a list of dicts, or polars.DataFrame(records) for a dict of"),
        (
            {"a": {"text": "b"}}.values(),
            f"{FORMS}; got dict_values. Pass list(records) if it holds dicts or texts.",
        ),
        (np.array(["a", "b"]), f"{FORMS}; got ndarray. Pass list(records) if it holds dicts or texts."),
        ({"a", "b"}, f"{FORMS}; got set. Sets have no order: pass a list."),
        (np.zeros((2, 2)), f"{FORMS}; got ndarray. Pass polars.DataFrame(array, schema=[...]) with the names of"),
        (b"text", f"{FORMS}; got bytes. Pass the path of the file, or decoded texts in a list."),
        (io.BytesIO(b"a"), f"{FORMS}; got BytesIO. Pass the path of the file."),
        ([1, 2], "dicts from column to value; got int at row 0. Pass e.g. [{'text': '...'}]."),
        (
            [Point(1)],
            "dicts from column to value; got Point at row 0. Pass [dataclasses.asdict(record) for record",
        ),
        (
            [Pair(1)],
            "dicts from column to value; got Pair at row 0. Pass [record._asdict() for record in records].",
        ),
        (
            [(1, "a")],
            "dicts from column to value; got tuple at row 0. Pass polars.DataFrame(records, schema=[...],",
        ),
        ("", "the path of a file; got an empty text. Name the file."),
        (["a", {"text": "b"}], "texts like the others; got dict at row 1. Pass e.g. [{'text': '...'}]."),
    ],
)
def test_what_holds_no_records_is_refused_with_what_to_do(records: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        open_records(records)
    assert str(caught.value).startswith(f"records must be {message}")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("a.xlsx", "Save the table as CSV, or pass pandas.read_excel(path)."),
        ("a.arrows", "Write it as an Arrow file, or pass polars.read_ipc_stream(path)."),
        ("a.zip", "Unpack it first."),
        ("a.pkl", "Store the records as Parquet or JSON lines; pickles may run any code."),
        ("a.log", "Pass format='csv', 'tsv', 'jsonl', 'json', 'parquet', 'arrow', 'txt' to say what it is."),
    ],
)
def test_files_of_other_kinds_name_the_remedy(name: str, remedy: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError) as caught:
        open_records(tmp_path / name)
    assert str(caught.value).endswith(
        f"(.gz, .bz2, .xz, .zst after text is fine); got {Path(name).suffix!r}. {remedy}"
    )


@pytest.mark.parametrize("text", ["buy one now", "buy one. Or two"])
def test_one_text_is_no_path(text: str) -> None:
    with pytest.raises(DataError) as caught:
        open_records(text)
    assert str(caught.value) == f"{text}: there is no such file. One text is no file: pass a list, ['...']."


def test_a_file_of_a_list_that_is_not_there_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\noffer\n")
    there, missing = str(tmp_path / "a.csv"), str(tmp_path / "b.csv")
    for paths in ([there, missing], [missing]):
        with pytest.raises(DataError) as caught:
            open_records(paths)
        assert str(caught.value) == f"{missing}: there is no such file."
    assert votes([there, str(tmp_path / "a*.csv")]) == [1, 1]
    assert votes(["an offer of notes.txt", "offer"]) == [1, 1]


@pytest.mark.parametrize("missing", [None, math.nan, pd.NA, ""])
def test_texts_of_a_list_may_be_missing(missing: Any) -> None:
    assert votes([missing, "offer", missing]) == [-1, 1, -1]
    assert votes(iter([missing, "offer", missing])) == [-1, 1, -1]
    assert votes(iter(["offer", missing, missing]), chunk_size=1) == [1, -1, -1]


def test_an_arrow_array_of_texts_is_read() -> None:
    pa = pytest.importorskip("pyarrow")
    assert votes(pa.array(["offer", "b"])) == [1, -1]


def test_an_opened_source_can_be_given_types() -> None:
    source = open_records([{"a": "1", "split": "x"}, {"a": "2", "split": "y"}])
    typed = open_records(source, types={"a": int}, where={"split": "y"})
    assert isinstance(typed, RecordSource)
    assert read_records(typed, ["a"]).rows() == [(2,)]


def test_lazy_frames_are_computed_a_chunk_at_a_time(tmp_path: Path) -> None:
    pl.DataFrame({"text": [f"{i}" for i in range(5_000)], "n": range(5_000)}).write_parquet(tmp_path / "a.parquet")
    lazy = pl.scan_parquet(tmp_path / "a.parquet").filter(pl.col("n") % 2 == 0)
    source = open_records(lazy)
    assert (source.columns, source.n_points) == (("text", "n"), None)
    for _ in range(2):  # computed anew
        shards = list(source.shards(["n"], 300))
        frames = [frame for shard in shards for frame in shard.chunks()]
        assert pl.concat(frames)["n"].to_list() == list(range(0, 5_000, 2))
        assert max(frame.height for frame in frames) <= 300
        assert [shard.start for shard in shards] == [sum(f.height for f in frames[:i]) for i in range(len(frames))]
    by_python = lazy.map_batches(lambda frame: frame.with_columns(text=pl.lit("x")))
    assert set(read_records(by_python)["text"]) == {"x"}
    with pytest.raises(DataError, match=r"^records must be a sound lazy frame; computing it failed \("):
        read_records(lazy.select(pl.col("none")))
    with pytest.raises(DataError, match=r"^records must be a sound lazy frame; computing it failed \("):
        read_records(pl.LazyFrame({"a": ["x"]}).with_columns(pl.col("a").cast(pl.Int64)))


def test_data_sets_of_pyarrow_are_read_by_batches(tmp_path: Path) -> None:
    pl.DataFrame({"text": ["a", "", None] * 10, "n": range(30)}).write_parquet(tmp_path / "a.parquet")
    source = open_records(pytest.importorskip("pyarrow.dataset").dataset(tmp_path))
    assert source.columns == ("text", "n")
    frames = [frame for shard in source.shards(["text"], 7) for frame in shard.chunks()]
    assert [frame.height for frame in frames][:2] == [7, 7]
    assert pl.concat(frames)["text"].to_list() == ["a", None, None] * 10
