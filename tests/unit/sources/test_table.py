"""Labels out of tables: knowledge bases, and the answers of a crowd."""

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import DataError, LabelingError

SCHEMA = mw.TaskSchema.flat(["Metal", "Grain", "Fuel"], task="kind")
TREE = mw.TaskSchema.from_dict(
    {"task": "desk", "labels": ["Sports", {"Markets": {"task": "markets", "labels": ["Metal", "Grain"]}}]}
)
RECORDS = [{"good": "Gold"}, {"good": " WHEAT "}, {"good": "tea"}, {"good": None}, {"good": "oil"}]
ROWS = [
    {"good": "gold", "label": "Metal"},
    {"good": "wheat", "label": "Grain"},
    {"good": "oil", "label": "Fuel"},
    {"good": "oil", "label": "Grain"},
    {"good": "tea", "label": None},
    {"good": None, "label": "Metal"},
]


def _names(lfs: list[mw.LabelingFunction], records: Any = RECORDS, schema: Any = SCHEMA) -> list[list[str]]:
    votes = mw.apply(lfs, records, schema)
    return [[votes.vote_name(j, code) if code >= 0 else "" for j, code in enumerate(row)] for row in votes.codes]


def _fault(make: Any, records: Any = RECORDS, error: type[Exception] = LabelingError) -> str:
    with pytest.raises(error) as caught:
        mw.apply([make()], records, SCHEMA)
    return str(caught.value)


def _written(folder: Path, kind: str) -> Any:
    frame = pl.DataFrame(ROWS)
    if kind == "dict":
        return {"gold": "Metal", "wheat": ["Grain"], "oil": {"Fuel", "Grain"}, "tea": None}
    if kind in ("csv", "parquet"):
        path = folder / f"table.{kind}"
        getattr(frame, f"write_{kind}")(path)
        return path
    return {"rows": ROWS, "polars": frame, "pandas": pd.DataFrame(ROWS)}[kind]


@pytest.mark.parametrize("kind", ["dict", "rows", "polars", "pandas", "csv", "parquet"])
def test_a_column_is_looked_up_in_a_table(kind: str, tmp_path: Path) -> None:
    lf = mw.from_table("kind", _written(tmp_path, kind), "good")
    assert (lf.name, lf.fields) == ("good: label", ("good",))
    assert _names([lf]) == [["Metal"], ["Grain"], [""], [""], ["not Metal"]]


def test_letter_case_counts_where_it_is_said() -> None:
    lf = mw.from_table("kind", ROWS, "good", ignore_case=False)
    assert [row[0] for row in _names([lf])][:2] == ["", ""]
    assert lf("gold") == "Metal"


def test_keys_are_compared_as_they_are_written() -> None:
    table = {1: "Metal", 2.0: "Grain", "3.0": "Fuel", "3": "Metal", "Å": "Fuel"}
    lf = mw.from_table("kind", table, "good")
    said = [lf(value) for value in (1, 1.0, "1", 2, "2.0", 3, "3.0", "A\u030a")]
    assert said == ["Metal", "Metal", "Metal", "Grain", "Grain", "Metal", "Fuel", "Fuel"]


def test_the_tables_words_may_be_others() -> None:
    table = [{"code": 10, "sector": "mining"}, {"code": 20, "sector": "farms"}, {"code": 30, "sector": "other"}]
    names = {"mining": "Metal", "farms": "Grain", "other": None}
    lf = mw.from_table("kind", table, "good", key="code", label="sector", labels=names, name="codes")
    assert _names([lf], [{"good": "10"}, {"good": 20}, {"good": 30.0}]) == [["Metal"], ["Grain"], [""]]
    assert _fault(
        lambda: mw.from_table("kind", table, "good", key="code", label="sector", labels={"mining": "Metal"})
    ) == (
        "labels of LF 'good: sector' must name every label of its table; 'farms' is not among them. "
        "Map it to a label, or to None."
    )


def test_a_table_may_hold_labels_of_all_tasks() -> None:
    table = {"match": "Sports", "gold": "Metal", "shares": "Markets"}
    lf = mw.from_table(None, table, "good", name="kb")
    assert _names([lf], [{"good": key} for key in table], TREE) == [["Sports", ""], ["", "Metal"], ["Markets", ""]]


def test_wrong_tables() -> None:
    assert _fault(lambda: mw.from_table("kind", {"gold": "Metall"}, "good")) == (
        "the table of LF 'good: label' holds a wrong label. "
        "'Metall' is no label of task 'kind'. Did you mean 'Metal'?"
    )
    assert _fault(lambda: mw.from_table("kind", {"gold": None}, "good")) == (
        "table of LF 'good: label' must hold at least one key with a label; it holds none."
    )
    assert _fault(lambda: mw.from_table("kind", ROWS, "good", label="lable"), error=DataError) == (
        "table of LF 'good: lable': 'lable' is no column of the records. Did you mean 'label'?"
    )


ANSWERS = [
    {"item": "a", "who": "Ann", "answer": "Metal"},
    {"item": "b", "who": "Ann", "answer": "Grain"},
    {"item": "a", "who": "Bob", "answer": "Metal"},
    {"item": "c", "who": "Bob", "answer": None},
    {"item": "gone", "who": "Bob", "answer": "Fuel"},
    {"item": "a", "who": "Ann", "answer": "Metal"},
]
COLUMNS: dict[str, Any] = {"record": "item", "worker": "who", "label": "answer"}


def test_a_crowd_is_a_labeling_function_a_worker(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    pl.DataFrame(ANSWERS).write_csv(path)
    lfs = mw.from_crowd("kind", path, **COLUMNS)
    assert [lf.name for lf in lfs] == ["Ann", "Bob"]
    records = [{"id": "b"}, {"id": "a"}, {"id": "c"}, {"id": None}]
    assert _names(lfs, records) == [["Grain", ""], ["Metal", "Metal"], ["", ""], ["", ""]]


def test_a_crowd_gives_the_matrix_of_its_long_form() -> None:
    rows = [{"record": i % 30, "worker": f"w{i % 7}", "label": SCHEMA.labels("kind")[i % 3]} for i in range(200)]
    frame = pl.DataFrame(rows).unique(["record", "worker"], maintain_order=True)
    long = mw.LabelMatrix.from_long(frame["record"], frame["worker"], frame["label"], SCHEMA)
    ids = [{"id": i} for i in long.record_ids or ()]
    assert mw.apply(mw.from_crowd("kind", frame), ids, SCHEMA).codes.tolist() == long.codes.tolist()


def test_a_crowd_may_answer_on_all_tasks() -> None:
    rows = [{"record": 1, "worker": "Ann", "label": "Sports"}, {"record": 2, "worker": "Ann", "label": "Metal"}]
    assert _names(mw.from_crowd(None, rows), [{"id": 1}, {"id": 2}], TREE) == [["Sports", ""], ["", "Metal"]]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            [*ANSWERS, {"item": "b", "who": "Ann", "answer": "Fuel"}],
            "worker 'Ann' must give record 'b' one label; got 'Grain' and, at row 6, 'Fuel'. Keep one of them.",
        ),
        (
            [*ANSWERS, {"item": "b", "who": None, "answer": "Fuel"}],
            "answers must name the worker in column 'who'; got nothing at row 6.",
        ),
        ([{"item": "b", "who": "Ann", "answer": None}], "answers must hold at least one answer; got none."),
    ],
)
def test_wrong_answers(rows: Any, fault: str) -> None:
    with pytest.raises(LabelingError) as caught:
        mw.from_crowd("kind", rows, **COLUMNS)
    assert str(caught.value) == fault
