"""Backends by name."""

from metalwork._checks import check_choice
from metalwork.backends._base import Backend, SerialBackend
from metalwork.backends._processes import ProcessesBackend
from metalwork.errors import ConfigError

BACKENDS = ("serial", "processes")


def get_backend(backend: str | Backend, n_jobs: int | None = None, max_memory: int | str | None = None) -> Backend:
    """The backend of this name (``"serial"``, ``"processes"``), or the given one itself."""
    if not isinstance(backend, Backend) and check_choice("backend", backend, BACKENDS) == "processes":
        return ProcessesBackend(n_jobs, max_memory)
    if max_memory is not None:
        raise ConfigError(
            f"max_memory must be given with backend='processes', whose workers are watched; got {max_memory!r} "
            "with another backend. Leave it out, or pass backend='processes'."
        )
    return backend if isinstance(backend, Backend) else SerialBackend()
