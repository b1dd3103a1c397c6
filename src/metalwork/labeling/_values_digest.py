"""Digests of Python values by what they hold: the same in every process, whatever lies where in memory.

A value that cannot be said so (a generator, an open file, an object of C that does not pickle) is *blind*: its
digest says its type alone, and whoever relies on it is told why.
"""

import copyreg
import enum
import hashlib
import re
import threading
import types
import warnings
from abc import ABC
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Any, Final, Generic

import numpy as np
import polars as pl

from metalwork.labeling._content import content_digest
from metalwork.labeling._origins import foreign_version

PLAIN: Final = frozenset({type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented)})
_LISTS: Final = (list, tuple, deque)
_SETS: Final = (set, frozenset)
_DICTS: Final = (dict, OrderedDict, defaultdict, types.MappingProxyType)
_LOCKS: Final = (type(threading.Lock()), type(threading.RLock()), threading.local)
_BUILTIN: Final = (
    types.BuiltinFunctionType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
_OF_A_CLASS: Final = frozenset(
    {
        "__module__",
        "__doc__",
        "__dict__",
        "__weakref__",
        "__qualname__",
        "__firstlineno__",
        "__static_attributes__",
        "__annotations__",
        "__annotate__",
        "__annotate_func__",
        "__slotnames__",
        "__abstractmethods__",
        "_abc_impl",
        "__match_args__",
        "__dataclass_fields__",
        "__dataclass_params__",
        "__parameters__",
        "__orig_bases__",
    }
)
_HOLDING: Final[tuple[Any, ...]] = (dict, list, tuple, set, frozenset, deque, str, bytes, int, float)
_SIMPLE: Final = frozenset({object, Generic, ABC, *_HOLDING})
_DEEPEST: Final = 100
_FILE_NAME: Final = re.compile(r"[^\x00-\x1f]{0,4000}(?:/|\.)[\w-]{1,40}")


@dataclass
class Seen:
    """What lies behind a digest."""

    digest: bytes = b""
    codes: dict[int, types.CodeType] = field(default_factory=dict)
    """The user's own functions in it, by identity."""
    names: set[str] = field(default_factory=set)
    """Texts and paths that may name a file."""
    blind: dict[str, None] = field(default_factory=dict)
    """Why the digest does not say all."""

    def take(self, other: "Seen") -> None:
        self.codes |= other.codes
        self.names |= other.names
        self.blind |= other.blind


def digest_of(*parts: bytes | str) -> bytes:
    """Digest of a sequence of parts."""
    total = hashlib.blake2b(digest_size=20)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.digest()


class ValueDigests:
    """Digests values, each object once."""

    def __init__(self) -> None:
        self._done: dict[int, tuple[Any, Seen]] = {}  # with the object, so that its address stays its own
        self._of_root: dict[int, tuple[Any, Seen]] = {}
        self._open: dict[int, int] = {}
        self._now = [Seen()]
        self._circular = False

    def root(self, *values: Any) -> Seen:
        """What lies behind some values, and their digest."""
        self._of_root, self._now = {}, [Seen()]
        try:
            digest = digest_of(*map(self.of, values))
        except RecursionError:
            self._open, self._now = {}, self._now[:1]
            digest = self.blind("it refers to values nested too deep")
        found = self._now.pop()
        found.digest = digest
        return found

    def blind(self, why: str) -> bytes:
        """Note why a digest does not say all."""
        self._now[-1].blind[why] = None
        return digest_of("blind", why)

    def saw_code(self, code: types.CodeType) -> None:
        """Note a function of the user's own."""
        self._now[-1].codes[id(code)] = code

    def of(self, value: Any) -> bytes:
        """Digest of a value."""
        kind = type(value)
        if kind in PLAIN:
            if kind is str:
                self._may_name_file(value)
            return digest_of(kind.__name__, repr(value))
        key = id(value)
        if (found := self._done.get(key) or self._of_root.get(key)) is not None:
            self._circular = self._circular or key not in self._done
            self._now[-1].take(found[1])
            return found[1].digest
        if key in self._open:  # a circle: how far up it closes
            self._circular = True
            return digest_of("circle", str(len(self._open) - self._open[key]))
        if len(self._open) >= _DEEPEST:
            return self.blind(f"it refers to values nested more than {_DEEPEST} deep")
        return self._enter(key, value)

    def _enter(self, key: int, value: Any) -> bytes:
        self._open[key], outer, self._circular = len(self._open), self._circular, False
        self._now.append(Seen())
        try:
            digest = digest_of(type(value).__name__, *self._parts(value))
        finally:
            del self._open[key]
            seen, circular = self._now.pop(), self._circular
            self._circular = outer or circular
        seen.digest = digest
        if circular:  # its digest depends on where the circle was entered
            self._of_root[key] = (value, seen)
        else:
            self._done[key] = (value, seen)
        self._now[-1].take(seen)
        return digest

    def _may_name_file(self, text: str) -> None:
        if len(text) < 4096 and _FILE_NAME.fullmatch(text):
            self._now[-1].names.add(text)

    def _parts(self, value: Any) -> Iterable[bytes | str]:
        kind = type(value)
        if kind in _LISTS or kind in _SETS:
            return self._items(value, ordered=kind in _LISTS)
        if kind in _DICTS:
            return self._pairs(value)
        for types_, parts in self._by_type():
            if isinstance(value, types_):
                return parts(value)
        return self._instance(value)

    def _by_type(self) -> list[tuple[Any, Callable[[Any], Iterable[bytes | str]]]]:
        return [
            (type, self._class),
            (enum.Enum, self._member),
            (re.Pattern, lambda p: (repr(p.pattern), str(p.flags))),
            (PurePath, self._path),
            (np.ndarray, self._array),
            (np.generic, lambda v: (str(v.dtype), v.tobytes())),
            ((pl.Series, pl.DataFrame), self._columns),
            (_LOCKS, lambda _: ()),
            (_BUILTIN, self._builtin),
            ((staticmethod, classmethod), lambda m: (self.of(m.__func__),)),
            (property, lambda p: map(self.of, (p.fget, p.fset, p.fdel))),
            (cached_property, lambda p: (self.of(p.func),)),
        ]

    def _items(self, value: Any, *, ordered: bool) -> Iterator[bytes | str]:
        if PLAIN.issuperset(map(type, value)):
            if len(value) < 1000:
                for item in value:
                    if type(item) is str:
                        self._may_name_file(item)
            yield repr(list(value)) if ordered else repr(sorted(map(repr, value)))
        elif ordered:
            yield from map(self.of, value)
        else:
            yield from sorted(map(self.of, value))

    def _pairs(self, value: Any) -> Iterator[bytes | str]:
        if isinstance(value, defaultdict):
            yield self.of(value.default_factory)
        yield from self._items(list(value), ordered=True)  # their order may count: the first match wins
        yield from self._items(list(value.values()), ordered=True)

    def _path(self, value: PurePath) -> Iterator[str]:
        self._now[-1].names.add(str(value))
        yield str(value)

    def _array(self, value: Any) -> Iterator[bytes | str]:
        yield f"{value.dtype.descr} {value.shape}"
        if value.dtype.hasobject:
            yield self.of(value.tolist())
        else:
            yield hashlib.sha256(np.ascontiguousarray(value).view(np.uint8).data).digest() if value.size else b""
        if type(value) is not np.ndarray:
            yield from self._instance(value)

    def _columns(self, value: Any) -> Iterator[bytes | str]:
        for column in [value] if isinstance(value, pl.Series) else value.get_columns():
            yield column.name
            digest = content_digest(column)
            yield digest if digest is not None else self.of(column.to_list())

    def _member(self, value: enum.Enum) -> Iterator[bytes | str]:
        yield str(value.name)
        yield self.of(value.value)
        yield self.of(type(value))

    def _builtin(self, value: Any) -> Iterator[bytes | str]:
        owner = getattr(value, "__self__", None)
        yield value.__name__
        if owner is not None and not isinstance(owner, types.ModuleType):
            yield self.of(owner)
        elif isinstance(described := getattr(value, "__objclass__", None), type):
            yield self.of(described)
        else:
            module = getattr(value, "__module__", None)
            yield f"{module} {foreign_version(module)}"

    def _class(self, value: type) -> Iterator[bytes | str]:
        version = foreign_version(value.__module__)
        if version is not None:
            yield f"{value.__module__}.{value.__qualname__} {version}"
            return
        yield from map(self.of, (*value.__bases__, type(value)))
        fields = vars(value).get(
            "__dataclass_fields__", {}
        )  # their defaults; what is made of them is in the class
        yield from map(str, fields)
        for name in sorted(set(vars(value)) - _OF_A_CLASS):
            yield name
            yield self.of(vars(value)[name])

    def _instance(self, value: Any) -> Iterable[bytes | str]:
        kind = type(value)
        tensor = kind.__module__.startswith("torch") and hasattr(value, "detach")
        if tensor and hasattr(value, "numpy"):
            return (str(value.dtype), str(tuple(value.shape)), self._tensor(value))
        if foreign_version(kind.__module__) is not None:
            return self._pickled(value)
        own = list(self._own_instance(value))
        return own if _SIMPLE.issuperset(_foreign_bases(kind)) else [*own, *self._pickled(value)]

    def _tensor(self, value: Any) -> bytes:
        import torch

        flat = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        return hashlib.sha256(flat.numpy().data).digest()

    def _own_instance(self, value: Any) -> Iterator[bytes | str]:
        """An object of a class of the user's: the class, and all that the object holds."""
        yield self.of(type(value))
        base = next((base for base in _HOLDING if isinstance(value, base)), None)
        if base is not None:
            yield self.of(base(value) if base is not str else str.__str__(value))
        state = dict(getattr(value, "__dict__", {}))
        slots = (slot for c in type(value).__mro__ for slot in _slots(c))
        state |= {name: getattr(value, name) for name in slots if hasattr(value, name)}
        for name in sorted(state):
            yield name
            yield self.of(state[name])

    def _pickled(self, value: Any) -> Iterable[bytes | str]:
        """An object of somebody else's: what it would be pickled as, without pickling it."""
        kind = type(value)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reduce = copyreg.dispatch_table.get(kind)
                reduced = reduce(value) if reduce is not None else value.__reduce_ex__(4)
        except Exception:
            return (self.blind(f"it refers to an object of {kind.__module__}.{kind.__qualname__}"),)
        if isinstance(reduced, str):  # by its name alone: as good as its module's version
            version = foreign_version(getattr(value, "__module__", None) or kind.__module__)
            if version is None:
                return (
                    self.blind(f"it refers to {reduced!r}, an object of {kind.__module__}.{kind.__qualname__}"),
                )
            return (reduced, version)
        return [self.of(_plain_part(part)) for part in reduced]


def _slots(kind: type) -> Iterable[str]:
    slots = vars(kind).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    private = f"_{kind.__name__.lstrip('_')}"
    return [private + n if n.startswith("__") and not n.endswith("__") else n for n in names]


def _foreign_bases(kind: type) -> list[type]:
    """Bases whose objects may hold what neither ``__dict__`` nor slots show, such as those made in C."""
    return [base for base in kind.__mro__ if foreign_version(base.__module__) is not None]


def _plain_part(part: Any) -> Any:
    """A part of what an object is pickled as, without addresses: scikit-learn keeps that of its stop words."""
    if type(part) is dict:
        addresses = set(map(id, part.values()))
        return {key: item for key, item in part.items() if not (type(item) is int and item in addresses)}
    return list(part) if isinstance(part, Iterator) else part
