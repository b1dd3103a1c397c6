"""The run that was not finished, for a command that is given again."""

from collections.abc import Sequence

from metalwork.errors import MetalworkError
from metalwork.pipeline._folder import RunFolder, check_output
from metalwork.pipeline._job import Job
from metalwork.pipeline._run import Run


def unfinished_run(job: Job, steps: Sequence[str]) -> RunFolder | None:
    """The newest run of the job's project, where some of ``steps`` are left to do in it.

    None where all are done, where something that it read has changed since, and where somebody writes to it.

    Raises
    ------
    ConfigError
        When the project's output folder lies outside the project.
    """
    if job.project is None:
        return None
    check_output(job.project)
    folder = next(RunFolder.all(job.project.output, str(job.project.path)), None)
    if folder is None:
        return None
    try:
        with folder.writing():
            return folder if Run(job, folder).goes_on(steps) else None
    except (MetalworkError, OSError):  # damaged, of another version, or held by another process
        return None
