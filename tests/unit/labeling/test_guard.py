"""What labeling functions may do, and when a run of them stops."""

import asyncio
import threading
import time
import warnings
from typing import Any

import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, LabelingError, MetalworkWarning

SCHEMA = mw.TaskSchema.flat(["a", "b"])
RECORDS = pl.DataFrame({"row": range(40)})


def lf(function: Any, **more: Any) -> mw.LabelingFunction:
    return mw.from_callable(function, "label", name="odd", **more)


def slow(row: int) -> str:
    if row == 7:
        time.sleep(1000)
    return "a"


def test_a_slow_record_is_a_failure() -> None:
    votes = mw.apply([lf(slow)], RECORDS, SCHEMA, max_seconds=0.5, max_error_rate=0.1)
    assert votes.failed.tolist() == [[7, 0]]
    assert votes.incidents[0].message == "it took longer than max_seconds (0.5 s)"


def test_a_coroutine_that_waits_too_long_is_a_failure() -> None:
    async def waits(row: int) -> str:
        await asyncio.sleep(1000 if row == 7 else 0)
        if row == 9:
            raise SystemExit
        return "a"

    votes = mw.apply([lf(waits)], RECORDS, SCHEMA, max_seconds=1, max_error_rate=0.1)
    assert votes.failed.tolist() == [[7, 0], [9, 0]]
    assert [found.message for found in votes.incidents] == [
        "it took longer than max_seconds (1 s)",
        "SystemExit",
    ]


def test_a_preprocessor_that_exits_costs_its_record() -> None:
    @mw.preprocessor(output="made")
    def make(row: int) -> int:
        if row == 7:
            raise SystemExit("no")
        return row

    def reads(made: int) -> str:
        return "a"

    votes = mw.apply([lf(reads)], RECORDS, SCHEMA, preprocessors=[make], max_error_rate=0.1)
    assert votes.failed.tolist() == [[7, 0]]
    assert votes.incidents[0].message == "it needs 'made', which failed: SystemExit: no"


def test_only_the_main_thread_can_be_interrupted() -> None:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            mw.apply([lf(slow)], RECORDS, SCHEMA, max_seconds=1)
        except ConfigError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert str(caught[0]) == (
        "max_seconds must be given with backend='processes' here: in this process only the main thread of a POSIX "
        "system can be interrupted; got 1 with backend='serial'."
    )
    wrongs: tuple[Any, ...] = (0, -1, True, "1", float("nan"))
    for wrong in wrongs:
        with pytest.raises(ConfigError, match=r"^max_seconds must be a finite number above 0"):
            mw.apply([lf(slow)], RECORDS, SCHEMA, max_seconds=wrong)


def test_it_goes_on_where_it_is_told_to() -> None:
    wrong = lf(lambda row: "c" if row == 7 else 1.5 if row > 20 else "a")
    votes = mw.apply([wrong], RECORDS, SCHEMA, on_failure="continue")
    assert votes.errors.tolist() == [20]
    assert (
        votes.incidents[0].message
        == "it returned a wrong label. 'c' is no label of task 'label'. Known: 'a', 'b'."
    )
    with pytest.raises(LabelingError, match=r"^LF 'odd' failed at row 7: it returned a wrong label"):
        mw.apply([wrong], RECORDS, SCHEMA)
    with pytest.raises(ConfigError, match=r"^on_failure must be one of 'stop', 'continue'; got 'ignore'\.$"):
        mw.apply([wrong], RECORDS, SCHEMA, on_failure="ignore")  # type: ignore[call-overload]


def test_it_stops_as_soon_as_that_is_certain() -> None:
    called: list[int] = []

    def fails(row: int) -> str:
        called.append(row)
        raise ValueError

    records = pl.DataFrame({"row": range(50_000)})
    with pytest.raises(LabelingError, match=r"^LF 'odd' failed on 1000 of 1000 records, more than max_error_rate"):
        mw.apply([lf(fails)], records, SCHEMA, chunk_size=1000)
    assert len(called) < 2000
    called.clear()
    votes = mw.apply([lf(fails)], records, SCHEMA, chunk_size=1000, on_failure="continue")
    assert votes.errors.tolist() == [50_000]


def test_what_an_lf_remembers_is_warned_of_once() -> None:
    seen: set[int] = set()

    def remembers(row: int) -> str:
        first = row not in seen
        seen.add(row)
        return "a" if first else "b"

    with pytest.warns(MetalworkWarning) as caught:
        mw.apply([lf(remembers)], RECORDS, SCHEMA, chunk_size=10)
    assert [str(warning.message) for warning in caught] == [
        "LF 'odd' answered differently when it was called again with the same record (row 0). Its votes will not "
        "be the same again: let it use no clock, network or random numbers, and nothing that it remembers."
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mw.apply([lf(lambda row: "a" if row % 3 else {"a": 0.7})], RECORDS, SCHEMA)
