"""The studio's hold on the process that tries rules: asked in turn, and ended where it takes too long."""

import multiprocessing
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from metalwork.errors import ConfigError
from metalwork.studio._bench import Held, Shown, Votes, work

_PATIENCE: Final = 4.0  # seconds, of a rule that is tried
_TO_READ: Final = 600.0  # seconds, in which the records must have been read
_SLOW: Final = (
    "The rule must say within {seconds:g} seconds what it votes; it does not. A pattern in which one repetition "
    "stands in another, such as (a+)+, can take for ever: write it with one."
)


class Trier:
    """Tries rules on a project's records, in a process of its own.

    Parameters
    ----------
    path : path
        The project file.
    patience : float
        Seconds that a rule may take.
    """

    def __init__(self, path: Path, patience: float = _PATIENCE) -> None:
        self._path, self._patience = path, patience
        self._lock = threading.Lock()
        self._process: Any = None
        self._connection: Connection | None = None
        self._held: Held | None = None

    def start(self) -> None:
        """Begin to read the records, without waiting for them."""
        threading.Thread(target=self._warm, daemon=True).start()

    def stop(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    @property
    def is_ready(self) -> bool:
        """Whether the records have been read."""
        return self._held is not None

    def held(self) -> Held:
        """Which records are held."""
        with self._lock:
            return self._hold()

    def votes(self, values: Mapping[str, Any], replacing: str | None = None) -> tuple[Votes, Held]:
        """What a rule votes, on which records.

        Raises
        ------
        ConfigError
            Saying what is wrong with the rule, or that it takes too long.
        """
        with self._lock:
            held = self._hold()
            votes: Votes = self._ask("try", (dict(values), replacing), self._patience)
            return votes, held

    def show(
        self, values: Mapping[str, Any], wanted: Sequence[tuple[str, int]], replacing: str | None = None
    ) -> list[Shown]:
        """Records at positions among those that are held, and what the rule finds in them."""
        with self._lock:
            self._hold()
            shown: list[Shown] = self._ask("show", (dict(values), replacing, list(wanted)), self._patience)
            return shown

    def _warm(self) -> None:
        with self._lock:
            try:
                self._hold()
            except ConfigError:  # who asks next is told
                return

    def _hold(self) -> Held:
        """The records as they are now."""
        self._running()
        changed: Held | None = self._ask("held", (-1 if self._held is None else self._held.version,), _TO_READ)
        if changed is not None:
            self._held = changed
        assert self._held is not None
        return self._held

    def _ask(self, kind: str, arguments: tuple[Any, ...], seconds: float) -> Any:
        connection = self._running()
        try:
            connection.send((kind, arguments))
            in_time = connection.poll(seconds)
            answer = connection.recv() if in_time else None
        except (EOFError, OSError):
            self._end()
            raise ConfigError("The rule ended the process that tried it. Write it in another way.") from None
        if not in_time:
            self._end()
            self.start()  # it reads the records again, for the next one
            raise ConfigError(_SLOW.format(seconds=seconds))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _running(self) -> Connection:
        if self._connection is None or self._process is None or not self._process.is_alive():
            self._end()
            spawn = multiprocessing.get_context("spawn")
            self._connection, theirs = spawn.Pipe()
            self._process = spawn.Process(target=work, args=(theirs, str(self._path)), daemon=True)
            self._process.start()
            theirs.close()
        return self._connection

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join(5)
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = self._held = None
