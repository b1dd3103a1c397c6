"""Every backend gives what the serial one gives."""

import multiprocessing
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import polars as pl
import pytest

import metalwork as mw
from metalwork.backends import Backend, ProcessesBackend, SerialBackend
from metalwork.errors import LabelingError

SCHEMA = mw.TaskSchema.flat(["even", "odd"], task="parity")


@pytest.fixture(scope="module", params=["serial", "processes"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return SerialBackend() if request.param == "serial" else ProcessesBackend(2)


def functions() -> list[mw.LabelingFunction]:
    def parity(row: int) -> str:
        if row % 200 == 3:
            raise ValueError("three")
        return "odd" if row % 2 else "even"

    return [mw.from_callable(parity, "parity"), mw.regex("parity", "odd", "[13579]$", field="text")]


def test_results_come_in_order(backend: Backend) -> None:
    offset = 10
    assert list(backend.map(lambda x: x + offset, range(40))) == list(range(10, 50))
    assert list(backend.map(lambda x: x, [])) == []


def test_the_first_error_is_raised_in_its_place(backend: Backend) -> None:
    def inverse(x: int) -> float:
        return 1 / x

    results = backend.map(inverse, [1, 2, 0, 4])
    assert list(islice(results, 2)) == [1.0, 0.5]
    with pytest.raises(ZeroDivisionError):
        list(results)


def test_items_are_taken_as_they_are_needed(backend: Backend) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    assert next(backend.map(lambda x: x, items())) == 0
    assert len(taken) <= 6


def test_label_matrices_are_equal(backend: Backend, tmp_path: Path) -> None:
    frame = pl.DataFrame({"row": range(1000), "text": [f"row {row}" for row in range(1000)]})
    frame.write_ndjson(tmp_path / "a.jsonl")
    expected = mw.apply(functions(), frame, SCHEMA)
    assert expected.errors.tolist() == [5, 0]
    for records in (frame, tmp_path / "a.jsonl"):
        votes = mw.apply(functions(), records, SCHEMA, backend=backend, chunk_size=300)
        assert votes.codes.tolist() == expected.codes.tolist()
        assert votes.errors.tolist() == [5, 0]


def test_complaints_are_equal(backend: Backend) -> None:
    records = [{"row": row, "text": ""} for row in range(500)]
    wrong = mw.from_callable(lambda row: "prime" if row == 211 else None, "parity", name="wrong")
    with pytest.raises(
        LabelingError, match=r"^LF 'wrong' failed at row 211: it returned a wrong label\. 'prime' is"
    ):
        mw.apply([wrong], records, SCHEMA, backend=backend, chunk_size=100)


def test_processes_are_not_forked() -> None:
    (worker,) = ProcessesBackend(1).map(lambda _: (os.getpid(), multiprocessing.get_start_method()), [0])
    assert worker[0] != os.getpid()
    assert worker[1] == "spawn"
