"""The process in which the steps of a run are done: it can be ended, and what it breaks is its own."""

import os
import signal
import threading
import warnings
from collections.abc import Sequence
from multiprocessing.connection import Connection

from metalwork.errors import MetalworkError
from metalwork.pipeline import Event, Run


def work(connection: Connection, path: str, name: str, steps: Sequence[str]) -> None:
    """Do steps of a run in the folder of this name, and tell of each event; the last word is how it ended."""
    over = threading.Event()
    threading.Thread(target=_end_with_studio, args=(connection, over), daemon=True).start()
    warnings.simplefilter("ignore")

    def tell(event: Event | bool | str | None) -> None:
        if event is None or isinstance(event, str):
            over.set()
        try:
            connection.send(event)
        except OSError:
            return

    try:
        tell(True)  # from here on it can be interrupted
        run = Run.open(path, name, tell)
        for step in steps:
            if not run.is_kept(step):
                getattr(run, step)()
        tell(None)
    except KeyboardInterrupt:
        tell("")
    except MetalworkError as error:
        tell(str(error))
    except OSError as error:
        tell(f"{error.strerror or error}: {error.filename or 'a file'}.")
    except Exception as error:
        tell(f"{type(error).__name__}: {error}\nThis is a fault of metalwork.")


def _end_with_studio(connection: Connection, over: threading.Event) -> None:
    """The studio sends nothing: what can be received is that it is gone."""
    try:
        connection.recv()
    except (EOFError, OSError):
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGINT)
