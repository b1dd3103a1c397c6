"""Running a project's own Python file, and finding the labeling functions in it."""

import importlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from metalwork.errors import ConfigError
from metalwork.labeling import LabelingFunction, Preprocessor, preprocessors_in
from metalwork.pipeline._watching import CodeFiles

_LIST = "LABELING_FUNCTIONS"


def load_labeling_functions(path: Path, code: CodeFiles) -> list[LabelingFunction]:
    """Run a Python file; return its ``LABELING_FUNCTIONS``, else every labeling function it defines, in order.

    Lists and tuples of labeling functions count too, such as those of a crowd.

    ``code`` is told of the files that it reads.

    Raises
    ------
    ConfigError
        When the file fails, naming the line; when it holds no labeling function.
    """
    module = run_file(path, code)
    listed = getattr(module, _LIST, None)
    if listed is None:
        found = [lf for value in vars(module).values() for lf in _functions_in(value)]
        unique = list({id(lf): lf for lf in found}.values())
    else:
        unique = _check_list(path, listed)
    if not unique:
        raise ConfigError(
            f"{path} must define at least one labeling function; got none. "
            "Decorate a function with @mw.labeling_function(task=...)."
        )
    return unique


def preprocessors_of(path: Path) -> list[Preprocessor]:
    """The preprocessors of a Python file that has been run."""
    module = sys.modules.get(_module_name(path))
    return [] if module is None else list(preprocessors_in(vars(module)).values())


def _module_name(path: Path) -> str:
    return f"_metalwork_project_{path.stem}"


def run_file(path: Path, code: CodeFiles) -> ModuleType:
    """Run a Python file of a project's; ``ConfigError`` names the line where it fails.

    Modules that it imports out of the project's folder are read anew: an older version, or a module of the same
    name of another project, may still be in memory.
    """
    name = _module_name(path)
    module = ModuleType(name)
    module.__file__ = str(path)
    code.add(path)
    while _helpers:
        sys.modules.pop(_helpers.pop(), None)
    before = set(sys.modules)
    sys.modules[name] = module  # dataclasses and typing look their module up
    try:
        with code.watching(), _importing_from(path.resolve().parent):
            exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except Exception as error:
        sys.modules.pop(name, None)
        raise ConfigError(_failure(path, error)) from error
    helpers = code.add_modules(module, before)
    _helpers.extend(helper.__name__ for helper in helpers if helper.__name__ not in before)
    for own in (module, *helpers):
        cloudpickle.register_pickle_by_value(own)  # worker processes cannot import it by name
    return module


_helpers: list[str] = []
"""Names of the modules that the file run last imported out of its project's folder."""


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Let modules of ``folder`` be imported, by their source as it is now; none is compiled into a file."""
    compiled, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = compiled


def _failure(path: Path, error: Exception) -> str:
    line = None
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line = error.lineno
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == str(path):
            line = frame.lineno
    at = f"{path}:{line}" if line is not None else str(path)
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{at}: the file must run without an error; got {type(error).__name__}: {text}"


def _functions_in(value: Any) -> list[LabelingFunction]:
    if isinstance(value, LabelingFunction):
        return [value]
    whole = isinstance(value, list | tuple) and all(isinstance(item, LabelingFunction) for item in value)
    return list(value) if whole else []


def _check_list(path: Path, listed: Any) -> list[LabelingFunction]:
    if not isinstance(listed, list | tuple):
        raise ConfigError(f"{path}: {_LIST} must be a list; got {type(listed).__name__}.")
    for i, value in enumerate(listed):
        if not isinstance(value, LabelingFunction):
            raise ConfigError(
                f"{path}: {_LIST}[{i}] must be a labeling function; got {value!r}. "
                "Decorate it with @mw.labeling_function(task=...)."
            )
    return list(listed)
