"""Answers kept on disk as they arrive, and the accounts that worker processes share."""

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

import platformdirs

from metalwork.errors import LabelingError
from metalwork.sources._llm._answers import Answer

_VERSION: Final = 1
_BUSY_S: Final = 60.0
_LONGEST_AHEAD_S: Final = 3600.0
_ACCOUNT_LASTS_S: Final = 30 * 86400.0
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS spent (account TEXT PRIMARY KEY, calls INTEGER NOT NULL, prompt INTEGER NOT NULL, "
    "answer INTEGER NOT NULL, opened REAL NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS pace (endpoint TEXT PRIMARY KEY, request REAL NOT NULL, tokens REAL NOT NULL) "
    "WITHOUT ROWID",
)


def default_path() -> Path:
    """Where answers are kept unless ``cache`` says otherwise."""
    return Path(platformdirs.user_cache_dir("metalwork")) / "llm" / "answers.sqlite"


class Store:
    """One file of answers: what was answered to what, and what was spent; neither prompts nor keys.

    Each answer is committed as it arrives, so that a process that is killed has lost none; several processes may
    use the file at once. To be used in the thread that opened it.

    Parameters
    ----------
    path : Path
        Made where it is not there, for its owner alone.

    Raises
    ------
    LabelingError
        Here and later, when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        try:
            with self._explained():
                self._prepare()
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise LabelingError(
                f"{self.path} must hold answers of this version of metalwork; got version {version}. "
                "Give another file as cache, or delete this one."
            )
        if version == 0:
            with self._transaction():
                for table in _TABLES:
                    self._database.execute(table)
                self._database.execute(f"PRAGMA user_version = {_VERSION}")
        with suppress(sqlite3.OperationalError):  # another process is at it, or the file system cannot
            self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("DELETE FROM spent WHERE opened < ?", (time.time() - _ACCOUNT_LASTS_S,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def get(self, key: str) -> Answer | None:
        """The answer kept under a key; None where there is none that can be read."""
        with self._explained():
            row = self._database.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else _unpacked(row[0])

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer; it is on its way to the disk when this returns."""
        with self._explained():
            self._database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, _packed(answer)))

    def __len__(self) -> int:
        with self._explained():
            return int(self._database.execute("SELECT COUNT(*) FROM answers").fetchone()[0])

    def spent(self, account: str) -> tuple[int, int, int]:
        """Calls, prompt tokens and answer tokens of an account."""
        with self._explained():
            query = "SELECT calls, prompt, answer FROM spent WHERE account = ?"
            row = self._database.execute(query, (account,)).fetchone()
        return (0, 0, 0) if row is None else (int(row[0]), int(row[1]), int(row[2]))

    @contextmanager
    def account(self, account: str) -> Iterator["Account"]:
        """What an account has spent, to look at and add to while no other process does."""
        with self._explained(), self._transaction():
            found = Account(*self.spent(account))
            yield found
            self._database.execute(
                "INSERT INTO spent VALUES (?, ?, ?, ?, ?) ON CONFLICT (account) DO UPDATE SET "
                "calls = excluded.calls, prompt = excluded.prompt, answer = excluded.answer",
                (account, found.calls, found.prompt, found.answer, time.time()),
            )

    def turn(self, endpoint: str, request_s: float, tokens_s: float) -> float:
        """Seconds to wait for this call's turn, which takes so many seconds of what an endpoint allows."""
        now = time.time()
        with self._explained(), self._transaction():
            request, tokens = self._turns(endpoint, now)
            start = max(now, request, tokens)
            self._set_turns(endpoint, start + request_s, max(now, tokens) + tokens_s)
        return start - now

    def hold(self, endpoint: str, seconds: float) -> None:
        """Let no call begin for so many seconds: the endpoint asked for it."""
        now = time.time()
        with self._explained(), self._transaction():
            request, tokens = self._turns(endpoint, now)
            self._set_turns(endpoint, max(request, now + seconds), tokens)

    def _turns(self, endpoint: str, now: float) -> tuple[float, float]:
        row = self._database.execute("SELECT request, tokens FROM pace WHERE endpoint = ?", (endpoint,)).fetchone()
        request, tokens = (0.0, 0.0) if row is None else row
        latest = now + _LONGEST_AHEAD_S  # beyond that a clock was set back
        return (request if request < latest else 0.0, tokens if tokens < latest else 0.0)

    def _set_turns(self, endpoint: str, request: float, tokens: float) -> None:
        self._database.execute("INSERT OR REPLACE INTO pace VALUES (?, ?, ?)", (endpoint, request, tokens))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise LabelingError(
                f"{self.path} must be a file that answers can be kept in; got {type(error).__name__}: {error}. "
                "Give another file as cache, or mend or delete this one."
            ) from None


class Account:
    """What was spent: calls, tokens of prompts, tokens of answers."""

    def __init__(self, calls: int = 0, prompt: int = 0, answer: int = 0) -> None:
        self.calls, self.prompt, self.answer = calls, prompt, answer


def _packed(answer: Answer) -> str:
    value: dict[str, Any] = {"text": answer.text, "finish": answer.finish, "refusal": answer.refusal}
    if answer.tokens:
        value["tokens"] = [
            [token.hex(), round(chance, 5), {other.hex(): round(own, 5) for other, own in others.items()}]
            for token, chance, others in answer.tokens
        ]
    return json.dumps(value, ensure_ascii=True)


def _unpacked(text: str) -> Answer | None:
    """The answer; None where something else stands there, which is then asked for again."""
    try:
        value = json.loads(text)
        tokens = tuple(
            (bytes.fromhex(token), float(chance), {bytes.fromhex(o): float(c) for o, c in others.items()})
            for token, chance, others in value.get("tokens", ())
        )
        return Answer(str(value["text"]), str(value["finish"]), str(value["refusal"]), tokens)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
