"""Running the studio."""

import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvicorn

from metalwork._checks import check_count
from metalwork.errors import ConfigError
from metalwork.studio._app import build_app
from metalwork.studio._security import Key
from metalwork.studio._state import Studio

_GRACE: Final = 3  # seconds
_CONNECTIONS: Final = 100


def run_studio(
    path: Path, port: int = 8765, *, browser: bool = True, on_start: Callable[[str], object] = str
) -> None:
    """Show the studio of a project on this machine, until the process is told to end (SIGTERM, SIGINT).

    Parameters
    ----------
    path : path
        The project file. The Python files that it names are run.
    port : int
        Of 127.0.0.1; 0 takes any that is free.
    browser : bool
        Open it in the browser.
    on_start : callable
        Told the address, with its token, once it answers.

    Raises
    ------
    ConfigError
        When the project has faults, or the port cannot be had.
    """
    check_count("port", port, least=0, most=65_535)
    studio = Studio(path)
    listener = _listen(port)
    key = Key.new(listener.getsockname()[1])

    def started() -> None:
        on_start(key.address)
        if browser:
            webbrowser.open(key.address)

    config = uvicorn.Config(
        build_app(studio, key, started),
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE,
    )
    try:
        uvicorn.Server(config).run([listener])
    finally:
        studio.stop()


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise ConfigError(
            f"port must be free on this machine; got {port} ({error.strerror or error}). "
            "Name another with --port, or 0 for any."
        ) from None
