"""Which files a project's own Python reads: its modules, and the look-up files they open."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Final

from metalwork._opened import BY_VALUE, OPENED, callers_of, listen, path_read, unlisten
from metalwork.pipeline._manifest import file_digest

_PACKAGES: Final = frozenset({"site-packages", "dist-packages", "__pycache__"})
_SYSTEM: Final = ("/proc", "/sys", "/dev")
_OWN: Final = str(Path(__file__).resolve().parents[1])


class CodeFiles:
    """The files that the code of one project folder consists of and has read so far.

    A file counts where code of the folder opened it, itself or through a library; what a library opens while it
    is imported does not. Files that only worker processes open are not seen, nor those that are opened outside
    Python, as by a memory map of another language.

    Parameters
    ----------
    folder : path
        The project's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder.resolve()
        self._inside = str(self.home) + os.sep
        self._digests: dict[str, str] = {}

    @property
    def digests(self) -> dict[Path, str]:
        """SHA-256 of each file's content as it was when it was first met."""
        return {Path(name): digest for name, digest in self._digests.items() if digest}

    def add(self, path: str | os.PathLike[str]) -> None:
        """Count a file in, unless it belongs to Python, an installed package or the system."""
        name = os.path.realpath(path)
        if name not in self._digests and not self._is_foreign(name):
            self._digests[name] = ""  # reading it for its digest opens it again
            with suppress(OSError):
                self._digests[name] = file_digest(Path(name)) if Path(name).is_file() else ""

    def add_modules(self, module: ModuleType, before: set[str]) -> list[ModuleType]:
        """Count in what ``module`` imported out of the folder; returns these modules."""
        named = set(sys.modules) - before | {
            name for value in list(vars(module).values()) if (name := _home_of(value)) is not None
        }
        helpers = []
        for name in sorted(named):
            helper = sys.modules.get(name)
            source = getattr(helper, "__file__", None)
            if helper is None or helper is module or not source:
                continue
            path = os.path.realpath(source)
            if self._is_inside(path) and not self._is_foreign(path):
                self.add(path)
                helpers.append(helper)
        return helpers

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count in every file that code of the folder opens for reading."""
        listen(self._hear)
        try:
            yield
        finally:
            unlisten(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == OPENED:
            path, callers = arguments
            if self._own_first(callers):
                self.add(path)
            return
        path = path_read(event, arguments) if event == "open" else None
        if path is not None and self._asks(sys._getframe(2)):
            self.add(path)

    def _asks(self, frame: FrameType | None) -> bool:
        """Whether the nearest caller of interest is code of the folder, and not an import of something else."""
        return self._own_first(callers_of(frame))

    def _own_first(self, callers: Iterable[str]) -> bool:
        for name in callers:
            if name.startswith("<frozen importlib"):
                return False
            if name == BY_VALUE:
                return True
            if not name.startswith("<") and self._is_inside(path := os.path.realpath(name)):
                return not self._is_foreign(path)
        return False

    def _is_inside(self, path: str) -> bool:
        return path.startswith(self._inside)

    def _is_foreign(self, path: str) -> bool:
        """Whether a file belongs to Python, a package or the system; which may lie in a project."""
        inside = self._is_inside(path)
        parts = Path(path).relative_to(self.home).parts if inside else Path(path).parts
        roots = [_OWN, *(os.path.realpath(root) for root in {sys.prefix, sys.base_prefix}), *_SYSTEM]
        if inside:
            roots = [root for root in roots if self._is_inside(root)]
        return bool(_PACKAGES & set(parts)) or path.startswith(tuple(root + os.sep for root in roots))


def _home_of(value: Any) -> str | None:
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return name if isinstance(name, str) else None
