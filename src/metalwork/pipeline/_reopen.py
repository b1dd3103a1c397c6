"""Runs opened again to be looked at, by their folder: code of their project is run only if told."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from metalwork.errors import ConfigError
from metalwork.labeling import LabelingFunction, labeling_function
from metalwork.pipeline._folder import RunFolder
from metalwork.pipeline._inputs import COPIES
from metalwork.pipeline._job import Job, labeling_functions_of
from metalwork.pipeline._kept import KeptRun
from metalwork.pipeline._project import Project, load_project
from metalwork.pipeline._run import Run
from metalwork.pipeline._watching import CodeFiles


def project_of(run: KeptRun) -> Path:
    """The project file that a run came from: the run lies in its output folder, and keeps a copy of it.

    Raises
    ------
    ConfigError
        When there is none, as for runs of records in memory and folders that were moved.
    """
    copy = run.project
    if copy is not None:
        home = Path(run.folder.path).resolve().parent
        for _ in Path(os.path.normpath(copy.settings.output.folder)).parts:
            home = home.parent
        found = home / copy.path.relative_to(run.folder.path / COPIES)
        if found.is_file():
            return Path(os.path.relpath(found))
    raise ConfigError(
        f"{run.folder.path} must lie in the output folder of the project it came from, whose records are shown; "
        "there is no such project here. Name the project file instead, or move the run back."
    )


def open_run(path: str | os.PathLike[str], *, run_code: bool = False) -> tuple[Run, tuple[str, ...]]:
    """A run to be looked at: that of a folder, or one of a project file as it is now.

    Of a project file that is its newest run; where it has changed since, or there is none, labeling functions are
    applied and the label model is fitted, in memory. Its Python is run, as whoever names a project file expects.
    Of a folder no Python is run without ``run_code``: labeling functions that are written in it have their votes,
    but what they found in a record is not known.

    Returns
    -------
    run : Run
    not_run : tuple of str
        Names of the labeling functions that stand for Python that was not run.

    Raises
    ------
    ConfigError
        When there is no such run or project, what it read has changed since, or the records come from a loader
        in Python and ``run_code`` is not given.
    """
    given = Path(path)
    if given.is_file():
        return _as_it_is(load_project(given)), ()
    kept = KeptRun(given)
    project = load_project(project_of(kept))
    folder = RunFolder(given, str(project.path))
    python = project.settings.lfs.python
    if run_code or (python is None and project.settings.data.python is None):
        return Run(Job.of_project(project), folder), ()
    if project.settings.data.python is not None:
        raise ConfigError(
            f"{folder.path}: its records come from a loader in Python ({project.settings.data.python}), which is "
            "run only where you say so. If you trust it, say --run-code."
        )
    functions, names = _without_python(project, kept)
    return Run(Job.of_project(project, functions), folder), names


def _as_it_is(project: Project) -> Run:
    """The newest run of a project, if nothing that it read has changed; else one in memory, up to its labels."""
    job = Job.of_project(project)
    for folder in RunFolder.all(project.output, str(project.path)) if project.output.is_dir() else ():
        if folder.steps:
            if (run := Run(job, folder)).is_kept("fit"):
                return run
            break
    run = Run(job)
    return run.fit() if job.labeling_functions else run


def _without_python(project: Project, kept: KeptRun) -> tuple[list[LabelingFunction], tuple[str, ...]]:
    """The labeling functions of a run, with one that says nothing in the place of each in Python."""
    lfs = project.settings.lfs.model_copy(update={"python": None})
    bare = replace(project, settings=project.settings.model_copy(update={"lfs": lfs}))
    others = labeling_functions_of(bare, CodeFiles(project.folder))
    n_others = sum(len(lf.columns(project.space.tasks)) for lf in others)
    table = kept.lf_table.with_columns(pl.col("name").cast(pl.String))
    rows = list(table.head(table.height - n_others).iter_rows(named=True))
    silent = [_silent(row["name"], row["task"], [project.settings.features.text or "text"]) for row in rows]
    return [*silent, *others], tuple(lf.name for lf in silent)


def _silent(name: str, task: str, fields: Sequence[str]) -> LabelingFunction:
    @labeling_function(task, name, fields)
    def says_nothing(value: object) -> None:
        return None

    return says_nothing
