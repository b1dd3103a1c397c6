"""Hearing of the files that Python opens, and of what else leaves this process."""

import os
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final

Listener = Callable[[str, tuple[Any, ...]], None]
"""Told of an audit event's name and arguments, in the thread and on the stack of who caused it."""

READS: Final = frozenset({"open", "sqlite3.connect", "os.listdir", "os.scandir"})
LEAVES: Final = {
    "socket.connect": "connects to a network",
    "socket.getaddrinfo": "connects to a network",
    "subprocess.Popen": "starts a process",
    "os.system": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.exec": "starts a process",
}
"""Events after which a result may depend on what this process does not hold, and what they are."""

OPENED: Final = "metalwork.opened"
"""Event: a worker process opened a file for reading; with its path, and the files of the code that did."""

BY_VALUE: Final = "<dynamic-code>"
"""What cloudpickle calls the file of code that came to a worker process by value, as a project's own does."""

_listeners: list[Listener] = []
_installed = False


def listen(listener: Listener) -> None:
    """Tell ``listener`` of every event of interest from now on."""
    global _installed
    _listeners.append(listener)
    if not _installed:  # an audit hook stays for good
        sys.addaudithook(_hear)
        _installed = True


def unlisten(listener: Listener) -> None:
    """Tell ``listener`` no more."""
    _listeners.remove(listener)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _listeners and (event in READS or event in LEAVES or event == OPENED):
        for listener in tuple(_listeners):
            listener(event, arguments)


def callers_of(frame: FrameType | None) -> Iterator[str]:
    """The files of the code on a stack, from the last call on."""
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


def path_read(event: str, arguments: tuple[Any, ...]) -> str | None:
    """The path of a file that an event opens for reading, or of a folder that it lists."""
    if event not in READS:
        return None
    path = arguments[0]
    if event == "open" and _writes(arguments[1], arguments[2]):
        return None
    if path is None and event != "open":
        return os.curdir
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    return os.fspath(path) if isinstance(path, str | os.PathLike) else None


def _writes(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return bool(set(mode) & set("wax+"))
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
