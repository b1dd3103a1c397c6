"""Where work runs: in this process, in worker processes, or on a Ray cluster."""

from metalwork._public import offer
from metalwork.backends._base import Backend, Loss, Resumable, SerialBackend, Setbacks
from metalwork.backends._desk import Desk, own_desk
from metalwork.backends._make import get_backend
from metalwork.backends._memory import read_bytes
from metalwork.backends._packing import can_travel
from metalwork.backends._processes import ProcessesBackend
from metalwork.backends._ray import RayBackend

__all__ = [
    "Backend",
    "Desk",
    "Loss",
    "ProcessesBackend",
    "RayBackend",
    "Resumable",
    "SerialBackend",
    "Setbacks",
    "can_travel",
    "get_backend",
    "own_desk",
    "read_bytes",
]

offer(__name__, globals())
