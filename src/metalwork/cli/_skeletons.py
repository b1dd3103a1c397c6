"""Skeletons of labeling functions, one a kind of source, for a project's Python file."""

import ast
import keyword
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from metalwork._files import atomic_write
from metalwork.editing import ProjectEditor
from metalwork.errors import ConfigError
from metalwork.pipeline import Project
from metalwork.schema import unknown_name

_FOLDER: Final = files("metalwork.cli") / "templates" / "lfs"
_NEW: Final = "lfs.py"
_IMPORT: Final = "import metalwork as mw"


@dataclass(frozen=True)
class Written:
    """Where a skeleton stands now."""

    path: Path
    line: int
    name: str
    listed: bool
    """Whether the file lists the functions that count, so that this one must be put there."""


def kinds() -> dict[str, str]:
    """What each kind of skeleton does, in a line."""
    found = {}
    for entry in sorted(_FOLDER.iterdir(), key=lambda entry: entry.name):
        first = entry.read_text(encoding="utf-8").splitlines()[0]
        found[entry.name.removesuffix(".txt")] = first.removeprefix("# ")
    return found


def add_skeleton(
    project: Project, kind: str, name: str | None = None, task: str | None = None, field: str | None = None
) -> Written:
    """Append a skeleton to the project's Python file; nothing that stands there is changed.

    A project that names no such file gets one, ``lfs.py`` beside it.

    Raises
    ------
    ConfigError
        For a kind or task that there is not, or a name that cannot be given or is taken.
    """
    if kind not in (known := kinds()):
        raise ConfigError(unknown_name("kind of labeling function", kind, list(known)))
    if task is not None and task not in project.space.tasks:
        raise ConfigError(unknown_name("task of the schema", task, project.space.tasks))
    path, text = _python_of(project)
    names = _names_in(text, path)
    chosen = _free(kind, names) if name is None else _check_name(name, names, path)
    skeleton = _fill(project, kind, chosen, task or project.space.tasks[0], field)
    if "mw" not in names:
        skeleton = f"{_IMPORT}\n\n{skeleton}"
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text.strip() else end * 2 if text.endswith("\n") else end * 3
    with atomic_write(path) as stream:
        stream.write((text + gap + skeleton.replace("\n", end)).encode("utf-8"))
    if project.settings.lfs.python is None:
        ProjectEditor(project.path).set("lfs.python", path.name)
    return Written(path, (text + gap).count("\n") + 1, chosen, "LABELING_FUNCTIONS" in names)


def _python_of(project: Project) -> tuple[Path, str]:
    """The project's Python file, and what stands there; where it names none, one that is still to be made."""
    if project.settings.lfs.python is not None:
        path = project.folder / project.settings.lfs.python
        return path, _decoded(path)
    path = project.folder / _NEW
    if path.exists():
        raise ConfigError(
            f"{project.path} must name its Python file for labeling functions; got none, but {path} is there. "
            f"Write python: {_NEW} under lfs if it is meant: it is run then."
        )
    return path, ""


def _fill(project: Project, kind: str, name: str, task: str, field: str | None) -> str:
    labels, settings = project.space.labels(task), project.settings
    column = field or settings.features.text or "text"
    values = {
        "task": repr(task),
        "label": repr(labels[0]),
        "labels": ", ".join(map(repr, labels)),
        "descriptions": ",\n        ".join(f"{label!r}: {label!r}" for label in labels),
        "examples": ",\n        ".join(f"{label!r}: [{'an example of ' + label!r}]" for label in labels),
        "field": repr(column),
        "id": repr(settings.data.id or column),
        "output": repr(f"{name}_words"),
        "lf": repr(name),
        "name": name,
    }
    return Template((_FOLDER / f"{kind}.txt").read_text(encoding="utf-8")).substitute(values)


def _decoded(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} must be UTF-8 text; got {error}. Save it so.") from None


def _names_in(text: str, path: Path) -> set[str]:
    """The names that a file gives to anything."""
    try:
        tree = ast.parse(text.removeprefix("\ufeff"))
    except SyntaxError as error:
        raise ConfigError(
            f"{path}:{error.lineno}: the file must be Python; got {error.msg}. Mend it first."
        ) from None
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return found


def _free(kind: str, names: set[str]) -> str:
    candidates = (f"my_{kind}" if i == 1 else f"my_{kind}_{i}" for i in range(1, len(names) + 2))
    return next(name for name in candidates if name not in names)


def _check_name(name: str, names: set[str], path: Path) -> str:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ConfigError(f"NAME must be a name of Python's, such as big_orders; got {name!r}.")
    if name in names:
        raise ConfigError(f"NAME must be new in {path}; {name!r} stands there already. Choose another name.")
    return name
