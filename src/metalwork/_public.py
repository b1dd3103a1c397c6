"""Front doors: public names resolved on first use, and classes known by the name that users import."""

import sys
from collections.abc import Callable, Mapping, MutableMapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

_ROOT = "metalwork"


def offer(room: str, names: Mapping[str, Any]) -> None:
    """Let the classes among a room's ``names`` be shown, and pickled, under their public name.

    ``metalwork.LabelMatrix`` where the package root offers it, else ``metalwork.votes.SparseVotes``, in tracebacks
    and reprs alike. Classes of other rooms, and those that are not public, stay as they are.
    """
    at_root = vars(sys.modules[_ROOT])["_HOMES"]
    in_room = names.get("__all__", ())
    for name, value in names.items():
        if isinstance(value, type) and f"{value.__module__}.".startswith(f"{room}."):
            if name in at_root:
                value.__module__ = _ROOT
            elif name in in_room:
                value.__module__ = room


def on_first_use(
    room: str, homes: Mapping[str, str], namespace: MutableMapping[str, Any], before: Callable[[], object] = list
) -> Callable[[str], Any]:
    """A module's ``__getattr__``: public names from their homes below ``room``, imported when first asked for.

    ``before`` is called first, to refuse what cannot be imported. The package root also finds its own rooms, so
    that ``metalwork.analysis`` needs no import of its own.
    """

    def resolve(name: str) -> Any:
        if name in homes:
            before()
            value = getattr(import_module(f"{room}.{homes[name]}"), name)
            offer(room, {name: value, "__all__": homes})
            namespace[name] = value
            return value
        if room == _ROOT and not name.startswith("_") and find_spec(f"{room}.{name}") is not None:
            return import_module(f"{room}.{name}")
        raise AttributeError(f"module {room!r} has no attribute {name!r}")

    return resolve
