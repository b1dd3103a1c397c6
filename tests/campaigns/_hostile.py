"""Hostile labeling functions, each misbehaving on one record or on all."""

import asyncio
import atexit
import builtins
import ctypes
import decimal
import gc
import itertools
import locale
import logging
import os
import queue
import random
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

import metalwork as mw

POISON: Final = 57
N_RECORDS: Final = 200
TOO_SLOW: Final = r"it took longer than max_seconds \(1 s\)"


@dataclass(frozen=True)
class Kind:
    """A hostile LF and what is to come of it.

    Attributes
    ----------
    act : callable
        Takes row, text and cell of the poison record; what it returns is the vote there.
    says : str
        Pattern of the incident's message; "" where nothing fails.
    serial : bool
        Whether one process alone can survive it.
    rows : "one" or "all"
        The records on which it acts.
    fails : "one", "all" or "none"
        The records on which it must be told to have failed.
    warns : str
        Pattern of a warning that names it.
    batch : bool
    """

    name: str
    act: Callable[..., Any]
    says: str = ""
    serial: bool = True
    rows: str = "one"
    fails: str = "one"
    warns: str = ""
    batch: bool = False

    def lf(self) -> mw.LabelingFunction:
        """The LF, called by the kind's name; it votes "a" where it does not act."""
        act, everywhere = self.act, self.rows == "all"

        def one(row: int, text: str, cell: dict[str, Any]) -> Any:
            return act(row, text, cell) if everywhere or row == POISON else "a"

        def many(row: list[int], text: list[str], cell: list[dict[str, Any]]) -> Any:
            return act(row, text, cell)

        fields = ("row", "text", "cell")
        return mw.from_callable(many if self.batch else one, "kind", fields, self.name, batch=self.batch)


def _raises(error: BaseException | type[BaseException]) -> Callable[..., Any]:
    def act(*_: Any) -> Any:
        raise error

    return act


def _gives(make: Callable[[], Any]) -> Callable[..., Any]:
    return lambda *_: make()


def _does(action: Callable[[], Any]) -> Callable[..., Any]:
    """Does something, and votes as if nothing were."""

    def act(*_: Any) -> str:
        action()
        return "a"

    return act


class _Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no showing")


class _Own(BaseException):
    pass


class _Hostile:
    def __eq__(self, other: object) -> bool:
        raise SystemExit("no comparing")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise SystemExit("no showing")

    @property
    def __class__(self) -> Any:
        raise SystemExit("no asking")

    @__class__.setter
    def __class__(self, _: Any) -> None:
        raise SystemExit("no telling")


class _Endless(Mapping[str, float]):
    def __getitem__(self, key: str) -> float:
        return 0.5

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        while True:
            pass


class _NeverShown:
    def __repr__(self) -> str:
        while True:
            time.sleep(0.01)


def _recurse() -> None:
    _recurse()


def _stubborn() -> None:
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue


def _spin() -> None:
    while True:
        pass


def _deadlock() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def _read_a_pipe() -> None:
    os.read(os.pipe()[0], 1)


def _deaf() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        time.sleep(1)


def _unbounded_recursion() -> None:
    sys.setrecursionlimit(2**31 - 1)
    _recurse()


_leak: list[bytearray] = []


def _grow() -> None:
    while True:
        _leak.append(bytearray(b"x") * (64 << 20))


def _fork_and_go_on() -> None:
    os.fork()


def _fork_and_sleep() -> None:
    if os.fork() == 0:
        time.sleep(10_000)


def _thread(daemon: bool) -> None:
    threading.Thread(target=time.sleep, args=(10_000,), daemon=daemon).start()


def _close_all() -> None:
    os.closerange(3, 4096)


def _lose_the_folder() -> None:
    os.chdir("/")


def _replace_builtins() -> None:
    vars(builtins)["len"] = vars(builtins)["sorted"] = lambda *_: 0


def _pop(row: int, text: str, cell: dict[str, Any]) -> str:
    cell.pop("k")
    return "a"


def _change_within(row: int, text: str, cell: dict[str, Any]) -> str:
    cell["more"].append("x")
    cell["k"] = 7
    return "a"


def _batch_mutates(row: list[int], text: list[str], cell: list[dict[str, Any]]) -> list[str]:
    votes = ["a"] * len(row)
    for one in cell:
        one.clear()
    for column in (row, text, cell):
        column.clear()
    return votes


_asked: set[int] = set()


def _only_once(row: int, text: str, cell: dict[str, Any]) -> str | None:
    if row in _asked:
        return None
    _asked.add(row)
    return "a"


_RAISES: Final = [
    Kind("raises an error", _raises(ValueError("bad")), "ValueError: bad"),
    Kind("sys.exit", _raises(SystemExit(0)), "SystemExit: 0"),
    Kind("GeneratorExit", _raises(GeneratorExit), "GeneratorExit"),
    Kind("BaseException of its own", _raises(_Own("x")), "_Own: x"),
    Kind("CancelledError", _raises(asyncio.CancelledError), "CancelledError"),
    Kind("StopIteration", _raises(StopIteration), "it raised StopIteration"),
    Kind("KeyboardInterrupt", _raises(KeyboardInterrupt), "KeyboardInterrupt", serial=False),
    Kind("error that cannot be shown", _raises(_Unprintable), "_Unprintable"),
    Kind("error of 10 MB", lambda *_: _raises(ValueError("x" * 10_000_000))(), r"ValueError: x{400,500}\.\.\.$"),
    Kind("group of errors", _raises(ExceptionGroup("g", [ValueError("a")])), "ExceptionGroup: g"),
    Kind("endless recursion", _does(_recurse), "RecursionError"),
    Kind("no memory", _does(lambda: [0] * 10**15), "MemoryError"),
]
_RETURNS: Final = [
    Kind("returns NaN", _gives(lambda: float("nan")), "it returned nan"),
    Kind("returns a number", _gives(lambda: 1.7), r"it returned 1\.7"),
    Kind("returns True", _gives(lambda: True), "it returned True"),
    Kind("returns bytes", _gives(lambda: b"a"), "it returned b'a'"),
    Kind("probability NaN", _gives(lambda: {"a": float("nan")}), "it returned {'a': nan}"),
    Kind("probability above 1", _gives(lambda: {"a": 2.0}), "it returned the probabilities"),
    Kind("no label", _gives(lambda: "c"), "'c' is no label of task 'kind'"),
    Kind("a set with no label", _gives(lambda: {"a", "c"}), "'c' is no label of task 'kind'"),
    Kind("a label of 10 MB", _gives(lambda: "x" * 10_000_000), "is no label of task 'kind'|wrong label"),
    Kind("an object that hits back", _gives(_Hostile), "it returned an object of type"),
    Kind("a generator", _gives(lambda: (x for x in "a")), "it returned <generator"),
    Kind("a function", _gives(lambda: print), "it returned <built-in function print>"),
    Kind("a mapping without end", _gives(_Endless), TOO_SLOW),
    Kind("a repr without end", _gives(_NeverShown), "it returned an object of type _NeverShown"),
]
_HANGS: Final = [
    Kind("loop in Python", _does(_spin), TOO_SLOW),
    Kind("generator without end", _does(lambda: next(x for x in itertools.count() if x < 0)), TOO_SLOW),
    Kind("sleep", _does(lambda: time.sleep(10_000)), TOO_SLOW),
    Kind("deadlock", _does(_deadlock), TOO_SLOW),
    Kind("waits for an event", _does(lambda: threading.Event().wait()), TOO_SLOW),
    Kind("waits for a queue", _does(lambda: queue.Queue[int]().get()), TOO_SLOW),
    Kind("reads a pipe", _does(_read_a_pipe), TOO_SLOW),
    Kind("waits for a program", _does(lambda: subprocess.run(["sleep", "10000"], check=True)), TOO_SLOW),
    Kind("catastrophic regex", _does(lambda: re.match(r"(a+)+$", "a" * 60 + "b")), TOO_SLOW),
    Kind("loop in C", _does(lambda: sum(itertools.repeat(0))), TOO_SLOW, serial=False),
    Kind("loop that catches all", _does(_stubborn), TOO_SLOW, serial=False),
    Kind("deaf to signals", _does(_deaf), TOO_SLOW, serial=False),
    Kind("stops its process", _does(lambda: os.kill(os.getpid(), signal.SIGSTOP)), TOO_SLOW, serial=False),
]
_DEATHS: Final = [
    Kind("os._exit(0)", _does(lambda: os._exit(0)), r"it ended its process \(exit code 0\)", serial=False),
    Kind("os._exit(3)", _does(lambda: os._exit(3)), r"it ended its process \(exit code 3\)", serial=False),
    Kind("os.abort", _does(os.abort), r"\(SIGABRT\)", serial=False),
    Kind("segfault", _does(lambda: ctypes.string_at(0)), r"\(SIGSEGV\)", serial=False),
    Kind("kills itself", _does(lambda: os.kill(os.getpid(), signal.SIGKILL)), r"\(SIGKILL\)", serial=False),
    Kind("SIGTERM", _does(lambda: os.kill(os.getpid(), signal.SIGTERM)), r"\(SIGTERM\)", serial=False),
    Kind("leaks memory", _does(_grow), r"more memory than max_memory \(700 MB\)|max_seconds", serial=False),
    Kind("recursion without limit", _does(_unbounded_recursion), r"max_memory|SIGSEGV|max_seconds", serial=False),
    Kind(
        "closes all files",
        _does(_close_all),
        r"exit code 1|closed the way back|it was not called",
        serial=False,
        rows="all",
        fails="all",
    ),
]
_LEAVES: Final = [
    Kind("fork", _does(_fork_and_go_on), fails="none"),
    Kind("fork that sleeps", _does(_fork_and_sleep), serial=False, fails="none"),
    Kind("fork on every row", _does(_fork_and_go_on), rows="all", fails="none"),
    Kind("thread that sleeps", _does(lambda: _thread(daemon=False)), serial=False, fails="none"),
    Kind("daemon thread", _does(lambda: _thread(daemon=True)), serial=False, fails="none"),
    Kind(
        "program in the background",
        _does(lambda: subprocess.Popen(["sleep", "10000"])),
        serial=False,
        fails="none",
    ),
    Kind(
        "exit handler that sleeps", _does(lambda: atexit.register(time.sleep, 10_000)), serial=False, fails="none"
    ),
    Kind(
        "floods stdout",
        _does(lambda: print("spam " * 10_000)),
        serial=False,
        rows="all",
        fails="none",
        warns=r"printed [\d,]+ characters",
    ),
    Kind(
        "floods stderr",
        _does(lambda: sys.stderr.write("spam " * 10_000)),
        serial=False,
        rows="all",
        fails="none",
        warns=r"printed [\d,]+ characters",
    ),
    Kind(
        "writes to descriptor 1", _does(lambda: os.write(1, b"x" * 65_536)), serial=False, rows="all", fails="none"
    ),
    Kind("closes stdout", _does(lambda: sys.stdout.close()), serial=False, fails="none"),
]


def _state(name: str, action: Callable[[], Any]) -> Kind:
    return Kind(name, _does(action), fails="none")


_STATE: Final = [
    _state("chdir", _lose_the_folder),
    _state("umask", lambda: os.umask(0o777)),
    _state("np.seterr", lambda: np.seterr(all="raise")),
    _state("recursion limit", lambda: sys.setrecursionlimit(5_000)),
    _state("locale", lambda: locale.setlocale(locale.LC_ALL, "C")),
    _state("random.seed", lambda: random.seed(0)),
    _state("np.random.seed", lambda: np.random.seed(0)),  # noqa: NPY002 (what it is about)
    _state("environment", lambda: os.environ.update(PATH="", HOME="/nowhere", NEW="1")),
    _state("sys.path", lambda: sys.path.clear()),
    _state("signal handlers", lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)),
    _state("alarm", lambda: signal.alarm(3600)),
    _state("gc", gc.disable),
    _state("warning filters", lambda: warnings.simplefilter("error")),
    _state("built-in names", _replace_builtins),
    _state("sys.stdout", lambda: setattr(sys, "stdout", None)),
    _state("decimal context", lambda: setattr(decimal.getcontext(), "prec", 2)),
    _state("logging", lambda: logging.disable(logging.CRITICAL)),
    _state("trace", lambda: sys.settrace(lambda *_: None)),
    _state("switch interval", lambda: sys.setswitchinterval(10)),
]
_ANSWERS: Final = [
    Kind("pops a key", _pop, rows="all", fails="none"),
    Kind("changes what is within", _change_within, rows="all", fails="none"),
    Kind("batch that changes", _batch_mutates, fails="none", batch=True),
    Kind(
        "random answers",
        _gives(lambda: random.choice(["a", "b"])),
        rows="all",
        fails="none",
        warns="answered differently",
    ),
    Kind("answers once", _only_once, rows="all", fails="none", warns="answered differently"),
    Kind("batch that raises", _raises(OSError("gone")), "OSError: gone", fails="all", batch=True),
    Kind("batch of wrong length", _gives(lambda: ["a"]), "it returned 1 votes", fails="all", batch=True),
    Kind("batch that exits", _does(lambda: os._exit(0)), "exit code 0", serial=False, fails="all", batch=True),
    Kind("raises everywhere", _raises(ValueError("bad")), "ValueError: bad", rows="all", fails="all"),
    Kind(
        "sleeps everywhere", _does(lambda: time.sleep(10_000)), f"{TOO_SLOW}|not called", rows="all", fails="all"
    ),
]
KINDS: Final = (*_RAISES, *_RETURNS, *_HANGS, *_DEATHS, *_LEAVES, *_STATE, *_ANSWERS)
