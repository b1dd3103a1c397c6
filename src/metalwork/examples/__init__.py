"""Projects on public data: each a folder with a project file, a task tree, labeling functions and a loader.

``metalwork demo`` and ``metalwork reproduce`` run them, and ``metalwork init NAME --example openi`` copies one.
"""

from pathlib import Path
from typing import Final

from metalwork._public import offer
from metalwork.errors import ConfigError
from metalwork.pipeline import Job, load_project
from metalwork.schema import unknown_name

__all__ = ["EXAMPLES", "example_folder", "load_example"]

EXAMPLES: Final = ("digits", "openi", "rcv1", "reuters")
"""The examples by name."""


def example_folder(name: str) -> Path:
    """The folder of an example.

    Raises
    ------
    ConfigError
        When there is none of that name.
    """
    if name not in EXAMPLES:
        raise ConfigError(unknown_name("example", name, EXAMPLES))
    return Path(__file__).parent / name


def load_example(name: str) -> Job:
    """The job of an example; its records are read.

    Raises
    ------
    ConfigError
        When there is none of that name.
    DataError
        When its data set is not on this machine; the message says how to get it.
    """
    return Job.of_project(load_project(example_folder(name) / "project.yaml"))


offer(__name__, globals())
