"""Running the server."""

import socket
from collections.abc import Callable, Sequence
from typing import Final

import uvicorn

from metalwork._checks import check_count
from metalwork.delivery._answers import Cut
from metalwork.delivery._predictor import Predictor
from metalwork.delivery._serve._app import build_app
from metalwork.delivery._serve._requests import ServerLimits
from metalwork.errors import ConfigError

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_CONNECTIONS: Final = 1000
_GRACE: Final = 10  # seconds


def run_server(
    predictor: Predictor,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    cut: Cut | None = None,
    limits: ServerLimits | None = None,
    hosts: Sequence[str] | None = None,
    on_start: Callable[[str], object] = str,
) -> None:
    """Answer requests until the process is told to end (SIGTERM, SIGINT); those that are there are answered first.

    Parameters
    ----------
    predictor : Predictor
    host, port
        Where to listen; port 0 takes any that is free.
    cut, limits
        As for :func:`build_app`.
    hosts : sequence of str, optional
        The names by which it may be asked. Those of this machine where it listens there alone, else any.
    on_start : callable
        Told the address once it answers.

    Raises
    ------
    ConfigError
        When the address cannot be had.
    """
    check_count("port", port, least=0, most=65_535)
    known = [*_LOOPBACK[:2], f"[{_LOOPBACK[2]}]"] if hosts is None and host in _LOOPBACK else hosts
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}"
    app = build_app(predictor, cut, limits, known, lambda: on_start(address))
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACE,
    )
    uvicorn.Server(config).run([listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(found[4][:2], family=found[0], backlog=_CONNECTIONS)
    except OSError as error:
        raise ConfigError(
            f"host and port must be free on this machine; got {host}:{port} ({error.strerror or error}). "
            "Name another port, or 0 for any."
        ) from None
