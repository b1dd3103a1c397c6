"""Backends by name."""

from metalwork._checks import check_choice
from metalwork.backends._base import Backend, SerialBackend
from metalwork.backends._processes import ProcessesBackend

BACKENDS = ("serial", "processes")


def get_backend(backend: str | Backend, n_jobs: int | None = None) -> Backend:
    """The backend of this name (``"serial"``, ``"processes"``), or the given one itself."""
    if isinstance(backend, Backend):
        return backend
    check_choice("backend", backend, BACKENDS)
    return SerialBackend() if backend == "serial" else ProcessesBackend(n_jobs)
