"""The file of answers, and what is accounted for in it."""

import sqlite3
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from metalwork.errors import LabelingError
from metalwork.sources._llm._answers import Answer
from metalwork.sources._llm._budget import Limits, Purse
from metalwork.sources._llm._store import Store

ANSWER = Answer("x é", "stop", "", ((b"\xc3", -0.5, {b"\xc3": -0.5, b"a": -1.0}), (b"\xa9", 0.0, {})))


def test_answers_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "answers.sqlite"
    with Store(path) as store:
        assert store.get("k") is None
        store.put("k", ANSWER)
        store.put("k", ANSWER)
        assert len(store) == 1
    with Store(path) as store:
        assert store.get("k") == ANSWER
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_kept_answer_that_cannot_be_read_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with Store(path) as store:
        store.put("k", ANSWER)
    for text in ("", "[]", "{}", '{"text": "x", "finish": "", "refusal": "", "tokens": [["zz", 0, {}]]}', "null"):
        with sqlite3.connect(path) as database:
            database.execute("UPDATE answers SET answer = ?", (text,))
        database.close()
        with Store(path) as store:
            assert store.get("k") is None


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at as if it were one" * 99])
def test_another_file_is_refused_and_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(
        LabelingError, match=r"must be a file that answers can be kept in; got DatabaseError: file is "
    ):
        Store(path)
    assert path.read_bytes() == content


def test_a_folder_and_a_later_version_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelingError, match=r"must be a file that answers can be kept in; got IsADirectoryError"):
        Store(tmp_path)
    with Store(tmp_path / "a"):
        pass
    database = sqlite3.connect(tmp_path / "a")
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(LabelingError, match=r"must hold answers of this version of metalwork; got version 9\."):
        Store(tmp_path / "a")


def test_two_who_open_a_new_file_at_once(tmp_path: Path) -> None:
    errors: list[Exception] = []

    def use(i: int) -> None:
        try:
            with Store(tmp_path / "a") as store:
                for j in range(20):
                    store.put(f"{i} {j}", ANSWER)
                    with store.account("x") as account:
                        account.calls += 1
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=use, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Store(tmp_path / "a") as store:
        assert len(store) == 160
        assert store.spent("x") == (160, 0, 0)


def test_calls_take_turns(tmp_path: Path) -> None:
    with Store(tmp_path / "a") as store:
        waits = [store.turn("e", 1.0, 0.0) for _ in range(3)]
        assert waits == pytest.approx([0.0, 1.0, 2.0], abs=0.1)
        assert [store.turn("f", 0.0, 2.0) for _ in range(2)] == pytest.approx([0.0, 2.0], abs=0.1)
        store.hold("g", 5.0)
        assert store.turn("g", 0.0, 0.0) == pytest.approx(5.0, abs=0.1)
        assert store.turn("h", 0.0, 0.0) == 0.0


def test_a_clock_that_was_set_back_does_not_stop_all_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    with Store(tmp_path / "a") as store:
        monkeypatch.setattr(time, "time", lambda: now + 1e6)
        store.turn("e", 1.0, 1.0)
        monkeypatch.setattr(time, "time", lambda: now)
        assert store.turn("e", 1.0, 1.0) == 0.0


def _purse(store: Store, **limits: Any) -> Purse:
    return Purse(Limits(**limits), store, "account", "endpoint", "m")


def test_a_budget_is_reserved_before_and_settled_after(tmp_path: Path) -> None:
    with Store(tmp_path / "a") as store:
        purse = _purse(store, max_tokens=1000)
        purse.reserve(100, 256)
        purse.reserve(100, 256)
        with pytest.raises(
            LabelingError, match=r"^the budget of LF 'm' must cover all records; max_tokens=1000 is "
        ):
            purse.reserve(100, 256)
        assert store.spent("account") == (2, 200, 512)  # what was refused is not spent
        purse.settle((100, 256), (120, 7))
        purse.settle((100, 256), (0, 0), calls=0)
        assert store.spent("account") == (1, 120, 7)
        assert purse.reserve(100, 256) == 0.0


def test_tokens_a_minute_make_calls_wait(tmp_path: Path) -> None:
    with Store(tmp_path / "a") as store:
        purse = _purse(store, tokens_per_minute=6000, requests_per_minute=6000)
        assert [purse.reserve(90, 10) for _ in range(3)] == pytest.approx([0.0, 1.0, 2.0], abs=0.1)


def test_what_tokens_cost() -> None:
    assert Limits(prices=(2.0, 8.0)).cost(1_000_000, 500_000) == pytest.approx(6.0)
    assert Limits().cost(1, 1) is None
