"""A bounded store of results on disk: one SQLite file, which several processes may use at once.

A process may be killed at any moment: a transaction is in the file whole or not at all. After a loss of power, for
which nothing waits here, the file may be damaged; every value carries a checksum, and a damaged file is put aside.
"""

import os
import sqlite3
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from metalwork.data import cache_folder
from metalwork.errors import ConfigError, MetalworkWarning

FILE_NAME: Final = "votes.sqlite3"
_OURS: Final = 0x6D77766F  # "mwvo": what says in a database whose it is
_APPLICATION: Final = slice(68, 72)  # where it stands in the file
_VERSION: Final = 1
_BUSY: Final = 10.0  # seconds to wait for another process
_FRESH: Final = 3600  # seconds within which a use is not noted again
_AT_ONCE: Final = 500  # keys a query
_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS entries (
        key BLOB PRIMARY KEY, owner TEXT NOT NULL, files TEXT NOT NULL, used INTEGER NOT NULL, value BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS by_use ON entries (used);
"""
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A stored value: whose it is, and the files (path and digest) that it depends on."""

    key: bytes
    owner: str
    files: str
    value: bytes


@dataclass(frozen=True)
class StoreSummary:
    """What a store holds.

    Attributes
    ----------
    path : Path
    size : int
        Bytes on disk.
    limit : int
        Bytes that it may have.
    owners : list of (str, int, int)
        Name of a labeling function or preprocessor, number of its entries, and their bytes; the largest first.
    """

    path: Path
    size: int
    limit: int
    owners: list[tuple[str, int, int]]


def default_store() -> Path:
    """Where votes are kept by default: in the user's cache folder, or in ``METALWORK_CACHE``."""
    given = os.environ.get("METALWORK_CACHE")
    return (Path(given).expanduser() if given else cache_folder().parent) / FILE_NAME


class Store:
    """Values by key, of which those unused for longest go where there are too many; it may be pickled.

    Whatever goes wrong with the file ends the use of the store in this process, with a warning: results are
    computed then.

    Parameters
    ----------
    path : Path
    limit : int
        Bytes that the file may have, about.
    """

    def __init__(self, path: Path, limit: int = 1 << 30) -> None:
        self.path, self.limit = path, limit
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._broken = False

    def __getstate__(self) -> tuple[Path, int]:
        return self.path, self.limit

    def __setstate__(self, state: tuple[Path, int]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        """The entries there are of these keys."""
        return self._safely(lambda connection: _get(connection, keys), {})

    def put(self, entries: Iterable[Entry]) -> None:
        """Keep these entries, in one transaction."""
        rows = [(e.key, e.owner, e.files, int(time.time()), _sealed(e.key, e.value)) for e in entries]
        if rows:
            self._safely(lambda connection: _put(connection, rows, self.limit), None)

    def summary(self) -> StoreSummary:
        """What is in it."""
        nothing: list[tuple[str, int, int]] = []
        found = self._safely(_owners, nothing) if self.path.exists() else nothing
        size = self.path.stat().st_size if self.path.exists() else 0
        return StoreSummary(self.path, size, self.limit, found)

    def clear(self) -> None:
        """Remove all entries, and the file with them."""
        self.close()
        for path in (
            self.path,
            Path(f"{self.path}-journal"),
            *self.path.parent.glob(f"{self.path.name}.damaged*"),
        ):
            path.unlink(missing_ok=True)

    def is_ours(self) -> bool:
        """Whether the file is such a store, and nobody's own database."""
        try:
            connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
            try:
                return int(connection.execute("PRAGMA application_id").fetchone()[0]) == _OURS
            finally:
                connection.close()
        except sqlite3.Error:
            return False

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None and self._pid == os.getpid():
            self._connection.close()
        self._connection = None

    def _safely(self, use: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        for _ in range(2):
            if self._broken:
                return otherwise
            try:
                return use(self._open())
            except sqlite3.OperationalError as error:  # read-only, full, busy for too long
                self._give_up(error)
            except sqlite3.DatabaseError as error:
                self._put_aside(error)
            except OSError as error:
                self._give_up(error)
        return otherwise

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._pid != os.getpid():  # a connection must not cross a fork
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._pid = os.getpid()
            self._connection = _connect(self.path)
        return self._connection

    def _give_up(self, error: Exception) -> None:
        self._broken = True
        warnings.warn(
            f"{self.path}: results cannot be kept there ({error}); they are computed each time. "
            "Name another place with cache=path or METALWORK_CACHE, or say cache=False.",
            MetalworkWarning,
            stacklevel=2,
        )

    def _put_aside(self, error: Exception) -> None:
        """A damaged file makes room for a new one; what may be somebody's own stays where it is."""
        self.close()
        if not self._is_damaged_store():
            self._give_up(error)
            return
        aside = Path(f"{self.path}.damaged")
        try:
            os.replace(self.path, aside)
            with suppress(FileNotFoundError):
                os.unlink(f"{self.path}-journal")
        except OSError as failure:
            self._give_up(failure)
            return
        warnings.warn(
            f"{self.path}: must be a store of votes; it is damaged ({error}). It was put aside as {aside.name}, "
            "and what it held is computed anew.",
            MetalworkWarning,
            stacklevel=2,
        )

    def _is_damaged_store(self) -> bool:
        if self.path.name == FILE_NAME:
            return True
        try:
            with self.path.open("rb") as stream:
                return stream.read(_APPLICATION.stop)[_APPLICATION] == _OURS.to_bytes(4, "big")
        except OSError:
            return False


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    try:
        # a journal beside the file also works on network disks, where a shared memory does not
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = OFF")  # what a loss of power damages is computed anew
        if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            _begin(connection)
            for statement in filter(str.strip, _TABLES.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_OURS}")
            connection.execute(f"PRAGMA user_version = {_VERSION}")
            connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _begin(connection: sqlite3.Connection) -> None:
    """Make room for the tables in an empty file, or one of another version; never in somebody's own."""
    connection.execute("BEGIN IMMEDIATE")
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    if tables and connection.execute("PRAGMA application_id").fetchone()[0] != _OURS:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError(f"it is another database, with the table {tables[0]!r}")
    connection.execute("DROP TABLE IF EXISTS entries")


def _get(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, Entry]:
    found, old, now = dict[bytes, Entry](), [], int(time.time())
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        marks = ",".join("?" * len(some))
        query = f"SELECT key, owner, files, used, value FROM entries WHERE key IN ({marks})"
        for key, owner, files, used, value in connection.execute(query, some):
            found[key] = Entry(key, owner, files, _unsealed(key, value))
            if used < now - _FRESH:
                old.append((now, key))
    if old:
        with suppress(sqlite3.OperationalError):  # of no weight where another process writes
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("UPDATE entries SET used = ? WHERE key = ?", old)
            connection.execute("COMMIT")
    return found


def _put(connection: sqlite3.Connection, rows: list[tuple[Any, ...]], limit: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", rows)
        _make_room(connection, limit)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _make_room(connection: sqlite3.Connection, limit: int) -> None:
    """Remove what was unused for longest until a tenth of the space is free; the file does not shrink."""
    while _used_bytes(connection) > limit:
        n = connection.execute("SELECT COUNT(*) FROM entries").fetchone()[0]
        connection.execute(
            "DELETE FROM entries WHERE key IN (SELECT key FROM entries ORDER BY used, rowid LIMIT ?)",
            (n // 10 + 1,),
        )


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _owners(connection: sqlite3.Connection) -> list[tuple[str, int, int]]:
    query = "SELECT owner, COUNT(*), SUM(LENGTH(value)) FROM entries GROUP BY owner ORDER BY 3 DESC, 1"
    return list(connection.execute(query))


def _sealed(key: bytes, value: bytes) -> bytes:
    return zlib.crc32(value, zlib.crc32(key)).to_bytes(4, "little") + value


def _unsealed(key: bytes, value: bytes) -> bytes:
    if not isinstance(value, bytes) or _sealed(key, value[4:]) != value:
        raise sqlite3.DatabaseError("a value is not as it was written")
    return value[4:]


def store_at(cache: Any, limit: int = 1 << 30) -> Store | None:
    """The store that ``cache`` names: a path, True for the default one, None or False for none."""
    if cache is None or cache is False:
        return None
    if cache is True:
        return Store(default_store(), limit)
    if not isinstance(cache, str | os.PathLike):
        raise ConfigError(
            f"cache must be a path, True or None; got {cache!r}. True keeps votes in the user's cache."
        )
    path = Path(cache).expanduser()
    return Store(path / FILE_NAME if path.is_dir() else path, limit)
