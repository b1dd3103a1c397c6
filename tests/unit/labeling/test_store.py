"""The store of votes: bounded, shared, and never in the way."""

import os
import pickle
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import metalwork as mw
from metalwork.errors import ConfigError, MetalworkWarning
from metalwork.labeling import Store, store_at
from metalwork.labeling._store import Entry

SCHEMA = mw.TaskSchema.flat(["ham", "spam"], task="kind")


def entry(number: int, size: int = 10) -> Entry:
    return Entry(str(number).encode(), f"lf {number % 2}", "[]", bytes([number % 256]) * size)


def there(store: Store, *numbers: int) -> list[int]:
    keys = {str(number).encode(): number for number in numbers}
    return sorted(keys[key] for key in store.get(list(keys)))


def test_entries_come_back_as_they_were(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "votes")
    store.put(map(entry, range(1200)))
    assert there(store, *range(1200)) == list(range(1200))
    assert store.get([b"7"])[b"7"] == entry(7)
    assert there(pickle.loads(pickle.dumps(store)), 3, 5000) == [3]
    found = store.summary()
    assert found.owners == [("lf 0", 600, 600 * 14), ("lf 1", 600, 600 * 14)]
    assert found.size == (tmp_path / "deep" / "votes").stat().st_size > 0
    store.clear()
    assert list((tmp_path / "deep").iterdir()) == []
    assert there(store, 3) == []


def test_what_was_unused_for_longest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    store = Store(tmp_path / "votes", 200_000)
    for number in range(60):
        monkeypatch.setattr(time, "time", lambda number=number: now + 10_000 * number)
        store.put([entry(number, 5000)])
        assert there(store, 0) == [0]  # used all the time
    left = there(store, *range(60))
    assert left[0] == 0
    assert left[1:] == list(range(left[1], 60))
    assert 20 < len(left) < 45
    assert (tmp_path / "votes").stat().st_size < 250_000


@pytest.mark.parametrize("content", [b"no database at all" * 500, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_is_put_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "votes.sqlite3"
    path.write_bytes(content)
    with pytest.warns(
        MetalworkWarning, match=r"votes\.sqlite3: must be a store of votes; it is damaged .*\.damaged"
    ):
        Store(path).put([entry(1)])
    assert (tmp_path / "votes.sqlite3.damaged").read_bytes() == content
    assert there(Store(path), 1) == [1]


@pytest.mark.parametrize("content", [b"text,label\na,b\n" * 500, b"SQLite format 3\0" + b"\xff" * 8000])
def test_somebodys_own_file_stays_where_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "records.csv"
    path.write_bytes(content)
    with pytest.warns(MetalworkWarning, match="results cannot be kept there"):
        Store(path).put([entry(1)])
    assert path.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == ["records.csv"]


def test_every_byte_is_watched(tmp_path: Path) -> None:
    """A changed value is found, whatever else is wrong."""
    path = tmp_path / "votes"
    store = Store(path)
    store.put([entry(1, 3000), entry(2, 3000)])
    store.close()
    content = path.read_bytes()
    place = content.index(bytes([1]) * 3000) + 1500
    path.write_bytes(content[:place] + b"\x05" + content[place + 1 :])
    with pytest.warns(MetalworkWarning, match="a value is not as it was written"):
        assert there(Store(path), 1, 2) == []


def test_a_store_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "votes"
    store = Store(path)
    store.put(entry(number, 3000) for number in range(20))
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.warns(MetalworkWarning, match="it is damaged"):
        there(Store(path), *range(20))
    assert there(Store(path), *range(20)) == []


def test_another_versions_store_is_emptied(tmp_path: Path) -> None:
    store = Store(tmp_path / "votes")
    store.put([entry(1)])
    connection = sqlite3.connect(tmp_path / "votes")
    connection.execute("PRAGMA user_version = 77")
    connection.close()
    other = Store(tmp_path / "votes")
    assert there(other, 1) == []
    other.put([entry(2)])
    assert there(other, 1, 2) == [2]


def test_somebodys_own_database_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "own")
    connection.execute("CREATE TABLE entries (other TEXT)")
    connection.commit()
    connection.close()
    content = (tmp_path / "own").read_bytes()
    with pytest.warns(MetalworkWarning, match="it is another database, with the table 'entries'"):
        Store(tmp_path / "own").put([entry(1)])
    assert (tmp_path / "own").read_bytes() == content
    assert not Store(tmp_path / "own").is_ours()


def test_where_nothing_can_be_written_votes_are_cast_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lf = mw.keywords("kind", "spam", ["free"])
    with pytest.warns(MetalworkWarning, match="results cannot be kept there .* they are computed each time"):
        votes = mw.apply([lf], ["free", "no"], SCHEMA, cache=tmp_path / "file" / "votes")
    assert votes.codes[:, 0].tolist() == [1, -1]


def test_a_store_that_another_process_holds_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "votes"
    Store(path).put([entry(1)])
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    threading.Timer(0.3, lambda: holder.execute("COMMIT")).start()
    assert there(Store(path), 1) == [1]
    holder.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("metalwork.labeling._store._BUSY", 0.1)
    with pytest.warns(MetalworkWarning, match="locked"):
        assert there(Store(path), 1) == []
    holder.close()


def test_what_names_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METALWORK_CACHE", str(tmp_path / "cache"))
    places: list[tuple[Any, Path]] = [
        (True, tmp_path / "cache" / "votes.sqlite3"),
        (tmp_path, tmp_path / "votes.sqlite3"),
        (str(tmp_path / "own"), tmp_path / "own"),
    ]
    for given, place in places:
        store = store_at(given)
        assert store is not None
        assert store.path == place
    assert store_at(None) is store_at(False) is None
    with pytest.raises(ConfigError, match="cache must be a path, True or None; got 3"):
        store_at(3)
    monkeypatch.delenv("METALWORK_CACHE")
    default = store_at(True)
    assert default is not None
    assert default.path.name == "votes.sqlite3"
    assert os.sep + "metalwork" + os.sep in str(default.path)
