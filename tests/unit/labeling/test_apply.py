"""Applying labeling functions to records of every form."""

import re
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, DataError, LabelingError

SCHEMA = mw.TaskSchema.from_dict(
    {
        "task": "sector",
        "labels": [
            {"Corporate": {"task": "corporate", "labels": ["Performance", "Funding"]}},
            {"Markets": {"task": "markets", "labels": ["Money", "Commodity"]}},
        ],
    }
)
RECORDS = [
    {"text": "quarterly profit rose", "words": 3, "crowd": "Corporate"},
    {"text": "interest rates and barrels", "words": 4, "crowd": None},
    {"text": None, "words": 0, "crowd": ""},
]
CODES = [[0, -1, -1, -1, 0], [-1, -1, 0, 1, -1], [-1, -1, -1, -1, -1]]


def functions() -> list[mw.LabelingFunction]:
    @mw.labeling_function(task="sector")
    def quarterly(text: str | None, words: int) -> str | int:
        return "Corporate" if words == 3 and "quarterly" in str(text) else mw.ABSTAIN

    def long(words: int) -> str | None:
        return "Funding" if words > 9 else None

    return [
        quarterly,
        mw.from_callable(long, "corporate"),
        mw.keywords("markets", "Money", ["interest rate*", "treasury"]),
        mw.regex("markets", "Commodity", r"\bbarrels?\b"),
        mw.from_column("sector", "crowd"),
    ]


FRAMES: dict[str, Any] = {
    "list of dicts": lambda folder: RECORDS,
    "polars": lambda folder: pl.DataFrame(RECORDS),
    "polars lazy": lambda folder: pl.DataFrame(RECORDS).lazy(),
    "pandas": lambda folder: pd.DataFrame(RECORDS, index=[7, 7, 3]),
    "pandas objects": lambda folder: pd.DataFrame(RECORDS).astype(object),
    "narwhals": lambda folder: nw.from_native(pl.DataFrame(RECORDS)),
    "csv": lambda folder: saved(folder / "a.csv"),
    "jsonl": lambda folder: saved(folder / "a.jsonl"),
    "parquet": lambda folder: saved(folder / "a.parquet"),
}


def saved(path: Path) -> Path:
    frame = pl.DataFrame(RECORDS)
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".jsonl":
        frame.write_ndjson(path)
    else:
        frame.write_parquet(path)
    return path


@pytest.mark.parametrize("form", FRAMES)
def test_every_form_of_records_gives_the_same_votes(form: str, tmp_path: Path) -> None:
    votes = mw.apply(functions(), FRAMES[form](tmp_path), SCHEMA)
    assert votes.codes.tolist() == CODES
    assert votes.names == ("quarterly", "long", "Money: interest rate*", r"Commodity: \bbarrels?\b", "crowd")
    assert votes.tasks == ("sector", "corporate", "markets", "markets", "sector")
    assert votes.errors.tolist() == [0] * 5


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_glob_reads_its_files_in_order(suffix: str, tmp_path: Path) -> None:
    for name in ("b", "a"):
        saved(tmp_path / f"{name}.{suffix}")
    votes = mw.apply(functions(), str(tmp_path / f"*.{suffix}"), SCHEMA)
    assert votes.codes.tolist() == CODES * 2


@pytest.mark.parametrize("form", FRAMES)
def test_the_size_of_chunks_does_not_matter(form: str, tmp_path: Path) -> None:
    votes = mw.apply(functions(), FRAMES[form](tmp_path), SCHEMA, chunk_size=1)
    assert votes.codes.tolist() == CODES


def test_only_the_columns_that_lfs_name_are_read() -> None:
    class Trap(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            assert key != "secret", "this column is not needed"
            return super().get(key, default)

    records = [Trap(text="barrel", secret=1)]
    assert mw.apply([mw.regex("markets", "Commodity", "barrel")], records, SCHEMA).codes.tolist() == [[1]]


def test_nested_values_reach_the_lf_as_they_are() -> None:
    lf = mw.from_callable(lambda bow: "Commodity" if bow.get("oil", 0) > 1 else None, "markets", name="bow")
    records = [{"bow": {"oil": 2}}, {"bow": {"gas": 1, "oil": 1}}]
    assert mw.apply([lf], records, SCHEMA).codes[:, 0].tolist() == [1, -1]


def test_progress_is_told() -> None:
    calls: list[tuple[int, int | None]] = []
    mw.apply(functions(), RECORDS, SCHEMA, chunk_size=2, progress=lambda done, of: calls.append((done, of)))
    assert calls == [(2, 3), (3, 3)]


def test_all_faults_of_the_lfs_are_listed_before_anything_runs() -> None:
    def explodes(text: str) -> str:
        raise AssertionError("nothing may run")

    lfs = [
        mw.from_callable(explodes, "sector"),
        mw.from_callable(explodes, "market", name="wrong task"),
        mw.keywords("sector", "Money", ["rate"]),
        mw.regex("markets", "Mony", "rate", name="typo"),
        explodes,
        mw.from_callable(explodes, "sector"),
    ]
    with pytest.raises(LabelingError) as caught:
        mw.apply(lfs, RECORDS, SCHEMA)  # type: ignore[arg-type]
    message = re.sub("<function.* at 0x.*?>", "<function>", str(caught.value))
    assert message.splitlines() == [
        "The labeling functions do not fit the schema:",
        "  - LF 'wrong task': 'market' is no task of the schema. Did you mean 'markets'?",
        "  - LF 'Money: rate': 'Money' is a label of task 'markets', not of 'sector'. "
        "Name that task, or another label.",
        "  - LF 'typo': 'Mony' is no label of task 'markets'. Did you mean 'Money'?",
        "  - item 4 is no labeling function but <function>. Put @mw.labeling_function(task='...') above it.",
        "  - 2 LFs are called 'explodes'. Rename one with name='...'.",
    ]


def test_an_unknown_column_is_named_with_a_suggestion() -> None:
    lf = mw.from_callable(lambda txt: None, "sector", name="typo")
    with pytest.raises(LabelingError) as caught:
        mw.apply([lf], RECORDS, SCHEMA)
    assert (
        str(caught.value) == "LF 'typo' reads a column that is not there: 'txt' is no column. Did you mean 'text'?"
    )
    with pytest.raises(LabelingError, match=r"'q' is no column. Known: 'text', 'words', 'crowd'\."):
        mw.apply([mw.regex("sector", "Markets", "a", field="q")], RECORDS, SCHEMA)


@pytest.mark.parametrize(
    ("lfs", "options", "error", "message"),
    [
        ([], {}, LabelingError, "lfs must hold at least one labeling function; got none."),
        (functions()[0], {}, LabelingError, "lfs must be a list of labeling functions"),
        (None, {"max_error_rate": 2}, ConfigError, "max_error_rate must be a number from 0 to 1; got 2."),
        (None, {"chunk_size": 0}, ConfigError, "chunk_size must be a whole number from 1; got 0."),
        (
            None,
            {"backend": "dask"},
            ConfigError,
            "backend must be one of 'serial', 'processes', 'ray'; got 'dask'.",
        ),
        (None, {"backend": "processes", "n_jobs": 0}, ConfigError, "n_jobs must be a whole number from 1"),
    ],
)
def test_wrong_arguments_are_named(
    lfs: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        mw.apply(functions() if lfs is None else lfs, RECORDS, SCHEMA, **options)


@pytest.mark.parametrize("records", [[], pl.DataFrame({"text": []}), 3, b"x.csv", [1], {"text": ["a"]}])
def test_what_holds_no_records_is_an_error(records: Any) -> None:
    with pytest.raises(DataError, match="records must"):
        mw.apply(functions(), records, SCHEMA)


def test_lfs_may_come_from_a_generator_and_the_schema_must_be_one() -> None:
    assert mw.apply((lf for lf in functions()), RECORDS, SCHEMA).codes.tolist() == CODES
    with pytest.raises(LabelingError, match=r"^schema must be a TaskSchema; got \{\}\. Build it with TaskSchema"):
        mw.apply(functions(), RECORDS, {})  # type: ignore[call-overload]


def test_codes_have_the_smallest_type() -> None:
    assert mw.apply(functions(), RECORDS, SCHEMA).codes.dtype == np.int8
