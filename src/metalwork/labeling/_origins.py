"""Whose a module is: the user's own, an installed package's, Python's, or this package's."""

import functools
import hashlib
import importlib.metadata as metadata
import inspect
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

from metalwork import __version__

_ROOT: Final = "metalwork"
_PROJECTS: Final = (f"{_ROOT}.examples", f"{_ROOT}.experiments")  # written as a user would write them
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_HOME: Final = Path(__file__).resolve().parents[1]
PYTHON: Final = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"


def foreign_version(module: Any) -> str | None:
    """Name and version of what a module belongs to; None where it is the user's own, and its content counts."""
    if not isinstance(module, str) or not module:
        return None
    root = module.partition(".")[0]
    if root == _ROOT:
        return None if module.startswith(_PROJECTS) else own_version()
    if root in sys.stdlib_module_names:
        return PYTHON
    return _installed_version(root) if _is_installed(root) else None


def _is_installed(root: str) -> bool:
    module = sys.modules.get(root)
    spec = getattr(module, "__spec__", None)
    paths = [getattr(module, "__file__", None), *(getattr(spec, "submodule_search_locations", None) or ())]
    return any(_INSTALLED.intersection(Path(path).parts) for path in paths if isinstance(path, str))


@cache
def _installed_version(root: str) -> str | None:
    """Name and version of the distribution that installs a package; None where none does."""
    try:
        return f"{root} {metadata.version(root)}"
    except metadata.PackageNotFoundError:
        pass
    names = sorted(set(metadata.packages_distributions().get(root, ())))
    return " ".join(f"{name} {metadata.version(name)}" for name in names) or None


@cache
def own_version() -> str:
    """This package's version; while it is being worked on, with a digest of its code."""
    if _INSTALLED.intersection(_HOME.parts):
        return f"{_ROOT} {__version__}"
    digest = hashlib.sha256()
    for folder in ("", "data", "labeling", "sources", "text", "votes"):
        for path in sorted((_HOME / folder).glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"{_ROOT} {__version__} {digest.hexdigest()}"


def home_of(function: Any) -> dict[str, Any] | None:
    """The names of the module that a callable was written in; None where that is not known."""
    while True:
        inner = getattr(function, "__wrapped__", None) or getattr(function, "__func__", None)
        if isinstance(function, functools.partial):
            inner = function.func
        if inner is None:
            break
        function = inner
    found = function if inspect.isfunction(function) else getattr(type(function), "__call__", None)  # noqa: B004
    return getattr(found, "__globals__", None)


def is_foreign_file(path: str) -> bool:
    """Whether a file belongs to Python, an installed package, this package or the system."""
    if path.startswith(_OWN) and not path.startswith(_OWN_PROJECTS):
        return True
    return bool(_PARTS.intersection(Path(path).parts)) or path.startswith(_roots())


_PARTS: Final = _INSTALLED | {"__pycache__"}
_OWN: Final = str(_HOME) + os.sep
_OWN_PROJECTS: Final = tuple(_OWN + project.removeprefix(f"{_ROOT}.") + os.sep for project in _PROJECTS)


@cache
def _roots() -> tuple[str, ...]:
    python = {os.path.realpath(os.path.dirname(os.__file__)), os.path.realpath(sys.prefix)}
    return tuple(root + os.sep for root in sorted({*python, "/proc", "/sys", "/dev"}))
