"""Files on object storage and other machines, by their address, through fsspec."""

import io
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, Final, TypeVar

from metalwork.errors import DataError, MissingExtraError

_ADDRESS: Final = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_USER: Final = re.compile(r"(?<=://)[^/@\s]*@")
_QUERY: Final = re.compile(r"\?(?=[^/*\s]*=)[^\s'\")]*")  # a "?" of a glob has no "=" after it
_POLARS: Final = frozenset(
    {"s3", "s3a", "gs", "gcs", "az", "azure", "abfs", "abfss", "adl", "http", "https", "hf"}
)
_BUFFER: Final = 1 << 20
_FACTS: Final = ("size", "ETag", "etag", "LastModified", "last_modified", "mtime", "updated", "created")

T = TypeVar("T")


def is_address(text: str) -> bool:
    """Whether this is the address of a file, such as ``s3://bucket/name.csv``."""
    return _ADDRESS.match(text) is not None


def without_secrets(text: str) -> str:
    """A text without users, passwords and queries of addresses: those may be signatures."""
    return _QUERY.sub("?...", _USER.sub("", text))


@dataclass(frozen=True, repr=False)
class RemoteFile:
    """A file by its address, which has no secrets as text. Credentials are those that fsspec finds by itself."""

    address: str

    def __str__(self) -> str:
        return without_secrets(self.address)

    __repr__ = __str__

    @property
    def path(self) -> str:
        """What stands after ``://``, without a query."""
        return _QUERY.sub("", _ADDRESS.sub("", self.address))

    @property
    def name(self) -> str:
        return posixpath.basename(self.path)

    @property
    def suffixes(self) -> list[str]:
        return [f".{part}" for part in self.name.split(".")[1:]]

    @property
    def suffix(self) -> str:
        return (self.suffixes or [""])[-1]

    @property
    def is_known_to_polars(self) -> bool:
        """Whether polars itself reads tables at such addresses."""
        return self.address.split("://")[0].lower() in _POLARS

    def open(self) -> IO[bytes]:
        """The bytes, in which one can seek."""
        return io.BufferedReader(_Guarded(self, self._ask(lambda system, path: system.open(path, "rb"))), _BUFFER)

    def stamp(self) -> tuple[Any, ...]:
        """Size and time or tag of the file, as far as its host tells them."""
        told = self._ask(lambda system, path: system.info(path))
        return tuple(str(told.get(key)) for key in _FACTS)

    def is_folder(self) -> bool:
        """Whether files lie below this address."""
        return bool(self._ask(lambda system, path: system.isdir(path)))

    def below(self) -> list["RemoteFile"]:
        """All files below this address, by name."""
        return self._ask(lambda system, path: _files(system, system.find(path)))

    def matching(self) -> list["RemoteFile"]:
        """The files that a glob names; none where it is none."""
        if not re.search(r"[*?\[]", self.path):
            return []
        return self._ask(lambda system, path: _files(system, system.glob(path)))

    def _ask(self, question: Callable[[Any, str], T]) -> T:
        return guarded(self, lambda: question(*_fsspec().core.url_to_fs(self.address)))


def guarded(file: RemoteFile, act: Callable[[], T]) -> T:
    """What ``act`` gives; where the storage fails, one error in which no secret of the address stands."""
    try:
        return act()
    except (FileNotFoundError, IsADirectoryError, MissingExtraError):
        raise
    except Exception as error:
        text = str(error).replace(file.address, str(file)).strip()
        reason = without_secrets(text).splitlines()[0] if text else type(error).__name__
        raise DataError(f"{file}: cannot be read ({reason}).") from None


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError:
        raise MissingExtraError("fsspec", "remote", "A file at an address") from None
    return fsspec


def _files(system: Any, names: Any) -> list[RemoteFile]:
    return [RemoteFile(system.unstrip_protocol(name)) for name in sorted(names) if not system.isdir(name)]


class _Guarded(io.RawIOBase):
    """A stream of a storage whose failures name the file."""

    def __init__(self, file: RemoteFile, stream: Any) -> None:
        self._file, self._stream = file, stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._stream.seekable())

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(guarded(self._file, lambda: self._stream.seek(offset, whence)))

    def tell(self) -> int:
        return int(self._stream.tell())

    def readinto(self, target: Any) -> int:
        block = guarded(self._file, lambda: self._stream.read(len(target)))
        target[: len(block)] = block
        return len(block)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
