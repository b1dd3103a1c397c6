"""A local page to write labeling functions, label records and train: it drives a run, and adds nothing to it."""

from importlib import import_module
from typing import TYPE_CHECKING

from metalwork._public import on_first_use
from metalwork.errors import MissingExtraError

if TYPE_CHECKING:
    from metalwork.studio._server import run_studio

_HOMES = {"run_studio": "_server"}

__all__ = ["run_studio"]


def _need_server() -> None:
    for package in ("starlette", "uvicorn"):
        try:
            import_module(package)
        except ImportError:
            raise MissingExtraError(package, "studio", "The studio") from None


__getattr__ = on_first_use(__name__, _HOMES, globals(), _need_server)


def __dir__() -> list[str]:
    return sorted(__all__)
