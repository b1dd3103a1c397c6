"""What a worker process does: it takes items from its parent and answers, until the parent is gone."""

import mmap
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import Any, BinaryIO

from metalwork.backends._base import Resumable, Setbacks
from metalwork.backends._desk import N_BYTES, Desk, sit_down
from metalwork.backends._packing import pack, receive, send, unpack
from metalwork.errors import MetalworkError


def work() -> None:
    """Work for the parent at the other end of stdin and stdout; never returns."""
    orders, answers = _take_streams()
    try:
        parent, memory, argv = receive(orders)
        sys.argv = argv
        multiprocessing.set_start_method("spawn")  # for what LFs start: a fork would hang
        _die_with(parent)
        with open(memory, "r+b") as stream:
            shared = mmap.mmap(stream.fileno(), N_BYTES)
        sit_down(
            Desk(shared, lambda key, value: send(answers, "kept", key, pack(value)), lambda: _check_open(answers))
        )
        send(answers, "ready")
        _answer_all(orders, answers)
    except (OSError, EOFError):
        pass
    finally:
        os._exit(0)  # whatever threads and exit handlers are left


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """The parent's ends of stdin and stdout, which nobody else shall read or write from now on."""
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b", buffering=0) as nowhere:
        for descriptor in range(3):
            os.dup2(nowhere.fileno(), descriptor)
    return orders, answers


def _answer_all(orders: BinaryIO, answers: BinaryIO) -> None:
    function, packed = None, b""
    while True:
        kind, item, setbacks = receive(orders)
        if kind == "learn":
            function, packed = None, item
            with suppress(BaseException):  # before there is work; what is wrong is said where it is asked for
                function = _unpacked(packed)
            continue
        own = os.getpid()
        try:
            function = function or _unpacked(packed)
            answer = ("done", pack(_call(function, item, setbacks)))
        except BaseException as error:  # also one that is none of ours to judge: the parent raises it
            answer = ("raised", _packed_error(error))
        if os.getpid() != own:
            os._exit(0)
        send(answers, *answer)


def _call(function: Any, item: bytes, setbacks: bytes | None) -> Any:
    if setbacks is not None and isinstance(function, Resumable):
        known: Setbacks = unpack(setbacks)
        known.kept = {key: unpack(value) for key, value in known.kept.items()}
        return function.resume(unpack(item), known)
    return function(unpack(item))


def _unpacked(packed: bytes) -> Any:
    try:
        return unpack(packed)
    except ImportError as error:
        raise MetalworkError(
            f"A worker process cannot import what a function needs: {error}. "
            "Install the module, or start from the folder that holds it."
        ) from None


def _packed_error(error: BaseException) -> bytes:
    with suppress(Exception):
        if not isinstance(error, MetalworkError):
            error.add_note("In a worker process:\n" + "".join(traceback.format_exception(error)))
        packed = pack(error)
        unpack(packed)  # an error whose constructor asks for more than its message cannot be made again
        return packed
    return pack(MetalworkError(f"A worker process failed: {type(error).__name__}."))


def _check_open(answers: BinaryIO) -> None:
    """End where somebody closed the way back to the parent: what runs then is lost."""
    try:
        os.fstat(answers.fileno())
    except (OSError, ValueError):
        os._exit(1)


def _die_with(parent: int) -> None:
    """End this process when its parent is gone, even where nothing else gets to run."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG
    if os.name == "posix":
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(0)
