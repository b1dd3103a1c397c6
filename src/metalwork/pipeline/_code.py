"""Running a project's own Python file, and finding the labeling functions in it."""

import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from metalwork.errors import ConfigError
from metalwork.labeling import LabelingFunction

_LIST = "LABELING_FUNCTIONS"


def load_labeling_functions(path: Path) -> list[LabelingFunction]:
    """Run a Python file; return its ``LABELING_FUNCTIONS``, else every labeling function it defines, in order.

    Raises
    ------
    ConfigError
        When the file fails, naming the line; when it holds no labeling function.
    """
    module = run_file(path)
    listed = getattr(module, _LIST, None)
    if listed is None:
        found = [value for value in vars(module).values() if isinstance(value, LabelingFunction)]
        unique = list({id(lf): lf for lf in found}.values())
    else:
        unique = _check_list(path, listed)
    if not unique:
        raise ConfigError(
            f"{path} must define at least one labeling function; got none. "
            "Decorate a function with @mw.labeling_function(task=...)."
        )
    return unique


def run_file(path: Path) -> ModuleType:
    """Run a Python file of a project's; ``ConfigError`` names the line where it fails."""
    name = f"_metalwork_project_{path.stem}"
    module = ModuleType(name)
    module.__file__ = str(path)
    folder = str(path.resolve().parent)
    sys.modules[name] = module  # dataclasses and typing look their module up
    sys.path.insert(0, folder)
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except Exception as error:
        sys.modules.pop(name, None)
        raise ConfigError(_failure(path, error)) from error
    finally:
        sys.path.remove(folder)
    cloudpickle.register_pickle_by_value(module)  # worker processes cannot import it by name
    return module


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
