"""One writer at a time: a lock that ends with its process, however that ends."""

import errno
import json
import os
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from metalwork.errors import ConfigError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at ``path``, made where it is missing; nothing is written to it before it is held.

    Raises
    ------
    ConfigError
        When another process, or another run in this one, holds it; when it is a link or no plain file.
    """
    with _open_plain(path) as stream:
        if not _try_lock(stream):
            raise ConfigError(
                f"{path.parent} must have one writer at a time; {_owner(stream)} is writing to it. "
                "Wait for it to end, or name another run with --run."
            )
        stream.truncate(0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": since}, stream)
        stream.flush()
        try:
            yield
        finally:
            stream.truncate(0)


def _open_plain(path: Path) -> IO[str]:
    """The file, not what a link of its name points to: that is somebody's own."""
    refused = ConfigError(f"{path} must be a lock file of metalwork's own; it is a link or no file. Remove it.")
    if path.is_symlink():
        raise refused
    wanted = os.O_RDWR | os.O_CREAT | os.O_APPEND
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"):
        wanted |= getattr(os, name, 0)
    try:
        handle = os.open(path, wanted, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise refused from None
        raise
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(handle)
        raise refused
    return os.fdopen(handle, "a+", encoding="utf-8")


def _owner(stream: IO[str]) -> str:
    stream.seek(0)
    try:
        owner = json.loads(stream.read())
        return f"process {owner['pid']} on {owner['host']} (since {owner['since']})"
    except (ValueError, KeyError, TypeError):
        return "another process"


def _try_lock(stream: IO[str]) -> bool:
    """Lock an open file without waiting."""
    try:
        if sys.platform == "win32":
            stream.seek(1 << 20)  # a byte beyond the text, so that others can still read who holds it
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
