"""The files of an example, run as metalwork runs them."""

from types import ModuleType

import metalwork as mw
from metalwork.examples import example_folder
from metalwork.pipeline import load_project
from metalwork.pipeline._code import load_labeling_functions, run_file
from metalwork.pipeline._watching import CodeFiles


def part(example: str, stem: str) -> ModuleType:
    """One Python file of an example."""
    folder = example_folder(example)
    return run_file(folder / f"{stem}.py", CodeFiles(folder))


def functions(example: str) -> list[mw.LabelingFunction]:
    """Its labeling functions."""
    folder = example_folder(example)
    return load_labeling_functions(folder / "lfs.py", CodeFiles(folder))


def schema(example: str) -> mw.TaskSchema:
    """Its task tree."""
    return load_project(example_folder(example) / "project.yaml").schema
