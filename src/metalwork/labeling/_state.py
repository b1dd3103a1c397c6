"""The state that all code of a process shares, and that a labeling function must leave as it was."""

import builtins
import ctypes
import decimal
import gc
import locale
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np


class _Setting(NamedTuple):
    """A part of the state: what tells it from another, what it takes to put it back, and how that is done."""

    key: Callable[[], Any]
    value: Callable[[], Any]
    write: Callable[[Any], object]


class Snapshot:
    """The shared state of this process at one time, to be put back later.

    Held are the working folder, umask, environment, paths and other settings of ``sys``, built-in names, streams,
    warning filters, the level of logging, the garbage collector, locale, decimal context, the random states of
    ``random`` and NumPy, NumPy's handling of errors; signal handlers and the timer, in the main thread; and of
    torch, where it is loaded, the default type, random state, threads and whether gradients are on.
    """

    def __init__(self) -> None:
        self._held = [(setting, setting.key(), setting.value()) for setting in _settings()]

    def restore_builtins(self) -> None:
        """Put back the built-in names alone, which our own code is written in."""
        setting, key, value = self._held[0]
        if setting.key() != key:
            setting.write(value)

    def keys(self) -> list[Any]:
        """What tells each part, as it is now, from another."""
        return [setting.key() for setting, _, _ in self._held]

    def restore(self) -> None:
        """Put back what differs now."""
        for setting, key, value in self._held:
            try:
                differs = setting.key() != key
            except Exception:  # such as a working folder that is gone
                differs = True
            if differs:
                with suppress(Exception):
                    setting.write(value)


def _settings() -> Iterator[_Setting]:
    yield from _EVERYWHERE
    if threading.current_thread() is threading.main_thread():
        yield _plain(_read_signals, _write_signals)
        if hasattr(signal, "setitimer"):
            yield _plain(lambda: signal.getitimer(signal.ITIMER_REAL)[0] > 0, _stop_timer)
    if (torch := sys.modules.get("torch")) is not None:
        yield _plain(torch.get_default_dtype, torch.set_default_dtype)
        yield _plain(torch.get_num_threads, torch.set_num_threads)
        yield _plain(torch.is_grad_enabled, torch.set_grad_enabled)
        yield _Setting(lambda: torch.get_rng_state().numpy().tobytes(), torch.get_rng_state, torch.set_rng_state)


def _plain(read: Callable[[], Any], write: Callable[[Any], object]) -> _Setting:
    """Of a value that may be compared."""
    return _Setting(read, read, write)


def _attributes(module: ModuleType, *names: str) -> _Setting:
    """Of attributes, compared by identity."""

    def read() -> list[Any]:
        return [getattr(module, name) for name in names]

    def write(values: list[Any]) -> None:
        for name, value in zip(names, values, strict=True):
            setattr(module, name, value)

    return _Setting(lambda: [id(value) for value in read()], read, write)


def _elements(held: Callable[[], list[Any]]) -> _Setting:
    """Of the content of a list."""

    def write(values: list[Any]) -> None:
        held()[:] = values

    return _plain(lambda: list(held()), write)


def _read_environment() -> dict[Any, Any]:
    return {**getattr(os.environ, "_data", os.environ)}  # as it is held: reading it decodes every value


def _write_environment(values: dict[Any, Any]) -> None:
    _replace(os.environb if os.name == "posix" else os.environ, values)


def _read_builtins() -> dict[str, Any]:
    values = {**vars(builtins)}
    values.pop("_", None)  # which a shell sets to what it showed last
    return values


def _replace(target: MutableMapping[Any, Any], values: dict[Any, Any]) -> None:
    for name in target.keys() - values.keys() - {"_"}:
        del target[name]
    target.update(values)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _write_gc(before: tuple[bool, tuple[int, int, int], int]) -> None:
    is_on, threshold, debug = before
    (gc.enable if is_on else gc.disable)()
    gc.set_threshold(*threshold)
    gc.set_debug(debug)


def _write_logging(before: tuple[int, int]) -> None:
    logging.root.setLevel(before[0])
    logging.disable(before[1])


def _decimal_key() -> tuple[Any, ...]:
    own = decimal.getcontext()
    return own.prec, own.rounding, own.Emin, own.Emax, own.capitals, own.clamp


def _numpy_key() -> tuple[Any, bytes]:
    """NumPy's own generator, and what it holds as it lies in memory: that is quicker than to ask for it."""
    generator = _RANDOM.get_bit_generator()
    return generator, ctypes.string_at(generator.ctypes.state_address, _MT19937)


def _write_numpy(before: tuple[Any, Any]) -> None:
    _RANDOM.set_bit_generator(before[0])
    _RANDOM.set_state(before[1])


def _read_signals() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in _SIGNALS}


def _write_signals(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        if handler is not None and signal.getsignal(number) is not handler:  # None: one that Python did not set
            signal.signal(number, handler)


def _stop_timer(was_set: bool) -> None:
    if not was_set:
        signal.setitimer(signal.ITIMER_REAL, 0)


_RANDOM: Final[Any] = np.random  # its own state, whatever a generator of one's own would be better for
_MT19937: Final = 625 * 4  # bytes: 624 words and the position
_NAMES: Final = ("INT", "TERM", "HUP", "ALRM", "VTALRM", "CHLD", "PIPE", "USR1", "USR2")
_SIGNALS: Final = [number for name in _NAMES if (number := getattr(signal, f"SIG{name}", None)) is not None]
_EVERYWHERE: Final = (
    _plain(_read_builtins, lambda before: _replace(vars(builtins), before)),
    _plain(os.getcwd, os.chdir),
    _plain(_umask, os.umask),
    _plain(_read_environment, _write_environment),
    _attributes(sys, "path", "argv", "stdin", "stdout", "stderr", "excepthook", "unraisablehook"),
    _elements(lambda: sys.path),
    _elements(lambda: sys.argv),
    _attributes(threading, "excepthook"),
    _attributes(warnings, "filters", "showwarning", "formatwarning"),
    _elements(lambda: warnings.filters),  # type: ignore[arg-type, return-value]
    _plain(sys.getrecursionlimit, sys.setrecursionlimit),
    _plain(sys.getswitchinterval, sys.setswitchinterval),
    _plain(sys.gettrace, sys.settrace),
    _plain(sys.getprofile, sys.setprofile),
    _plain(lambda: (gc.isenabled(), gc.get_threshold(), gc.get_debug()), _write_gc),
    _plain(lambda: (logging.root.level, logging.root.manager.disable), _write_logging),
    _plain(lambda: locale.setlocale(locale.LC_ALL), lambda before: locale.setlocale(locale.LC_ALL, before)),
    _Setting(_decimal_key, lambda: decimal.getcontext().copy(), decimal.setcontext),
    _plain(random.getstate, random.setstate),
    _plain(np.geterr, lambda before: np.seterr(**before)),
    _plain(np.geterrcall, np.seterrcall),
    _Setting(_numpy_key, lambda: (_RANDOM.get_bit_generator(), _RANDOM.get_state()), _write_numpy),
)
