"""Worker processes as their parent sees them: started, given orders, watched, and stopped."""

import mmap
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, BinaryIO, Final

from metalwork.backends._desk import N_BYTES, Desk, Position
from metalwork.backends._packing import receive, send

_TICK: Final = 0.1
GRACE: Final = 1.0
"""Seconds that a worker has beyond a limit to stop by itself what takes too long."""

_START: Final = "import sys; sys.path[:] = {path!r}; from metalwork.backends._worker import work; work()"
Event = tuple["Worker", tuple[Any, ...]]


class Worker:
    """One worker process, with a thread that gives it orders and hands on its answers as events.

    Parameters
    ----------
    environment : dict of str to str
    events : queue
        Of (worker, answer); the last answer of a worker is ``("gone",)``.
    """

    def __init__(self, environment: Mapping[str, str], events: "SimpleQueue[Event]") -> None:
        self.is_ready, self.reason = False, ""
        self.task: Any = None
        self._packed, self._events, self._orders = b"", events, SimpleQueue[Any]()
        descriptor, self._file = tempfile.mkstemp(prefix="metalwork-")
        os.ftruncate(descriptor, N_BYTES)
        self._memory = mmap.mmap(descriptor, N_BYTES)
        os.close(descriptor)
        self._desk = Desk(self._memory)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,  # an interrupt of the terminal is for the parent alone
        )
        self._ended_at: float | None = None
        self._is_gone = False
        self._thread = threading.Thread(target=self._attend, daemon=True)
        self._thread.start()

    def learn(self, packed: bytes) -> None:
        """Give it the function that it is to call from now on, unless that is the one it has."""
        if packed != self._packed:
            self._packed = packed
            self._orders.put(("learn", packed, None))

    def order(self, task: Any, item: bytes, setbacks: bytes | None) -> None:
        """Give it something to do."""
        self.task = task
        self._orders.put(("do", item, setbacks))

    @property
    def position(self) -> Position:
        """What it is at, or was at when it ended."""
        return self._desk.read()

    @property
    def memory_used(self) -> int:
        """Bytes that are resident, where the system tells; else 0."""
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * mmap.PAGESIZE

    def look_after(self) -> None:
        """Notice when the process has ended: whatever it started ends, too."""
        if self._ended_at is None and _has_ended(self._process):
            self._ended_at = time.monotonic()
            self._kill_all()
        if self._ended_at is not None and time.monotonic() > self._ended_at + 1.0:
            self._report_end()  # something that it started lives on, with the pipe open

    def kill(self, reason: str) -> None:
        """End the process, whatever it is at."""
        self.reason = self.reason or reason
        self._kill_all()

    def close(self) -> str:
        """End it, let go of what it used, and say how it ended."""
        if self._is_gone and not self._ends_by_itself():
            self.reason = self.reason or "it closed the way back from its process"
        self._kill_all()
        code = self._process.wait()
        self._orders.put(None)
        self._thread.join(1.0)
        with suppress(OSError):
            os.unlink(self._file)
        return self.reason or _how_it_ended(code)

    def _ends_by_itself(self) -> bool:
        """Whether the process, which does not answer any more, has ended, or does so within a second."""
        deadline = time.monotonic() + 1.0
        while not (ended := _has_ended(self._process)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return ended

    def _attend(self) -> None:
        orders, answers = self._process.stdin, self._process.stdout
        if orders is None or answers is None:
            return
        with suppress(OSError, EOFError, ValueError):
            send(_binary(orders), os.getpid(), self._file, sys.argv)
            receive(_binary(answers))
            with suppress(OSError):
                os.unlink(self._file)
            self.is_ready = True
            while (order := self._orders.get()) is not None:
                send(_binary(orders), *order)
                if order[0] == "learn":
                    continue  # it has no answer
                while (answer := receive(_binary(answers)))[0] == "kept":
                    self._events.put((self, answer))
                self._events.put((self, answer))
        for stream in (orders, answers):
            with suppress(OSError):
                stream.close()
        self._report_end()

    def _report_end(self) -> None:
        if not self._is_gone:
            self._is_gone = True
            self._events.put((self, ("gone",)))

    def _kill_all(self) -> None:
        """End the process and all that it started."""
        with suppress(OSError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()


class Crew:
    """Some workers, and a thread that watches them.

    Parameters
    ----------
    start : callable
        Starts a worker whose events go to a queue.
    max_memory : int, optional
        Bytes that a worker may use.
    """

    def __init__(self, start: Callable[["SimpleQueue[Event]"], Worker], max_memory: int | None) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        self.workers: list[Worker] = []
        self._start, self._max_memory = start, max_memory
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def start(self) -> Worker:
        """One more worker."""
        self.workers.append(self._start(self.events))
        return self.workers[-1]

    def next_event(self) -> Event:
        """The next answer of a worker, or end of one."""
        while True:
            with suppress(Empty):
                return self.events.get(timeout=1.0)

    def dismiss(self, worker: Worker) -> str:
        """Let go of a worker; says how it ended."""
        self.workers.remove(worker)
        return worker.close()

    def close(self) -> None:
        """End all workers at once."""
        self._done.set()
        for worker in self.workers:
            worker.kill("")
        while self.workers:
            self.dismiss(self.workers[-1])
        self._thread.join()

    def _watch(self) -> None:
        late: dict[Worker, Position] = {}
        while not self._done.wait(_TICK):
            for worker in tuple(self.workers):
                worker.look_after()
                position = worker.position
                if position.overdue > GRACE and late.get(worker) == position:  # seen twice: not half written
                    worker.kill(f"it took longer than max_seconds ({position.limit:g} s)")
                late[worker] = position
                if self._max_memory is not None and worker.memory_used > self._max_memory:
                    worker.kill(f"it used more memory than max_memory ({self._max_memory / 1e6:,.0f} MB)")
            late = {worker: at for worker, at in late.items() if worker in self.workers}


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Whether it has ended; on POSIX it is left as it is, so that its number stays its own."""
    if os.name != "posix":
        return process.poll() is not None
    if process.returncode is not None:
        return True
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"it ended its process (exit code {code})"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"its process crashed or was killed ({name})"


def _binary(stream: Any) -> BinaryIO:
    found: BinaryIO = stream
    return found
