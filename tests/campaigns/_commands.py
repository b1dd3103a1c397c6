"""Commands in children of a server that has imported everything; they are killed, or fail, at a chosen moment."""

import errno
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_EVENTS: Final = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.listdir"})
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["tests.campaigns._imports"])


@dataclass(frozen=True)
class Fault:
    """What happens at the file operation of this number below ``folder``.

    ``"kill"``: SIGKILL. ``"full"``, ``"read-only"``: from then on, every write fails as on such a disk.
    ``"remove"``: the folder is taken away. ``"limit"``: no file may grow beyond ``at`` bytes, at any operation.
    """

    at: int
    kind: str = "kill"


_ERRORS: Final = {"full": errno.ENOSPC, "read-only": errno.EROFS}


class _Operations:
    """Counts the file operations below a folder, and strikes at one of them."""

    def __init__(self, folder: str, fault: Fault | None) -> None:
        self._folder, self._fault, self.count = folder, fault, 0

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook."""
        if event in _EVENTS and arguments and isinstance(arguments[0], str | bytes | os.PathLike):
            writes = event != "open" or _writes(arguments[1], arguments[2])
            if os.fsdecode(arguments[0]).startswith(self._folder):
                self.strike(writes)

    def synced(self, handle: Any, sync: Callable[[Any], None]) -> None:
        """In the place of ``os.fsync``, which raises no audit event."""
        self.strike(writes=True)
        sync(handle)

    def strike(self, writes: bool) -> None:
        """Count, and do what is due."""
        self.count += 1
        fault = self._fault
        if fault is None or fault.kind == "limit" or self.count < fault.at:
            return
        if fault.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif fault.kind == "remove" and self.count == fault.at:
            shutil.rmtree(self._folder, ignore_errors=True)
        elif fault.kind in _ERRORS and writes:
            raise OSError(_ERRORS[fault.kind], os.strerror(_ERRORS[fault.kind]))


def _writes(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return bool(set(mode) & set("wax+"))
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def start(arguments: Sequence[str], folder: Path, log: Path, fault: Fault | None = None) -> Any:
    """Start ``metalwork ARGUMENTS`` in a process of its own; what it says goes to ``log``.

    ``log`` ends with the number of file operations below ``folder``, where the command came to its end.
    """
    process = _server.Process(target=_run, args=(list(arguments), str(folder), str(log), fault))
    process.start()
    return process


def _run(arguments: list[str], folder: str, log: str, fault: Fault | None) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(out, stream)
    sys.argv = ["metalwork", *arguments]
    if fault is not None and fault.kind == "limit":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault.at, fault.at))
    operations, sync = _Operations(folder, fault), os.fsync
    sys.addaudithook(operations.hear)
    os.fsync = lambda handle: operations.synced(handle, sync)  # type: ignore[assignment]
    from metalwork.cli import main

    status = 70
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    os.write(1, f"\noperations {operations.count}\n".encode())
    os._exit(status)


def operations_in(log: Path) -> int:
    """How many file operations a command came to, as its log says."""
    return int(log.read_text(errors="replace").rsplit("operations ", 1)[1])
