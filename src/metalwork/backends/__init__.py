"""Where work runs: in this process, or in worker processes."""

from metalwork._public import offer
from metalwork.backends._base import Backend, SerialBackend
from metalwork.backends._make import get_backend
from metalwork.backends._processes import ProcessesBackend

__all__ = ["Backend", "ProcessesBackend", "SerialBackend", "get_backend"]

offer(__name__, globals())
