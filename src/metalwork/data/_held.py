"""Files whose content is kept for a while, so that each is opened once however often it is looked at."""

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_MOST: Final = 16 << 20  # bytes


class HeldFiles:
    """The content of files that are opened while it is :meth:`active`, up to 16 MB together.

    Attributes
    ----------
    digests : dict of str to str
        SHA-256 of each file that was kept, by its real path; it stays when the content is dropped.
    """

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}
        self._contents: dict[str, bytes] = {}

    @contextmanager
    def active(self) -> Iterator[None]:
        """Keep, and read again from memory, the files that are opened meanwhile."""
        _active.append(self)
        try:
            yield
        finally:
            _active.remove(self)

    def drop(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        """Forget the content of these files."""
        for path in paths:
            self._contents.pop(os.path.realpath(path), None)

    def keep(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        """Forget the content of all files but these."""
        names = set(map(os.path.realpath, paths))
        self._contents = {name: content for name, content in self._contents.items() if name in names}

    def content(self, path: Path) -> bytes | None:
        """What the file holds; None where it is not kept."""
        name = os.path.realpath(path)
        if name not in self._contents:
            if not path.is_file() or path.stat().st_size + sum(map(len, self._contents.values())) > _MOST:
                return None
            self._contents[name] = path.read_bytes()
            self.digests[name] = hashlib.sha256(self._contents[name]).hexdigest()
        return self._contents[name]


_active: list[HeldFiles] = []


def held(path: Path) -> io.BytesIO | None:
    """The content of a file as a stream, where somebody keeps it."""
    content = _active[-1].content(path) if _active else None
    return None if content is None else io.BytesIO(content)
