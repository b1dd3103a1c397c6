"""How the labeling functions of a job are run: in this process, or guarded in worker processes."""

from typing import TYPE_CHECKING, Any

from metalwork.backends import ProcessesBackend, SerialBackend, can_travel
from metalwork.labeling import can_time, runs_python

if TYPE_CHECKING:
    from metalwork.pipeline._job import Job


def how_to_run(job: "Job") -> dict[str, Any]:
    """The arguments of ``apply_shards`` that say where labeling functions run, and what they may do.

    Functions of a project's own Python run in a worker process even where one is enough: a crash, or ``os._exit``,
    must not end the run with them. Rules alone need none; nor do functions that only this process can hold, and
    projects that ask for ``backend: serial``.
    """
    lfs, workers, max_seconds = job.labeling_functions, job.workers, job.max_seconds
    is_free = job.backend is None and isinstance(workers, SerialBackend)
    if is_free and job.project is not None and any(map(runs_python, lfs)) and can_travel(lfs):
        workers = ProcessesBackend(1, job.max_memory)
    if isinstance(workers, SerialBackend) and not can_time():
        max_seconds = None
    return {
        "backend": workers,
        "max_error_rate": job.max_error_rate,
        "max_seconds": max_seconds,
        "on_failure": job.on_failure,
    }
