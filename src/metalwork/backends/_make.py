"""Backends by name."""

from metalwork._checks import check_choice
from metalwork.backends._base import Backend, SerialBackend
from metalwork.backends._processes import ProcessesBackend
from metalwork.backends._ray import RayBackend
from metalwork.errors import ConfigError

BACKENDS = ("serial", "processes", "ray")


def get_backend(backend: str | Backend, n_jobs: int | None = None, max_memory: int | str | None = None) -> Backend:
    """The backend of this name (``"serial"``, ``"processes"``, ``"ray"``), or the given one itself."""
    if not isinstance(backend, Backend):
        check_choice("backend", backend, BACKENDS)
        if backend != "serial":
            return (RayBackend if backend == "ray" else ProcessesBackend)(n_jobs, max_memory)
    if max_memory is not None:
        raise ConfigError(
            f"max_memory must be given with backend='processes', whose workers are watched; got {max_memory!r} "
            "with another backend. Leave it out, or pass backend='processes'."
        )
    return backend if isinstance(backend, Backend) else SerialBackend()
