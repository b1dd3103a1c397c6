"""Finished runs, made once: of the pets project, and of records in memory."""

from pathlib import Path

import pytest

import metalwork as mw
from tests.unit.pipeline.projects import write_project


@pytest.fixture(scope="session")
def pets_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project file of a project with the finished run ``first``."""
    path = write_project(tmp_path_factory.mktemp("pets"))
    mw.Run.open(path, "first").run()
    return path


@pytest.fixture(scope="session")
def pets(pets_project: Path) -> Path:
    """The run's folder."""
    return pets_project.parent / "runs" / "first"
