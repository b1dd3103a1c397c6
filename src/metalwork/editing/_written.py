"""Files of the user's own: read once, and written whole only where nobody else has changed them since."""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from metalwork._files import atomic_write
from metalwork.errors import ChangedError, ConfigError

if sys.platform != "win32":
    import fcntl


def digest_of(content: bytes) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def read_bytes(path: Path) -> bytes:
    """The content of a file; ``ConfigError`` where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from None


def check_expected(path: Path, found: str, expected: str | None) -> None:
    """``ChangedError`` where a file is not what whoever changes it has seen."""
    if expected is not None and found != expected:
        raise ChangedError(
            f"{path} must be as it was when it was read; somebody else has changed it since. "
            "Nothing was written: look at it again, then repeat the change."
        )


def write_bytes(path: Path, content: bytes, expected: str | None) -> str:
    """Write a file whole, and return its digest; links are followed, and who may read it stays as it is.

    Parameters
    ----------
    expected : str or None
        The digest of what is to be overwritten; None for a file that must not be there yet.

    Raises
    ------
    ChangedError
        When something else is there.
    ConfigError
        When the file may not be written to.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target.parent):
        if target.exists() and not os.access(target, os.W_OK):
            raise ConfigError(f"{path} must be a file that you may write to; it is read-only. Change its mode.")
        if expected is None and target.exists():
            raise ChangedError(f"{path} must not be there yet; somebody else has made it. Look at it first.")
        if expected is not None:
            check_expected(path, digest_of(read_bytes(target)), expected)
        with atomic_write(target) as stream:
            stream.write(content)
    return digest_of(content)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other writers of this folder waiting, where the system can; the lock ends with the process."""
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
