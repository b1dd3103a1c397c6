"""Writing a project to start from."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from metalwork._files import write_text
from metalwork.errors import ConfigError
from metalwork.examples import example_folder


def write_project(folder: Path, example: str | None = None) -> list[Path]:
    """Copy the project template, or an example, into a folder that does not exist yet; returns the files.

    Raises
    ------
    ConfigError
        When ``folder`` exists, or there is no such example.
    """
    template = files("metalwork.cli") / "templates" / "project" if example is None else example_folder(example)
    if folder.exists():
        raise ConfigError(f"The folder must be new; {folder} exists already. Choose another name.")
    written: list[Path] = []
    _copy(template, folder, written)
    return written


def _copy(source: Traversable, target: Path, written: list[Path]) -> None:
    for entry in sorted(source.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            _copy(entry, target / entry.name, written)
        elif entry.is_file():
            write_text(target / entry.name, entry.read_text(encoding="utf-8"))
            written.append(target / entry.name)
