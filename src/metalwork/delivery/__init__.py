"""A trained run at work: predicting new records, serving, exporting, and watching for drift."""

from importlib import import_module
from typing import TYPE_CHECKING

from metalwork._public import offer, on_first_use
from metalwork.delivery._answers import Cut
from metalwork.delivery._docker import write_dockerfile
from metalwork.delivery._drift import Drift, Shift, find_drift
from metalwork.delivery._predictor import Predictor, best_runtime
from metalwork.delivery._reading import Explanation
from metalwork.delivery._thresholds import Threshold
from metalwork.errors import MissingExtraError

if TYPE_CHECKING:
    from metalwork.delivery._serve._app import build_app
    from metalwork.delivery._serve._requests import ServerLimits
    from metalwork.delivery._serve._server import run_server

_HOMES = {
    "ServerLimits": "_serve._requests",
    "build_app": "_serve._app",
    "run_server": "_serve._server",
}

__all__ = [
    "Cut",
    "Drift",
    "Explanation",
    "Predictor",
    "ServerLimits",
    "Shift",
    "Threshold",
    "best_runtime",
    "build_app",
    "find_drift",
    "run_server",
    "write_dockerfile",
]


def _need_server() -> None:
    for package in ("fastapi", "uvicorn", "prometheus_client"):
        try:
            import_module(package)
        except ImportError:
            raise MissingExtraError(package, "serve", "Serving a model") from None


offer(__name__, globals())
__getattr__ = on_first_use(__name__, _HOMES, globals(), _need_server)


def __dir__() -> list[str]:
    return sorted(__all__)
